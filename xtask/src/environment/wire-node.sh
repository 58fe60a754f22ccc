# SPDX-License-Identifier: Apache-2.0
# Runs on a node: writes containerd's hosts.toml for each NAME URL FALLBACK, drops those that an earlier run wrote for
# other names, and says what it did.
set -eu
folder=/etc/containerd/certs.d
mark='# written by cargo xtask'
kept=' ' changed=''
while [ $# -gt 0 ]; do
    name=$1 url=$2 server=$3
    shift 3
    kept="$kept$name "
    file=$folder/$name/hosts.toml
    path=${url#*://}
    # containerd adds /v2 to a host, and nothing to a path of somebody's own.
    case $path in
    */*) override='  override_path = true' ;;
    *) override= ;;
    esac
    mkdir -p "$folder/$name"
    printf '%s\nserver = "%s"\n\n[host."%s"]\n  capabilities = ["pull", "resolve"]\n%s\n' "$mark" "$server" "$url" "$override" >"$file.new"
    if cmp -s "$file.new" "$file"; then
        rm "$file.new"
    else
        mv "$file.new" "$file"
        changed="$changed $name"
    fi
done
for file in "$folder"/*/hosts.toml; do
    [ -e "$file" ] || continue
    name=$(basename "$(dirname "$file")")
    case $kept in *" $name "*) continue ;; esac
    read -r first <"$file"
    if [ "$first" = "$mark" ]; then
        rm -r "$folder/$name"
        changed="$changed -$name"
    fi
done
if [ -n "$changed" ]; then echo "wrote$changed"; else echo "as it was"; fi
