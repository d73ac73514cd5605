#!/bin/sh
# slow.sh CONTAINER WRITES - lets the container do so many writes a second on the disk that holds /data; 0: as
# many as it wants. It sees the machine's control groups, of version 1 or 2, in /cgroup.
set -eu
container=$1 writes=$2
number=$(stat -c %d /data)
device=$((number >> 8 & 0xfff)):$((number & 0xff | number >> 12 & 0xfff00))
if [ -e "/sys/dev/block/$device/partition" ]; then # limits are for whole disks
	device=$(cat "$(readlink -f "/sys/dev/block/$device")/../dev")
fi
for group in "docker/$container" "system.slice/docker-$container.scope"; do
	old=/cgroup/blkio/$group/blkio.throttle.write_iops_device new=/cgroup/$group/io.max
	if [ -e "$old" ]; then
		echo "$device $writes" > "$old"
		exit
	elif [ -e "$new" ]; then
		[ "$writes" != 0 ] || writes=max
		echo "$device wiops=$writes" > "$new"
		exit
	fi
done
echo "there is no control group that limits the writes of $container" >&2
exit 1
