-- SPDX-License-Identifier: Apache-2.0
-- pg_crash has no SQL objects: its library is in the server, with its parameters, and its worker has started.
\set QUIET on
SET client_min_messages = warning;

DO $$
DECLARE
    parameters text;
    started text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_get_loaded_modules() WHERE file_name = 'pg_crash.so') THEN
        RAISE EXCEPTION 'pg_crash.so is not loaded';
    END IF;
    SELECT string_agg(name, ' ' ORDER BY name) INTO parameters FROM pg_settings WHERE name LIKE 'crash.%';
    IF parameters IS DISTINCT FROM 'crash.delay crash.signals' THEN
        RAISE EXCEPTION 'expected the parameters crash.delay and crash.signals, found %', coalesce(parameters, 'none');
    END IF;
    -- The worker connects to no database, so that no view shows it, but it says so in the log when it starts. The
    -- logging collector writes the file in its own time.
    FOR i IN 1 .. 100 LOOP
        SELECT substring(pg_read_file(pg_current_logfile()) FROM 'pg_crash background worker started[^\n]*') INTO started;
        EXIT WHEN started IS NOT NULL;
        PERFORM pg_sleep(0.1);
    END LOOP;
    IF started IS NULL THEN
        RAISE EXCEPTION 'the worker has not announced itself in %', pg_current_logfile();
    END IF;
    PERFORM set_config('smoke.started', started, false);
END
$$;
SELECT current_setting('smoke.started');
