#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the sandbox: the images of registry, operator, node and Chainsaw, each made when the engine lacks it.
#
#   images.sh CHAINSAW_IMAGE
. "$(dirname "$0")/versions.sh"
[ -f "$marker" ] || fail "$lab is not the lab's folder" "\`test/lab/up\` makes it"
umask 022
mkdir -p "$lab/context"
has() { docker image inspect "$1" >/dev/null 2>&1; }

if ! has "$registry_image"; then # Debian's docker-registry, which the sandbox has, and the C library that it needs
    root=$lab/context/registry
    rm -rf "$root"
    mkdir -p "$root"/{usr/bin,lib/x86_64-linux-gnu,lib64,etc}
    cp /usr/bin/docker-registry "$root/usr/bin/"
    cp -L /lib/x86_64-linux-gnu/libc.so.6 "$root/lib/x86_64-linux-gnu/"
    cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
    cat >"$root/etc/registry.yml" <<'YAML'
version: 0.1
log: {accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}
http: {addr: ":5000"}
YAML
    printf 'FROM scratch\nCOPY . /\nEXPOSE 5000\nENTRYPOINT ["/usr/bin/docker-registry", "serve", "/etc/registry.yml"]\n' |
        docker buildx build --quiet --provenance=false --tag "$registry_image" --file - "$root" >/dev/null
    rm -rf "$root"
    say "made $registry_image"
fi

for version in $cnpg; do
    image=$operator_repository:$version
    has "$image" && continue
    # The operator looks for its own program as /manager and, for each platform, in /operator.
    root=$lab/context/operator
    rm -rf "$root"
    mkdir -p "$root"/{operator,etc,tmp}
    cp "$programs/cnpg-manager-$version" "$root/operator/manager_amd64"
    ln -s operator/manager_amd64 "$root/manager"
    printf 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >"$root/etc/passwd"
    printf 'nonroot:x:65532:\n' >"$root/etc/group"
    printf 'FROM scratch\nCOPY . /\nUSER 65532:65532\nENTRYPOINT ["/manager"]\n' |
        docker buildx build --quiet --provenance=false --tag "$image" --file - "$root" >/dev/null
    rm -rf "$root"
    say "made $image"
done

# Another version, or another file of the node, is another image, of other archives.
stamp=$(cd "$here" && find node-image.sh versions.sh node -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$lab/images/stamp" 2>/dev/null)" != "$stamp" ]; then
    # A container may still have it: what has lost its name goes below, or the next time.
    ! has "$node_image" || docker image rm --force "$node_image" >/dev/null
    rm -rf "$lab/images"
    mkdir "$lab/images"
    echo "$stamp" >"$lab/images/stamp"
fi
has "$node_image" || bash "$here/node-image.sh"

chainsaw_image=$1
if ! has "$chainsaw_image"; then # the program, and a shell for the scripts of suites: the node's busybox
    root=$lab/context/chainsaw
    rm -rf "$root"
    mkdir -p "$root"
    cp "$programs/chainsaw" "$root/"
    docker buildx build --quiet --provenance=false --tag "$chainsaw_image" --file - "$root" >/dev/null <<DOCKERFILE
FROM $node_image AS node
FROM scratch
COPY --from=node /bin/busybox /bin/
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && mkdir -m 1777 /tmp"]
COPY chainsaw /usr/bin/
ENV PATH=/usr/local/bin:/usr/bin:/bin
ENTRYPOINT ["/usr/bin/chainsaw"]
DOCKERFILE
    rm -rf "$root"
    say "made $chainsaw_image"
fi
docker image prune --force --filter label=io.cloudnativepg.xtask.lab >/dev/null
