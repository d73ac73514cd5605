#!/bin/bash
# zkServer.sh start-foreground | status: the two commands of the official script that make sense here.
set -euo pipefail

config=${ZOO_CONF_DIR:-/conf}/zoo.cfg
case ${1:-} in
start-foreground)
	# shellcheck disable=SC2206 # flags are words
	flags=(-Xmx"${ZK_SERVER_HEAP:-512}"m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${JVMFLAGS:-} ${SERVER_JVMFLAGS:-})
	exec java -cp "/usr/share/zookeeper/lib/*:${config%/*}" \
		-Dzookeeper.log.dir="${ZOO_LOG_DIR:-/logs}" -Djava.net.preferIPv4Stack=true \
		-Dorg.slf4j.simpleLogger.logFile=System.out \
		-Dorg.slf4j.simpleLogger.showDateTime=true \
		-Dorg.slf4j.simpleLogger.dateTimeFormat="yyyy-MM-dd'T'HH:mm:ss.SSSX" \
		-Dorg.slf4j.simpleLogger.defaultLogLevel="${ZOO_LOG_LEVEL:-info}" \
		-XX:+ExitOnOutOfMemoryError "${flags[@]}" \
		org.apache.zookeeper.server.quorum.QuorumPeerMain "$config"
	;;
status)
	exec 3<> /dev/tcp/127.0.0.1/2181
	printf srvr >&3
	cat <&3
	;;
*)
	echo "usage: zkServer.sh start-foreground | status" >&2
	exit 2
	;;
esac
