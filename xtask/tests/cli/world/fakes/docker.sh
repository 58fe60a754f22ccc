# SPDX-License-Identifier: Apache-2.0
# A fake docker. Networks, volumes, containers and images are files below `engine`; what it says of itself, of tags and
# of labels stands in files below `docker`. buildx.sh has the builds.
engine=$here/engine
answers=$here/docker

# What a test lets it say, or else this.
answer() {
  if [ -e "$answers/$1" ]; then cat "$answers/$1"; else printf '%s\n' "$2"; fi
}

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

# Names, which are identities here, of what carries the labels and has the name or the network that is asked for.
filtered() {
  what=$1
  shift
  name='' network='' mount=''
  for word in "$@"; do
    case $word in
    name=^*) name=$(printf '%s' "${word#name=^}" | sed 's/\$$//; s/\[\.\]/./g') ;;
    network=*) network=${word#network=} ;;
    volume=*) mount=${word#volume=} ;;
    esac
  done
  for thing in "$engine/$what"/*; do
    [ -e "$thing" ] || continue
    file=$thing
    [ ! -d "$thing" ] || file=$thing/labels
    carries "$(first "$file")" "$@" || continue
    [ -z "$name" ] || [ "$name" = "${thing##*/}" ] || continue
    [ -z "$mount" ] || [ "$mount" = "$(first "$thing/mounts")" ] || continue
    [ -z "$network" ] || [ "$network" = "$(first "$thing/networks")" ] || continue
    echo "${thing##*/}"
  done
}

# Whether the labels of something hold those of the filters, each with its value or without.
carries() {
  has=,$1,
  shift
  for word in "$@"; do
    label=${word#label=}
    case $word in
    label=*=*) case $has in *",$label,"*) ;; *) return 1 ;; esac ;;
    label=*) case $has in *",$label,"* | *",$label="*) ;; *) return 1 ;; esac ;;
    esac
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
    : > "$answers/removed.$name"
    echo "$name"
  done
}

# Whether something listens at the registry of a reference, as far as it is this world's own.
reachable() {
  case $1 in localhost:*) [ -e "$answers/registry" ] || return 0 ;; *) return 0 ;; esac
  port=${1#localhost:}
  grep -qs ":${port%%/*}->" "$engine"/containers/*/ports
}

# An image with a data directory: of the base image that every engine has, until a test says that there is none. What is
# committed is there from then on.
of_data() {
  if [ -e "$answers/data.${1##*:}" ]; then cat "$answers/data.${1##*:}"; return; fi
  [ ! -e "$answers/data.none" ] || fail "Error response from daemon: No such image: $1"
  echo "sha256:ba5e linux/amd64"
}

# A container that makes one.
make_data() {
  [ ! -e "$answers/data.fails" ] || { cat "$answers/data.fails"; exit 1; }
  for word in "$@"; do
    case $word in io.cloudnativepg.xtask.data.of=*) echo "${word#*=}" > "$answers/data.made" ;; esac
  done
}

# A server that is tested: its output is the proof.
serve() {
  case $* in
  *" localhost/xtask-data:"*) [ ! -e "$answers/data.gone" ] || fail "docker: Error response from daemon: No such image: localhost/xtask-data:0" 125 ;;
  esac
  [ ! -e "$answers/taken" ] || fail "Conflict. The container name is already in use by container \"f00\"" 125
  if [ -e "$answers/test.hangs" ]; then trap '' TERM; hang; fi
  [ ! -e "$answers/test.fails" ] || { cat "$answers/test.fails"; exit 1; }
  echo "WARNING: Image mount is an experimental feature"
  answer proof "proof of work"
}

# A container of a test is there as soon as it was asked for, whatever became of who asked, until it is removed.
asked_for() {
  for word in "$@"; do name=$word; done
  name=${name#name=^} name=${name%$}
  if [ ! -e "$answers/taken" ] && [ ! -e "$answers/removed.$name" ] && grep -q "\"--name\",\"$name\"" "$here/log"; then echo "$name"; fi
}

# A program on a node, whose files lie in the container's folder.
on_node() {
  node=$1
  shift
  files=$engine/containers/$node/files
  [ -d "$engine/containers/$node" ] || fail "Error response from daemon: No such container: $node"
  [ "$(first "$engine/containers/$node/state")" = running ] || fail "Error response from daemon: container $node is not running"
  mkdir -p "$files/var/lib/kubelet" "$files/etc/containerd/certs.d"
  login=/var/lib/kubelet/config.json
  case "$*" in
  "sh -s --"*)
    shift 3
    sed "s|^folder=/|folder=$files/|" "$input" > "$files/script"
    sh "$files/script" "$@"
    exit ;;
  "cmp --quiet /dev/stdin $login") cmp -s "$input" "$files$login"; exit ;;
  "install --mode=600 /dev/stdin $login") install -m 600 "$input" "$files$login" ;;
  "cmp --quiet $login $login.read") cmp -s "$files$login" "$files$login.read"; exit ;;
  "cp --preserve=mode $login $login.read") cp -p "$files$login" "$files$login.read" ;;
  "systemctl restart kubelet") ;;
  "ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d -- "*)
    [ ! -e "$answers/prefetch.fails" ] || fail "ctr: failed to resolve image: not found" ;;
  "kubectl --kubeconfig /etc/kubernetes/admin.conf "*)
    shift 3
    context=kind-${node%-control-plane}
    printf 'clusters:\n- name: %s\ncontexts:\n- name: %s\ncurrent-context: %s\n' "$context" "$context" "$context" > "$files/admin.conf.$$"
    mv "$files/admin.conf.$$" "$files/admin.conf"
    set -- --kubeconfig "$files/admin.conf" "$@"
    . "$here/kubectl.sh" ;;
  "journalctl --unit kubelet "*) echo "kubelet's log of $node" ;;
  *) refuse exec "$node" "$@" ;;
  esac
}

# Chainsaw in a container, which is there until it has ended or is removed. It must see what it is to read and write.
suite() {
  shift
  network='' seen=''
  while [ $# -gt 0 ]; do
    case $1 in
    --rm) shift; continue ;;
    --name) name=$2 ;;
    --label) label=$2 ;;
    --user) user=$2 ;;
    --network) network=$2 ;;
    --workdir) [ "$(pwd -P)" = "$2" ] || fail "the fake's folder is $(pwd -P), not $2" ;;
    --env) export "${2?}" ;;
    --mount)
      source=${2#type=bind,source=}
      source=${source%%,*}
      [ -e "$source" ] || fail "docker: Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: $source" 125
      seen="$seen $2" ;;
    *) break ;;
    esac
    shift 2
  done
  image=$1
  shift
  [ "$user" = "$(id -u):$(id -g)" ] || fail "not this user: $user"
  case $network in none | host) ;; *) [ -e "$engine/networks/$network" ] || fail "docker: Error response from daemon: network $network not found" 125 ;; esac
  mkdir -p "$engine/containers/$name"
  echo "$image" > "$engine/containers/$name/image"
  echo "$label" > "$engine/containers/$name/labels"
  echo "$network" > "$engine/containers/$name/networks"
  echo running > "$engine/containers/$name/state"
  if [ "$network" != none ]; then
    case $seen in *"target=/usr/bin/kubectl,readonly"*) ;; *) fail "the scripts of suites have no kubectl" ;; esac
    if [ "$network" = host ]; then
      case $seen in *"target=$KUBECONFIG,readonly"*) ;; *) fail "Error: stat $KUBECONFIG: no such file or directory" ;; esac
    else
      ! grep -q 'server: https://127' "$KUBECONFIG" || fail "Error: the cluster does not answer at 127.0.0.1"
    fi
  fi
  (. "$here/chainsaw.sh")
  status=$?
  rm -r "$engine/containers/$name"
  exit $status
}

case "$*" in
"buildx "*) . "$here/buildx.sh" ;;
info*)
  answer info '{"ID":"'"$here"'","ServerVersion":"28.5.2","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"DockerRootDir":"/","ClientInfo":{"Plugins":[{"Name":"buildx","Version":"0.29.1"}]}}'
  [ ! -e "$answers/info.fails" ] || fail "$(cat "$answers/info.fails")" ;;
"network ls --format {{json .}}") labelled networks ;;
"volume ls --format {{json .}}") labelled volumes ;;
"ps --all --no-trunc --format {{json .}}") containers ;;
"ps --all --no-trunc --filter label="*" --format {{json .}}") containers "$@" ;;
"ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter name=^xtask-smoke-"* | \
  "ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter name=^xtask-data-"* | \
  "ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter name=^xtask-inspect-"* | \
  "ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter name=^xtask-libraries-"* | \
  "ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter name=^xtask-versions-"*) asked_for "$@" ;;
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
"run --rm --interactive "*) serve "$@" ;;
"run --interactive --network none --name xtask-data-"*) make_data "$@" ;;
"commit --message "*)
  [ ! -e "$answers/commit.fails" ] || fail "$(cat "$answers/commit.fails")"
  for word in "$@"; do name=$word; done
  mv "$answers/data.made" "$answers/data.${name##*:}"
  echo "${name##*:}" > "$answers/data.name"
  echo sha256:da7a ;;
"image ls --quiet --no-trunc --filter label=io.cloudnativepg.xtask.data="*) answer data.images "sha256:da7a" ;;
"image inspect --format {{if eq .Comment "*) answer data.ours "" | sed "s/NOW/$(first "$answers/data.name")/" ;;
"image inspect --format {{index .Config.Labels \"io.cloudnativepg.xtask.data.of\"}} "*) of_data "$5" ;;
"image inspect --format {{.Id}} {{.Os}}/{{.Architecture}} "*)
  [ ! -e "$answers/base.none" ] || [ -e "$answers/labels" ] || fail "Error response from daemon: No such image: $5"
  answer base.identity "sha256:ba5e linux/amd64" ;;
"run --rm --name "*) suite "$@" ;;
"create --name xtask-kubectl-"*)
  mkdir "$engine/containers/$3" || fail "Conflict. The container name is already in use by container \"f00\"" 125
  echo "$5" > "$engine/containers/$3/labels"
  echo "$6" > "$engine/containers/$3/image"
  echo created > "$engine/containers/$3/state"
  : > "$engine/containers/$3/networks" ;;
"run --rm --user 0 --entrypoint sh --name xtask-libraries-"*)
  [ ! -e "$answers/apt.fails" ] || fail "$(cat "$answers/apt.fails")" 100
  answer downloads "" ;;
"run --rm --user 0 --entrypoint sh --name xtask-versions-"*)
  [ ! -e "$answers/apt.fails" ] || fail "$(cat "$answers/apt.fails")" 100
  answer newest "" ;;
"create --name xtask-inspect-"*)
  mkdir -p "$answers/opened"
  echo "$6" > "$answers/opened/$3" ;;
"run --rm --user 0 --entrypoint sh --name xtask-package-"*)
  [ ! -e "$answers/apt.fails" ] || fail "$(cat "$answers/apt.fails")" 100
  asked=package
  for file in "$answers"/package.*; do
    case $8 in *"-${file##*/package.}") asked=${file##*/} ;; esac
  done
  answer "$asked" done ;;
"create --rm --interactive "*" localhost/xtask-data:"*) [ ! -e "$answers/data.gone" ] || fail "Error response from daemon: No such image: localhost/xtask-data:0" ;;
"create --rm --interactive "* | "create --name "*) [ ! -e "$answers/taken" ] || fail "Conflict. The container name is already in use by container \"f00\"" 125 ;;
"cp --follow-link "*:/usr/bin/kubectl" "*)
  node=${3%%:*}
  [ -d "$engine/containers/$node" ] || fail "Error response from daemon: No such container: $node"
  echo "the node's kubectl" > "$4" ;;
"cp "*) ;;
"save --output "*) echo "an image" > "$3" ;;
"export --output "*)
  [ ! -e "$answers/export.hangs" ] || hang
  # What a test says is in one image, or else what is in any; a base image has files of its own.
  image=$(first "$answers/opened/$4")
  of=files
  case $image in */postgresql:*) of=files.base ;; esac
  [ ! -e "$answers/files.${image##*/}" ] || of=files.${image##*/}
  mkdir -p "$answers/$of" && tar --create --file "$3" --directory "$answers/$of" . ;;
"start --attach --interactive "*) serve start ;;
"start "*) shift; start "$@" ;;
"rm --force "*) shift; remove "$@" ;;
"logs --tail "*) echo "the log of $4" ;;
"exec --interactive "*) shift 2; on_node "$@" ;;
"exec "*) shift; on_node "$@" ;;
"image ls --format {{.Tag}} "*) answer tags "" ;;
"image ls --no-trunc "*) answer digests "" && answer sizes "" | sed "s/$tab/$tab$tab/" ;;
"image inspect --format {{json .}} "*)
  [ -e "$answers/labels" ] || fail "No such image"
  printf '{"Os":"linux","Architecture":"amd64","Descriptor":{"digest":"sha256:%064d"},"Config":{"Labels":%s}}\n' 1 "$(cat "$answers/labels")" ;;
"image inspect --format {{.Id}} "*) [ -e "$engine/images/$5" ] || fail "Error response from daemon: No such image: $5" ;;
"image rm "*)
  shift 2
  for image in "$@"; do rm -f "$engine/images/$image"; done ;;
"pull --quiet "*)
  [ -e "$answers/labels.remote" ] || fail "Error: manifest unknown"
  # Of two that pull at the same time, cp would refuse the file that the other has just made.
  cat "$answers/labels.remote" > "$answers/labels" ;;
"tag "*)
  [ -e "$engine/images/$2" ] || fail "Error response from daemon: No such image: $2"
  mkdir -p "$engine/images/${3%/*}"
  cp "$engine/images/$2" "$engine/images/$3" ;;
"push --quiet "*)
  [ -e "$engine/images/$3" ] || fail "An image does not exist locally with the tag: $3"
  reachable "$3" || fail "failed to do request: Head \"http://$3\": dial tcp 127.0.0.1: connect: connection refused" ;;
*) refuse "$@" ;;
esac
