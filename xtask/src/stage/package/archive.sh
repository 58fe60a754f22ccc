# SPDX-License-Identifier: Apache-2.0
# Finds the package in the archive and unpacks it, with those of the same source and version, into `root`. Further arguments: the
# packages that it may be in, of which the first that there is counts. Without one of these it is looked for among the archive's
# packages by its control file.
fetch() { apt-get -q -o APT::Sandbox::User=root download "$@" >&2; }
version_of() { apt-cache policy -- "$1" | sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p'; }
place=$(mktemp -d)
chmod 755 "$place"
cd "$place"
apt-get -q -o pkgCacheFile::Generate=false update >&2

# Where its control file is in a package.
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

install_all() {
  apt-get -qq -y --no-install-recommends -o APT::Sandbox::User=root install $(for one in $all $beside; do echo "$one=$(version_of "$one")"; done) >&2
}
