# SPDX-License-Identifier: Apache-2.0
# A fake oras on the registries of the fakes: an image is a file by its tag and the same file by its digest, and a file
# `….referrers` beside that lists the digests of what refers to it. The two manifests of every index that the tests make are
# in every repository.
all=$here/engine/registries
command=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
  --plain-http | --from-plain-http | --to-plain-http | --no-tty | --recursive) ;;
  --output) [ "$2" = - ] || refuse "$@"; shift ;;
  --format) [ "$2" = json ] || refuse "$@"; shift ;;
  --media-type) shift ;;
  --oci-layout) command="$command layout" ;;
  --descriptor) command="$command descriptor" ;;
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
one_of_each() {
  case $1 in
  *@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a) printf '{}' ;;
  *@sha256:257c1be96ae69f4b01c2c69bdb6d78605f59175819fb007d0bf245bf48444c4a) printf '{ }' ;;
  *) return 1 ;;
  esac
}
there() { [ -f "$all/$1" ] || one_of_each "$1" > /dev/null || fail "Error response from registry: failed to resolve digest: $1: not found"; }
case $command in
" manifest fetch" | " blob fetch") there "$1"; one_of_each "$1" || cat "$all/$1" ;;
" blob fetch descriptor") there "$1"; printf '{"digest": "%s"}\n' "${1##*@}" ;;
" manifest fetch layout") cat "${1%@*}/blobs/sha256/${1##*:}" ;;
" discover layout") printf '{"referrers": []}\n' ;;
" manifest push")
  place "$1" "$input"
  subject=${1%:*}@sha256:${1##*:sha256-}
  grep -Eo 'sha256:[0-9a-f]{64}' "$input" > "$all/$subject.referrers" ;;
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
    printf '%s{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "%s", "size": 2, "artifactType": "a/b", "referrers": []}' "$comma" "$digest"
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
  # As in a registry without the API: what is there already is not listed once more.
  [ ! -f "$all/$1.referrers" ] || while IFS= read -r referrer; do
    [ ! -f "$all/$repository@$referrer" ] || continue
    place "$repository@$referrer" "$all/${1%@*}@$referrer"
    echo "$referrer" >> "$all/$repository@$digest.referrers"
  done < "$all/$1.referrers"
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
