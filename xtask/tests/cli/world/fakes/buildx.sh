# SPDX-License-Identifier: Apache-2.0
# The builds of the fake docker, which reads this file: builders, bakes, and images in registries.

# An image in a registry: by its whole reference, or by its digest alone.
manifest() {
  name=$1
  case $name in
  *:*@*) [ -e "$engine/registries/$name" ] || name=${name%%@*} name=${name%:*}@${1#*@} ;;
  esac
  [ -e "$engine/registries/$name$2" ] || fail "ERROR: $1: not found"
  cat "$engine/registries/$name$2"
}

# Waits until as many bakes have begun as `barrier` says.
meet() {
  : > "$answers/arrived.$1"
  tries=0
  while [ "$(set -- "$answers"/arrived.*; echo $#)" -lt "$(first "$answers/barrier")" ]; do
    tries=$((tries + 1))
    [ $tries -lt 3000 ] || fail "waited for other bakes in vain" 96
    sleep 0.01
  done
}

bake() {
  last='' push='' name='' file=''
  for word in "$@"; do
    case $last in
    -f) name=${word%/metadata.hcl} name=${name##*/} ;;
    --metadata-file) file=$word ;;
    esac
    [ "$word" != --push ] || push=yes
    last=$word
  done
  [ -z "$push" ] || reachable "$registry/" ||
    fail "ERROR: failed to solve: failed to push $registry/$name: dial tcp 127.0.0.1: connect: connection refused"
  if [ -e "$answers/bake.hangs.$name" ]; then
    trap 'exit 143' TERM
    [ ! -e "$answers/stubborn" ] || trap '' TERM
    hang
  fi
  [ ! -e "$answers/barrier" ] || meet "$name"
  echo "#1 [internal] load build definition"
  [ ! -e "$answers/bake.fails.$name" ] || { cat "$answers/bake.fails.$name"; exit 17; }
  [ -z "$file" ] || answer "bake.writes.$name" "{}" > "$file"
  if [ -n "$push" ] && [ -d "$answers/bake.pushes.$name" ]; then cp -R "$answers/bake.pushes.$name/." "$engine/registries/"; fi
}

case "$*" in
"buildx version") echo "github.com/docker/buildx 0.29.1" ;;
"buildx inspect"*)
  [ ! -e "$answers/builder.fails" ] || fail "$(cat "$answers/builder.fails")"
  answer builder "Driver: docker
Platforms: linux/amd64, linux/arm64" ;;
"buildx bake "*) bake "$@" ;;
"buildx imagetools inspect --raw "*) manifest "$5" "" ;;
"buildx imagetools inspect --format {{.Image.OS}}/{{.Image.Architecture}} "*) manifest "$6" .platform ;;
*) refuse "$@" ;;
esac
