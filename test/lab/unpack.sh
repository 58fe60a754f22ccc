# SPDX-License-Identifier: Apache-2.0
# Runs in the sandbox: unpacks a .tar.zst ($1) into a folder ($2).
. "$(dirname "$0")/versions.sh"
command -v zstd >/dev/null || { apt-get update -qq; apt-get install -qq --no-install-recommends zstd >/dev/null; }
zstd --decompress --stdout --long=27 "$1" | tar --extract --directory "$2"
