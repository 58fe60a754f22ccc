#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the sandbox: an image with BuildKit's programs of a version, and the sandbox's runc with the libraries that it needs.
#
#   builder-image.sh VERSION
. "$(dirname "$0")/versions.sh"
[ -f "$marker" ] || fail "$lab is not the lab's folder" "\`test/lab/up\` makes it"
umask 022
image=lab/buildkit:$1
! docker image inspect "$image" >/dev/null 2>&1 || exit 0
root=$lab/context/buildkit
rm -rf "$root"
mkdir -p "$root"/{usr/bin,usr/lib,etc/ssl/certs,tmp,run}
for program in buildkitd buildctl; do cp "$programs/$program-$1" "$root/usr/bin/$program"; done
cp -L "$(command -v runc)" "$root/usr/bin/"
for library in $(ldd "$(command -v runc)" | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
# A pod's own root is an overlay, on which none can be mounted; a volume lies on the node's disk.
printf 'FROM scratch\nCOPY . /\nENV PATH=/usr/bin\nVOLUME /var/lib/buildkit\nENTRYPOINT ["/usr/bin/buildkitd"]\n' |
    docker buildx build --quiet --provenance=false --tag "$image" --file - "$root" >/dev/null
rm -rf "$root"
say "made $image"
