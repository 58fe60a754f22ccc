# SPDX-License-Identifier: Apache-2.0
# A fake kind: its nodes are containers of the fake docker, its clusters' objects are files below `kube`.
engine=$here/engine

kubeconfig() {
  server=127.0.0.1:35000
  [ "$2" != --internal ] || server=$1-control-plane:6443
  cat << END
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://$server
  name: kind-$1
contexts:
- context:
    cluster: kind-$1
    user: kind-$1
  name: kind-$1
current-context: kind-$1
kind: Config
users:
- name: kind-$1
  user:
    client-key-data: S0VZ
END
}

node() {
  folder=$engine/containers/$2
  mkdir -p "$folder"
  echo "$image" > "$folder/image"
  echo "io.x-k8s.kind.cluster=$1,io.x-k8s.kind.role=$3" > "$folder/labels"
  echo "$KIND_EXPERIMENTAL_DOCKER_NETWORK" > "$folder/networks"
  echo "127.0.0.1:35000->6443/tcp" > "$folder/ports"
  sed -n 's/.*"containerPath": "\(.*\)".*/\1/p' "$config" | head -n 1 > "$folder/mounts"
  echo running > "$folder/state"
  tag=${image%%@*}
  cat > "$here/kube/kind-$1/objects/node-$2.json" << END
{"kind": "Node", "metadata": {"name": "$2"}, "status": {"conditions": [{"type": "Ready", "status": "True"}],
 "nodeInfo": {"kubeletVersion": "${tag##*:}", "operatingSystem": "linux", "architecture": "$(first "$here/kind/architecture")"}}}
END
}

create() {
  [ "$1 $3 $5 $6 $7 $8 ${10}" = "--name --image --wait 3m --retain --config --kubeconfig" ] || refuse create cluster "$@"
  name=$2 image=$4 config=$9
  [ -e "$engine/networks/$KIND_EXPERIMENTAL_DOCKER_NETWORK" ] || fail "ERROR: failed to create cluster: no network '$KIND_EXPERIMENTAL_DOCKER_NETWORK'"
  ! grep -qs "kind.cluster=$name," "$engine"/containers/*/labels || fail "ERROR: node(s) already exist for a cluster with the name \"$name\""
  mkdir -p "$here/kube/kind-$name/objects" "$here/kube/kind-$name/databases"
  cp "$config" "$here/kube/kind-$name/config.yaml"
  echo '{"kind": "StorageClass", "metadata": {"name": "standard"}}' > "$here/kube/kind-$name/objects/storage.json"
  node "$name" "$name-control-plane" control-plane
  count=$(grep -c '"role": "worker"' "$config")
  at=1
  while [ "$at" -le "$count" ]; do
    number=$at
    [ "$at" -gt 1 ] || number=
    node "$name" "$name-worker$number" worker
    at=$((at + 1))
  done
  (umask 077; kubeconfig "$name" > "${11}")
  echo "Creating cluster \"$name\" ..."
}

# Whether a cluster has nodes, as far as kind can see.
known() { grep -qs "kind.cluster=$1," "$engine"/containers/*/labels; }

case "$*" in
"version --quiet") first "$here/kind/version" ;;
"create cluster "*) shift 2; create "$@" ;;
"delete cluster --name "*" --kubeconfig "*)
  for folder in "$engine"/containers/*; do
    if grep -qs "kind.cluster=$4," "$folder/labels"; then rm -rf "$folder"; fi
  done
  rm -rf "$here/kube/kind-$4"
  echo "Deleting cluster \"$4\" ..." ;;
"get kubeconfig --name "*)
  known "$4" || fail "ERROR: could not locate any control plane nodes for cluster named '$4'. Use the --name option to select a different cluster"
  kubeconfig "$4" "$5" ;;
"export kubeconfig --name "*" --kubeconfig "*)
  known "$4" || fail "ERROR: could not locate any control plane nodes for cluster named '$4'. Use the --name option to select a different cluster"
  echo "# added kind-$4 $7" >> "$6" ;;
*) refuse "$@" ;;
esac
