#!/bin/sh
# zkCli.sh [-server host:port] [command]: ZooKeeper's own command line client.
# shellcheck disable=SC2086 # flags are words
exec java -cp '/usr/share/zookeeper/lib/*' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
	-Dorg.slf4j.simpleLogger.defaultLogLevel=warn ${CLIENT_JVMFLAGS:-} \
	org.apache.zookeeper.ZooKeeperMain "$@"
