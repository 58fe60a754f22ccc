# SPDX-License-Identifier: Apache-2.0
# For each package that the archive has: prints `package=version<TAB>newest version<TAB>order`, where order says how that is
# to the version by Debian's rules: newer, same or older. For both, where the archive has it, it prints
# `package=version<TAB>size<TAB>KiB installed<TAB>bytes to download`. What follows is given the newest as `package=version`.
# Arguments: `package=version`. Run as root in a base image.
set -eu
export LC_ALL=C
apt-get -q --error-on=any -o pkgCacheFile::Generate=false update >&2
size() {
  apt-cache show "$1" 2> /dev/null | awk -v OFS='\t' -v package="$1" '
    $1 == "Installed-Size:" { installed = $2 } $1 == "Size:" { download = $2 }
    END { if (installed != "" && download != "") print package, "size", installed, download }'
}
for pin in "$@"; do
  shift
  package=${pin%%=*} pinned=${pin#*=}
  newest=$(apt-cache policy -- "$package" | sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p')
  [ -n "$newest" ] || continue
  order=older
  ! dpkg --compare-versions "$newest" eq "$pinned" || order=same
  ! dpkg --compare-versions "$newest" gt "$pinned" || order=newer
  printf '%s\t%s\t%s\n' "$pin" "$newest" "$order"
  size "$package=$newest"
  [ "$order" = same ] || size "$pin"
  set -- "$@" "$package=$newest"
done
