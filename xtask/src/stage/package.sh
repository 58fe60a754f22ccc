# SPDX-License-Identifier: Apache-2.0
# Says what a package of the archive gives to PostgreSQL, a fact a line, its fields divided by tabs: what is in it, what of it the
# base image lacks, and what a throw-away server says when it loads and creates it. Run as root in a base image, whose apt knows the
# archive and which nobody needs afterwards. Arguments: the major, the extension's name, the packages that it may be in, of which the
# first that there is counts. Without one of these it is looked for among the archive's packages by its control file.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
major=$1 name=$2
shift 2
say() {
  printf '%s' "$1"
  shift
  for field; do printf '\t%s' "$(printf '%s' "$field" | tr -s '\t\n\r' '   ')"; done
  echo
}
# The last line of a whole answer: one that was cut short has none.
finish() { say done; exit 0; }
give_up() { say trial "$1"; finish; }
fetch() { apt-get -q -o APT::Sandbox::User=root download "$@" >&2; }
version_of() { apt-cache policy -- "$1" | sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p'; }
place=$(mktemp -d)
chmod 755 "$place"
cd "$place"
apt-get -q update >&2

# The name as it may be written in a file's name, and as a pattern of paths in packages.
spelled=$(printf '%s' "$name" | sed 's/[-_]/[-_]/g')
control="usr/share/postgresql/$major/extension/$spelled(-[0-9]+)?\.control"
# The packages that have such a control file: first those with a similar name, then whatever the archive's list of files has.
owners() {
  word=$(printf '%s' "$name" | sed 's/^\(pg\|postgresql\|pgsql\)[-_]*//; s/[-_].*//')
  for similar in $(apt-cache pkgnames "postgresql-$major-" | grep -F -- "$word" | sort); do
    rm -f ./*.deb
    fetch "$similar" || continue
    dpkg-deb --fsys-tarfile ./*.deb | tar -t > names
    ! grep -qE "^\./$control\$" names || echo "$similar"
  done > found
  rm -f ./*.deb
  if [ ! -s found ]; then
    mkdir -p lists/partial
    apt-get -q -o Dir::State::lists="$place/lists" -o Acquire::IndexTargets::deb::Contents-deb::KeepCompressed=true \
      -o 'Acquire::IndexTargets::deb::Contents-deb::MetaKey=$(COMPONENT)/Contents-$(ARCHITECTURE)' update >&2 ||
      echo "the archive's lists of files cannot be read" >&2
    for list in lists/*Contents*; do
      [ ! -e "$list" ] || /usr/lib/apt/apt-helper cat-file "$list" | sed -nE "s,^$control +,,p" | tr , '\n' | sed 's,.*/,,'
    done > found
    rm -rf lists
  fi
  sort -u found
}
package=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  candidate=$1
  shift
  [ -n "$package" ] || [ -z "$(version_of "$candidate")" ] || package=$candidate
done
if [ -z "$package" ]; then
  owners > owners
  while read -r owner; do say owner "$owner"; done < owners
  [ "$(wc -l < owners)" != 1 ] || package=$(cat owners)
fi
[ -n "$package" ] || finish
version=$(version_of "$package")

# Others of the same source and version that a server reads too: the scripts may be in a package of their own.
all=$package beside=
fetch "$package"
mkdir debs
mv ./*.deb debs/
# What it cannot do without is told from what it recommends and from alternatives, of which all but the last have a bar before them.
for related in $(apt-cache depends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$package" | awk '
  $1 ~ /^[|]?(Pre)?(Depends|Recommends):$/ {
    name = $2
    if (name ~ /^[a-z0-9][a-z0-9.+-]*$/) { if ($1 ~ /^(Pre)?Depends:$/ && !bar) hard[name]; else soft[name] }
    bar = $1 ~ /^[|]/
  }
  END { for (name in hard) print "depends:" name; for (name in soft) if (!(name in hard)) print "recommends:" name }' | sort -t : -k 2); do
  kind=${related%%:*} other=${related#*:}
  case $other in
  "postgresql-$major" | "postgresql-contrib-$major") continue ;;
  postgresql*"-$major" | "postgresql-$major-"*) say "$kind" "$other" ;;
  esac
  there=$(version_of "$other")
  case $there,$other in ?*,postgresql-"$major"-*) beside="$beside $other" ;; esac
  [ -n "$there" ] && [ "${there%+b[0-9]*}" = "${version%+b[0-9]*}" ] || continue
  fetch "$other"
  if dpkg-deb --fsys-tarfile ./*.deb | tar -t | grep -qE '^\./usr/(lib|share)/postgresql/'; then
    mv ./*.deb debs/
    all="$all $other"
  fi
  rm -f ./*.deb
done
for one in $all; do say package "$one" "$(version_of "$one")"; done
apt-cache show "$package=$version" > show
say homepage "$(sed -n 's/^Homepage: //p' show | head -n 1)"
say summary "$(sed -n 's/^Description\(-en\)\{0,1\}: //p' show | head -n 1)"
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
for one in $all; do
  copyright=root/usr/share/doc/$one/copyright
  [ ! -f "$copyright" ] || while IFS= read -r line; do say copyright "$line"; done < "$copyright"
done

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

# A server of its own, with the packages installed: their libraries are there, and what they need of other extensions.
for needed in $(cat root/"$share"/extension/*.control 2> /dev/null | sed -n "s/^ *requires *= *//p" | tr -s "',\"" ' '); do
  for pair; do
    [ "${pair%%=*}" != "$needed" ] || [ -e "/$share/extension/$needed.control" ] || beside="$beside ${pair#*=}"
  done
done
apt-get -qq -y --no-install-recommends -o APT::Sandbox::User=root install $(for one in $all $beside; do echo "$one=$(version_of "$one")"; done) >&2 ||
  give_up "the package cannot be installed in the base image"
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
