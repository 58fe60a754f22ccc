# SPDX-License-Identifier: Apache-2.0
# Prints `package=version<TAB>name<TAB>default_version = '…'` for each control file of PostgreSQL in these packages, and
# `package=version<TAB>name<TAB>script VERSION` or `script FROM--TO` for each of its scripts.
# Before these a line of `package=version` alone says that the package was read; one that cannot be is skipped.
# Arguments: `package=version`. Run in the sandbox, whose apt knows the archive.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
for package in "$@"; do
  name=${package%%=*} version=${package#*=}
  rm -rf ./*
  # The scripts may be in a package of their own, of the same version.
  set -- "$package"
  for other in $(apt-cache depends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$package" |
    sed -n 's/^ *|*\(Depends\|Recommends\): \([a-z0-9][a-z0-9.+-]*\)$/\2/p'); do
    [ "$other" = "$name" ] || ! apt-cache show "$other=$version" > show 2> /dev/null || [ ! -s show ] || set -- "$@" "$other=$version"
  done
  rm -f show
  apt-get -q -o APT::Sandbox::User=root download "$@" >&2 || continue
  for deb in *.deb; do dpkg-deb -x "$deb" root || continue 2; done
  printf '%s\n' "$package"
  for control in root/usr/share/postgresql/*/extension/*.control; do
    [ -e "$control" ] || continue
    said=$(sed -n '/^ *default_version *=/{s/^ *//;p;q;}' "$control")
    file=${control##*/}
    file=${file%.control}
    printf '%s\t%s\t%s\n' "$package" "$file" "$said"
    for script in "${control%.control}"--*.sql; do
      script=${script##*/"$file"--} script=${script%.sql}
      case $script in *[!A-Za-z0-9.+~_-]*) continue ;; esac
      printf '%s\t%s\tscript %s\n' "$package" "$file" "$script"
    done
  done
done
