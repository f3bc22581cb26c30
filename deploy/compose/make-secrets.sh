#!/bin/sh
# Makes the secrets of docker-compose.temporal.yml and its overlay in ./secrets (or the directory given). Again: nothing is changed;
# what depends on a password that was replaced is made anew once you remove it.
set -eu
directory="${1:-secrets}"
umask 077
mkdir -p "$directory"
chmod 700 "$directory" # others stay out here, so that the files can be open to the users of the containers
cd "$directory"

password() { # file
  [ -s "$1" ] || keep "$1" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
}

keep() { # file, content
  printf '%s\n' "$2" >"$1.new"
  chmod 444 "$1.new"
  mv "$1.new" "$1"
  echo "made $directory/$1"
}

password postgres_password
password temporal_postgres_password
password valkey_password
# Of docker-compose.observability.yml.
password ledger_reader_password
password grafana_admin_password
# The authz service signs by the one, the API believes the other. Variables, because `set -e` passes over what fails
# inside an argument, and an empty key would stay for good.
if [ ! -s assertion_key ]; then
  pair="$(openssl genpkey -algorithm ed25519)"
  keep assertion_key "$pair"
fi
if [ ! -s assertion_keys ]; then
  public="$(openssl pkey -in assertion_key -pubout)"
  keep assertion_keys "$public"
fi
[ -s postgres_dsn ] || keep postgres_dsn "postgresql://chamberlog:$(cat postgres_password)@postgres:5432/chamberlog"
[ -s redis_url ] || keep redis_url "redis://chamberlog:$(cat valkey_password)@valkey:6379/0"
[ -s valkey_users ] || keep valkey_users "user default on nopass nocommands +ping
user chamberlog on >$(cat valkey_password) ~* &* +@all -@admin"
