#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What every fake begins with: the call goes to `calls`, its standard input to a file of its own, and what a
# test has put into rules.sh comes before what the fake would do. Fields end with the unit separator and records
# with the record separator, so that no argument can be mistaken for two.
here=$FAKE
program=${0##*/}
PATH=/usr/bin:/bin
unit=$(printf '\037')
record=start$unit$$$unit$program$unit$KUBECONFIG$unit$KIND_EXPERIMENTAL_DOCKER_NETWORK
for word in "$@"; do record=$record$unit$word; done
printf '%s\036' "$record" >> "$here/calls"
trap 'printf "%s\036" "end$unit$$$unit$?" >> "$here/calls"' EXIT
input=$here/stdin/$$
cat > "$input"

# The fake does not know this call: whoever wrote the call or the fake is wrong, and the test must notice.
refuse() {
  printf '%s\n' "$program $*" >> "$here/refused"
  echo "fake $program does not know: $*" >&2
  exit 64
}
fail() {
  echo "$1" >&2
  exit "${2:-1}"
}
# The first line of a file, or nothing.
first() {
  line=
  [ ! -e "$1" ] || IFS= read -r line < "$1"
  printf '%s\n' "$line"
}
# To docker the first `--` is the end of its options, and no word.
if [ "$program" = docker ]; then
  left=$# ended=
  while [ "$left" -gt 0 ]; do
    left=$((left - 1))
    if [ -z "$ended" ] && [ "$1" = -- ]; then ended=1; else set -- "$@" "$1"; fi
    shift
  done
fi
[ ! -e "$here/rules.sh" ] || . "$here/rules.sh"
