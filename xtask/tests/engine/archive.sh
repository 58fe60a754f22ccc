# SPDX-License-Identifier: Apache-2.0
# Changes the archive in /archive, run in its container: `add VERSION WORD` puts a package there whose extension says a word, or
# another one in its place; `drop VERSION` takes it away. The index follows.
set -eu
package=postgresql-18-local
mkdir -p /archive
cd /archive
deb=${package}_$2_all.deb
rm -f "$deb"
if [ "$1" = add ]; then
    root=$(mktemp -d)
    share=$root/usr/share/postgresql/18/extension
    mkdir -p "$root/DEBIAN" "$share" "$root/usr/share/doc/$package"
    printf '%s\n' "Package: $package" "Version: $2" 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' \
        'Description: says a word' > "$root/DEBIAN/control"
    printf '%s\n' "comment = 'says a word'" "default_version = '1'" 'relocatable = true' > "$share/local.control"
    printf '%s\n' "CREATE FUNCTION word() RETURNS text LANGUAGE sql AS 'SELECT ''$3''';" > "$share/local--1.sql"
    printf '%s\n' 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/' '' 'Files: *' 'Copyright: nobody' \
        'License: Apache-2.0' > "$root/usr/share/doc/$package/copyright"
    dpkg-deb --build --root-owner-group "$root" "$deb" > /dev/null
    rm -rf "$root"
fi
for deb in ./*.deb; do
    [ -e "$deb" ] || continue
    dpkg-deb --field "$deb"
    printf '%s\n' "Filename: $deb" "Size: $(stat --format %s "$deb")" "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)" ''
done > Packages
printf '%s\n' 'Suite: local' "Date: $(LC_ALL=C date --utc '+%a, %d %b %Y %H:%M:%S UTC')" 'SHA256:' \
    " $(sha256sum Packages | cut -d ' ' -f 1) $(stat --format %s Packages) Packages" > Release
