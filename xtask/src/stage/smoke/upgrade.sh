# SPDX-License-Identifier: Apache-2.0
# Behind data.sh and server.sh: older versions of an image's SQL extensions, each with what smoke.sql makes in it, updated to the newest. Behind it
# stand a call of `proof` with smoke.sql, calls of `older`, one for each older image that is mounted, and one of `upgrade` with the server's own variables, `--` and its options.
# Environment beside what server.sh has: XTASK_LOAD, XTASK_WANTED, XTASK_NAME (as smoke.sh has them), XTASK_EXTENSION.
# Each line that is printed begins with its kind and a tab: begin (an extension, a version and where it is from, with tabs), to, path, made,
# data, kept, used, lacks, note, failed, skipped, milliseconds.
smoke_sql= older_names=() older_library_paths=() older_words=()
proof() { smoke_sql=$1; }
# Arguments: the image's reference, its library path, and words as `upgrade` gets them, in one text for a shell.
older() { older_names+=("$1") older_library_paths+=("$2") older_words+=("$3"); }
say() {
  local line
  while IFS= read -r line; do printf '%s\t%s\n' "$1" "$line"; done <<<"$2"
}
value() { run --dbname="$1" "${@:2}"; }
# All that ordinary tables hold, each as a line with its rows counted and summed up; what belongs to an extension is its own matter.
contents() {
  run --dbname="$1" <<'SQL'
SELECT format('SELECT %L || count(*) || %L || coalesce(md5(string_agg(row::text, chr(10) ORDER BY row::text COLLATE "C")), %L) FROM %s AS row',
  c.oid::regclass || ': ', ' rows ', '-', c.oid::regclass)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^(pg_|information_schema$)'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = n.oid AND deptype = 'e')
ORDER BY c.oid::regclass::text COLLATE "C"
\gexec
SQL
}
# What belongs to an extension, one object a line.
objects() {
  value "$1" --set name="$2" <<'SQL'
SELECT o.type || ' ' || o.identity FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid,
  pg_identify_object(d.classid, d.objid, d.objsubid) AS o
WHERE e.extname = :'name' AND d.deptype = 'e' ORDER BY 1;
SQL
}
version_of() { value "$1" --set name="$2" <<<"SELECT extversion FROM pg_extension WHERE extname = :'name'"; }
# The rows of what is created, with another version of one of them. Arguments: its name and its version.
wanted_with() {
  run --dbname=postgres --set name="$1" --set version="$2" <<SQL
WITH wanted(place, name, version, schema, needs) AS (VALUES $XTASK_WANTED),
own AS (SELECT coalesce((SELECT place FROM wanted WHERE wanted.name = :'name'), (SELECT max(place) + 1 FROM wanted)) AS place)
SELECT string_agg(format('(%s, %L, %L::text, %L::text, %L::text[])', place, name, version, schema, needs), ', ' ORDER BY place) FROM (
  SELECT place, name, CASE WHEN wanted.name = :'name' THEN :'version' ELSE version END AS version, schema, needs FROM wanted
  UNION ALL SELECT place, :'name', :'version', NULL, '{}' FROM own WHERE NOT EXISTS (SELECT FROM wanted WHERE wanted.name = :'name')
) AS all_of_them
SQL
}
# smoke.sql's last statement, if it says in a session of its own what it says at the end of the whole.
last_statement() { awk '{ text = text $0 "\n"; if ($0 ~ /;[[:space:]]*$/) { last = text; text = "" } } END { printf "%s", last }' <<<"$smoke_sql"; }
# Makes what smoke.sql makes in a database with an older version. Arguments: the database, the rows of what is created.
fill() {
  local said
  make_extension "$XTASK_LOAD" "$1" "$2" "$XTASK_NAME" || return 1
  if said=$(in_database "$1" "$2" "$XTASK_NAME" <<<"$smoke_sql"); then
    echo "data"
  else
    echo "note: with what smoke.sql makes until it says: $(grep -m 1 -e 'ERROR:' <<<"$said" || tail -n 1 <<<"$said")"
  fi
}
# The cause of a version that cannot be made, if it is one that is known.
cause() {
  local function library script found
  if [[ $1 =~ could\ not\ find\ function\ \"([^\"]+)\"\ in\ file\ \"([^\"]+)\" ]]; then
    function=${BASH_REMATCH[1]} library=${BASH_REMATCH[2]##*/}
    found=$(grep -rlF --include='*.sql' -e "'$function'" -e "$function" "/extensions/$XTASK_EXTENSION" | grep -e "/$2--" | sort | head -n 1 || true)
    echo "its script ${found##*/} makes a function \`$function\`, which \`$library\` of the image lacks"
  elif [[ $1 =~ could\ not\ access\ file\ \"\$libdir/([^\"]+)\" ]]; then
    library=${BASH_REMATCH[1]}
    found=$(grep -rnF --include='*.sql' --include='*.control' -e "\$libdir/$library" "/extensions/$XTASK_EXTENSION" | grep -e "/$2" | sort | head -n 1 || true)
    script=${found%%:*} found=${found#*:}
    echo "line ${found%%:*} of ${script##*/} names \`\$libdir/$library\`, and the image has no such module where the server looks"
  fi
}
explain() {
  local why
  say failed "$1"
  why=$(cause "$1" "$2")
  [ -z "$why" ] || say cause "$why"
}
# Updates an extension in a database, and looks whether all is as it was. Arguments: the database, its name, the version it is to have, and what
# was before: contents, and what the last statement said.
update() {
  local database=$1 name=$2 to=$3 said now fresh
  said=$(value "$database" --set name="$name" --set version="$to" <<<'ALTER EXTENSION :"name" UPDATE TO :'"'version'") || { explain "$said" "$name"; return 1; }
  now=$(version_of "$database" "$name")
  [ "$now" = "$to" ] || { say failed "error: the extension says that it is $now"; return 1; }
  now=$(contents "$database") || { say failed "$now"; say failed "error: its data cannot be read any more"; return 1; }
  if [ "$now" != "$4" ]; then
    say failed "$(diff <(echo "$4") <(echo "$now") | grep '^[<>]' | head -n 4)"
    say failed "error: its data is not what it was"
    return 1
  fi
  if [ -n "$5" ]; then
    now=$(run --dbname="$database" <<<"$(last_statement)") || { say failed "$now"; say failed "error: what smoke.sql asks last fails after the update"; return 1; }
    [ "$now" = "$5" ] || { say failed "error: what smoke.sql asks last was answered with \`$5\` before and with \`$now\` after"; return 1; }
    say kept "$now"
  fi
}
# One older version. Arguments: the name, the version, the version it is to have.
reach() {
  local name=$1 from=$2 to=$3 rows said before asked database="older" begun=${EPOCHREALTIME/[^0-9]/}
  rows=$(wanted_with "$name" "$from")
  made "$rows" || return 0
  before=$(contents older)
  asked=$(run --dbname=older <<<"$(last_statement)") || asked=
  tables "$before"
  update older "$name" "$to" "$before" "$asked" || return 0
  compare older "$name" "$to"
  afresh "$name" "$rows" "$to"
}
tables() {
  [ -z "$1" ] || say data "$(awk '{ sum += $(NF - 2) } END { print "tables " NR ", rows " sum + 0 }' <<<"$1")"
}
# A database with the older version and what smoke.sql makes. Argument: the rows of what is created.
made() {
  local said
  run --dbname=postgres --command='DROP DATABASE IF EXISTS older WITH (FORCE)' >/dev/null
  said=$(make_database older) || { say failed "$said"; return 1; }
  said=$(fill older "$1") || { explain "$said" "$current"; return 1; }
  said=$(grep -e '^note: ' <<<"$said" || true)
  [ -z "$said" ] || say note "${said#note: }"
}
# What an extension that was made new has and the updated one lacks.
compare() {
  local lacks
  lacks=$(comm -13 <(objects "$1" "$2" | sort) <(fresh_objects "$2" "$3" | sort))
  [ -z "$lacks" ] || say lacks "$lacks"
}
fresh_objects() {
  run --dbname=postgres --command='DROP DATABASE IF EXISTS fresh WITH (FORCE)' >/dev/null
  make_database fresh >/dev/null && make_extension "$XTASK_LOAD" fresh "$(wanted_with "$1" "$2")" "$XTASK_NAME" >/dev/null && objects fresh "$1"
}
# smoke.sql in a database whose extension was updated before it holds anything.
afresh() {
  local said
  run --dbname=postgres --command='DROP DATABASE IF EXISTS older WITH (FORCE)' >/dev/null
  said=$(make_database older && make_extension "$XTASK_LOAD" older "$2" "$XTASK_NAME") || { say failed "$said"; return; }
  said=$(value older --set name="$1" --set version="$3" <<<'ALTER EXTENSION :"name" UPDATE TO :'"'version'") || { say failed "$said"; return; }
  [ -n "$smoke_sql" ] || return 0
  said=$(in_database older "$2" "$XTASK_NAME" <<<"$smoke_sql") || { say failed "$said"; say failed "error: smoke.sql does not pass in the updated extension"; return; }
  say used "$(tail -n 1 <<<"$said")"
}
# The SQL extensions of the image, and the versions that they are to have.
own_extensions() {
  local names
  names=$(find "/extensions/$XTASK_EXTENSION" -name '*.control' ! -name '*--*' -printf '%f\n' | sed 's/\.control$//' | sort -u)
  run --dbname=postgres --set names="$names" <<'SQL'
SELECT name || chr(9) || default_version FROM pg_available_extensions WHERE name = ANY (string_to_array(:'names', chr(10))) ORDER BY name;
SQL
}
# Older versions from which scripts lead to the one that it is to have: the version, whether it can be made, and the way.
paths() {
  run --dbname=postgres --set name="$1" --set version="$2" <<'SQL'
SELECT source || chr(9) || EXISTS (SELECT FROM pg_available_extension_versions WHERE name = :'name' AND version = source) || chr(9) || path
FROM pg_extension_update_paths(:'name') WHERE target = :'version' AND path IS NOT NULL
ORDER BY (SELECT array_agg(lpad(part[1], 9, '0')) FROM regexp_matches(source, '[0-9]+|[^0-9]+', 'g') AS part);
SQL
}
by_scripts() {
  local name to from can path begun
  while IFS=$'\t' read -r name to; do
    current=$name
    while IFS=$'\t' read -r from can path; do
      [ -n "$from" ] || continue
      begun=${EPOCHREALTIME/[^0-9]/}
      printf 'begin\t%s\t%s\t%s\n' "$name" "$from" scripts
      say to "$to"
      say path "$path"
      if [ "$from" = unpackaged ]; then say skipped "it stands for objects that no extension has made"
      elif [ "$can" = true ]; then reach "$name" "$from" "$to"; else say skipped 'no script of the image makes it: `--from` takes an image that has it'; fi
      say milliseconds "$(((${EPOCHREALTIME/[^0-9]/} - begun) / 1000))"
    done < <(paths "$name" "$to")
  done < <(own_extensions)
}
stop() { kill -INT "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }
up() {
  start
  wait_for_server || { say down "$(log)"; return 1; }
}
upgrade() {
  take "$@"
  prepare
  up || return 0
  by_scripts
  local names=() tos=() name to at
  while IFS=$'\t' read -r name to; do names+=("$name") tos+=("$to"); done < <(own_extensions)
  stop
  for at in "${!older_names[@]}"; do from_image "$at" "${names[*]}" "${tos[*]}"; done
}
# An older image's extensions with its own library, and the new one's on the same data. Arguments: its place, names, and the versions they are to
# have, which hold no blanks.
from_image() {
  local at=$1 rows problem before asked name to from begun library=${XTASK_LIBRARY_PATH:-}
  local names=() tos=() versions=() new_variables=("${variables[@]}") new_options=("${options[@]}")
  read -ra names <<<"$2"
  read -ra tos <<<"$3"
  eval "take ${older_words[at]}"
  XTASK_LIBRARY_PATH=${older_library_paths[at]}
  fresh_data
  local is_up=
  if up; then
    is_up=yes
    rows=$(wanted_of "$2")
    current=$XTASK_NAME
    problem=$(made "$rows") || true
    before=$(contents older) || before=
    asked=$(run --dbname=older <<<"$(last_statement)") || asked=
    for name in "${names[@]}"; do versions+=("$(version_of older "$name" || true)"); done
    stop
  fi
  XTASK_LIBRARY_PATH=$library variables=("${new_variables[@]}") options=("${new_options[@]}")
  [ -n "$is_up" ] && up || return 0
  for index in "${!names[@]}"; do
    name=${names[index]} to=${tos[index]} from=${versions[index]} begun=${EPOCHREALTIME/[^0-9]/}
    printf 'begin\t%s\t%s\t%s\n' "$name" "$from" "${older_names[at]}"
    say to "$to"
    [ -z "$problem" ] || echo "$problem"
    if [ -z "$from" ]; then
      [ -n "$problem" ] || say skipped "the older image does not have it"
    else
      tables "$before"
      ! update older "$name" "$to" "$before" "$asked" || compare older "$name" "$to"
    fi
    say milliseconds "$(((${EPOCHREALTIME/[^0-9]/} - begun) / 1000))"
  done
  stop
}
# What is created of an older image: of the image's own extensions the version that it says itself. Argument: their names.
wanted_of() {
  run --dbname=postgres --set names="$1" <<SQL
WITH wanted(place, name, version, schema, needs) AS (VALUES $XTASK_WANTED)
SELECT string_agg(format('(%s, %L, %L::text, %L::text, %L::text[])', place, name,
  CASE WHEN name <> ALL (string_to_array(:'names', ' ')) THEN version END, schema, needs), ', ' ORDER BY place)
FROM wanted WHERE name IN (SELECT name FROM pg_available_extensions);
SQL
}
