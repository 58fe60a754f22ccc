# SPDX-License-Identifier: Apache-2.0
# Says what the source says of itself that was built into `root`: the archive is `archive`, its files are in `source`, what
# was found while it was compiled in `said`, the libraries that the base image lacks in `image/system`.
[ "$1" = -- ] || exit 1
beside=
install_all() {
  if [ -n "$beside" ]; then
    apt-get -q -o pkgCacheFile::Generate=false update >&2
    apt-get -qq -y --no-install-recommends -o APT::Sandbox::User=root install $beside >&2
  fi
  cp -a root/. /
  [ ! -d image/system ] || cp -a image/system/. /usr/local/lib/
  ldconfig
}
say checksum "sha256:$(sha256sum < archive | cut -d ' ' -f 1)"
control=
for file in root/usr/share/postgresql/"$major"/extension/*.control; do
  [ ! -e "$file" ] || [ -n "$control" ] || control=$file
  ! printf '%s\n' "${file##*/}" | grep -qxE "$spelled\.control" || control=$file
done
of_control() { [ -z "$control" ] || sed -n "s/^ *$1 *= *'\{0,1\}\([^']*\)'\{0,1\} *\$/\1/p" "$control" | head -n 1; }
# The text of a key in the first table of Cargo.toml.
of_crate() { [ ! -f source/Cargo.toml ] || sed -n "/^\[package\]/,/^\[[^p]/s/^$1 *= *\"\(.*\)\" *\$/\1/p" source/Cargo.toml | head -n 1; }
release=$(of_crate version)
say release "${release:-$(of_control default_version)}"
say summary "$(of_control comment)"
for home in "$(of_crate homepage)" "$(of_crate repository)"; do [ -z "$home" ] || say homepage "$home"; done

# A licence that its files are known by: what names it for machines, or the words that only it has.
licence_of() {
  named=$(sed -n 's/.*SPDX-License-Identifier: *\([A-Za-z0-9.+() -]*[A-Za-z0-9.+)]\).*/\1/p' "$1" | head -n 1)
  text=$(tr -s ' \t\r\n' ' ' < "$1")
  case $named,$text in
  ?*,*) echo "$named" ;;
  *'Apache License Version 2.0'*'END OF TERMS AND CONDITIONS'*) echo Apache-2.0 ;;
  *'for any purpose, without fee, and without a written agreement is hereby granted'*) echo PostgreSQL ;;
  *'to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish'*) echo MIT ;;
  esac
}
licence=$(of_crate license)
count=0
for file in source/[Ll][Ii][Cc][Ee][Nn][CcSs][Ee]* source/[Cc][Oo][Pp][Yy]*; do
  [ ! -f "$file" ] || { count=$((count + 1)); only=$file; }
done
[ -n "$licence" ] || [ "$count" != 1 ] || licence=$(licence_of "$only")
say licence "$licence"
# Those of what is linked into it.
[ ! -e said/licences ] || while IFS= read -r line; do say licence "$line"; done < said/licences
[ ! -e said/doubts ] || while IFS= read -r line; do say doubt "$line"; done < said/doubts
