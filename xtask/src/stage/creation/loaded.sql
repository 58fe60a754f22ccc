-- SPDX-License-Identifier: Apache-2.0
-- TODO: use @name@ for what it is made for. This shows that a server loads it.
\set QUIET on
SET client_min_messages = warning;

LOAD '@name@';
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_get_loaded_modules() WHERE file_name = '@name@.so') THEN
        RAISE EXCEPTION '@name@.so is not loaded';
    END IF;
END
$$;
SELECT '@name@.so is loaded';
