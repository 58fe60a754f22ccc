# SPDX-License-Identifier: Apache-2.0
# Reads the index of one more suite of the archive, from where the first one's comes. Its lists and apt's cache of them are its own:
# nothing of it can be installed by accident, and who does not ask for it reads nothing of it. Run in the sandbox.
# Arguments: the sandbox's own suite, the other one, the folder for it.
set -eu
own=$1 other=$2 place=$3
mkdir -p "$place/lists/partial" "$place/cache/archives/partial"
apt-get indextargets --format '$(RELEASE) $(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' |
  while read -r release uri key; do
    # A field that the source does not have is left as it is written.
    [ "$key" != '$(SIGNED_BY)' ] || key=
    [ "$release" != "$own" ] || printf 'deb %s%s %s main\n' "${key:+[signed-by=$key] }" "$uri" "$other"
  done | sort -u > "$place/sources.list"
printf '%s "%s";\n' Dir::Etc::sourcelist "$place/sources.list" Dir::Etc::sourceparts - \
  Dir::State::lists "$place/lists" Dir::Cache "$place/cache" Acquire::Languages none > "$place/apt.conf"
APT_CONFIG=$place/apt.conf apt-get -q -o pkgCacheFile::Generate=false update --error-on=any
