#!/bin/sh
# Starts Temporal with its database's password from a file. The server knows no file for it, so the password is in this
# process's environment, and in no compose file, no image and no `docker inspect`.
set -eu
POSTGRES_PWD="$(cat /run/secrets/temporal_postgres_password)"
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
