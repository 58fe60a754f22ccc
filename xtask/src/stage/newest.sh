# SPDX-License-Identifier: Apache-2.0
# For each package that the archive has: prints `package=version<TAB>newest version<TAB>order`, where order says how that is
# to the version by Debian's rules: newer, same or older. What follows is given the newest as `package=version`.
# Arguments: `package=version`. Run as root in a base image.
set -eu
export LC_ALL=C
apt-get -q --error-on=any update >&2
for pin in "$@"; do
  shift
  package=${pin%%=*} pinned=${pin#*=}
  newest=$(apt-cache policy -- "$package" | sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p')
  [ -n "$newest" ] || continue
  order=older
  ! dpkg --compare-versions "$newest" eq "$pinned" || order=same
  ! dpkg --compare-versions "$newest" gt "$pinned" || order=newer
  printf '%s\t%s\t%s\n' "$pin" "$newest" "$order"
  set -- "$@" "$package=$newest"
done
