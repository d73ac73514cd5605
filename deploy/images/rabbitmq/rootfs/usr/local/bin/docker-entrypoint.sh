#!/bin/bash
# Starts RabbitMQ as process 1. RabbitMQ itself reads RABBITMQ_DEFAULT_USER, RABBITMQ_DEFAULT_PASS,
# RABBITMQ_DEFAULT_VHOST, RABBITMQ_NODENAME and the rest, /etc/rabbitmq/rabbitmq.conf,
# /etc/rabbitmq/conf.d/*.conf and /etc/rabbitmq/enabled_plugins.
set -euo pipefail

home=/var/lib/rabbitmq
cookie=$home/.erlang.cookie

[[ $# -gt 0 && $1 != -* ]] || set -- rabbitmq-server "$@"

if [[ $1 == rabbitmq-server ]] && (( EUID == 0 )); then
	find "$home" \! -user 999 -exec chown 999:999 {} +
	exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi

if [[ -n ${RABBITMQ_ERLANG_COOKIE:-} ]]; then
	if [[ ! -e $cookie || $(< "$cookie") != "$RABBITMQ_ERLANG_COOKIE" ]]; then
		rm -f "$cookie"
		(umask 077 && printf '%s' "$RABBITMQ_ERLANG_COOKIE" > "$cookie")
		chmod 400 "$cookie"
	fi
	unset RABBITMQ_ERLANG_COOKIE # or RabbitMQ would put it on Erlang's command line
fi

# A dotted host name is a long name.
[[ $(hostname) != *.* ]] || : "${RABBITMQ_USE_LONGNAME:=true}"
export RABBITMQ_USE_LONGNAME=${RABBITMQ_USE_LONGNAME:-false}

# Erlang sizes its tables by the limit of open files, which Docker may set to a thousand million.
limit=$(ulimit -n)
if [[ $limit == unlimited ]] || (( limit > 65536 )); then ulimit -n 65536; fi

export RUNNING_UNDER_SYSTEMD=true # exec the server, instead of waiting for it in a shell
exec "$@"
