#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Adds one more suite to the sources of a Debian root ($1), before its index is read: from where those of its own suite ($2) come.
# All that any other suite has goes before what this one ($3) has, but for what is made of one source package ($4): a server needs its
# own client library. An archive calls a suite by two names (experimental, rc-buggy), and either may be meant. Fact: man apt_preferences.
set -eu
root=$1 own=$2 other=$3 source=$4
list=$root/etc/apt/sources.list
added=$(sed -n "s/ $own main\$/ $other main/p" "$list")
if [ -z "$added" ]; then
  echo "error: no line of $list is for $own main" >&2
  exit 1
fi
printf '%s\n' "$added" >> "$list"
mkdir -p "$root/etc/apt/preferences.d"
for by in a n; do
  printf 'Package: *\nPin: release %s=%s\nPin-Priority: 1\n\n' "$by" "$other"
  printf 'Package: src:%s\nPin: release %s=%s\nPin-Priority: 990\n\n' "$source" "$by" "$other"
done > "$root/etc/apt/preferences.d/$other"
