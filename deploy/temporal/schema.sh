#!/bin/sh
# Brings both of Temporal's databases to the schema of this version of temporal-sql-tool; where they are, by SQL_* in the environment.
# May run again: it does what is missing.
set -eu
for database in temporal visibility; do
  case $database in
  temporal) SQL_DATABASE=temporal ;;
  visibility) SQL_DATABASE=temporal_visibility ;;
  esac
  export SQL_DATABASE
  temporal-sql-tool setup-schema --version 0.0
  temporal-sql-tool update-schema --schema-name "postgresql/v12/$database"
done
