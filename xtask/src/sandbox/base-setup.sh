#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prepares a Debian root ($1) for postgresql before its packages are installed: the user that CloudNativePG
# runs the server as (uid and gid 26, with a home), and no database cluster made by the package itself.
set -eu
root=$1
mkdir -p "$root/etc/postgresql-common"
echo 'create_main_cluster = false' > "$root/etc/postgresql-common/createcluster.conf"
echo 'postgres:x:26:' >> "$root/etc/group"
echo 'postgres:x:26:26:PostgreSQL:/var/lib/postgresql:/bin/bash' >> "$root/etc/passwd"
echo 'postgres:*:20000:0:99999:7:::' >> "$root/etc/shadow"
