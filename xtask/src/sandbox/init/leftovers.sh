# SPDX-License-Identifier: Apache-2.0
# Removes the snapshots' folders that an engine left when it was killed: containerd makes the folder before it records the
# snapshot, and a new snapshot gets the number of one that was never recorded ("failed to rename: … file exists").
# containerd's own garbage collection removes them, but only after a snapshot has been removed. Argument: its socket.
set -eu
socket=$1
containerd() { ctr --address "$socket" --namespace moby "$@"; }
mark=xtask-leftovers
patience=200
until containerd version > /dev/null 2>&1; do
  patience=$((patience - 1))
  [ "$patience" -gt 0 ] || { echo "containerd does not answer at $socket" >&2; exit 1; }
  sleep 0.05
done
# A run of this that was killed may have left its own.
! containerd snapshots ls | grep -q "^$mark " || containerd snapshots rm "$mark"
! containerd leases ls | grep -q "^$mark " || containerd leases rm "$mark"
containerd leases create --id "$mark" > /dev/null
# An attempt that meets a folder removes that one.
patience=20
until containerd snapshots prepare "$mark"; do
  patience=$((patience - 1))
  [ "$patience" -gt 0 ] || exit 1
done
containerd snapshots rm "$mark"
# The collection is over when this is.
containerd leases rm --sync "$mark" > /dev/null
