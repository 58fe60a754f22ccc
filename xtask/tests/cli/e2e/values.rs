// SPDX-License-Identifier: Apache-2.0
//! `e2e generate-values`: the document that the suites read.

use crate::cli::world::{
    World,
    image::{annotations, index},
    metadata,
};

/// `pgvector`, `wal2json`, `postgis` and `pgrouting` as the repository has them.
pub(crate) fn extensions() -> World {
    let world = World::empty_e2e();
    let versions = |package: &str, sql: &str| {
        let sql = if sql.is_empty() {
            String::new()
        } else {
            format!(", sql = \"{sql}\"")
        };
        let line = |distro: &str, release: u8| {
            format!("{distro} = {{ \"18\" = {{ package = \"{package}.pgdg{release}+1\"{sql} }} }}")
        };
        format!("{{\n{}\n{}\n}}", line("bookworm", 12), line("trixie", 13))
    };
    let add = |name: &str, versions: &str, more: &[(&str, &str)]| {
        let fields = [&[("versions", versions)], more].concat();
        world.extension(name, &metadata(name, &fields));
    };
    add(
        "pgvector",
        &versions("0.8.6-1", "0.8.6"),
        &[("sql_name", "\"vector\"")],
    );
    add(
        "wal2json",
        &versions("2.6-4", ""),
        &[
            ("create_extension", "false"),
            (
                "postgresql_parameters",
                "{ \"output_plugin_libraries\" = \"pgoutput, test_decoding, wal2json\" }",
            ),
        ],
    );
    add(
        "postgis",
        &versions("3.6.4+dfsg-2", "3.6.4"),
        &[
            ("image_name", "\"postgis-extension\""),
            ("ld_library_path", "[\"system\"]"),
            (
                "env",
                "{\n \"PROJ_DATA\" = \"$${image_root}/share/proj\"\n \"GDAL_DATA\" = \"$${image_root}/share/gdal\"\n }",
            ),
        ],
    );
    add(
        "pgrouting",
        &versions("4.0.1-1", "4.0.1"),
        &[("required_extensions", "[\"postgis\"]")],
    );
    world
}

/// Generates values from an image of the local registry. Gives them without their heading.
#[track_caller]
pub(crate) fn values(world: &World, name: &str, path: &str) -> String {
    let image = world.registry.local(path);
    world
        .run(("e2e generate-values", [name, "--extension-image", &image]))
        .success()
        .says(&format!("wrote extensions/{name}/values.yaml"));
    let text = world.read(&format!("extensions/{name}/values.yaml"));
    let (heading, rest) = text.split_once('\n').unwrap();
    assert!(heading.starts_with("# "), "{text}");
    rest.to_owned()
}

const PSQL: &str =
    "alpine/psql:18.4@sha256:0ab0d128bcf0c63c4b022cf34bce59bd77f6d7e52411b3730fa840e2e79415ae";

#[test]
fn a_created_extension() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    let digest = world.registry.put_local(path, "trixie", "0.8.6");
    let wanted = format!(
        "name: 'pgvector'
sql_name: 'vector'
shared_preload_libraries: []
postgresql_parameters: {{}}
pg_image: 'ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie'
psql_image: '{PSQL}'
version: '0.8.6'
create_extension: true
extensions:
- name: 'pgvector'
  image:
    reference: 'registry.pg-extensions:5000/{path}@{digest}'
database_config:
  extensions_spec:
  - ensure: 'present'
    name: 'vector'
    version: '0.8.6'
database_assert_status:
  applied: true
  observedGeneration: 1
  extensions:
  - applied: true
    name: 'vector'
"
    );
    assert_eq!(
        values(&world, "pgvector", path).trim_end(),
        wanted.trim_end()
    );
}

#[test]
fn a_module_that_is_not_created() {
    let world = extensions();
    let path = "wal2json-testing:2.6-18-trixie";
    let digest = world.registry.put_local(path, "trixie", "");
    let wanted = format!(
        "name: 'wal2json'
sql_name: 'wal2json'
shared_preload_libraries: []
postgresql_parameters:
  output_plugin_libraries: 'pgoutput, test_decoding, wal2json'
pg_image: 'ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie'
psql_image: '{PSQL}'
version: ''
create_extension: false
extensions:
- name: 'wal2json'
  image:
    reference: 'registry.pg-extensions:5000/{path}@{digest}'
database_config: {{}}
database_assert_status:
  applied: true
  observedGeneration: 1
"
    );
    assert_eq!(
        values(&world, "wal2json", path).trim_end(),
        wanted.trim_end()
    );
}

#[test]
fn an_extension_with_libraries_and_an_environment() {
    let world = extensions();
    let path = "postgis-extension-testing:3.6.4-18-bookworm";
    let digest = world.registry.put_local(path, "bookworm", "3.6.4");
    let wanted = format!(
        "name: 'postgis'
sql_name: 'postgis'
shared_preload_libraries: []
postgresql_parameters: {{}}
pg_image: 'ghcr.io/cloudnative-pg/postgresql:18-minimal-bookworm'
psql_image: '{PSQL}'
version: '3.6.4'
create_extension: true
extensions:
- name: 'postgis'
  image:
    reference: 'registry.pg-extensions:5000/{path}@{digest}'
  ld_library_path:
  - 'system'
  env:
  - name: 'GDAL_DATA'
    value: '${{image_root}}/share/gdal'
  - name: 'PROJ_DATA'
    value: '${{image_root}}/share/proj'
database_config:
  extensions_spec:
  - ensure: 'present'
    name: 'postgis'
    version: '3.6.4'
database_assert_status:
  applied: true
  observedGeneration: 1
  extensions:
  - applied: true
    name: 'postgis'
"
    );
    assert_eq!(
        values(&world, "postgis", path).trim_end(),
        wanted.trim_end()
    );
}

#[test]
fn an_extension_that_needs_another_one() {
    let world = extensions();
    let path = "pgrouting-testing:4.0.1-18-bookworm";
    let digest = world.registry.put_local(path, "bookworm", "4.0.1");
    let needed = "postgis-extension-testing:3.6.4-18-bookworm";
    let needed_digest = world.registry.put_local(needed, "bookworm", "3.6.4");
    // These are not for bookworm, or not from here.
    world.registry.put_local(
        "postgis-extension-testing:3.6.4-18-trixie",
        "trixie",
        "3.6.9",
    );
    world.registry.put(
        "ghcr.io/cloudnative-pg/postgis-extension:3.6.4-18-bookworm",
        &index(&annotations("bookworm", "18", "3.6.8")),
    );
    let wanted = format!(
        "name: 'pgrouting'
sql_name: 'pgrouting'
shared_preload_libraries: []
postgresql_parameters: {{}}
pg_image: 'ghcr.io/cloudnative-pg/postgresql:18-minimal-bookworm'
psql_image: '{PSQL}'
version: '4.0.1'
create_extension: true
extensions:
- name: 'pgrouting'
  image:
    reference: 'registry.pg-extensions:5000/{path}@{digest}'
- name: 'postgis'
  image:
    reference: 'registry.pg-extensions:5000/{needed}@{needed_digest}'
  ld_library_path:
  - 'system'
  env:
  - name: 'GDAL_DATA'
    value: '${{image_root}}/share/gdal'
  - name: 'PROJ_DATA'
    value: '${{image_root}}/share/proj'
database_config:
  extensions_spec:
  - ensure: 'present'
    name: 'postgis'
    version: '3.6.4'
  - ensure: 'present'
    name: 'pgrouting'
    version: '4.0.1'
database_assert_status:
  applied: true
  observedGeneration: 1
  extensions:
  - applied: true
    name: 'postgis'
  - applied: true
    name: 'pgrouting'
"
    );
    assert_eq!(
        values(&world, "pgrouting", path).trim_end(),
        wanted.trim_end()
    );
}

#[test]
fn all_that_is_created_is_asked_for_and_expected_in_one_order() {
    let world = extensions();
    let fields = [
        (
            "required_extensions",
            "[\"postgis\", \"base-image:pg_stat_statements\"]",
        ),
        (
            "sql_extensions",
            "[{ name = \"last\", schema = \"public\", requires = [\"hstore\"] }, { name = \"first\", version = \"7\", schema = \"maps\" }, { name = \"pgrouting\", requires = [\"first\"] }]",
        ),
        (
            "versions",
            "{ trixie = { \"18\" = { package = \"4.0.1-1.pgdg13+1\", sql = \"4.0.1\" } } }",
        ),
    ];
    world.extension("pgrouting", &metadata("pgrouting", &fields));
    let path = "pgrouting-testing:4.0.1-18-trixie";
    world.registry.put_local(path, "trixie", "4.0.1");
    let needed = "postgis-extension-testing:3.6.4-18-trixie";
    world.registry.put_local(needed, "trixie", "3.6.4");
    let values = values(&world, "pgrouting", path);
    let at = values.find("database_config:").unwrap();
    let wanted = "database_config:
  extensions_spec:
  - ensure: 'present'
    name: 'postgis'
    version: '3.6.4'
  - ensure: 'present'
    name: 'pg_stat_statements'
  - ensure: 'present'
    name: 'first'
    version: '7'
    schema: 'maps'
  - ensure: 'present'
    name: 'pgrouting'
    version: '4.0.1'
  - ensure: 'present'
    name: 'hstore'
  - ensure: 'present'
    name: 'last'
    schema: 'public'
  schemas_spec:
  - ensure: 'present'
    name: 'maps'
    owner: 'app'
database_assert_status:
  applied: true
  observedGeneration: 1
  extensions:
  - applied: true
    name: 'postgis'
  - applied: true
    name: 'pg_stat_statements'
  - applied: true
    name: 'first'
  - applied: true
    name: 'pgrouting'
  - applied: true
    name: 'hstore'
  - applied: true
    name: 'last'
  schemas:
  - applied: true
    name: 'maps'";
    assert_eq!(values[at..].trim_end(), wanted);
}

/// `name version` of all that the values ask for.
fn asked_for(values: &str) -> Vec<String> {
    let at = values.find("extensions_spec:").unwrap();
    let end = values.find("database_assert_status:").unwrap();
    let entries = values[at..end].split("- ensure: 'present'").skip(1);
    let entries = entries.map(|entry| {
        let quoted = entry.split('\'').skip(1).step_by(2);
        quoted.collect::<Vec<_>>().join(" ")
    });
    entries.collect()
}

#[test]
fn what_control_files_require_of_images_and_of_the_base_image_is_asked_for_first() {
    let world = extensions();
    let path = "pgrouting-testing:4.0.1-18-trixie";
    world.registry.put_local(path, "trixie", "4.0.1");
    let needed = "postgis-extension-testing:3.6.4-18-trixie";
    world.registry.put_local(needed, "trixie", "3.6.4");
    let docker = &world.docker;
    docker.control("pgrouting", "requires = 'plpgsql, postgis'\n");
    docker.control("postgis", "default_version = '3.6.4'\n");
    assert_eq!(
        asked_for(&values(&world, "pgrouting", path)),
        ["postgis 3.6.4", "pgrouting 4.0.1"]
    );
    // Both images at once; nobody asks for what the base image has.
    let copied = world.calls.only("docker buildx build").stdin;
    assert_eq!(copied.matches("FROM localhost:").count(), 2, "{copied}");
    assert!(
        copied.contains("COPY --from=image1 [\"/[s]hare/extension/*.control\", \"/\"]"),
        "{copied}"
    );

    docker.control("postgis", "requires = 'earthdistance'\n");
    docker.control_of_base(
        "earthdistance",
        "default_version = '1.2'\nrequires = 'cube'\n",
    );
    docker.control_of_base("cube", "default_version = '1.5'\n");
    assert_eq!(
        asked_for(&values(&world, "pgrouting", path)),
        [
            "cube 1.5",
            "earthdistance 1.2",
            "postgis 3.6.4",
            "pgrouting 4.0.1"
        ]
    );
    let calls = world.calls.of("docker buildx build");
    let base = "FROM ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie AS image0\n";
    assert!(calls[2].stdin.starts_with(base), "{}", calls[2].stdin);
    assert!(
        !world
            .root()
            .join("target/xtask/e2e/controls/pgrouting-values")
            .exists()
    );
}

#[test]
fn a_version_that_the_image_does_not_say_is_that_of_its_control_file() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    world.registry.put_local(path, "trixie", "");
    let image = world.registry.local(path);
    world
        .run((
            "e2e generate-values",
            ["pgvector", "--extension-image", &image],
        ))
        .status(2)
        .says("has no annotation `io.cloudnativepg.image.sql.version`");
    world
        .docker
        .control("vector", "default_version = '0.8.1'\n");
    let values = values(&world, "pgvector", path);
    assert!(values.contains("\nversion: '0.8.1'\n"), "{values}");
    assert_eq!(asked_for(&values), ["vector 0.8.1"]);
}

#[test]
fn control_files_that_cannot_be_read_are_said_and_the_metadata_counts() {
    let world = extensions();
    let path = "pgvector-testing:0.8.6-18-trixie";
    world.registry.put_local(path, "trixie", "0.8.6");
    world
        .docker
        .copies_fail("ERROR: failed to resolve source metadata\n");
    let image = world.registry.local(path);
    world
        .run(("e2e generate-values", ["pgvector", "--extension-image", &image]))
        .success()
        .says("warning: for `pgvector` nothing may be created that control files alone require, as they cannot be read: ERROR: failed to resolve source metadata (`docker buildx build`)");
}
