# SPDX-License-Identifier: Apache-2.0
# How facts are said: one a line, its fields divided by tabs. Arguments: the major, the extension's name, and what the next part
# takes, the last of which are `--` and pairs `name=package`: what others create, and the packages that hold it.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
major=$1 name=$2
shift 2
say() {
  printf '%s' "$1"
  shift
  for field; do printf '\t%s' "$(printf '%s' "$field" | tr -s '\t\n\r' '   ')"; done
  echo
}
# The last line of a whole answer: one that was cut short has none.
finish() { say done; exit 0; }
give_up() { say trial "$1"; finish; }
# The name as it may be written in a file's name, and as a pattern of paths in packages.
spelled=$(printf '%s' "$name" | sed 's/[-_]/[-_]/g')
