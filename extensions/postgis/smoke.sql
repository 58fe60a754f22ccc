-- SPDX-License-Identifier: Apache-2.0
-- Geometries, PROJ with its database, GEOS, and every module: with raster and SFCGAL most of the image's system libraries
-- are loaded, and topology, addresses and the geocoder each answer a question.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE place (name text PRIMARY KEY, position geometry(Point, 4258) NOT NULL);
INSERT INTO place VALUES ('example', ST_SetSRID(ST_MakePoint(5, 50), 4258));
CREATE INDEX ON place USING gist (position);

SET postgis.gdal_enabled_drivers = 'GTiff';

DO $$
DECLARE
    projected geometry;
    found float8;
    drivers text;
    said text;
BEGIN
    -- EPSG's guidance note 7-2 works this example out for Lambert's azimuthal equal-area projection of Europe.
    SELECT ST_Transform(position, 3035) INTO projected FROM place;
    IF ST_Distance(projected, ST_SetSRID(ST_MakePoint(3962799.45, 2999718.85), 3035)) > 0.01 THEN
        RAISE EXCEPTION 'EPSG:3035 of 5 E, 50 N is %, not 3962799.45 2999718.85', ST_AsText(projected, 2);
    END IF;
    IF ST_Distance(ST_Transform(projected, 4258), ST_SetSRID(ST_MakePoint(5, 50), 4258)) > 1e-9 THEN
        RAISE EXCEPTION 'the way back leads to %', ST_AsText(ST_Transform(projected, 4258));
    END IF;
    -- A CRS that is named by its authority's code is looked up in PROJ's database; by SRID, PostGIS could do without.
    IF postgis_proj_version() NOT LIKE '%DATABASE_PATH=/%/proj.db%' THEN
        RAISE EXCEPTION 'PROJ has not found its database: %', postgis_proj_version();
    END IF;
    SELECT ST_Distance(ST_Transform(position, 'EPSG:4258', 'EPSG:3035'), ST_SetSRID(projected, 0)) INTO found FROM place;
    IF found > 0.001 THEN
        RAISE EXCEPTION 'by code and by SRID the results are % m apart', found;
    END IF;
    SELECT ST_Area(ST_Intersection(ST_MakeEnvelope(0, 0, 2, 2), ST_MakeEnvelope(1, 1, 4, 4))) INTO found;
    IF found IS DISTINCT FROM 1 THEN
        RAISE EXCEPTION 'GEOS: the squares overlap on an area of %, not 1', found;
    END IF;
    SELECT CG_3DArea('POLYGON Z ((0 0 0, 3 0 4, 3 2 4, 0 2 0, 0 0 0))') INTO found;
    IF found IS DISTINCT FROM 10 THEN
        RAISE EXCEPTION 'SFCGAL: the slope''s area is %, not 10', found;
    END IF;
    SELECT string_agg(short_name, ' ') INTO drivers FROM ST_GDALDrivers();
    IF drivers IS DISTINCT FROM 'GTiff' THEN
        RAISE EXCEPTION 'GDAL: the enabled drivers are %, not GTiff', drivers;
    END IF;
    SELECT ST_Value(ST_FromGDALRaster(ST_AsTIFF(ST_AddBand(ST_MakeEmptyRaster(4, 4, 0, 4, 1, -1, 0, 0, 3035), '8BUI'::text, 7))), 2, 2) INTO found;
    IF found IS DISTINCT FROM 7 THEN
        RAISE EXCEPTION 'GDAL: the pixel is % after a turn through a TIFF, not 7', found;
    END IF;
    PERFORM topology.CreateTopology('area', 3035);
    PERFORM topology.TopoGeo_AddLinestring('area', 'SRID=3035;LINESTRING(0 0, 4 0, 4 4, 0 4, 0 0)');
    SELECT ST_Area(topology.ST_GetFaceGeometry('area', 1)) INTO found;
    IF found IS DISTINCT FROM 16 THEN
        RAISE EXCEPTION 'topology: the face has an area of %, not 16', found;
    END IF;
    SELECT concat_ws('|', house_num, name, suftype, city, state, postcode) INTO said
    FROM standardize_address('us_lex', 'us_gaz', 'us_rules', '12 Example Street', 'Springfield, Illinois 62701');
    IF said IS DISTINCT FROM '12|EXAMPLE|STREET|SPRINGFIELD|ILLINOIS|62701' THEN
        RAISE EXCEPTION 'address_standardizer: the parts of the address are %', said;
    END IF;
    SELECT concat_ws('|', address, streetname, streettypeabbrev, location, stateabbrev, zip) INTO said
    FROM tiger.normalize_address('12 Example Street, Springfield, IL 62701');
    IF said IS DISTINCT FROM '12|Example|St|Springfield|IL|62701' THEN
        RAISE EXCEPTION 'the geocoder: the parts of the address are %', said;
    END IF;
    SELECT count(*) INTO found FROM pg_extension
    WHERE extname IN ('postgis', 'postgis_raster', 'postgis_sfcgal', 'postgis_topology', 'address_standardizer',
        'address_standardizer_data_us', 'postgis_tiger_geocoder', 'fuzzystrmatch');
    IF found IS DISTINCT FROM 8 THEN
        RAISE EXCEPTION 'of eight extensions % were created', found;
    END IF;
END
$$;
SELECT 'PROJ takes 5 E, 50 N to ' || ST_AsText(ST_Transform(position, 3035), 2) || ' in EPSG:3035 with '
    || substring(postgis_proj_version() FROM 'DATABASE_PATH=([^ ]*)') || '; GEOS, SFCGAL, GDAL, topology, addresses and the geocoder answer'
FROM place;
