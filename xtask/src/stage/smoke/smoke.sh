# SPDX-License-Identifier: Apache-2.0
# Runs inside the base image, behind data.sh (bash reads both from standard input): a throw-away PostgreSQL with the
# extension's files in place, the extension created and used. Arguments: the server's own variables, `--`, its options.
# Environment: XTASK_LOAD (SQL that loads modules), XTASK_WANTED (rows of SQL: what is created), XTASK_SILENT (what smoke.sql is worth when it prints
# nothing), XTASK_LIBRARY_PATH, XTASK_BIN_PATH, XTASK_EXTENSION, XTASK_NAME (what it is called in SQL);
# of the image itself, where it has one: XTASK_DATA (an initialised data directory). What the server writes goes to memory, /xtask.
# Behind the last line stands smoke.sql: of a pipe, bash reads no more than the line that it runs.
set -euo pipefail
# What is wanted, and before each what it needs: what its control file requires too, in the version that it says itself.
# Walked depth first, so that each stands behind all that it needs.
ordered=$(cat <<'SQL'
WITH RECURSIVE wanted(place, name, version, schema, needs) AS (VALUES :wanted),
requires AS MATERIALIZED (
  SELECT wanted.name, other.name AS other, other.place
  FROM wanted, unnest(needs) WITH ORDINALITY AS other(name, place)
  UNION ALL
  SELECT version.name::text COLLATE "default", other.name::text COLLATE "default", 1000 + other.place
  FROM pg_available_extension_versions AS version
  JOIN pg_available_extensions AS extension ON extension.name = version.name
  LEFT JOIN wanted ON wanted.name = version.name,
  unnest(version.requires) WITH ORDINALITY AS other(name, place)
  WHERE version.version = coalesce(wanted.version, extension.default_version)
),
walk(name, path, above) AS (
  SELECT name, ARRAY[place], ARRAY[name] FROM wanted
  UNION ALL
  SELECT other, path || requires.place::int, above || other
  FROM walk JOIN requires ON requires.name = walk.name WHERE other <> ALL (above)
),
ordered AS (
  SELECT walk.name, version, schema, min(path || 2147483647) AS place
  FROM walk LEFT JOIN wanted ON wanted.name = walk.name
  WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = walk.name)
  GROUP BY walk.name, version, schema
)
SQL
)
create="$ordered$(cat <<'SQL'

SELECT 'CREATE SCHEMA IF NOT EXISTS ' || quote_ident(schema) || ' AUTHORIZATION app',
  'CREATE EXTENSION ' || quote_ident(name) || coalesce(' VERSION ' || quote_literal(version), '')
    || coalesce(' SCHEMA ' || quote_ident(schema), '')
FROM ordered ORDER BY place
\gexec
SQL
)"
# Says what there is in place of what could not be had: of the first that is not there, which stopped the others.
offered="$ordered$(cat <<'SQL'
,
missing AS (SELECT * FROM ordered ORDER BY place LIMIT 1),
offered AS (
  SELECT offered.version FROM pg_available_extension_versions AS offered JOIN missing ON missing.name = offered.name
)
SELECT CASE WHEN default_version IS NULL THEN format(': `%s`%s has no control file', missing.name, (
    SELECT format(', which `%s` requires,', requires.name) FROM requires WHERE other = missing.name LIMIT 1
  ))
  ELSE format(': the control file of `%s` says version %s, and its scripts make %s', missing.name, default_version, (
    SELECT string_agg(version, ', ' ORDER BY (
      SELECT array_agg(lpad(part[1], 9, '0')) FROM regexp_matches(version, '[0-9]+|[^0-9]+', 'g') AS part
    )) FROM offered
  )) END
FROM missing LEFT JOIN pg_available_extensions AS extension ON extension.name = missing.name
WHERE NOT EXISTS (SELECT FROM offered WHERE version = coalesce(missing.version, default_version))
SQL
)"
created=$(cat <<'SQL'
SELECT 'found: ' || extversion FROM pg_extension WHERE extname = :'name'
SQL
)
smoke() {
fail() { echo "error: $*"; exit 1; }
variables=()
while [ "$1" != -- ]; do variables+=("$1"); shift; done
shift
data=$(mktemp -d -p /xtask)
kept=${XTASK_DATA:-}
unset XTASK_DATA
cat >"$data.sql"
PATH="$PATH${XTASK_BIN_PATH:+:$XTASK_BIN_PATH}"
command -v initdb >/dev/null || fail "the base image has no initdb on PATH"
postgres=$(command -v postgres) || fail "the base image has no postgres on PATH"

if [ -n "$kept" ]; then
  cp -a -- "$kept/." "$data" 2>"$data.log" || { cat "$data.log"; fail "the kept data directory could not be copied"; }
else
  make_data "$data" >"$data.log" 2>&1 || { cat "$data.log"; fail "initdb did not succeed"; }
fi
# The metadata's variables are the server's alone, and replace neither path: `ld_library_path` and `bin_path` are for those.
env "${variables[@]}" PATH="$PATH" LD_LIBRARY_PATH="${XTASK_LIBRARY_PATH:-}" "$postgres" -D "$data" -k /tmp -c listen_addresses= -c fsync=off -c wal_level=logical \
  -c logging_collector=on -c log_directory=log -c log_filename=server.log "$@" >"$data.start" 2>&1 &
server=$!
log() { tail -n 20 "$data.start" "$data"/log/server.log 2>/dev/null | sed 's/^/server: /'; }
# A library that cannot be resolved fails only when somebody needs it; better to know now, while the server starts.
unresolved=
while IFS= read -r -d '' file; do
  IFS= LC_ALL=C read -r -d '' -N 4 magic <"$file" || continue
  [ "$magic" = $'\x7fELF' ] || continue
  if said=$(LD_LIBRARY_PATH="${XTASK_LIBRARY_PATH:-}" ldd "$file" 2>&1); then
    unresolved+=$(awk '/not found/ {printf "%s ", $1}' <<<"$said")
  else
    case $said in
    *statically*) ;;
    *) fail "$file is not a library for this machine: $said" ;;
    esac
  fi
done < <(find "/extensions/$XTASK_EXTENSION" -name '*.so*' -type f -print0)
unresolved=$(tr ' ' '\n' <<<"$unresolved" | sort -u | tr '\n' ' ')
unresolved=${unresolved# }
[ -z "$unresolved" ] || fail "libraries that the image asks for and nothing provides: $unresolved"

tries=0
until pg_isready --quiet --host=/tmp; do
  kill -0 "$server" 2>/dev/null || { log; fail "the server did not start"; }
  tries=$((tries + 1))
  [ "$tries" -lt 1500 ] || { log; fail "the server did not answer"; }
  sleep 0.02
done
run() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --host=/tmp --username=postgres "$@" 2>&1; }
# As CloudNativePG's bootstrap makes it, and its Database resource uses it: the superuser creates extensions in the
# database of an ordinary user, one statement each and never CASCADE (internal/management/controller/
# database_controller_sql.go of release 1.30.0). smoke.sql is run by the superuser too, as the suites' step does it.
run --dbname=postgres --command='CREATE ROLE app LOGIN' --command='CREATE DATABASE app OWNER app' ||
  { log; fail "no database could be made"; }

# In LOAD, and in any name with a folder in it, PostgreSQL 18 takes `$libdir/` for the server's own folder; other names
# that begin so are looked for along dynamic_library_path.
own=$(run --dbname=postgres --command="SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")
while IFS=: read -r script line text; do
  [[ ${text%%--*} =~ \'\$libdir/([^\']+)\' ]] || continue
  name=${BASH_REMATCH[1]%.so}
  library=${name##*/}
  [ ! -e "$own/$name.so" ] || continue
  [ -n "$(find "/extensions/$XTASK_EXTENSION" -name "$library.so" -print -quit)" ] || continue
  echo "warning: line $line of ${script##*/} cannot find \`\$libdir/$name\`, which here is the server's own folder; \`$library\` alone is found in the image"
done < <(LC_ALL=C grep -rHniE --include='*.sql' --include='*.control' \
  -e "load[[:space:]]+'+\\\$libdir/" -e "'\\\$libdir/[^'/]+/" "/extensions/$XTASK_EXTENSION")
controls() { find /extensions -name '*.control' -printf '`%f`\n' | sed 's/\.control`$/`/' | sort -u | paste -s -d , | sed 's/,/, /g'; }
app() { run --dbname=app --set wanted="$XTASK_WANTED" --set name="$XTASK_NAME" "$@"; }
[ -z "$XTASK_LOAD" ] || app <<<"$XTASK_LOAD" || { log; fail "the module could not be loaded"; }
if [ -n "$XTASK_WANTED" ]; then
  app <<<"$create" || {
    log
    said=$(app <<<"$offered")
    [[ $said != *"no control file" ]] || said+="; the images have those of $(controls)"
    fail "the extension could not be created$said"
  }
  app <<<"$created"
fi
proof=$(app <"$data.sql") || { echo "$proof"; log; fail "smoke.sql did not pass"; }
kill -0 "$server" 2>/dev/null || { log; fail "the server crashed"; }
[ -n "$proof" ] || proof=$XTASK_SILENT
tail -n 1 <<<"$proof"
}
smoke "$@"; exit
