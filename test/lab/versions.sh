# SPDX-License-Identifier: Apache-2.0
# What the lab is made of, and where. Every script here reads this file.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
export XTASK_LAB=${XTASK_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/xtask-lab}
lab=$XTASK_LAB
# Inside the sandbox this machine's files are below /host, wherever they are.
[ ! -e /etc/xtask/root ] || lab=/host$lab
programs=$lab/programs

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
