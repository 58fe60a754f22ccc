#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What every fake begins with. `$here` holds the log, and all that the fakes know. The log has a line in JSON when a
# call begins, with its words and the variables that matter, and one when it ends; what it reads is kept below `stdin`.
# Then comes what a test has put into rules.sh, then what the fake does.
here=${0%/bin/*}/fakes
program=${0##*/}
PATH=/usr/bin:/bin
export here
newline='
'
tab='	'
# A word as JSON has it, in `$quoted`.
quote() {
  rest=$1 quoted=
  while :; do
    case $rest in *[\\\"$newline$tab]*) ;; *) break ;; esac
    plain=${rest%%[\\\"$newline$tab]*}
    rest=${rest#"$plain"}
    case $rest in
    \\*) quoted=$quoted$plain'\\' ;;
    \"*) quoted=$quoted$plain'\"' ;;
    "$tab"*) quoted=$quoted$plain'\t' ;;
    *) quoted=$quoted$plain'\n' ;;
    esac
    rest=${rest#?}
  done
  quoted=\"$quoted$rest\"
}
words=\"$program\"
for word in "$@"; do quote "$word"; words=$words,$quoted; done
variables=
for name in registry environment revision base_image BUILDX_BAKE_ENTITLEMENTS_FS BUILDX_METADATA_PROVENANCE DOCKER_DEFAULT_PLATFORM NO_PROXY no_proxy http_proxy https_proxy KUBECONFIG KIND_EXPERIMENTAL_DOCKER_NETWORK \
  XTASK_EXTENSION XTASK_NAME XTASK_LOAD XTASK_WANTED XTASK_SILENT XTASK_LIBRARY_PATH XTASK_BIN_PATH; do
  eval "value=\${$name-}"
  [ -z "$value" ] || { quote "$value"; variables=$variables,[\"$name\",$quoted]; }
done
printf '%s\n' "{\"began\":$$,\"words\":[$words],\"variables\":[${variables#,}]}" >> "$here/log"
trap 'printf "%s\n" "{\"ended\":$$,\"status\":$?}" >> "$here/log"' EXIT
input=/dev/null
if [ -p /dev/stdin ] || [ -f /dev/stdin ]; then
  input=$here/stdin/$$
  cat > "$input"
fi

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
# Lets the call last until it is ended, with a child of its own.
hang() {
  sleep 300 &
  echo $! > "$here/child"
  echo $$ > "$here/hanging"
  # A signal that is trapped ends the wait, and not the child.
  while kill -0 $! 2> /dev/null; do wait; done
  exit 1
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
