#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the sandbox: a node image for kind, from Debian bookworm (whose systemd still runs on a host with cgroup v1) and
# the lab's programs. It ships the images that a control plane needs.
. "$(dirname "$0")/versions.sh"
umask 022
images=$lab/images
context=$lab/context
command -v mmdebstrap >/dev/null || { apt-get update -qq; apt-get install -qq --no-install-recommends mmdebstrap >/dev/null; }
# All of it is read: apt fails when its reader has seen enough.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | sed -n 1p)

# The operating system.
system() {
    [ ! -s "$images/system.tar" ] || return 0
    mmdebstrap --quiet --variant=minbase --mode=root --format=tar --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --include=systemd,systemd-sysv,iproute2,iptables,nftables,kmod,mount,socat,conntrack,ethtool,procps,jq,ca-certificates,runc,containernetworking-plugins,busybox-static \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/usr/share/info/*' \
        bookworm "$images/system.tar.new" "$mirror"
    mv "$images/system.tar.new" "$images/system.tar"
    say "made the node's system"
}

# archive NAME TAG...: $context/NAME as an OCI archive with uncompressed layers, which containerd loads quickly.
archive() {
    local name=$1 tags=() tag
    shift
    for tag in "$@"; do tags+=(--tag "$tag"); done
    docker buildx build --quiet --provenance=false "${tags[@]}" \
        --output "type=oci,dest=$images/$name.tar.new,compression=uncompressed,force-compression=true" "$context/$name" >/dev/null
    mv "$images/$name.tar.new" "$images/$name.tar"
    rm -rf "${context:?}/$name"
}

# program NAME PROGRAM PATH TAG: an image of one program, which is its entry point.
program() {
    [ ! -s "$images/$1.tar" ] || return 0
    rm -rf "${context:?}/$1"
    mkdir -p "$context/$1/root$(dirname "$3")"
    cp "$programs/$2" "$context/$1/root$3"
    printf 'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin:/bin\nENTRYPOINT ["%s"]\n' "$3" >"$context/$1/Dockerfile"
    archive "$1" "$4"
}

# Four names of one program. kube-proxy calls iptables, which come with their plug-ins from the node's own system.
control_plane() {
    [ ! -s "$images/hyperkube.tar" ] || return 0
    local system=$context/system root=$context/hyperkube/root library name version suffix
    rm -rf "$system" "$context/hyperkube"
    mkdir -p "$system" "$root"/{usr/local/bin,usr/sbin,usr/lib/x86_64-linux-gnu,tmp}
    tar -C "$system" -xf "$images/system.tar"
    cp "$programs/hyperkube" "$root/usr/local/bin/"
    for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do ln -s hyperkube "$root/usr/local/bin/$name"; done
    cp "$system"/usr/sbin/{xtables-nft-multi,xtables-legacy-multi,nft} "$root/usr/sbin/"
    cp -r "$system/usr/lib/x86_64-linux-gnu/xtables" "$root/usr/lib/x86_64-linux-gnu/"
    # Links in there are absolute: followed from here, the loader would be that of this system.
    for name in usr/sbin/{xtables-nft-multi,xtables-legacy-multi,nft} $(cd "$system" && echo usr/lib/x86_64-linux-gnu/xtables/*.so); do
        chroot "$system" /usr/bin/ldd "/$name"
    done | grep -o '/[^ ]*\.so[^ ]*' | sort -u | cut -c2- |
        chroot "$system" /usr/bin/tar --directory / --create --dereference --files-from - --file - | tar -C "$root" -xf -
    rm -rf "$system"
    chroot "$root" /usr/sbin/xtables-nft-multi iptables --version >/dev/null
    for version in ip ip6; do
        for suffix in '' -save -restore; do ln -s xtables-nft-multi "$root/usr/sbin/${version}tables$suffix"; done
    done
    printf 'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' >"$context/hyperkube/Dockerfile"
    local tags=()
    for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do tags+=("registry.k8s.io/$name:$kubernetes"); done
    archive hyperkube "${tags[@]}"
}

# kubeadm names etcd itself, so it has no entry point.
etcd_image() {
    [ ! -s "$images/etcd.tar" ] || return 0
    rm -rf "$context/etcd"
    mkdir -p "$context/etcd/root/usr/local/bin"
    cp "$programs/etcd" "$context/etcd/root/usr/local/bin/"
    printf 'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n' >"$context/etcd/Dockerfile"
    archive etcd "registry.k8s.io/etcd:$etcd_tag"
}

# sh, mkdir and rm for the pods that make and remove volumes.
helper() {
    [ ! -s "$images/helper.tar" ] || return 0
    local bin=$context/helper/root/bin name
    rm -rf "$context/helper"
    mkdir -p "$bin" "$context/helper/root/tmp"
    tar -xOf "$images/system.tar" ./usr/bin/busybox >"$bin/busybox" 2>/dev/null || tar -xOf "$images/system.tar" ./bin/busybox >"$bin/busybox"
    chmod 755 "$bin/busybox"
    for name in $("$bin/busybox" --list); do [ "$name" = busybox ] || ln -s busybox "$bin/$name"; done
    printf 'FROM scratch\nCOPY root /\nENV PATH=/bin\nCMD ["/bin/sh"]\n' >"$context/helper/Dockerfile"
    archive helper docker.io/lab/helper:shipped
}

# The node: its system, programs, files and archives of images, as one layer that is written once, uncompressed.
node() {
    local root=$context/node name mask
    rm -rf "$root"
    mkdir -p "$root"
    tar -C "$root" -xf "$images/system.tar"
    cp -r "$here/node/files/." "$root/"
    cp "$programs/hyperkube" "$root/usr/bin/"
    for name in kubelet kubeadm kubectl; do ln -sf hyperkube "$root/usr/bin/$name"; done
    cp "$programs"/{containerd,containerd-shim-runc-v2,ctr} "$root/usr/local/bin/"
    sed -i "s/@PAUSE_TAG@/$pause_tag/" "$root/etc/containerd/config.toml"
    echo "$kubernetes" >"$root/kind/version"
    mkdir -p "$root/kind/images" "$root/etc/systemd/system/multi-user.target.wants"
    for name in hyperkube etcd coredns pause provisioner helper; do ln "$images/$name.tar" "$root/kind/images/"; done
    for name in containerd load-images kubelet; do
        ln -sf "/etc/systemd/system/$name.service" "$root/etc/systemd/system/multi-user.target.wants/"
    done
    ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
    for mask in $(cat "$here/node/masks"); do ln -sf /dev/null "$root/etc/systemd/system/$mask"; done
    : >"$root/etc/machine-id"
    tar -C "$root" --numeric-owner -cf "$context/layer.tar" .
    rm -rf "$root"
    load "$context/layer.tar" '{"Labels":{"io.cloudnativepg.xtask.lab":"node"},"Env":["container=docker","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"StopSignal":"SIGRTMIN+3","Entrypoint":["/usr/local/bin/entrypoint","/sbin/init"]}'
}

# load LAYER.tar CONFIGURATION: an image of one layer into the engine, as an OCI archive. `docker import` would compress it.
load() {
    local folder=$context/oci digest size
    rm -rf "$folder"
    mkdir -p "$folder/blobs/sha256"
    # blob FILE: keeps it under its digest, and says `"digest":…,"size":…`.
    blob() {
        size=$(stat -c %s "$1")
        digest=$(sha256sum <"$1" | cut -d' ' -f1)
        mv "$1" "$folder/blobs/sha256/$digest"
        printf '"digest":"sha256:%s","size":%s' "$digest" "$size"
    }
    local layer config manifest oci=application/vnd.oci.image
    layer=$(blob "$1")
    printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
        "$2" "$(grep -o '"sha256:[0-9a-f]*"' <<<"$layer")" >"$folder/config"
    config=$(blob "$folder/config")
    printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json",%s},"layers":[{"mediaType":"%s.layer.v1.tar",%s}]}' \
        $oci $oci "$config" $oci "$layer" >"$folder/manifest"
    manifest=$(blob "$folder/manifest")
    printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[{"mediaType":"%s.manifest.v1+json",%s,"platform":{"architecture":"amd64","os":"linux"},"annotations":{"io.containerd.image.name":"docker.io/%s","org.opencontainers.image.ref.name":"%s"}}]}' \
        $oci $oci "$manifest" "$node_image" "${node_image##*:}" >"$folder/index.json"
    echo '{"imageLayoutVersion":"1.0.0"}' >"$folder/oci-layout"
    # The archive is read as it is written: nothing of this size needs to be on the disk twice.
    tar -C "$folder" -cf - oci-layout index.json blobs | docker load --quiet >/dev/null
    rm -rf "$folder"
}

# Those that need no system are made beside it.
system &
waiting=$!
program coredns coredns /coredns "registry.k8s.io/coredns/coredns:$coredns"
program pause pause /pause "registry.k8s.io/pause:$pause_tag"
program provisioner local-path-provisioner /usr/bin/local-path-provisioner docker.io/lab/local-path-provisioner:shipped
etcd_image
wait $waiting
helper
control_plane
say "made the images that a node ships"
node
say "made $node_image"
