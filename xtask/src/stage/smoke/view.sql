-- SPDX-License-Identifier: Apache-2.0
-- What a server has because of its extensions: settings, for which their modules are loaded, and objects. As one line of JSON.
DO $$
DECLARE
  module text;
BEGIN
  FOR module IN
    SELECT DISTINCT regexp_replace(probin, '^\$libdir/', '') FROM pg_proc
    WHERE probin IS NOT NULL AND EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
    )
  LOOP
    BEGIN
      EXECUTE format('LOAD %L', module);
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END LOOP;
END
$$;
SELECT json_build_object(
  'settings', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE name LIKE '%.%'),
  'objects', (
    SELECT coalesce(json_agg(object.type || ' ' || object.identity ORDER BY object.type, object.identity), '[]')
    FROM pg_depend, pg_identify_object(classid, objid, objsubid) AS object
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  )
);
