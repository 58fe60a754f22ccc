# SPDX-License-Identifier: Apache-2.0
# A fake oras on the registries of the fakes: an image is a file by its tag and the same file by its digest, and a file
# `….referrers` beside that lists the digests of what refers to it.
all=$here/engine/registries
command=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
  --plain-http | --from-plain-http | --to-plain-http | --no-tty | --recursive) ;;
  --output) [ "$2" = - ] || refuse "$@"; shift ;;
  --format) [ "$2" = json ] || refuse "$@"; shift ;;
  -*) refuse "$@" ;;
  *) command="$command $1" ;;
  esac
  shift
done
[ $# -gt 1 ] || refuse "$command $*"
shift
digest_of() { echo "sha256:$(sha256sum < "$all/$1" | cut -d ' ' -f 1)"; }
# A file for each name of an image: REFERENCE and, in its repository, its digest.
place() {
  mkdir -p "$all/$(dirname "$1")"
  cp "$2" "$all/$1.new" && mv "$all/$1.new" "$all/$1"
}
there() { [ -f "$all/$1" ] || fail "Error response from registry: failed to resolve digest: $1: not found"; }
case $command in
" manifest fetch" | " blob fetch") there "$1"; cat "$all/$1" ;;
" resolve") there "$1"; digest_of "$1" ;;
" repo tags")
  for file in "$all/$1":*; do
    [ ! -f "$file" ] || printf '%s\n' "${file##*:}"
  done ;;
" discover")
  there "$1"
  printf '{"referrers": ['
  comma=
  [ ! -f "$all/$1.referrers" ] || while IFS= read -r digest; do
    printf '%s{"digest": "%s", "referrers": []}' "$comma" "$digest"
    comma=,
  done < "$all/$1.referrers"
  printf ']}\n' ;;
" cp")
  there "$1"
  digest=$(digest_of "$1") name=${2##*/}
  case $name in *:*) repository=${2%:*} ;; *) repository=$2 ;; esac
  copied=
  [ -f "$all/$repository@$digest" ] || copied=1
  place "$repository@$digest" "$all/$1"
  [ "$repository" = "$2" ] || place "$2" "$all/$1"
  [ ! -f "$all/$1.referrers" ] || place "$repository@$digest.referrers" "$all/$1.referrers"
  short=${digest#sha256:}
  if [ -n "$copied" ]; then echo "Copied  $(printf %.12s "$short") application/x"; else echo "Exists  $(printf %.12s "$short") application/x"; fi
  echo "Copied [registry] $1 => [registry] $2" ;;
" tag")
  there "$1"
  image=$1
  shift
  for tag in "$@"; do
    place "${image%@*}:$tag" "$all/$image"
    echo "Tagged $tag"
  done ;;
*) refuse "$command" "$@" ;;
esac
