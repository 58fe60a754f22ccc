-- SPDX-License-Identifier: Apache-2.0
-- A logical slot decodes an insert with @name@. The slot is temporary, so a failure leaves none behind either.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE thing (id int PRIMARY KEY, name text);
SELECT 'smoke_' || pg_backend_pid() AS slot \gset
SELECT lsn FROM pg_create_logical_replication_slot(:'slot', '@name@', temporary => true) \gset
INSERT INTO thing VALUES (7, 'seven');
SELECT count(*) AS changes, coalesce(sum(length(data)), 0) AS bytes
FROM pg_logical_slot_get_binary_changes(:'slot', NULL, NULL) \gset
SELECT pg_drop_replication_slot(:'slot') AS dropped \gset
SELECT set_config('smoke.changes', :'changes', false) AS changes \gset

DO $$
BEGIN
    IF current_setting('smoke.changes')::int = 0 THEN
        RAISE EXCEPTION '@name@ decoded nothing';
    END IF;
END
$$;
SELECT '@name@ decoded the insert into ' || :'changes' || ' changes';
