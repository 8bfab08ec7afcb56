-- Runs once, by psql, when Postgres' volume is new. One role for each, so that Temporal cannot read what Hookstream stores.
\getenv hookstream_password HOOKSTREAM_DB_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD
CREATE ROLE hookstream LOGIN PASSWORD :'hookstream_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE hookstream OWNER hookstream;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE hookstream, temporal, temporal_visibility FROM PUBLIC;
