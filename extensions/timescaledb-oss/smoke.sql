-- SPDX-License-Identifier: Apache-2.0
-- A hypertable splits four days of readings into a chunk for each day, and a query for one day reads one chunk.
\set QUIET on
SET client_min_messages = warning;

SET timezone = 'UTC';
CREATE TABLE reading (at timestamptz NOT NULL, value float8 NOT NULL);
SELECT create_hypertable('reading', by_range('at', INTERVAL '1 day')) AS created \gset
INSERT INTO reading SELECT t, extract(day FROM t)
FROM generate_series(timestamptz '2026-03-01', timestamptz '2026-03-04 23:00', INTERVAL '1 hour') AS t;

DO $$
DECLARE
    chunks int;
    days text;
    plan text;
BEGIN
    SELECT count(*) INTO chunks FROM show_chunks('reading');
    IF chunks <> 4 THEN
        RAISE EXCEPTION 'four days are in % chunks, not 4', chunks;
    END IF;
    SELECT string_agg(day || ' ' || n || ' ' || mean, ', ' ORDER BY day) INTO days
    FROM (SELECT time_bucket('1 day', at)::date AS day, count(*) AS n, avg(value) AS mean FROM reading GROUP BY 1) AS bucket;
    IF days IS DISTINCT FROM '2026-03-01 24 1, 2026-03-02 24 2, 2026-03-03 24 3, 2026-03-04 24 4' THEN
        RAISE EXCEPTION 'wrong daily buckets: %', days;
    END IF;
    EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM reading WHERE at >= ''2026-03-02'' AND at < ''2026-03-03''' INTO plan;
    IF (SELECT count(DISTINCT chunk) FROM regexp_matches(plan, '"_hyper_[0-9]+_[0-9]+_chunk"', 'g') AS chunk) <> 1 THEN
        RAISE EXCEPTION 'a query for one day does not read exactly one chunk: %', plan;
    END IF;
END
$$;
SELECT count(*) || ' readings in ' || (SELECT count(*) FROM show_chunks('reading')) || ' chunks, and a query for one day reads one of them' FROM reading;
