#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the named programs from their Go modules into $programs. Each appears whole or not at all.
. "$(dirname "$0")/versions.sh"
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=
small="-s -w"

# folder_of MODULE@VERSION: where the module is, fetched when needed.
folder_of() { (cd "$lab" && go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",*/\1/p'); }

# module NAME MODULE@VERSION: an empty module of our own that needs the other one, as the current folder.
module() {
    mkdir -p "$lab/modules/$1"
    cd "$lab/modules/$1"
    rm -rf go.mod go.sum main.go
    go mod init "lab/$1" 2>/dev/null
    go mod edit -require="$2"
    # A module's own go.sum, which the module's checksum covers, vouches for what it needs.
    install -m 644 "$(folder_of "$2")/go.sum" go.sum
    GOFLAGS=-mod=mod go mod download "$2"
}

# build NAME PACKAGE [go build's arguments]
build() {
    local name=$1 package=$2
    shift 2
    say "compiling $name"
    GOFLAGS=-mod=mod nice go build -trimpath "$@" -o "$programs/$name.new" "$package"
    mv "$programs/$name.new" "$programs/$name"
}

# kubelet, kubeadm, kubectl, kube-proxy and the control plane as one program that goes by the name it is called with.
hyperkube() {
    mkdir -p "$lab/modules/hyperkube"
    cd "$lab/modules/hyperkube"
    cp "$here/hyperkube.go.txt" main.go
    rm -f go.mod go.sum
    go mod init lab/hyperkube 2>/dev/null
    go mod edit -require="k8s.io/kubernetes@$kubernetes"
    local source replaced flags=
    source=$(folder_of "k8s.io/kubernetes@$kubernetes")
    # The staging modules, which k8s.io/kubernetes asks for at v0.0.0, are published as v0.<minor>.<patch>.
    for replaced in $(sed -nE 's/^[[:space:]]*(k8s\.io\/[a-z0-9-]+) v0\.0\.0( .*)?$/\1/p' "$source/go.mod" | sort -u); do
        go mod edit -replace="$replaced=$replaced@v0.${kubernetes#v1.}"
    done
    sed -n 's/^godebug .*/&/p' "$source/go.mod" >>go.mod
    for replaced in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $replaced.gitVersion=$kubernetes -X $replaced.gitMajor=1 -X $replaced.gitMinor=$(cut -d. -f2 <<<"$kubernetes")"
        flags+=" -X $replaced.gitCommit=module -X $replaced.gitTreeState=clean"
    done
    build hyperkube . -ldflags "$small$flags"
}

from_containerd() {
    local path=github.com/containerd/containerd/v2
    module "$1" "$path@$containerd"
    build "$1" "$path/cmd/$1" -tags "no_btrfs no_zfs no_devmapper no_aufs no_tracing" \
        -ldflags "$small -X $path/version.Version=$containerd -X $path/version.Package=$path"
}

# Only the plugins that a cluster's Corefile uses; the full list brings every cloud's libraries.
coredns() {
    local path=github.com/coredns/coredns plugin
    module coredns "$path@$coredns"
    {
        printf 'package main\n\nimport (\n'
        for plugin in bufsize cache errors forward health hosts kubernetes loadbalance log loop metadata metrics ready reload rewrite template whoami; do
            printf '\t_ "%s/plugin/%s"\n' "$path" "$plugin"
        done
        printf '\t"%s/coremain"\n)\n\nfunc main() { coremain.Run() }\n' "$path"
    } >main.go
    build coredns . -ldflags "$small"
}

# Reaps and waits, as the first process of a pod.
pause() {
    mkdir -p "$lab/modules/pause"
    cd "$lab/modules/pause"
    cp "$here/pause.go.txt" main.go
    rm -f go.mod
    go mod init lab/pause 2>/dev/null
    build pause . -ldflags "$small"
}

# Drives Go's package testing by hand, and Go 1.26 asks for one method more than this version has.
chainsaw() {
    local path=github.com/kyverno/chainsaw
    module chainsaw "$path@$chainsaw"
    rm -rf source
    cp -r "$(folder_of "$path@$chainsaw")" source
    chmod -R u+w source
    printf 'package internal\n\n// ModulePath is what Go 1.26 asks for.\nfunc (*TestDeps) ModulePath() string { return "" }\n' \
        >source/pkg/runner/internal/module_path.go
    go mod edit -replace="$path=./source"
    build chainsaw "$path" -ldflags "$small -X $path/pkg/version.BuildVersion=$chainsaw"
    rm -rf source
}

# buildkit PROGRAM VERSION: where the module lies, because what it excludes counts in the main module alone.
buildkit() {
    local path=github.com/moby/buildkit
    cd "$(folder_of "$path@$2")"
    say "compiling $1 $2"
    GOFLAGS=-mod=readonly nice go build -trimpath -ldflags "$small -X $path/version.Version=$2 -X $path/version.Package=$path" \
        -o "$programs/$1-$2.new" "./cmd/$1"
    mv "$programs/$1-$2.new" "$programs/$1-$2"
}

manager() {
    local path=github.com/cloudnative-pg/cloudnative-pg
    module "cnpg-manager-$1" "$path@v$1"
    build "cnpg-manager-$1" "$path/cmd/manager" -ldflags "$small -X $path/pkg/versions.buildVersion=$1 -X $path/pkg/versions.buildCommit=module"
}

for program in "$@"; do
    case $program in
    hyperkube | coredns | pause | chainsaw) (set -e; "$program") ;;
    containerd | containerd-shim-runc-v2 | ctr) (set -e; from_containerd "$program") ;;
    etcd) (set -e; module etcd "go.etcd.io/etcd/server/v3@$etcd"; build etcd go.etcd.io/etcd/server/v3 -ldflags "$small") ;;
    local-path-provisioner)
        (set -e; path=github.com/rancher/local-path-provisioner; module "$program" "$path@$provisioner"; build "$program" "$path" -ldflags "$small")
        ;;
    buildkitd-* | buildctl-*) (set -e; buildkit "${program%%-*}" "${program#*-}") ;;
    cnpg-manager-*) (set -e; manager "${program#cnpg-manager-}") ;;
    *) fail "\`$program\` is not a program of the lab" ;;
    esac
done
