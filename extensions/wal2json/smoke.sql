-- SPDX-License-Identifier: Apache-2.0
-- A logical slot decodes an insert into JSON. The slot is temporary, so a failure leaves none behind either.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE thing (id int PRIMARY KEY, name text);
SELECT 'wal2json_smoke_' || pg_backend_pid() AS slot \gset
SELECT lsn FROM pg_create_logical_replication_slot(:'slot', 'wal2json', temporary => true) \gset
INSERT INTO thing VALUES (7, 'seven');

SELECT coalesce(string_agg(data, E'\n') FILTER (WHERE data::jsonb ->> 'action' = 'I'), '') AS decoded
FROM pg_logical_slot_get_changes(:'slot', NULL, NULL, 'format-version', '2', 'add-tables', '*.thing') \gset
SELECT pg_drop_replication_slot(:'slot') AS dropped \gset
SELECT set_config('smoke.slot', :'slot', false) AS slot, set_config('smoke.decoded', :'decoded', false) AS decoded \gset

DO $$
DECLARE
    decoded text := current_setting('smoke.decoded');
    columns jsonb;
BEGIN
    IF decoded = '' THEN
        RAISE EXCEPTION 'wal2json decoded no insert';
    END IF;
    SELECT jsonb_object_agg(c ->> 'name', c -> 'value') INTO columns FROM jsonb_array_elements(decoded::jsonb -> 'columns') AS c;
    IF columns IS DISTINCT FROM '{"id": 7, "name": "seven"}' OR decoded::jsonb ->> 'table' <> 'thing' THEN
        RAISE EXCEPTION 'the insert was decoded as %', decoded;
    END IF;
    IF EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = current_setting('smoke.slot')) THEN
        RAISE EXCEPTION 'the slot is still there';
    END IF;
END
$$;
SELECT 'the insert was decoded as ' || :'decoded' || ' and the slot is dropped';
