#!/bin/sh
# Makes the role by which Grafana reads the ledger, with its password from the file. Again: both are set anew.
set -eu
PGPASSWORD="$(cat /run/secrets/postgres_password)"
READER_PASSWORD="$(cat /run/secrets/ledger_reader_password)"
export PGPASSWORD READER_PASSWORD
exec psql -h postgres -U chamberlog -d chamberlog -q -v ON_ERROR_STOP=1 -f /etc/chamberlog/reader.sql
