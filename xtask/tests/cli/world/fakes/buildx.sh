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

# What bake would build of an extension: as the test's world has put it down.
print_targets() {
  for word in "$@"; do
    case $word in */metadata.hcl) folder=${word%/metadata.hcl} name=${folder##*/} ;; esac
  done
  [ ! -e "$answers/print.fails.$name" ] || fail "$(cat "$answers/print.fails.$name")"
  case " $* " in *" xtask-metadata ") cat "$answers/evaluated/$name"; return ;; esac
  [ -e "$answers/printed/$name" ] || fail "ERROR: failed to parse extensions/$name/metadata.hcl"
  testing=-testing
  [ "${environment:-testing}" = testing ] || testing=
  sed "s|\"extensions/$name\"|\"$folder\"|g; s|@registry@|${registry:-localhost:5000}|g; s|@testing@|$testing|g; s|@now@|$(date -u +%Y%m%d%H%M)|g" "$answers/printed/$name"
}

# How BuildKit says that a step has failed: with all of its command, which is a script.
failed_step() {
  script='set -eux; apt-get download one two three'
  script="$script; $script; $script; $script; $script"
  printf 'process "/bin/sh -c %s" did not complete successfully: exit code: 17\n' "$script"
}

# A line of the progress, as BuildKit's clients print it, about a target; alone a target is not named.
vertex() {
  label="[$1] $3"
  [ "$count" -gt 1 ] || label=$3
  at=2026-01-01T00:00:01Z completed='' error=''
  [ -z "$4" ] || completed=",\"completed\":\"$at\""
  [ -z "$5" ] || { quote "$5"; error=",\"error\":$quoted"; }
  quote "$label"
  echo "{\"vertexes\":[{\"digest\":\"$1 $2\",\"name\":$quoted,\"started\":\"$at\"$completed$error}]}" >&2
}

# The target has printed this.
says() {
  while IFS= read -r line || [ -n "$line" ]; do
    echo "{\"logs\":[{\"vertex\":\"$1 step\",\"stream\":2,\"data\":\"$(printf '%s\n' "$line" | base64 -w 0)\"}]}" >&2
  done
}

# Of which extension a target is: its name ends in `-VERSION-MAJOR-DISTRO`.
extension_of() {
  printf '%s\n' "$1" | sed 's/-[0-9][0-9_]*\(-[0-9][0-9_]*\)*-[0-9][0-9]*-[a-z-]*$//'
}

# The image of a target is where it is to go.
exported() {
  digest=$(answer "bake.writes.$2" "{}" | sed -n "s/.*\"$1\":{\"containerimage.digest\":\"\([^\"]*\)\".*/\1/p")
  vertex "$1" export "exporting to image" "" ""
  configuration=$(answer "bake.configures.$2" "")
  [ -z "$configuration" ] ||
    echo "{\"statuses\":[{\"id\":\"exporting config $configuration\",\"vertex\":\"$1 export\",\"completed\":\"$at\"}]}" >&2
  echo "{\"statuses\":[{\"id\":\"exporting manifest list $digest\",\"vertex\":\"$1 export\",\"completed\":\"$at\"}]}" >&2
  vertex "$1" export "exporting to image" yes ""
}

# The images of an extension are in the registry, if that was asked for.
pushed() {
  if [ -n "$push" ] && [ -d "$answers/bake.pushes.$1" ]; then cp -R "$answers/bake.pushes.$1/." "$engine/registries/"; fi
}

# The targets of a call, and of which extensions they are.
of_call() {
  targets='' names='' last='' file='' push=''
  for word in "$@"; do
    case $last in
    -f) registry_host=$(sed -n 's/^ *"\([^" ]*\)\/[^"\/]*:[^"]*",\{0,1\}$/\1/p' "$word" | head -n 1) ;;
    --metadata-file) file=$word ;;
    esac
    [ "$word" != --push ] || push=yes
    last=$word
    case $word in
    -* | */* | *=* | buildx | bake | *.json) ;;
    *-[0-9]*-[0-9]*-*)
      targets="$targets $word"
      name=$(extension_of "$word")
      case " $names " in *" $name "*) ;; *) names="$names $name" ;; esac
      ;;
    esac
  done
  count=$(set -- $targets; echo $#)
}

bake() {
  case " $* " in *" --print "*) print_targets "$@"; return ;; esac
  of_call "$@"
  case " $* " in *" --check "*)
    for name in $names; do [ ! -e "$answers/bake.fails.$name" ] || { cat "$answers/bake.fails.$name"; exit 17; }; done
    return ;;
  esac
  for name in $names; do
    [ -z "$push" ] || reachable "$registry_host/" ||
      fail "ERROR: failed to solve: failed to push $registry_host/$name: dial tcp 127.0.0.1: connect: connection refused"
  done
  for target in $targets; do vertex "$target" step "[internal] load build definition" "" ""; done
  for target in $targets; do
    name=$(extension_of "$target")
    [ ! -e "$answers/bake.first.$name" ] || { pushed "$name"; exported "$target" "$name"; }
  done
  for name in $names; do
    [ -e "$answers/bake.hangs.$name" ] || continue
    trap 'exit 143' TERM
    [ ! -e "$answers/stubborn" ] || trap '' TERM
    hang
  done
  for target in $targets; do
    name=$(extension_of "$target")
    [ -e "$answers/bake.fails.$name" ] || continue
    says "$target" < "$answers/bake.fails.$name"
    vertex "$target" step "[internal] load build definition" yes "$(failed_step)"
    if [ "$count" -gt 1 ]; then
      fail "ERROR: target $target: failed to solve: $(failed_step)" 17
    fi
    fail "ERROR: failed to solve: $(failed_step)" 17
  done
  for target in $targets; do
    name=$(extension_of "$target")
    [ -e "$answers/bake.first.$name" ] || [ ! -e "$answers/bake.configures.$name" ] || exported "$target" "$name"
  done
  written=''
  for name in $names; do
    one=$(answer "bake.writes.$name" "{}")
    one=${one#\{} one=${one%\}}
    [ -z "$one" ] || written="$written${written:+,}$one"
    pushed "$name"
  done
  [ -z "$file" ] || printf '{%s}\n' "$written" > "$file"
}

case "$*" in
"buildx version") echo "github.com/docker/buildx 0.29.1" ;;
"buildx inspect"*)
  [ ! -e "$answers/builder.fails" ] || fail "$(cat "$answers/builder.fails")"
  answer builder "Name:   default
Driver: docker

Nodes:
Name:      default
Endpoint:  default
Status:    running
Platforms: linux/amd64, linux/arm64" ;;
"buildx bake "*) bake "$@" ;;
"buildx build --provenance false "*" --output type=local,dest="*" -")
  [ ! -e "$answers/compiled.fails" ] || fail "$(cat "$answers/compiled.fails")"
  for word in "$@"; do case $word in type=local,dest=*) folder=${word#type=local,dest=} ;; esac; done
  mkdir -p "$folder" && answer compiled > "$folder/facts" ;;
"buildx build --provenance false "*" -")
  [ ! -e "$answers/copy.fails" ] || fail "$(cat "$answers/copy.fails")"
  from=controls
  ! grep -q sr/share/postgresql "$input" || from=controls.base
  for word in "$@"; do case $word in type=tar,dest=*) archive=${word#type=tar,dest=} ;; esac; done
  mkdir -p "$answers/$from" && tar --create --file "$archive" --directory "$answers/$from" . ;;
"buildx imagetools inspect --raw "*) manifest "$5" "" ;;
"buildx imagetools inspect --format {{.Image.OS}}/{{.Image.Architecture}} "*) manifest "$6" .platform ;;
*) refuse "$@" ;;
esac
