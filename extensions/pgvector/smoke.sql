-- SPDX-License-Identifier: Apache-2.0
-- An HNSW index over a lattice of a thousand vectors answers a nearest-neighbour query.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE item (id int PRIMARY KEY, embedding vector(3) NOT NULL);
INSERT INTO item VALUES (1, '[3,1,2]');
INSERT INTO item
SELECT 1 + row_number() OVER (), ARRAY[x, y, z]::vector
FROM generate_series(0, 9) AS x, generate_series(0, 9) AS y, generate_series(0, 9) AS z
WHERE (x, y, z) <> (3, 1, 2);
CREATE INDEX item_embedding ON item USING hnsw (embedding vector_l2_ops);

SET enable_seqscan = off;
SET hnsw.ef_search = 200;
DO $$
DECLARE
    plan jsonb;
    nearest int;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT id FROM item ORDER BY embedding <-> ''[3,1,2]'' LIMIT 1' INTO plan;
    IF NOT plan @@ '$.**."Index Name" == "item_embedding"' THEN
        RAISE EXCEPTION 'the query does not use the HNSW index: %', plan;
    END IF;
    SELECT id INTO nearest FROM item ORDER BY embedding <-> '[3,1,2]' LIMIT 1;
    IF nearest IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION 'nearest neighbour of [3,1,2] is row %, not row 1', nearest;
    END IF;
    IF '[3,1,2]'::vector <-> '[0,5,2]' <> 5 THEN
        RAISE EXCEPTION 'the distance of [3,1,2] and [0,5,2] is %, not 5', '[3,1,2]'::vector <-> '[0,5,2]';
    END IF;
END
$$;
SELECT 'nearest neighbour of [3,1,2] is row ' || id || ', found through the HNSW index'
FROM item ORDER BY embedding <-> '[3,1,2]' LIMIT 1;
