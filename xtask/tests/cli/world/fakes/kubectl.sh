# SPDX-License-Identifier: Apache-2.0
# A fake kubectl. The kubeconfig's context says which folder below `kube` is the cluster: objects, databases and the
# operator are files in there. A context without a folder is a cluster that does not answer.
kubeconfig='' context='' namespace='' whole=$*
while :; do
  case $1 in
  --kubeconfig) kubeconfig=$2 ;;
  --context) context=$2 ;;
  --namespace) namespace=$2 ;;
  *) break ;;
  esac
  shift 2
done

# The names in the lists of a kubeconfig, as `config view` shows them: enough of YAML for what kind and people write.
view() {
  [ -e "$kubeconfig" ] || { echo '{"clusters":null,"contexts":null,"users":null,"current-context":""}'; return; }
  ! grep -q '^{' "$kubeconfig" || { cat "$kubeconfig"; return; }
  if [ -s "$kubeconfig" ] && grep -qv -e '^ *#' -e '^ *\(- \)\{0,1\}[A-Za-z-]*:' -e '^$' "$kubeconfig"; then
    fail "error: error loading config file \"$kubeconfig\": couldn't get version/kind; json parse error"
  fi
  awk '
    /^current-context: / { current = $2 }
    /^[a-z]+:/ { list = substr($1, 1, length($1) - 1) }
    /^(- |  )name: / { names[list] = names[list] (names[list] ? "," : "") "{\"name\":\"" $NF "\"}" }
    END { printf "{\"clusters\":[%s],\"contexts\":[%s],\"users\":[%s],\"current-context\":\"%s\"}\n", names["clusters"], names["contexts"], names["users"], current }
  ' "$kubeconfig"
}

if [ "$*" = "version --client --output json" ]; then
  echo '{"clientVersion": {"gitVersion": "v1.36.1"}, "kustomizeVersion": "v5.7.1"}'
  exit
fi
if [ "$*" = "config view --output json" ]; then
  view
  exit
fi
[ -e "$kubeconfig" ] || fail "error: stat $kubeconfig: no such file or directory"
if [ -z "$context" ]; then
  context=$(view | sed 's/.*"current-context": *"\([^"]*\)".*/\1/')
elif ! view | grep -q "\"$context\""; then
  fail "error: context was not found for specified context: $context"
fi
kube=$here/kube/$context
refused="The connection to the server 127.0.0.1:35000 was refused - did you specify the right host or port?"
[ -d "$kube" ] || fail "$refused"
for folder in "$here"/engine/containers/"${context#kind-}"-*; do
  if [ -d "$folder" ] && [ "$(first "$folder/state")" != running ]; then fail "$refused"; fi
done

list() {
  separator=
  printf '{"kind":"List","items":['
  for file in "$@"; do
    [ -e "$file" ] || continue
    printf '%s' "$separator"
    cat "$file"
    separator=,
  done
  echo ']}'
}

# The operator's deployment as an object, from the files that apply, rollout and annotate have written.
deployment() {
  [ -d "$kube/operator" ] || return 0
  annotations=
  if [ -e "$kube/operator/stamp" ]; then
    annotations="\"io.cloudnativepg.xtask.manifest\": \"$(first "$kube/operator/stamp")\", \"io.cloudnativepg.xtask.release\": \"$(first "$kube/operator/release")\""
  fi
  cat > "$kube/objects/operator.json" << END
{"kind": "Deployment", "metadata": {"name": "cnpg-controller-manager", "annotations": {$annotations}},
 "spec": {"template": {"spec": {"containers": [{"image": "$(first "$kube/operator/image")"}]}}},
 "status": {"conditions": [{"type": "Available", "status": "$(first "$kube/operator/available")"}]}}
END
}

apply() {
  if [ "$1" != - ]; then
    case $1 in *://*) ;; *) [ -e "$1" ] || fail "error: the path \"$1\" does not exist" ;; esac
    mkdir -p "$kube/operator"
    echo "operator of $1" > "$kube/operator/image"
    echo False > "$kube/operator/available"
    return
  fi
  # A manifest by way of a node, which has no files of this machine.
  if grep -q '^kind: Deployment' "$input"; then apply https://manifest; return; fi
  kind=$(sed -n 's/^  "kind": "\(.*\)".*/\1/p' "$input")
  name=$(sed -n 's/^    "name": "\([^"]*\)".*/\1/p' "$input" | head -n 1)
  if [ -z "$kind" ] || [ -z "$name" ]; then fail "error: no objects passed to apply"; fi
  cp "$input" "$kube/objects/$kind-$name.json"
}

annotate() {
  for pair in "$@"; do
    case $pair in
    io.cloudnativepg.xtask.manifest=*) echo "${pair#*=}" > "$kube/operator/stamp" ;;
    io.cloudnativepg.xtask.release-) rm -f "$kube/operator/release" ;;
    io.cloudnativepg.xtask.release=*) echo "${pair#*=}" > "$kube/operator/release" ;;
    *) refuse "$whole" ;;
    esac
  done
}

create() {
  name=$(sed -n 's/^    "name": "\([^"]*\)".*/\1/p' "$input" | head -n 1)
  [ ! -e "$kube/objects/Namespace-$name.json" ] || fail "Error from server (AlreadyExists): error when creating \"STDIN\": namespaces \"$name\" already exists"
  apply -
}

# Whether a namespace carries every label of a selector.
selected() {
  for pair in $(printf '%s' "$2" | tr , ' '); do
    case $pair in
    kubernetes.io/metadata.name=*) [ "$1" = "$kube/objects/Namespace-${pair#*=}.json" ] || return 1 ;;
    *) grep -q "\"${pair%%=*}\": \"${pair#*=}\"" "$1" || return 1 ;;
    esac
  done
}

remove_namespaces() {
  if [ "$1" = --selector ]; then
    for file in "$kube"/objects/Namespace-*.json; do
      if [ -e "$file" ] && selected "$file" "$2"; then
        name=${file##*/Namespace-}
        rm -f "$file" "$kube/databases/${name%.json}".*
      fi
    done
    case ${3:-} in '' | --wait=false | --ignore-not-found) return ;; *) refuse "$whole" ;; esac
  fi
  for name in "$@"; do
    case $name in
    --ignore-not-found | --wait=false) continue ;;
    -*) refuse "$whole" ;;
    esac
    rm -f "$kube/objects/Namespace-$name.json" "$kube/databases/$name".*
  done
}

case "$namespace $*" in
" get nodes,storageclasses,namespaces,deployments.apps --all-namespaces --output json --request-timeout 10s")
  deployment
  list "$kube"/objects/*.json ;;
" get clusters.postgresql.cnpg.io --all-namespaces --output json --request-timeout 10s") list "$kube"/databases/*.json ;;
" get namespace kube-system --output jsonpath={.metadata.uid} --request-timeout 10s") printf '%s' "$kube" ;;
" get --raw /readyz --request-timeout 5s") echo ok ;;
" wait --for=condition=Ready node --all --timeout 120s" | " wait --for=condition=Ready node --all --timeout 45s") ;;
"cnpg-system rollout restart deployment/cnpg-controller-manager") ;;
" apply --server-side --force-conflicts --filename "*) apply "$5" ;;
" create --filename -") create ;;
" delete namespace "*) shift 2; remove_namespaces "$@" ;;
"cnpg-system rollout status deployment/cnpg-controller-manager --timeout 2m")
  [ -d "$kube/operator" ] || fail 'Error from server (NotFound): deployments.apps "cnpg-controller-manager" not found'
  echo True > "$kube/operator/available" ;;
"cnpg-system annotate --overwrite deployment/cnpg-controller-manager "*) shift 3; annotate "$@" ;;
"cnpg-system set image deployment/cnpg-controller-manager manager="*) echo "${4#manager=}" > "$kube/operator/image" ;;
"cnpg-system set env deployment/cnpg-controller-manager OPERATOR_IMAGE_NAME="*) ;;
"cnpg-system get pods --output json") echo "{\"items\":[]}" ;;
"cnpg-system describe deployments,pods" | "cnpg-system get events --sort-by .lastTimestamp" | "cnpg-system logs deployment/cnpg-controller-manager --tail 500")
  echo "said of the operator by $1" ;;
*" get clusters.postgresql.cnpg.io,databases.postgresql.cnpg.io,jobs,pods --output yaml" | *" describe pods" | *" get events --sort-by .lastTimestamp" | *" logs --selector "*)
  echo "said of $namespace by $1" ;;
*" get clusters.postgresql.cnpg.io "*" --output jsonpath="*)
  [ -e "$kube/databases/$namespace.$3" ] || fail "Error from server (NotFound): clusters.postgresql.cnpg.io \"$3\" not found"
  cat "$kube/databases/$namespace.$3" ;;
*" get clusters.postgresql.cnpg.io,databases.postgresql.cnpg.io,pods --output json --request-timeout 10s")
  if [ -e "$here/kubectl/watched" ]; then cat "$here/kubectl/watched"; else echo '{"items":[]}'; fi ;;
*" logs --all-containers --tail 60 "*) if [ -e "$here/kubectl/pod.log" ]; then cat "$here/kubectl/pod.log"; fi ;;
*" exec --stdin "*) echo "psql was here" ;;
*) refuse "$whole" ;;
esac
