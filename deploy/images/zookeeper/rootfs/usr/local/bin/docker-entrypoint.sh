#!/bin/bash
# Starts ZooKeeper as process 1, with a configuration made from the official image's variables unless
# there is one at $ZOO_CONF_DIR/zoo.cfg already.
set -euo pipefail

[[ $# -gt 0 && $1 != -* ]] || set -- zkServer.sh start-foreground "$@"

if [[ $1 == zkServer.sh ]] && (( EUID == 0 )); then
	find "$ZOO_DATA_DIR" "$ZOO_DATA_LOG_DIR" "$ZOO_LOG_DIR" "$ZOO_CONF_DIR" \! -user 1000 \
		-exec chown 1000:1000 {} + 2>/dev/null || true # a read-only mount stays as it is
	exec setpriv --reuid=1000 --regid=1000 --clear-groups "$0" "$@"
fi

if [[ $1 == zkServer.sh && ! -f $ZOO_CONF_DIR/zoo.cfg ]]; then
	{
		echo "dataDir=$ZOO_DATA_DIR"
		echo "dataLogDir=$ZOO_DATA_LOG_DIR"
		echo "tickTime=$ZOO_TICK_TIME"
		echo "initLimit=$ZOO_INIT_LIMIT"
		echo "syncLimit=$ZOO_SYNC_LIMIT"
		echo "autopurge.snapRetainCount=$ZOO_AUTOPURGE_SNAPRETAINCOUNT"
		echo "autopurge.purgeInterval=$ZOO_AUTOPURGE_PURGEINTERVAL"
		echo "maxClientCnxns=$ZOO_MAX_CLIENT_CNXNS"
		echo "standaloneEnabled=$ZOO_STANDALONE_ENABLED"
		echo "admin.enableServer=$ZOO_ADMINSERVER_ENABLED"
		[[ -z ${ZOO_4LW_COMMANDS_WHITELIST:-} ]] || echo "4lw.commands.whitelist=$ZOO_4LW_COMMANDS_WHITELIST"
		# shellcheck disable=SC2086 # both lists are separated by white space
		printf '%s\n' ${ZOO_SERVERS:-server.1=localhost:2888:3888;2181} ${ZOO_CFG_EXTRA:-}
	} > "$ZOO_CONF_DIR/zoo.cfg"
fi
if [[ $1 == zkServer.sh && ! -f $ZOO_DATA_DIR/myid ]]; then
	echo "${ZOO_MY_ID:-1}" > "$ZOO_DATA_DIR/myid"
fi
exec "$@"
