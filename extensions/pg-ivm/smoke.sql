-- SPDX-License-Identifier: Apache-2.0
-- A materialized view follows its base table by itself, through an insert, an update and a delete.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE sale (id int PRIMARY KEY, shop text NOT NULL, amount int NOT NULL);
INSERT INTO sale VALUES (1, 'north', 10), (2, 'north', 20), (3, 'south', 5);
SELECT pgivm.create_immv('total', 'SELECT shop, sum(amount) AS amount FROM sale GROUP BY shop') AS rows \gset
INSERT INTO sale VALUES (4, 'south', 7);
UPDATE sale SET amount = 11 WHERE id = 1;
DELETE FROM sale WHERE id = 2;

DO $$
DECLARE
    found text;
BEGIN
    SELECT string_agg(shop || ' ' || amount, ', ' ORDER BY shop) INTO found FROM total;
    IF found IS DISTINCT FROM 'north 11, south 12' THEN
        RAISE EXCEPTION 'the maintained view says %, not north 11, south 12', found;
    END IF;
    IF NOT EXISTS (SELECT FROM pgivm.pg_ivm_immv WHERE immvrelid = 'total'::regclass) THEN
        RAISE EXCEPTION 'pg_ivm does not list the view';
    END IF;
END
$$;
SELECT 'after three changes the maintained view says ' || string_agg(shop || ' ' || amount, ', ' ORDER BY shop) FROM total;
