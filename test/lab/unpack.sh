# SPDX-License-Identifier: Apache-2.0
# Runs in the sandbox: unpacks the .tar.zst on standard input into $lab/unpacked.
. "$(dirname "$0")/versions.sh"
command -v zstd >/dev/null || {
    apt-get update -qq
    apt-get install -qq --no-install-recommends zstd </dev/null >/dev/null
}
mkdir -p "$lab/unpacked"
zstd --decompress --stdout --long=27 | tar --extract --directory "$lab/unpacked"
