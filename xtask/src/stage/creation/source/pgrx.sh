# SPDX-License-Identifier: Apache-2.0
# Compiles `source` with cargo-pgrx, in the version that it wants, and installs it below `root`. The tool takes minutes to compile,
# and is kept in a cache for the next time.
set -eu
cd source
export CARGO_HOME=/build/cargo CARGO_TARGET_DIR=/build/target PGRX_HOME=/build/pgrx
mkdir -p "$PGRX_HOME" ../image/licenses
config=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
printf '[configs]\npg%s = "%s"\n' "$PG_MAJOR" "$config" > "$PGRX_HOME/config.toml"
if [ ! -f Cargo.lock ]; then
  cargo generate-lockfile
  echo 'the source has no `Cargo.lock`: each build takes the newest crates that it can be built with' > ../said/doubts
fi
cargo fetch --locked
version=$(sed -n '/^name = "pgrx"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
if [ -z "$version" ]; then
  echo "error: Cargo.lock has no pgrx: this is no extension of pgrx" >&2
  exit 1
fi
if [ ! -x "/tools/$version/bin/cargo-pgrx" ]; then
  CARGO_HOME=/tools/cargo CARGO_TARGET_DIR=/build/tool \
    cargo install --locked --no-default-features --root "/tools/$version" --version "=$version" cargo-pgrx
fi
# What was fetched is what the lock file says; nothing else is.
export PATH="/tools/$version/bin:$PATH" CARGO_NET_OFFLINE=true
cargo pgrx package --pg-config "$config" --out-dir /build/root
linked() { cargo tree --locked --edges normal,no-proc-macro --no-default-features --features "pg$PG_MAJOR" --prefix none --format "$1" | sed 's, (\*)$,,' | sort -u; }
linked '{l}' | sed 's,/, OR ,g' > ../said/licences
# Each with a text that says its licence for machines.
linked '{p}|{l}' | while IFS='|' read -r crate licence; do
  set -- $crate
  crate=$1-${2#v}
  [ -e "$(echo "$CARGO_HOME"/registry/src/*/"$crate")" ] || continue
  mkdir -p "../image/licenses/$crate"
  # That form has no parentheses: then the texts alone say it.
  case $licence in
  '' | *\(*) ;;
  *)
    licence=$(printf '%s' "$licence" | sed 's,/, or ,g; s/ OR / or /g; s/ AND / and /g')
    printf '%s\n' 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/' '' 'Files: *' \
      'Copyright: see the files beside this one' "License: $licence" > "../image/licenses/$crate/copyright"
    ;;
  esac
  find "$CARGO_HOME"/registry/src/*/"$crate" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'copyright*' \
    -o -iname 'notice*' -o -iname 'unlicense*' \) 2> /dev/null | while IFS= read -r file; do
    install -m 644 -t "../image/licenses/$crate" "$file"
  done
done
