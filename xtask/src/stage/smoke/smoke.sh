# SPDX-License-Identifier: Apache-2.0
# Behind data.sh and server.sh: the extension created and used. Arguments: the server's own variables, `--`, its options.
# Environment beside what server.sh has: XTASK_LOAD (SQL that loads modules), XTASK_WANTED (rows of SQL: what is created), XTASK_SILENT (what
# smoke.sql is worth when it prints nothing), XTASK_EXTENSION, XTASK_NAME (what it is called in SQL).
# Behind the last line stands smoke.sql: of a pipe, bash reads no more than the line that it runs.
smoke() {
take "$@"
prepare
cat >"$data.sql"
start
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

waited=0
wait_for_server || waited=$?
case $waited in
1) log; fail "the server did not start" ;;
2) log; fail "the server did not answer" ;;
esac
make_database app || { log; fail "no database could be made"; }

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
make_extension "$XTASK_LOAD" app "$XTASK_WANTED" "$XTASK_NAME"
proof=$(in_database app "$XTASK_WANTED" "$XTASK_NAME" <"$data.sql") || { echo "$proof"; log; fail "smoke.sql did not pass"; }
kill -0 "$server" 2>/dev/null || { log; fail "the server crashed"; }
[ -n "$proof" ] || proof=$XTASK_SILENT
tail -n 1 <<<"$proof"
}
smoke "$@"; exit
