#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole life of an extension, each step one command: created from the archive, checked, built, tried, tested in a cluster,
# signed, promoted, listed in a catalog that a cluster takes it from, and replaced by a newer version with its data in place.
#
# Run it in a checkout that may be changed, with the settings of an environment (`eval "$(test/lab/up)"` in a closed network).
# `registry` is the environment's; production is a folder of it. Removes its objects from the cluster, and leaves the rest.
set -euo pipefail

name=${LIFE_NAME:-pg-hint-plan} distro=${LIFE_DISTRO:-trixie}
registry=${registry:-localhost:5000}
production=$registry/production
# Of a key that is made for this life.
COSIGN_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export registry COSIGN_PASSWORD
mkdir -p target
files=$(mktemp -d target/life.XXXXXX)

xtask() { if [ -n "${XTASK:-}" ]; then "$XTASK" "$@"; else cargo xtask "$@"; fi; }
tool() { if [ -n "${XTASK_SANDBOX:-}" ]; then xtask sandbox exec -- "$@"; else "$@"; fi; }
kubectl() { tool kubectl --kubeconfig target/xtask/e2e/kubeconfig --namespace life "$@"; }
say() { printf '\n== %s\n' "$*" >&2; }
# In production images have no `-testing` in their names.
published() { registry=$production environment=production xtask "$@"; }

say create
xtask create-extension "$name" --from-archive --distro "$distro"

say checks
xtask checks "$name"

say bake
xtask e2e setup-env
xtask bake "$name" --push --metadata-file "$files/images.json"

say smoke
xtask smoke "$name" --metadata-file "$files/images.json"

say e2e
xtask e2e test-full "$name" --metadata-file "$files/images.json"

say sign
printf '%s' "$COSIGN_PASSWORD" | tool cosign generate-key-pair --output-key-prefix "$files/cosign"
xtask sign --metadata-file "$files/images.json" --key "$files/cosign.key" --no-transparency-log

say promote
xtask promote --metadata-file "$files/images.json" --to "$production"
xtask verify --metadata-file "$files/images.json" --promoted-to "$production" --key "$files/cosign.pub" --no-transparency-log

say catalog
published catalogs --output "$files/catalogs" --distro "$distro"
kubectl apply --dry-run=server -f "$files/catalogs"
# Nothing has changed: nothing is written, and no database restarts.
published catalogs --output "$files/catalogs" --distro "$distro"

say cluster from the catalog
published manifest "$name" --distro "$distro" --catalog > "$files/manifest.yaml"
kubectl create namespace life
kubectl apply -f "$files/catalogs"
kubectl apply -f "$files/manifest.yaml"
kubectl wait --timeout=300s --for=jsonpath='{.status.applied}=true' "database/$name-app"
image=$(kubectl get pod -l "cnpg.io/cluster=$name" -o jsonpath="{.items[0].spec.volumes[*].image.reference}")
grep -q "${image##*@}" "$files/images.json"
echo "the pod has mounted what was tested: $image" >&2
kubectl delete namespace life
kubectl delete -f "$files/catalogs"

say new version
sql_name=$(sed -n 's/^ *sql_name *= "\(.*\)"$/\1/p' "extensions/$name/metadata.hcl")
version=$(sed -n 's/^ *sql  *= "\(.*\)"$/\1/p' "extensions/$name/metadata.hcl")
# What its authors would publish: a script from the version before, and a control file that says the new one.
sed -i "s|^FROM scratch\$|RUN cd image/share/extension \&\& echo 'SELECT 1;' > $sql_name--$version--$version.1.sql \\\\\n    \&\& sed -i 's/$version/$version.1/' $sql_name.control\n\nFROM scratch|" docker/Dockerfile
sed -i "s/^\( *sql  *= \)\"$version\"/\1\"$version.1\"/" "extensions/$name/metadata.hcl"
xtask bake "$name" --push --metadata-file "$files/newer.json"

say upgrade-test
xtask e2e upgrade-test "$name" --from "$image"
