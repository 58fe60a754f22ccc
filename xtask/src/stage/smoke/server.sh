# SPDX-License-Identifier: Apache-2.0
# Behind data.sh, inside the base image: what a throw-away PostgreSQL with the extensions' files in place is started and used with. bash reads
# both from standard input, and what uses them behind. Environment: XTASK_LIBRARY_PATH, XTASK_BIN_PATH; of the image itself, where it has one:
# XTASK_DATA (an initialised data directory). What the server writes goes to memory, /xtask.
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
fail() { echo "error: $*"; exit 1; }
# Takes the server's own variables, `--`, and its options.
take() {
  variables=() options=()
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  options=("${@:2}")
}
# Finds the programs, and makes the first data directory.
prepare() {
  kept=${XTASK_DATA:-}
  unset XTASK_DATA
  PATH="$PATH${XTASK_BIN_PATH:+:$XTASK_BIN_PATH}"
  command -v initdb >/dev/null || fail "the base image has no initdb on PATH"
  postgres=$(command -v postgres) || fail "the base image has no postgres on PATH"
  fresh_data
}
# Makes a data directory, which the next start is of.
fresh_data() {
  data=$(mktemp -d -p /xtask)
  if [ -n "$kept" ]; then
    cp -a -- "$kept/." "$data" 2>"$data.log" || { cat "$data.log"; fail "the kept data directory could not be copied"; }
  else
    make_data "$data" </dev/null >"$data.log" 2>&1 || { cat "$data.log"; fail "initdb did not succeed"; }
  fi
}
# Starts the server and does not wait for it; arguments are options of this start.
start() {
  # The metadata's variables are the server's alone, and replace neither path: `ld_library_path` and `bin_path` are for those.
  env "${variables[@]}" PATH="$PATH" LD_LIBRARY_PATH="${XTASK_LIBRARY_PATH:-}" "$postgres" -D "$data" -k /tmp -c listen_addresses= -c fsync=off -c wal_level=logical \
    -c logging_collector=on -c log_directory=log -c log_filename=server.log "${options[@]}" "$@" >"$data.start" 2>&1 &
  server=$!
}
log() { tail -n 20 "$data.start" "$data"/log/server.log 2>/dev/null | sed 's/^/server: /'; }
# Waits until it takes connections. Its status file says when, and whoever asks it by connecting is in its log.
wait_for_server() {
  local tries=0 status=()
  until [[ ${status[7]:-} == ready* ]]; do
    kill -0 "$server" 2>/dev/null || return 1
    tries=$((tries + 1))
    [ "$tries" -lt 1500 ] || return 2
    sleep 0.02
    mapfile -t status 2>/dev/null <"$data/postmaster.pid" || true
  done
}
run() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --host=/tmp --username=postgres "$@" 2>&1; }
controls() { find /extensions -name '*.control' -printf '`%f`\n' | sed 's/\.control`$/`/' | sort -u | paste -s -d , | sed 's/,/, /g'; }
# As CloudNativePG's bootstrap makes it, and its Database resource uses it: the superuser creates extensions in the
# database of an ordinary user, one statement each and never CASCADE (internal/management/controller/
# database_controller_sql.go of release 1.30.0). smoke.sql is run by the superuser too, as the suites' step does it.
# Argument: the database.
make_database() {
  run --dbname=postgres --set database="$1" <<'SQL'
SELECT 'CREATE ROLE app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app')
\gexec
CREATE DATABASE :"database" OWNER app;
SQL
}
# Runs SQL of standard input or of options. Arguments: the database, rows of SQL that say what is created, the extension's name in SQL.
in_database() { run --dbname="$1" --set wanted="$2" --set name="$3" "${@:4}"; }
# Loads and creates, and prints the version that was made. Arguments: SQL that loads modules, and those of in_database.
make_extension() {
  local load=$1 said
  shift
  [ -z "$load" ] || in_database "$@" <<<"$load" || { log; fail "the module could not be loaded"; }
  [ -n "$2" ] || return 0
  in_database "$@" <<<"$create" || {
    log
    said=$(in_database "$@" <<<"$offered")
    [[ $said != *"no control file" ]] || said+="; the images have those of $(controls)"
    fail "the extension could not be created$said"
  }
  in_database "$@" <<<"$created"
}
