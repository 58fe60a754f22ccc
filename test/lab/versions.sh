# SPDX-License-Identifier: Apache-2.0
# What the lab is made of, and where. Every script here reads this file.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
export XTASK_LAB=${XTASK_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/xtask-lab}
lab=$XTASK_LAB
# The folder is ours when it was absent or empty at first; then this file says so, and where it lay.
case $XTASK_LAB in /*) ;; *) echo "lab: error: XTASK_LAB must be an absolute path, not \`$XTASK_LAB\`" >&2; exit 2 ;; esac
marker=$XTASK_LAB/xtask-lab
# Inside the sandbox this machine's files are below /host, wherever they are.
[ ! -e /etc/xtask/root ] || lab=/host$lab marker=/host$marker
programs=$lab/programs
# The programs as somebody has compiled them, for who need not.
archive=${XTASK_LAB_PROGRAMS:-$repository/../shared/lab/programs.tar.zst}

# What kubeadm of this Kubernetes asks for.
kubernetes=v1.36.3 etcd=v3.6.8 etcd_tag=3.6.8-0 coredns=v1.14.2 pause_tag=3.10.2
containerd=v2.2.9 provisioner=v0.0.30 chainsaw=v0.2.14
# Releases of the operator; the first is the one whose manifest is the default.
cnpg=${XTASK_LAB_CNPG:-1.30.0}

node_image=lab/kindest-node:$kubernetes
registry_image=lab/registry:2
operator_repository=ghcr.io/cloudnative-pg/cloudnative-pg

say() { echo "lab: $*" >&2; }
fail() { say "error: $1"; [ $# -lt 2 ] || say "hint: $2"; exit 3; }
# Whether the folder was made here by this user, and lies where it was made.
is_ours() {
    [ -f "$marker" ] && [ ! -L "$marker" ] && [ -O "$marker" ] && [ -O "$lab" ] &&
        [ "$(head -c 4096 "$marker")" = "the lab of cargo xtask in $(realpath "$XTASK_LAB")" ]
}
