# SPDX-License-Identifier: Apache-2.0
# A fake docker with networks, volumes, containers and registries. They are files below `engine`; builds and
# questions about the engine go to the fake that the other tests have.
engine=$here/engine

# A label's value may hold what Docker puts between labels; in these files it is written as in a URL.
shown() { first "$1" | sed 's/%2C/,/g; s/%0A/\\n/g'; }

labelled() {
  for file in "$engine/$1"/*; do
    [ -e "$file" ] || continue
    printf '{"Name":"%s","Labels":"%s","Driver":"local"}\n' "${file##*/}" "$(shown "$file")"
  done
}

# All of them, or those that the filters are for.
containers() {
  for folder in $(filtered containers "$@"); do
    folder=$engine/containers/$folder
    ports=
    [ "$(first "$folder/state")" != running ] || ports=$(first "$folder/ports")
    printf '{"Names":"%s","State":"%s","Image":"%s","Labels":"%s","Networks":"%s","Ports":"%s"}\n' "${folder##*/}" \
      "$(first "$folder/state")" "$(first "$folder/image")" "$(shown "$folder/labels")" "$(first "$folder/networks")" "$ports"
  done
}

# Names, which are identities here, of what carries the label and has the name or the network that is asked for.
filtered() {
  what=$1
  shift
  label='' name='' network='' mount=''
  for word in "$@"; do
    case $word in
    label=*) label=${word#label=} ;;
    name=^*) name=$(printf '%s' "${word#name=^}" | sed 's/\$$//; s/\[\.\]/./g') ;;
    network=*) network=${word#network=} ;;
    volume=*) mount=${word#volume=} ;;
    esac
  done
  for thing in "$engine/$what"/*; do
    [ -e "$thing" ] || continue
    labels=$thing
    [ ! -d "$thing" ] || labels=$thing/labels
    case ",$(first "$labels")," in
    *",$label,"*) ;;
    *",$label="*) case $label in *=*) continue ;; esac ;;
    *) [ -z "$label" ] || continue ;;
    esac
    [ -z "$name" ] || [ "$name" = "${thing##*/}" ] || continue
    [ -z "$mount" ] || [ "$mount" = "$(first "$thing/mounts")" ] || continue
    [ -z "$network" ] || [ "$network" = "$(first "$thing/networks")" ] || continue
    echo "${thing##*/}"
  done
}

run() {
  labels='' ports='' volume=''
  while [ $# -gt 1 ]; do
    case $1 in
    --detach) shift; continue ;;
    --name) name=$2 ;;
    --network) network=$2 ;;
    --label) labels=$labels,$2 ;;
    --publish) ports="${2%:*}->${2##*:}/tcp" ;;
    --volume) volume=${2%%:*} ;;
    --restart | --env) ;;
    *) refuse run "$@" ;;
    esac
    shift 2
  done
  [ ! -e "$engine/containers/$name" ] || fail "docker: Error response from daemon: Conflict. The container name \"/$name\" is already in use" 125
  [ -e "$engine/networks/$network" ] || fail "docker: Error response from daemon: network $network not found" 125
  mkdir -p "$engine/containers/$name.new"
  cd "$engine/containers/$name.new" || exit
  echo "$1" > image
  echo "${labels#,}" > labels
  echo "$network" > networks
  echo "$ports" > ports
  echo "$volume" > volume
  echo running > state
  mv "$engine/containers/$name.new" "$engine/containers/$name"
  echo 0123456789ab
}

start() {
  for name in "$@"; do
    [ -d "$engine/containers/$name" ] || fail "Error response from daemon: No such container: $name"
    echo running > "$engine/containers/$name/state"
    echo "$name"
  done
}

remove() {
  for name in "$@"; do
    case $name in
    --force | --volumes) continue ;;
    -*) refuse rm "$@" ;;
    esac
    rm -rf "$engine/containers/$name"
    echo "$name"
  done
}

# A program on a node, whose files lie in the container's folder.
on_node() {
  node=$1
  shift
  files=$engine/containers/$node/files
  [ -d "$engine/containers/$node" ] || fail "Error response from daemon: No such container: $node"
  [ "$(first "$engine/containers/$node/state")" = running ] || fail "Error response from daemon: container $node is not running"
  mkdir -p "$files/var/lib/kubelet" "$files/etc/containerd/certs.d"
  case "$*" in
  "sh -s --"*)
    shift 3
    sed "s|^folder=/|folder=$files/|" "$input" > "$files/script"
    sh "$files/script" "$@"
    exit ;;
  "cmp --quiet /dev/stdin /var/lib/kubelet/config.json") cmp -s "$input" "$files/var/lib/kubelet/config.json"; exit ;;
  "install --mode=600 /dev/stdin /var/lib/kubelet/config.json") install -m 600 "$input" "$files/var/lib/kubelet/config.json" ;;
  "cmp --quiet /var/lib/kubelet/config.json /var/lib/kubelet/config.json.read")
    cmp -s "$files/var/lib/kubelet/config.json" "$files/var/lib/kubelet/config.json.read"
    exit ;;
  "cp --preserve=mode /var/lib/kubelet/config.json /var/lib/kubelet/config.json.read")
    cp -p "$files/var/lib/kubelet/config.json" "$files/var/lib/kubelet/config.json.read" ;;
  "systemctl restart kubelet") ;;
  "journalctl --unit kubelet "*) echo "kubelet's log of $node" ;;
  *) refuse exec "$node" "$@" ;;
  esac
}

# An image in a registry: by its whole reference, or by its digest alone.
manifest() {
  name=$1
  case $name in
  *:*@*) [ -e "$engine/registries/$name" ] || name=${name%%@*} name=${name%:*}@${1#*@} ;;
  esac
  [ -e "$engine/registries/$name$2" ] || fail "ERROR: $1: not found"
  cat "$engine/registries/$name$2"
}

# Whether something listens at the registry of a reference, as far as it is of this machine.
reachable() {
  case $1 in localhost:*) ;; *) return 0 ;; esac
  port=${1#localhost:}
  grep -qs ":${port%%/*}->" "$engine"/containers/*/ports
}

bake() {
  last='' push='' name=''
  for word in "$@"; do
    case $last in -f) name=${word%/metadata.hcl} name=${name##*/} ;; esac
    [ "$word" != --push ] || push=yes
    last=$word
  done
  [ -z "$push" ] || reachable "$registry/" ||
    fail "ERROR: failed to solve: failed to push $registry/$name: dial tcp 127.0.0.1: connect: connection refused"
  sh "$here/docker-of-builds" "$@" || exit
  if [ -n "$push" ] && [ -d "$here/baked/$name" ]; then cp -R "$here/baked/$name/." "$engine/registries/"; fi
}

case "$*" in
"network ls --format {{json .}}") labelled networks ;;
"volume ls --format {{json .}}") labelled volumes ;;
"ps --all --no-trunc --format {{json .}}") containers ;;
"ps --all --no-trunc --filter label="*" --format {{json .}}") containers "$@" ;;
"ps --all --quiet --no-trunc --filter label="*) filtered containers "$@" ;;
"network ls --quiet --no-trunc --filter label="*) filtered networks "$@" ;;
"volume ls --quiet --filter label="*) filtered volumes "$@" ;;
"network create --label "*)
  [ ! -e "$engine/networks/$5" ] || fail "Error response from daemon: network with name $5 already exists"
  echo "$4" > "$engine/networks/$5" ;;
"volume create --label "*) echo "$4" > "$engine/volumes/$5" ;;
"network rm "*)
  for folder in "$engine"/containers/*; do
    if [ "$(first "$folder/networks")" = "$3" ] && [ "$(first "$folder/state")" = running ]; then
      fail "Error response from daemon: error while removing network: network $3 has active endpoints"
    fi
  done
  rm "$engine/networks/$3" ;;
"volume rm "*)
  ! grep -qsx "$3" "$engine"/containers/*/volume || fail "Error response from daemon: remove $3: volume is in use"
  rm "$engine/volumes/$3" ;;
"run --detach --name "*) shift; run "$@" ;;
"start "*) shift; start "$@" ;;
"rm --force "*) shift; remove "$@" ;;
"logs --tail "*) echo "the log of $4" ;;
"exec --interactive "*) shift 2; on_node "$@" ;;
"exec "*) shift; on_node "$@" ;;
"image inspect --format {{.Id}} "*) [ -e "$engine/images/$5" ] || fail "Error response from daemon: No such image: $5" ;;
"tag "*)
  [ -e "$engine/images/$2" ] || fail "Error response from daemon: No such image: $2"
  mkdir -p "$engine/images/${3%/*}"
  cp "$engine/images/$2" "$engine/images/$3" ;;
"push --quiet "*)
  [ -e "$engine/images/$3" ] || fail "An image does not exist locally with the tag: $3"
  reachable "$3" || fail "failed to do request: Head \"http://$3\": dial tcp 127.0.0.1: connect: connection refused" ;;
"image rm "*) [ ! -e "$engine/images/$3" ] || rm "$engine/images/$3" ;;
"buildx imagetools inspect --raw "*) manifest "$5" "" ;;
"buildx imagetools inspect --format {{.Image.OS}}/{{.Image.Architecture}} "*) manifest "$6" .platform ;;
"buildx bake "*) bake "$@" ;;
info* | "buildx version" | "buildx inspect"* | "image ls "*) sh "$here/docker-of-builds" "$@" ;;
*) refuse "$@" ;;
esac
