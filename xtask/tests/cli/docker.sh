#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A fake docker. What it is asked goes to the log, one call a line; what it answers stands in files
# beside it. What it does not expect ends with 97.
here=$FAKE
entry="registry=$registry environment=$environment provenance=$BUILDX_METADATA_PROVENANCE"
for word in "$@"; do entry="$entry [$word]"; done
printf '%s\n' "$entry" >> "$here/log"
answer() { if [ -e "$here/$1" ]; then /bin/cat "$here/$1"; else printf '%s\n' "$2"; fi; }
case "$*" in
info*) answer info '{"ID":"'"$here"'","ServerVersion":"28.5.2","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"DockerRootDir":"/","ClientInfo":{"Plugins":[{"Name":"buildx","Version":"0.29.1"}]}}'
  [ ! -e "$here/info.fails" ] || { /bin/cat "$here/info.fails" >&2; exit 1; } ;;
"buildx version") echo "github.com/docker/buildx 0.29.1" ;;
"buildx inspect"*) [ ! -e "$here/inspect.fails" ] || { /bin/cat "$here/inspect.fails" >&2; exit 1; }
  answer inspect "Driver: docker
Platforms: linux/amd64, linux/arm64" ;;
"buildx bake"*)
  last=
  for word in "$@"; do
    case $last in -f) name=${word%/metadata.hcl}; name=${name##*/} ;; --metadata-file) file=$word ;; esac
    last=$word
  done
  echo "start $name" >> "$here/order"
  if [ -e "$here/hang.$name" ]; then
    trap 'echo "term $name" >> "$here/order"; exit 143' TERM
    [ ! -e "$here/stubborn" ] || trap '' TERM
    /bin/sleep 300 &
    echo "$!" > "$here/child"
    echo "$$" > "$here/hanging"
    while :; do wait; done
  fi
  if [ -e "$here/barrier" ]; then
    : > "$here/arrived.$name"
    tries=0
    while [ "$(set -- "$here"/arrived.*; echo $#)" -lt "$(/bin/cat "$here/barrier")" ]; do
      tries=$((tries + 1)); [ $tries -lt 3000 ] || exit 96
      /bin/sleep 0.01
    done
  fi
  echo "#1 [internal] load build definition"
  if [ -e "$here/fail.$name" ]; then /bin/cat "$here/fail.$name"; echo "end $name" >> "$here/order"; exit 17; fi
  [ -z "$file" ] || answer "metadata.$name" "{}" > "$file"
  echo "end $name" >> "$here/order" ;;
"image ls --format {{.Tag}} "*) answer tags "" ;;
"image ls"*) answer sizes "" ;;
"image rm"*) ;;
"image inspect --format {{json .Config.Labels}} "*) [ -e "$here/labels" ] || { echo "No such image" >&2; exit 1; }; /bin/cat "$here/labels" ;;
"pull --quiet "*) [ -e "$here/labels.remote" ] || { echo "Error: manifest unknown" >&2; exit 1; }; /bin/cp "$here/labels.remote" "$here/labels" ;;
run*) /bin/cat > "$here/stdin"
  { echo "path=$XTASK_LIBRARY_PATH"; echo "silent=$XTASK_SILENT"; echo "$XTASK_CREATE"; } > "$here/environment"
  if [ -e "$here/hang.run" ]; then trap '' TERM; echo "$$" > "$here/hanging"; /bin/sleep 300 & while :; do wait; done; fi
  [ ! -e "$here/fail.run" ] || { /bin/cat "$here/fail.run"; exit 1; }
  echo "WARNING: Image mount is an experimental feature"; echo "proof of work" ;;
"ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter name=^"*)
  # A container is known by its name here.
  for word in "$@"; do name=$word; done
  name=${name#name=^} name=${name%$}
  [ -e "$here/foreign" ] || [ -e "$here/removed.$name" ] || printf '%s\n' "$name" ;;
"ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*" --filter label=io.cloudnativepg.xtask.environment") answer left.kept "" ;;
"ps --all --quiet --no-trunc --filter label=io.cloudnativepg.xtask.run="*) answer left "" ;;
"rm "*) for word in "$@"; do : > "$here/removed.$word"; done ;;
create*|cp*) ;;
start*) /bin/cat > "$here/stdin"; echo "proof of work" ;;
*) echo "unexpected: $*" >&2; exit 97 ;;
esac
