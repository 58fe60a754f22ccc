# SPDX-License-Identifier: Apache-2.0
# Runs inside the base image (bash reads it from standard input): a throw-away PostgreSQL with the
# extension's files in place, the extension created and used. Arguments: the server's own variables, `--`, its options.
# Environment: XTASK_CREATE (SQL), XTASK_SILENT (what smoke.sql is worth when it prints nothing), XTASK_LIBRARY_PATH, XTASK_BIN_PATH, XTASK_EXTENSION.
# Behind the last line stands smoke.sql: of a pipe, bash reads no more than the line that it runs.
set -euo pipefail
smoke() {
fail() { echo "error: $*"; exit 1; }
variables=()
while [ "$1" != -- ]; do variables+=("$1"); shift; done
shift
data=$(mktemp -d)
cat >"$data.sql"
PATH="$PATH${XTASK_BIN_PATH:+:$XTASK_BIN_PATH}"
command -v initdb >/dev/null || fail "the base image has no initdb on PATH"
postgres=$(command -v postgres) || fail "the base image has no postgres on PATH"

# A library that cannot be resolved fails only when somebody needs it; better to know now.
unresolved=
while IFS= read -r -d '' file; do
  [ "$(head -c 4 "$file" | tail -c 3)" = ELF ] || continue
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

initdb --pgdata="$data" --username=postgres --auth=trust --no-sync --encoding=UTF8 --no-locale >"$data.log" 2>&1 ||
  { cat "$data.log"; fail "initdb did not succeed"; }
# The metadata's variables are the server's alone, and replace neither path: `ld_library_path` and `bin_path` are for those.
env "${variables[@]}" PATH="$PATH" LD_LIBRARY_PATH="${XTASK_LIBRARY_PATH:-}" "$postgres" -D "$data" -k /tmp -c listen_addresses= -c fsync=off -c wal_level=logical \
  -c logging_collector=on -c log_directory=log -c log_filename=server.log "$@" >"$data.start" 2>&1 &
server=$!
log() { tail -n 20 "$data.start" "$data"/log/server.log 2>/dev/null | sed 's/^/server: /'; }
tries=0
until pg_isready --quiet --host=/tmp; do
  kill -0 "$server" 2>/dev/null || { log; fail "the server did not start"; }
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { log; fail "the server did not answer"; }
  sleep 0.05
done
run() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --host=/tmp --username=postgres "$@" 2>&1; }
run --dbname=postgres --command='CREATE DATABASE smoke' || { log; fail "no database could be made"; }

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
run --dbname=smoke <<<"$XTASK_CREATE" || { log; fail "the extension could not be created"; }
proof=$(run --dbname=smoke <"$data.sql") || { echo "$proof"; log; fail "smoke.sql did not pass"; }
kill -0 "$server" 2>/dev/null || { log; fail "the server crashed"; }
[ -n "$proof" ] || proof=$XTASK_SILENT
tail -n 1 <<<"$proof"
}
smoke "$@"; exit
