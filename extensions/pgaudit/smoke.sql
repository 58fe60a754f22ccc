-- SPDX-License-Identifier: Apache-2.0
-- A write that is to be audited shows up in the server's log, a read that is not does not.
\set QUIET on
SET client_min_messages = warning;

SELECT 'pgaudit_smoke_' || pg_backend_pid() AS marker \gset
CREATE TABLE :"marker" (id int);
SET pgaudit.log = 'write';
INSERT INTO :"marker" VALUES (1);
SELECT id AS ignored FROM :"marker" \gset
SET pgaudit.log = 'none';

SELECT set_config('smoke.marker', :'marker', false) AS marker \gset
DO $$
DECLARE
    marker text := current_setting('smoke.marker');
    audited text[];
BEGIN
    -- The logging collector writes the file in its own time.
    FOR i IN 1 .. 100 LOOP
        SELECT array_agg(substring(line FROM 'AUDIT: .*')) INTO audited
        FROM string_to_table(pg_read_file(pg_current_logfile()), E'\n') AS line
        WHERE line LIKE '%AUDIT: %' || marker || '%';
        EXIT WHEN audited IS NOT NULL;
        PERFORM pg_sleep(0.1);
    END LOOP;
    IF audited IS NULL THEN
        RAISE EXCEPTION 'no AUDIT line for the INSERT in %', pg_current_logfile();
    END IF;
    IF cardinality(audited) <> 1 OR audited[1] NOT LIKE '%,WRITE,INSERT,%' THEN
        RAISE EXCEPTION 'expected one AUDIT line of class WRITE, found %', audited;
    END IF;
    PERFORM set_config('smoke.audited', split_part(audited[1], ',', 4) || ' ' || split_part(audited[1], ',', 5), false);
END
$$;
SELECT 'the log has an AUDIT line for ' || current_setting('smoke.audited') || ' and none for the SELECT';
