# SPDX-License-Identifier: Apache-2.0
# Says what the files in `root` give to PostgreSQL, what of it the base image lacks, and what a throw-away server says when it loads
# and creates it. Run as root in a base image, which nobody needs afterwards; `install_all` puts the files into it.
lib=usr/lib/postgresql/$major/lib bin=usr/lib/postgresql/$major/bin share=usr/share/postgresql/$major
list() { find "root/$1" -mindepth 1 ! -type d -not -path '*/bitcode/*' -not -path '*/pgxs/*' -printf '%P\n' 2> /dev/null | sort; }
list $lib | while IFS= read -r file; do say file "lib/$file"; done
list $bin | while IFS= read -r file; do say file "bin/$file"; done
list $share | while IFS= read -r file; do say file "share/$file"; done
find root ! -type d -not -path "root/$lib/*" -not -path "root/$bin/*" -not -path "root/$share/*" -not -path 'root/usr/share/doc/*' \
  -not -path 'root/usr/share/man/*' -not -path 'root/usr/share/lintian/*' -printf '/%P\n' | sort |
  while IFS= read -r file; do say elsewhere "$file"; done
find "root/$share" -name '*.sql' -exec grep -oE "/usr/(share|lib)/postgresql/[A-Za-z0-9_./-]+" {} + 2> /dev/null | sort -u |
  while IFS=: read -r file path; do say absolute "${file##*/}" "$path"; done
for control in /"$share"/extension/*.control; do
  own=${control##*/}
  [ ! -e "$control" ] || say server "${own%.control}"
done
for control in root/"$share"/extension/*.control; do
  own=${control##*/} own=${own%.control}
  [ -e "$control" ] || continue
  while IFS= read -r line; do say control "$own" "$line"; done < "$control"
done
find "root/$lib" "root/$bin" -type f -not -path '*/bitcode/*' 2> /dev/null | while IFS= read -r file; do
  [ "$(head -c 4 "$file" | tail -c 3)" != ELF ] || ldd "$file" 2> /dev/null | awk '/not found/ {print $1}'
done | sort -u | while IFS= read -r library; do
  [ -n "$(find "root/$lib" -name "$library")" ] || say lacks "$library"
done
# Libraries that are loaded by their names while a module runs, and are none of the base image's: what comes with the packages is
# known once they are installed.
at_hand() { [ -n "$(find /usr/lib /lib -name "$1" -print -quit 2> /dev/null)" ]; }
find "root/$lib" -maxdepth 1 -name '*.so' -exec grep -aohE 'lib[A-Za-z0-9_+-]+\.so(\.[0-9]+)*' {} + 2> /dev/null | sort -u |
  while IFS= read -r library; do at_hand "$library" || echo "$library"; done > named
# What the base image has, before anything is installed.
ls "/$lib" > libraries
modules=$(find "root/$lib" -maxdepth 1 -name '*.so' -type f -printf '%f\n' 2> /dev/null | sed 's/\.so$//' | sort)
for module in $modules; do
  say module "$module"
  ! grep -qa _PG_output_plugin_init "root/$lib/$module.so" || say output-plugin "$module"
done

# A server of its own, with all of it installed: its libraries are there, and what they need of other extensions.
for needed in $(cat root/"$share"/extension/*.control 2> /dev/null | sed -n "s/^ *requires *= *//p" | tr -s "',\"" ' '); do
  for pair; do
    [ "${pair%%=*}" != "$needed" ] || [ -e "/$share/extension/$needed.control" ] || beside="$beside ${pair#*=}"
  done
done
install_all || give_up "it cannot be installed in the base image"
while read -r library; do ! at_hand "$library" || say lacks "$library"; done < named
postgres=$(command -v postgres || echo "/$bin/postgres") initdb=$(command -v initdb || echo "/$bin/initdb")
user=$(id -u postgres) group=$(id -g postgres)
install -d -o "$user" server
setpriv --reuid "$user" --regid "$group" --clear-groups "$initdb" --pgdata=server/data --username=postgres --auth=trust --no-sync --encoding=UTF8 --no-locale > initdb.log 2>&1 ||
  give_up "initdb: $(tail -n 1 initdb.log)"
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --host=/tmp --username=postgres "$@" 2>&1; }
decoders=
for module in $modules; do ! grep -qa _PG_output_plugin_init "root/$lib/$module.so" || decoders="$decoders, $module"; done
pid=
start() {
  (exec setpriv --reuid "$user" --regid "$group" --clear-groups "$postgres" -D server/data -k /tmp -c listen_addresses= -c fsync=off -c wal_level=logical -c "shared_preload_libraries=$1" > server.log 2>&1) &
  pid=$! tries=0
  until pg_isready --quiet --host=/tmp; do
    kill -0 "$pid" 2> /dev/null || return 1
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || return 1
    sleep 0.1
  done
}
# One that has ended of itself, or badly, was found out by what was asked of it.
stop() {
  [ -n "$pid" ] || return 0
  ! kill -INT "$pid" 2> /dev/null
  ! wait "$pid"
  pid=
}
trap stop EXIT
lives() { kill -0 "$pid" 2> /dev/null && pg_isready --quiet --host=/tmp; }
failure() { grep -m 1 -E 'FATAL|ERROR|PANIC' server.log || tail -n 1 server.log; }
start '' || give_up "the server does not start: $(failure)"
say parameter output_plugin_libraries "$(sql --dbname=postgres --command="SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'")"

# What a library says of itself when it is loaded, in the words that it has for those who call it, or by asking the server whether it
# is being preloaded.
wants=
for module in $modules; do
  said=$(sql --dbname=postgres --command="LOAD '$module'" | head -n 1)
  words=$(grep -aoE '[[:print:]]*shared_preload_libraries[[:print:]]*' "root/$lib/$module.so" | grep -v '^process_' | head -n 1)
  ! grep -qa process_shared_preload_libraries_in_progress "root/$lib/$module.so" || words="${words:-it asks whether it is being preloaded}"
  case $said$words in
  *preload* | *PGC_POSTMASTER*)
    wants="$wants $module"
    # A text in the file alone proves nothing where the server has loaded it as it is.
    case $said in *preload* | *PGC_POSTMASTER*) ;; *) say hint "$module" "$words" ;; esac
    ;;
  esac
  lives || { stop; start '' || give_up "the server does not start after \`LOAD '$module'\`: $(failure)"; }
done
stop
# Modules of others that these build upon, and that want the same: those of the base image are part of what is said.
before=
for needed in $(cat root/"$share"/extension/*.control 2> /dev/null | sed -n "s/^ *requires *= *//p" | tr -s "',\"" ' '); do
  library=/$lib/$needed.so
  [ ! -e "root/$lib/$needed.so" ] && [ -e "$library" ] && grep -qa shared_preload_libraries "$library" || continue
  case ",$before," in *",$needed,"*) ;; *) before="$before${before:+,}$needed" ;; esac
done
joined=$(echo $wants | tr ' ' ,)
if [ -n "$joined$before" ]; then
  [ -z "$before" ] || joined=$before${joined:+,$joined}
  if start "$joined"; then
    kept=
    for module in $(echo "$joined" | tr , ' '); do
      [ ! -e "root/$lib/$module.so" ] && ! grep -qx "$module.so" libraries || kept="$kept${kept:+,}$module"
    done
    say preloaded "$kept"
  else
    say trial "the server does not start with $joined: $(failure)"
    stop
    joined=
    start '' || give_up "the server does not start again: $(failure)"
  fi
else
  start '' || give_up "the server does not start again: $(failure)"
fi

# Each in the order of their names, the one that the image is named after first; what they need is created by CASCADE. What fails
# beside the others is tried alone, and once more with the parameter that it asks for.
controls() {
  for control in root/"$share"/extension/*.control; do
    own=${control##*/} own=${own%.control}
    # A control file without a script creates nothing, and one of a version is none of its own.
    case $own in *--*) continue ;; esac
    [ -z "$(find "root/$share/extension" -name "$own--*.sql")" ] || echo "$own"
  done
}
create() { sql --dbname="$1" --command="CREATE EXTENSION IF NOT EXISTS \"$2\" CASCADE" | sed '/^NOTICE/d; /^DETAIL: *The extension/d'; }
restart() { stop; start "$joined" || give_up "the server does not start again after \`$1\`: $(failure)"; }
is_created() { [ "$(sql --dbname="$1" --command="SELECT 1 FROM pg_extension WHERE extname = '$2'")" = 1 ]; }
sql --dbname=postgres --command='CREATE DATABASE app' > /dev/null
number=0
{ controls | sed -n "/^$spelled\$/p"; controls | sed "/^$spelled\$/d"; } > names
while read -r own; do
  said=$(create app "$own")
  wanted=$(printf '%s\n' "$said" | grep -oE "[a-z_]+\.[a-z_]+ = '[^']*'" | head -n 1)
  if [ -n "$wanted" ] && ! is_created app "$own"; then
    echo "$wanted" >> server/data/postgresql.conf
    stop
    start "$joined" || give_up "the server does not start with $wanted: $(failure)"
    said=$(create app "$own")
    ! is_created app "$own" || say setting "${wanted%% = *}" "$(printf '%s' "${wanted#* = }" | tr -d "'")"
  fi
  if is_created app "$own"; then
    say created "$own"
    continue
  fi
  lives || restart "$own"
  number=$((number + 1))
  sql --dbname=postgres --command="CREATE DATABASE alone$number" > /dev/null || give_up "no other database for \`$own\`: $(failure)"
  alone=$(create "alone$number" "$own")
  if is_created "alone$number" "$own"; then say beside "$own" "$said"; else say refused "$own" "$alone"; fi
  lives || restart "$own"
done < names
if [ ! -s names ]; then
  for module in $modules; do
    if said=$(sql --dbname=app --command="LOAD '$module'"); then say loaded "$module"; else say refused "$module" "$said"; fi
    lives || restart "$module"
  done
fi
finish
