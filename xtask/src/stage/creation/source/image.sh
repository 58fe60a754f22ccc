# SPDX-License-Identifier: Apache-2.0
# Puts what was installed below `root` into `image`, in the form that images of extensions have.
set -eu
mkdir -p image/licenses/@name@
take() { if [ -d "root/usr/$1" ]; then cp -a "root/usr/$1" "image/$2"; fi; }
take "lib/postgresql/$PG_MAJOR/lib" lib
take "lib/postgresql/$PG_MAJOR/bin" bin
take "share/postgresql/$PG_MAJOR" share
if [ ! -d image/lib ] && [ ! -d image/share ]; then
  echo "error: nothing was installed for PostgreSQL $PG_MAJOR" >&2
  exit 1
fi
find source -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'copyright*' -o -iname 'notice*' \) \
  -exec cp -t image/licenses/@name@ {} +
if [ -z "$(ls image/licenses/@name@)" ]; then
  echo "error: the source has no file LICENSE, COPYING, COPYRIGHT or NOTICE at its top, so nobody may pass on what is built of it" >&2
  exit 1
fi
# What it needs of shared libraries and the base image lacks, with what says which Debian packages these are of.
find image/lib image/bin -type f 2> /dev/null | while IFS= read -r file; do
  [ "$(head -c 4 "$file" | tail -c 3)" != ELF ] || echo "$file"
done > elf
xargs -r -d '\n' -a elf strip --strip-unneeded
xargs -r -d '\n' -a elf ldd | awk '$2 == "=>" {print $1, $3}' | sort -u > needed
while read -r library path; do
  ! grep -qxF -- "$library" /base-libraries || continue
  [ ! -e "image/lib/$library" ] || continue
  [ -e "$path" ] || { echo "error: $library is needed, and nothing here has it" >&2; exit 1; }
  package=$(dpkg-query --search "$(realpath "$path")" | sed 's/:.*//' | head -n 1)
  mkdir -p image/system image/var/lib/dpkg/status.d
  cp -L "$path" "image/system/$library"
  install -D -m 644 -t "image/licenses/$package" "/usr/share/doc/$package/copyright"
  dpkg-query --status "$package" > "image/var/lib/dpkg/status.d/$package"
done < needed
