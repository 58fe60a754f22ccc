-- SPDX-License-Identifier: Apache-2.0
-- Dijkstra takes the cheap detour instead of the dear direct edge, over a graph with geometries.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE edge (id int PRIMARY KEY, source int, target int, cost float8, geom geometry(LineString, 4326));
INSERT INTO edge
SELECT id, source, target, cost, ST_SetSRID(ST_MakeLine(ST_MakePoint(source, 0), ST_MakePoint(target, 0)), 4326)
FROM (VALUES (1, 1, 2, 1.0), (2, 2, 3, 1.5), (3, 3, 4, 1.0), (4, 1, 4, 9.0), (5, 2, 4, 4.0)) AS e (id, source, target, cost);

DO $$
DECLARE
    route text;
BEGIN
    SELECT string_agg(node::text, ' ' ORDER BY seq) || ' for ' || max(agg_cost) INTO route
    FROM pgr_dijkstra('SELECT id, source, target, cost FROM edge', 1, 4);
    IF route IS DISTINCT FROM '1 2 3 4 for 3.5' THEN
        RAISE EXCEPTION 'the route from 1 to 4 is %, not 1 2 3 4 for 3.5', route;
    END IF;
    -- The edges point one way.
    IF EXISTS (SELECT FROM pgr_dijkstra('SELECT id, source, target, cost FROM edge', 4, 1)) THEN
        RAISE EXCEPTION 'there is a route against the direction of the edges';
    END IF;
END
$$;
SELECT 'the cheapest route from 1 to 4 is ' || string_agg(node::text, ', ' ORDER BY seq) || ' at a cost of ' || max(agg_cost)
FROM pgr_dijkstra('SELECT id, source, target, cost FROM edge', 1, 4);
