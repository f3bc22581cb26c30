#!/bin/sh
# Makes Temporal's two databases and brings their schemas to the release of these admin tools. Again: nothing changes.
# SQL_HOST, SQL_PORT, SQL_USER and SQL_PLUGIN are read by temporal-sql-tool itself.
set -eu
SQL_PASSWORD="$(cat /run/secrets/temporal_postgres_password)"
export SQL_PASSWORD

schema() { # database, folder of its schema
  temporal-sql-tool --database "$1" create-database
  temporal-sql-tool --database "$1" setup-schema --version 0.0
  temporal-sql-tool --database "$1" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

schema temporal temporal
schema temporal_visibility visibility
