# SPDX-License-Identifier: Apache-2.0
# Compiles `source` and installs it below `root`.
set -eu
cd source
build() { make PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config" USE_PGXS=1 with_llvm=no "$@"; }
build -j "$(nproc)"
build install DESTDIR=/build/root
