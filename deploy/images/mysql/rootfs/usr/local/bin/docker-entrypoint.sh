#!/bin/bash
# Starts mysqld as process 1. On a new data directory it unpacks the initialised one of the image and
# lets the server itself make users and databases (--init-file), before it listens: who can connect
# finds everything there. Takes the official image's variables; README.md lists which.
set -euo pipefail
shopt -s nullglob

die() { echo "docker-entrypoint: $*" >&2; exit 1; }
note() { echo "docker-entrypoint: $*" >&2; }

data=/var/lib/mysql
archive=/usr/share/rideshare/mysql-data.tar.gz
done_mark=$data/mysql/rideshare_initialised.ibd # the last thing that the init file makes

# from_file NAME: takes NAME from the file in NAME_FILE.
from_file() {
	local name=$1 file=$1_FILE
	[[ -n ${!file:-} ]] || return 0
	[[ -z ${!name:-} ]] || die "$name and $file are both set"
	[[ -r ${!file} ]] || die "$file: cannot read ${!file}"
	printf -v "$name" '%s' "$(< "${!file}")"
	export "${name?}"
	unset "$file"
}

# literal TEXT: a MySQL string literal.
literal() {
	local text=${1//\\/\\\\}
	printf "'%s'" "${text//\'/\\\'}"
}

# identifier TEXT: a quoted MySQL identifier.
identifier() {
	local tick='`'
	printf '%s' "$tick${1//$tick/$tick$tick}$tick"
}

unpack() {
	# mysql.ibd is moved last: without it the directory is not a database yet.
	[[ ! -e $data/mysql.ibd ]] || return 0
	local found=("$data"/*)
	if [[ -e $data/.unpacking ]]; then
		rm -rf -- "${found[@]}" "$data/.unpacking" # killed during its first start: nothing was in it
	elif (( ${#found[@]} > 0 )) && [[ ${found[*]} != "$data/lost+found" ]]; then
		die "$data is neither empty nor a MySQL data directory"
	fi
	chmod 750 "$data" 2> /dev/null || true # a mount may belong to somebody else
	mkdir "$data/.unpacking"
	tar -C "$data/.unpacking" --no-same-owner -xzf "$archive"
	find "$data/.unpacking" -mindepth 1 -maxdepth 1 ! -name mysql.ibd -exec mv -t "$data" {} +
	mv "$data/.unpacking/mysql.ibd" "$data/"
	rmdir "$data/.unpacking"
}

# init_sql: what makes the users. Every statement may run twice: a server that was killed during its
# first start begins again. The table at the end says that all before it is committed. The server stops
# reading at the first error, says so in its log and goes on: then it stays in offline mode, which lets
# nobody but root in, instead of serving half a database.
init_sql() {
	echo 'SET SESSION sql_log_bin = 0;'
	echo 'SET GLOBAL offline_mode = ON;'
	local password=${MYSQL_ROOT_PASSWORD:-}
	echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(literal "$password");"
	local host=${MYSQL_ROOT_HOST-%}
	if [[ -n $host && $host != localhost ]]; then
		host=$(literal "$host")
		echo "CREATE USER IF NOT EXISTS 'root'@$host;"
		echo "ALTER USER 'root'@$host IDENTIFIED BY $(literal "$password");"
		echo "GRANT ALL ON *.* TO 'root'@$host WITH GRANT OPTION;"
	fi
	if [[ -n ${MYSQL_DATABASE:-} ]]; then
		echo "CREATE DATABASE IF NOT EXISTS $(identifier "$MYSQL_DATABASE");"
	fi
	if [[ -n ${MYSQL_USER:-} ]]; then
		local user; user="$(literal "$MYSQL_USER")@'%'"
		echo "CREATE USER IF NOT EXISTS $user;"
		echo "ALTER USER $user IDENTIFIED BY $(literal "$MYSQL_PASSWORD");"
		if [[ -n ${MYSQL_DATABASE:-} ]]; then
			echo "GRANT ALL ON $(identifier "${MYSQL_DATABASE//_/\\_}").* TO $user;"
		fi
	fi
	[[ -z ${MYSQL_DATABASE:-} ]] || echo "USE $(identifier "$MYSQL_DATABASE");"
	local file
	for file in /docker-entrypoint-initdb.d/*; do
		case $file in
		*.sql) cat -- "$file" ;;
		*.sql.gz) gzip -dc -- "$file" ;;
		*) note "$file is ignored: only *.sql and *.sql.gz are run" ;;
		esac
		echo
	done
	echo 'CREATE TABLE IF NOT EXISTS mysql.rideshare_initialised (at DATETIME) ENGINE=InnoDB;'
	echo 'SET GLOBAL offline_mode = OFF;'
}

check_environment() {
	if [[ -n ${MYSQL_RANDOM_ROOT_PASSWORD:-} ]]; then
		MYSQL_ROOT_PASSWORD=$(head -c 24 /dev/urandom | base64 -w 0)
		note "generated root password: $MYSQL_ROOT_PASSWORD"
	fi
	[[ -n ${MYSQL_ROOT_PASSWORD:-}${MYSQL_ALLOW_EMPTY_PASSWORD:-} ]] ||
		die 'a new database needs MYSQL_ROOT_PASSWORD, MYSQL_ROOT_PASSWORD_FILE, MYSQL_RANDOM_ROOT_PASSWORD or MYSQL_ALLOW_EMPTY_PASSWORD'
	[[ ${MYSQL_USER:-} != root ]] || die 'MYSQL_USER=root: root is made anyway'
	[[ -z ${MYSQL_USER:-} || -n ${MYSQL_PASSWORD:-} ]] || die 'MYSQL_USER needs MYSQL_PASSWORD'
}

[[ $# -gt 0 && $1 != -* ]] || set -- mysqld "$@"
[[ $1 == mysqld ]] || exec "$@"

# Secrets may be readable by root only, and a mount may belong to root: first this, then drop root.
for name in MYSQL_ROOT_PASSWORD MYSQL_ROOT_HOST MYSQL_DATABASE MYSQL_USER MYSQL_PASSWORD; do
	from_file "$name"
done
if (( EUID == 0 )); then
	[[ $(stat -c %u "$data") == 999 ]] || chown 999:999 "$data"
	exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi

unpack
if [[ -e $done_mark ]]; then
	sql=
else
	check_environment
	sql=$(init_sql)
fi
# The server is the last to know: its own environment holds no password, nor does any file.
unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD MYSQL_USER MYSQL_DATABASE MYSQL_ROOT_HOST
if [[ -n $sql ]]; then
	exec "$@" --init-file=/dev/fd/3 3<<< "$sql"
fi
exec "$@"
