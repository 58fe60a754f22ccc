# SPDX-License-Identifier: Apache-2.0
# Prints `library<TAB>package` for the shared libraries that packages of these versions need of others. Arguments: the
# packages as `name=version`, `--`, the libraries' names. Run in the sandbox, whose apt knows the archive.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
packages=
while [ "$1" != -- ]; do packages="$packages $1"; shift; done
shift
# A package depends itself on what its own files are linked with (Debian Policy, 8.6).
for needed in $(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $packages |
  sed -n 's/^ *|*Depends: \([a-z0-9][a-z0-9.+-]*\)$/\1/p' | sort -u); do
  case $needed in lib*) ;; *) continue ;; esac
  rm -f ./*.deb
  apt-get -q -o APT::Sandbox::User=root download "$needed" >&2
  dpkg-deb --fsys-tarfile ./*.deb | tar -t > files
  for library in "$@"; do
    ! grep -qF "/$library" files || printf '%s\t%s\n' "$library" "$needed"
  done
done
