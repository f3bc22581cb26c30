-- The role by which Grafana reads the ledger: what the dashboards show, and nothing of keys, users and secrets.
-- READER_PASSWORD=... psql -v ON_ERROR_STOP=1 -f reader.sql; again: the password and the rights are set anew.

\getenv password READER_PASSWORD

SELECT 'CREATE ROLE chamberlog_reader' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'chamberlog_reader') \gexec
ALTER ROLE chamberlog_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION CONNECTION LIMIT 8
    PASSWORD :'password';
-- A panel that asks for too much ends; collection does not wait for it.
ALTER ROLE chamberlog_reader SET default_transaction_read_only = on;
ALTER ROLE chamberlog_reader SET statement_timeout = '20s';
ALTER ROLE chamberlog_reader SET lock_timeout = '2s';
ALTER ROLE chamberlog_reader SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE chamberlog_reader SET timezone = 'UTC';

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM chamberlog_reader;
GRANT USAGE ON SCHEMA public TO chamberlog_reader;
-- Not the URL of a device, nor which secret it is sent. A gap's detail may name the address that did not answer.
GRANT SELECT (key, id, organization, section, name, profile, interval_ms, timeout_ms, status, began_at, created_at, retiring,
    retired_at, settled_through, last_reading, pause_since, pause_reason, pause_by, pause_until, resumed_at)
    ON chamber_overview TO chamberlog_reader;
GRANT SELECT ON reading, reading_value, reading_hourly, detector, detector_set, gap, schedule_epoch TO chamberlog_reader;
