#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The programs of the cluster, static, in $lab/programs: from an archive where there is one, else compiled from their Go
# modules, which takes about 25 minutes on two processors. Also the operator's manifests, which its module carries.
. "$(dirname "$0")/versions.sh"
is_ours || fail "$lab is not the lab's folder" "\`test/lab/up\` makes it"
all="hyperkube etcd coredns pause containerd containerd-shim-runc-v2 ctr local-path-provisioner chainsaw"
mkdir -p "$programs" "$lab/cnpg"

missing=
for program in $all; do [ -x "$programs/$program" ] || missing+=" $program"; done
if [ -n "$missing" ] && [ "${1:-}" != --compile ] && [ -s "$archive" ]; then
    say "unpacking the archive of programs"
    rm -rf "$lab/unpacked"
    # zstd is in the sandbox, and may not be on this machine.
    (cd "$repository" && cargo xtask sandbox exec -- bash "$here/unpack.sh" <"$archive")
    # The archive holds the manager of one release, by the name of the program.
    [ ! -e "$lab/unpacked/cnpg-manager" ] || mv "$lab/unpacked/cnpg-manager" "$lab/unpacked/cnpg-manager-1.30.0"
    mv -f "$lab/unpacked"/* "$programs/"
    rmdir "$lab/unpacked"
    missing=
    for program in $all; do [ -x "$programs/$program" ] || missing+=" $program"; done
fi
for version in $cnpg; do [ -x "$programs/cnpg-manager-$version" ] || missing+=" cnpg-manager-$version"; done

if [ -n "$missing" ]; then
    export GOTOOLCHAIN=local CGO_ENABLED=0
    command -v go >/dev/null || fail "the lab needs Go to compile$missing" "install Go 1.26, or name an archive with XTASK_LAB_PROGRAMS"
    say "compiling$missing, which takes a while"
    "$here/compile.sh" $missing
fi

for version in $cnpg; do
    manifest=$lab/cnpg/$version.yaml
    if [ ! -s "$manifest" ]; then
        command -v go >/dev/null || fail "the lab needs Go to fetch the operator's manifest" "install Go 1.26"
        folder=$(cd "$lab" && GOFLAGS='' go mod download -json "github.com/cloudnative-pg/cloudnative-pg@v$version" |
            sed -n 's/.*"Dir": "\(.*\)",*/\1/p')
        [ -n "$folder" ] || fail "the operator's module $version cannot be fetched"
        install -m 644 "$folder/releases/cnpg-$version.yaml" "$manifest.new"
        mv "$manifest.new" "$manifest"
    fi
    ln -sfn "$version.yaml" "$lab/cnpg/${version%.*}.yaml"
done
