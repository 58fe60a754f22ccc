-- SPDX-License-Identifier: Apache-2.0
-- TODO: use @name@ for what it is made for. This shows that it is there: its libraries can be loaded, and its objects counted.
\set QUIET on
SET client_min_messages = warning;

DO $$
DECLARE
    wanted text;
    library text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[@names@] LOOP
        IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = wanted) THEN
            RAISE EXCEPTION '% is not created', wanted;
        END IF;
        FOR library IN
            SELECT DISTINCT regexp_replace(probin, '^\$libdir/', '')
            FROM pg_extension
            JOIN pg_depend ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid AND deptype = 'e'
            JOIN pg_proc ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
            WHERE extname = wanted AND probin IS NOT NULL
        LOOP
            EXECUTE format('LOAD %L', library);
        END LOOP;
    END LOOP;
END
$$;
SELECT string_agg(format('%s %s has %s objects', extname, extversion, (
    SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid AND deptype = 'e'
)), ', ' ORDER BY extname)
FROM pg_extension WHERE extname IN (@names@);
