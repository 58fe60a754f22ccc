# SPDX-License-Identifier: Apache-2.0
# Makes the lab's folder, or refuses one that is somebody else's. Read after versions.sh.
if [ -z "$(ls -A "$lab" 2>/dev/null)" ]; then
    mkdir -p "$lab"
    echo "the lab of cargo xtask in $(realpath "$lab")" >"$marker"
fi
is_ours || fail "$lab holds files that the lab has not made" "set XTASK_LAB to a folder that is absent or empty"
mkdir -p "$programs"
