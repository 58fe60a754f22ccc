# SPDX-License-Identifier: Apache-2.0
# Runs as root inside the base image, before data.sh: gets an extension's source with its regression tests, and goes on as the server's user. Environment:
# XTASK_PACKAGE (a Debian package with its version), or XTASK_SOURCE and XTASK_CHECKSUM (an address, and SHA-256 of what is there).
set -euo pipefail
say() {
  local line
  while IFS= read -r line; do printf '%s\t%s\n' "$1" "$line"; done <<<"$2"
}
# What cannot be had is no fault of the extension.
lacks() { say lacks "$1"; exit 0; }
sources() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$file" ] || sed -n 's/^deb[[:space:]]/deb-src /p' "$file" >>/etc/apt/sources.list.d/xtask-sources.list
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"/etc/apt/sources.list.d/xtask-$(basename "$file")"
  done
}
# Prints why something cannot be had.
get() { { /usr/lib/apt/apt-helper download-file "$@" 2>&1 || true; } | sed -n 's/^[EW]: *//p' | tail -n 1; }
fetch() {
  local said uri file sum
  mkdir -p /installcheck/source
  cd /installcheck
  sources
  said=$(apt-get -q --error-on=any update 2>&1) || lacks "the archive cannot be asked: $(grep -m 1 '^[EW]:' <<<"$said" || true)"
  said=$(apt-get -qq install --no-install-recommends make patch xz-utils 2>&1) || lacks "make, patch and xz-utils cannot be installed: $(grep -m 1 '^E:' <<<"$said" || true)"
  if [ -n "$XTASK_SOURCE" ]; then
    said=$(get "$XTASK_SOURCE" source.tar "SHA256:$XTASK_CHECKSUM")
    [ -s source.tar ] || { say failed "error: the source cannot be had: ${said:-nothing is there}"; exit 0; }
    say of "$XTASK_SOURCE"
  else
    while read -r uri file _ sum; do
      case $file in
      *.orig.tar.*) said=$(get "${uri//\'/}" source.tar "$sum"); [ -s source.tar ] || lacks "the archive does not have $file: $said"; say of "$file" ;;
      *.debian.tar.*) get "${uri//\'/}" debian.tar "$sum" >/dev/null ;;
      esac
    done < <(apt-get source --print-uris --download-only "$XTASK_PACKAGE" 2>/dev/null | grep "^'" || true)
    [ -s source.tar ] || lacks "the archive has no source of $XTASK_PACKAGE"
  fi
  tar --extract --no-same-owner --strip-components 1 --directory source --file source.tar
  [ ! -s debian.tar ] || tar --extract --no-same-owner --directory source --file debian.tar
  if [ -f source/debian/patches/series ]; then
    while read -r file _; do
      case $file in '' | '#'*) continue ;; esac
      (cd source && patch --quiet --forward -p1 <"debian/patches/$file" >/dev/null) || lacks "Debian's patch $file does not fit"
    done <source/debian/patches/series
  fi
  owner=$(stat -c %u "${XTASK_DATA:-$(getent passwd postgres | cut -d : -f 6)}")
  chown -R "$owner" /installcheck
}
fetch; exec setpriv --reuid "$owner" --regid "$owner" --clear-groups bash -s -- "$@"
