# SPDX-License-Identifier: Apache-2.0
# What the table's commands are made of; it stands before each of them.

# Runs this program for one extension after the other, with these arguments behind: `each smoke --no-bake`.
each() {
  cut -f 1 "$IMAGES" | sort -u > "$BENCH/extensions"
  while read -r name; do "$XTASK" "$@" "$name" < /dev/null; done < "$BENCH/extensions"
}

# Builds one image after the other, with a bake file and a Dockerfile without ideas.
one_by_one() {
  while IFS="$(printf '\t')" read -r name tag base major target packages; do
    NAME=$name BASE=$base PG_MAJOR=$major PACKAGES=$packages CONTEXT=$BENCH/context \
      docker buildx bake --progress plain -f "$BENCH/context/reference.hcl" "$@" < /dev/null
  done < "$IMAGES"
}

# Builds one image after the other from the definitions that bake has, as a loop of `docker buildx bake` does: each call asks the
# archive whether its index has changed. Without SBOM, as its scanner is an image that not every network has.
with_bake_alone() {
  platform=$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}')
  while IFS="$(printf '\t')" read -r name tag base major target packages; do
    sed "s/\"ASKED_AT\": *\"[^\"]*\"/\"ASKED_AT\": \"$(date +%s.%N)\"/" target/xtask/targets.json > "$BENCH/definitions.json"
    docker buildx bake --progress plain -f "$BENCH/definitions.json" --set "*.platform=$platform" \
      --set '*.attest=type=sbom,disabled=true' -- "$target" < /dev/null
  done < "$IMAGES"
}

# What a person types to see that an extension can be created: `try_by_hand pgvector vector`.
try_by_hand() {
  line=$(grep "^$1$(printf '\t')" "$IMAGES" | head -n 1)
  tag=$(printf '%s' "$line" | cut -f 2) base=$(printf '%s' "$line" | cut -f 3) major=$(printf '%s' "$line" | cut -f 4)
  docker run --rm --user 26 --mount "type=image,source=$tag,target=/extensions/$1" "$base" sh -euc '
    PATH=/usr/lib/postgresql/$3/bin:$PATH
    initdb --pgdata /tmp/data > /dev/null
    pg_ctl --pgdata /tmp/data --silent --wait --log /tmp/log --options "-k /tmp -c listen_addresses= \
      -c extension_control_path=/extensions/$1/share:\\\$system -c dynamic_library_path=/extensions/$1/lib:\\\$libdir" start
    psql --host /tmp --dbname postgres --quiet --command "CREATE EXTENSION $2"
  ' try "$1" "$2" "$major"
}

# Writes the values of what was pushed of an extension.
values() {
  tag=$(grep "^$1$(printf '\t')" "$IMAGES" | head -n 1 | cut -f 2)
  "$XTASK" e2e generate-values "$1" --extension-image "$tag"
}

# Makes a repository of so many extensions, with four images each.
repository() {
  rm -rf "$BENCH/$1"; mkdir -p "$BENCH/$1"
  cp -r docker xtask.toml "$BENCH/$1/"
  for number in $(seq "$1"); do
    name=bench-$number
    mkdir -p "$BENCH/$1/extensions/$name"
    {
      echo "metadata = {"
      printf '  %s = "%s"\n' name "$name" sql_name "$name" image_name "$name"
      printf '  %s = %s\n' packages "[\"postgresql-{pg}-$name\"]" licenses '["PostgreSQL"]' shared_preload_libraries '[]' \
        postgresql_parameters '{}' extension_control_path '[]' dynamic_library_path '[]' ld_library_path '[]' bin_path '[]' env '{}' \
        auto_update_os_libs false required_extensions '[]' create_extension true
      echo "  versions = {"
      for distro in bookworm trixie; do
        printf '    %s = {\n' "$distro"
        for major in 18 19; do printf '      "%s" = {\n        package = "1.2-1"\n        sql = "1.2"\n      }\n' "$major"; done
        echo "    }"
      done
      printf '  }\n}\n'
    } > "$BENCH/$1/extensions/$name/metadata.hcl"
  done
  (cd "$BENCH/$1" && "$XTASK" targets --images --json > /dev/null)
}
