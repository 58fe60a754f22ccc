// SPDX-License-Identifier: Apache-2.0
//! `create-extension`: what is asked of base images, what is written, and what is refused.

use crate::cli::world::{World, metadata};

/// What the script prints of a package with two extensions, one of which needs `alpha`.
const PRINTED: &str = "package\tpostgresql-18-maps\t2.1-1.pgdg13+1\n\
    homepage\thttps://maps.example/\n\
    summary\tmaps | of <everything>\n\
    file\tlib/maps.so\nfile\tshare/extension/maps--2.1.sql\nfile\tshare/extension/maps_more--2.1.sql\n\
    file\tshare/extension/maps.control\n\
    server\thstore\n\
    control\tmaps\tdefault_version = '2.1'\ncontrol\tmaps\trequires = 'hstore'\n\
    control\tmaps_more\tdefault_version = '2.1'\ncontrol\tmaps_more\trequires = 'maps, alpha'\n\
    lacks\tlibmaps.so.2\nmodule\tmaps\n\
    preloaded\tmaps\n\
    setting\tmaps.database\tapp\ncreated\tmaps\ncreated\tmaps_more\n\
    copyright\tFormat: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
    copyright\t\ncopyright\tFiles: *\ncopyright\tLicense: Expat\ndone\n";

/// Builds the packages that metadata names.
const SHARED: &str = "ARG BASE\nFROM $BASE AS builder\nRUN apt-get download \"$PACKAGES=$EXT_VERSION\"\nFROM scratch\nCOPY --from=builder /licenses /licenses/\nUSER 65532:65532\n";

/// With a Dockerfile for all.
fn world() -> World {
    let world = World::new();
    world.write("docker/Dockerfile", SHARED);
    world
}

const METADATA: &str = "extensions/maps/metadata.hcl";

#[test]
fn what_the_package_says_is_written_and_passes_checks() {
    let world = world();
    world.docker.has_package(PRINTED);
    world.write("CODEOWNERS", "* @all\n/extensions/alpha/ @all @me\n");
    world.write(
        "README.md",
        "| directory | `CREATE EXTENSION` | what it is | by |\n|---|---|---|---|\n| [alpha](extensions/alpha/README.md) | `alpha` | first | me |\n| [zeta](extensions/zeta/README.md) | `z` | last | me |\nend\n",
    );
    let ended = world
        .run("create-extension maps --from-archive --distro trixie --json")
        .success();
    let json = ended.json();
    assert_eq!(json["directory"], "extensions/maps");
    let left = json["left_to_do"].to_string();
    assert!(
        left.contains("README.md: TODO"),
        "the cell of the table: {left}"
    );
    assert!(
        left.contains("extensions/maps/smoke.sql: use maps for"),
        "{left}"
    );
    assert!(!left.contains("metadata.hcl"), "{left}");
    let metadata = world.read(METADATA);
    for line in [
        "sql_name                 = \"maps\"",
        "packages                 = [\"postgresql-{pg}-maps\"]",
        "licenses                 = [\"MIT\"]",
        "shared_preload_libraries = [\"maps\"]",
        "\"maps.database\" = \"app\"",
        "ld_library_path          = [\"system\"]",
        "required_extensions      = [\"alpha\"]",
        "{ name = \"maps_more\" },",
        "package = \"2.1-1.pgdg13+1\"",
        "sql     = \"2.1\"",
    ] {
        assert!(metadata.contains(line), "{line}: {metadata}");
    }
    assert!(!metadata.contains("TODO"), "{metadata}");
    let readme = world.read("README.md");
    let row = "alpha | first | me |\n| [maps](extensions/maps/README.md) | `maps` | maps &#124; of &#60;everything&#62; | TODO |\n| [zeta]";
    assert!(
        readme.replace('`', "").contains(&row.replace('`', "")),
        "{readme}"
    );
    assert!(
        world
            .read("CODEOWNERS")
            .ends_with("@me\n/extensions/maps/ @all\n")
    );
    let call = world
        .calls
        .only("docker run --rm --user 0 --entrypoint sh --name xtask-package-");
    let line = call.line();
    assert!(
        line.contains(" package 18 maps postgresql-18-maps --"),
        "{line}"
    );
    world
        .run("checks maps --no-bake")
        .success()
        .says("maps/smoke.sql:2: warning: is left open: use maps for");
}

#[test]
fn what_is_not_known_is_left_open_and_checks_say_so() {
    let world = world();
    let before = world.files_but_answers();
    let dry = world.run("create-extension pg_new --dry-run").success();
    assert!(
        dry.stdout
            .contains("mv -- target/xtask/create-extension/pg_new extensions/pg_new\n"),
        "{}",
        dry.stdout
    );
    assert_eq!(
        world.files_but_answers(),
        before,
        "a dry run writes nothing"
    );
    world
        .run("create-extension pg_new --distro trixy --dry-run")
        .success()
        .says("nothing here is built for `trixy` yet");
    world.run("create-extension NAME=pg_new").success();
    let metadata = world.read("extensions/pg_new/metadata.hcl");
    assert!(
        metadata.contains("packages                 = [\"postgresql-{pg}-pg-new\"]"),
        "{metadata}"
    );
    world
        .run("checks pg_new --no-bake")
        .status(2)
        .says("still holds the placeholder `<package-version-here>`");
    world.calls.never("docker run");
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let world = world();
    world.write("extensions/kept/notes.txt", "mine");
    let before = world.files_but_answers();
    for (line, message) in [
        ("create-extension", "what is the extension to be called?"),
        ("create-extension a b", "one extension at a time"),
        (
            "create-extension Bad",
            "`Bad` cannot be a name: it must be the name of an extension",
        ),
        ("create-extension ../x", "`../x` cannot be a name"),
        ("create-extension alpha", "`extensions/alpha` exists"),
        ("create-extension kept", "`extensions/kept` exists"),
        (
            "create-extension x --package a;b",
            "`--package` is `a;b`; it must be the name of a Debian package",
        ),
        (
            "create-extension x --pg latest",
            "`--pg` has `latest`; it must be a PostgreSQL major",
        ),
        (
            "create-extension x --pg 17",
            "`--pg` has `17`: PostgreSQL takes extensions from an image volume from 18 on",
        ),
        (
            "create-extension x --distro Trixie",
            "`--distro` has `Trixie`; it must be a Debian suite",
        ),
    ] {
        world.run(line).status(2).says(message);
    }
    assert_eq!(world.files_but_answers(), before);
    world.calls.never("docker");
}

#[test]
fn a_package_that_is_not_there_is_answered_with_those_that_own_the_control_file() {
    let world = world();
    world
        .docker
        .has_package("owner\tpostgresql-18-a\nowner\tpostgresql-18-b\nowner\t-o\ndone\n");
    world
        .run("create-extension maps --from-archive")
        .status(2)
        .says("no package for `maps`")
        .says("`postgresql-18-b` has a control file of it");
    world.docker.has_package(PRINTED);
    world
        .run("create-extension maps --from-archive --package postgresql-{pg}-none")
        .status(2)
        .says(
            "`postgresql-18-maps` has a control file of `maps`: `--package postgresql-{pg}-maps`",
        );
    world
        .docker
        .has_package(&PRINTED.replace("'hstore'", "'hstore, cube_of_others'"));
    world
        .run("create-extension maps --from-archive")
        .status(2)
        .says("`maps` requires `cube_of_others`")
        .says("first `cargo xtask create-extension cube-of-others --from-archive`");
    for cut_short in [PRINTED.strip_suffix("done\n").unwrap(), "garbage\n"] {
        world.docker.has_package(cut_short);
        world
            .run("create-extension maps --from-archive")
            .status(1)
            .says("the answer of the archive was cut short");
    }
    world.docker.apt_fails("E: Unable to fetch some archives");
    world
        .run("create-extension maps --from-archive")
        .status(1)
        .says("Unable to fetch some archives");
    assert!(!world.exists("extensions/maps"));
}

#[test]
fn what_any_server_needs_is_written_and_where_they_differ_is_left_open() {
    let world = world();
    world.docker.has_package(PRINTED);
    let older = "package\tpostgresql-18-maps\t2.0-1.pgdg12+1\nfile\tlib/maps.so\nfile\tshare/extension/maps--2.0.sql\n\
        control\tmaps\tdefault_version = '2.0'\nmodule\tmaps\npreloaded\tmaps_old\ncreated\tmaps\n\
        hint\tmaps_old\tmaps_old wants shared_preload_libraries\ntrial\tthe server does not start again\ndone\n";
    world.docker.has_package_for("18-bookworm", older);
    let ended = world
        .run("create-extension maps --from-archive --json")
        .success();
    let metadata = world.read(METADATA);
    for line in [
        "ld_library_path          = [\"system\"]",
        "\"maps.database\" = \"app\"",
        "required_extensions      = [\"alpha\"]",
        "{ name = \"maps_more\" },",
        "package = \"2.1-1.pgdg13+1\"",
        "package = \"2.0-1.pgdg12+1\"",
        "sql     = \"2.0\"",
    ] {
        assert!(metadata.contains(line), "{line}: {metadata}");
    }
    let left = ended.json()["left_to_do"].to_string();
    for said in [
        "18-bookworm: `maps_old` is preloaded for what stands in its file alone",
        "18-bookworm: it was not tried as it will be used: the server does not start again",
        "`ld_library_path` is one value for all servers",
        "18-bookworm has []; 18-trixie has [\\\"system\\\"]",
    ] {
        assert!(left.contains(said), "{said}: {left}");
    }
    let both = "shared_preload_libraries = [\"maps_old\", \"maps\"]";
    assert!(metadata.contains(both), "{metadata}");
}

#[test]
fn packages_that_are_called_otherwise_for_another_server_are_refused() {
    let world = world();
    world.docker.has_package(PRINTED);
    let other = PRINTED.replace("postgresql-18-maps", "postgresql-18-maps-2");
    world.docker.has_package_for("18-bookworm", &other);
    world
        .run("create-extension maps --from-archive")
        .status(2)
        .says("the servers' packages are not called alike")
        .says("18-bookworm: [\"postgresql-{pg}-maps-2\"]")
        .says("`--distro` and `--pg` leave servers out");
    assert!(!world.exists("extensions/maps"));
}

#[test]
fn only_what_a_package_cannot_do_without_is_required() {
    // It has a Dockerfile of its own, and its package's name in the comment above the version.
    let beta = "{\n    trixie = {\n      \"18\" = {\n        // renovate: suite=trixie-pgdg depName=postgresql-18-beta-3\n        \
        package = \"1.2-1.pgdg13+1\"\n        sql = \"1.2\"\n      }\n    }\n  }";
    let beta = metadata("beta", &[("versions", beta)]);
    let world = world();
    world.write("extensions/beta/metadata.hcl", &beta);
    let depends =
        |kind: &str| PRINTED.replace("lacks\t", &format!("{kind}\tpostgresql-18-beta-3\nlacks\t"));
    world.docker.has_package(&depends("recommends"));
    let ended = world
        .run("create-extension maps --from-archive --distro trixie --json")
        .success();
    let left = ended.json()["left_to_do"].to_string();
    assert!(left.contains("recommends that of `beta`"), "{left}");
    assert!(!world.read(METADATA).contains("[\"alpha\", \"beta\"]"));
    fs_err::remove_dir_all(world.root().join("extensions/maps")).unwrap();
    world.docker.has_package(&depends("depends"));
    world
        .run("create-extension maps --from-archive --distro trixie")
        .success();
    let metadata = world.read(METADATA);
    assert!(
        metadata.contains("required_extensions      = [\"beta\", \"alpha\"]"),
        "{metadata}"
    );
}

#[test]
fn a_module_without_a_control_file_is_loaded_and_a_decoder_decodes() {
    let world = world();
    let printed = "package\tpostgresql-18-stream\t1.0-1\nfile\tlib/stream.so\nmodule\tstream\noutput-plugin\tstream\n\
        parameter\toutput_plugin_libraries\tpgoutput\nloaded\tstream\ndone\n";
    world.docker.has_package(printed);
    let ended = world
        .run("create-extension stream --from-archive --json")
        .success();
    let metadata = world.read("extensions/stream/metadata.hcl");
    let left = ended.json()["left_to_do"].to_string();
    let licences = "extensions/stream/metadata.hcl: the SPDX ids";
    assert!(left.contains(licences), "{left}");
    for line in [
        "create_extension         = false",
        "output_plugin_libraries\" = \"pgoutput, stream\"",
        "licenses                 = [] # TODO",
    ] {
        assert!(metadata.contains(line), "{line}: {metadata}");
    }
    assert!(!metadata.contains("sql     ="), "{metadata}");
    let proof = world.read("extensions/stream/smoke.sql");
    assert!(proof.contains("'stream', temporary => true"), "{proof}");
    world
        .run("checks stream --no-bake")
        .success()
        .says("stream/metadata.hcl:7: warning: is left open: the SPDX ids");
}

const TEMPLATE: &str = r#"metadata = {
  # ours
  name = "{{ .Name }}"
  sql_name = "{{ .Name }}"
  image_name = "{{ .Name }}"
  licenses = ["Apache-2.0"]
  shared_preload_libraries = []
  versions = {
    {{- range $distro := .Distros}}
    {{ $distro }} = {
      {{- range $major := $.Versions}}
      "{{ $major }}" = {
        // renovate: suite={{ $distro }}-pgdg depName={{ replaceAll $.Package "%version%" $major }}
        package = "<package-version-here>"
        sql = "<sql-version-here>"
      }
      {{- end}}
    }
    {{- end}}
  }
}
"#;

#[test]
fn the_templates_of_a_repository_are_filled_in_with_what_is_known() {
    let world = World::new();
    world.write("templates/metadata.hcl.tmpl", TEMPLATE);
    world.write(
        "templates/Dockerfile.tmpl",
        "FROM scratch\n# COPY {{ .Name }} /lib/\n",
    );
    world.write("templates/README.md.tmpl", "# {{ toTitle .Name }}\n");
    world.docker.has_package(PRINTED);
    let ended = world
        .run("create-extension maps --from-archive --distro trixie --json")
        .success();
    let metadata = world.read(METADATA);
    for line in [
        "  # ours\n",
        "licenses = [\"MIT\"]",
        "shared_preload_libraries = [\"maps\"]",
        "depName=postgresql-18-maps\n        package = \"2.1-1.pgdg13+1\"\n        sql = \"2.1\"",
    ] {
        assert!(metadata.contains(line), "{line}: {metadata}");
    }
    let left = ended.json()["left_to_do"].to_string();
    assert!(
        left.contains("the template has no `ld_library_path`"),
        "{left}"
    );
    assert_eq!(world.read("extensions/maps/README.md"), "# Maps\n");
    // A template that copies nothing would make an empty image.
    let dockerfile = world.read("extensions/maps/Dockerfile");
    for line in [
        "\"postgresql-${PG_MAJOR}-maps=${EXT_VERSION}\"",
        "COPY --from=builder /usr/lib/postgresql/${PG_MAJOR}/lib/maps.so /lib/maps.so",
        "COPY --from=builder /system/ /system/",
    ] {
        assert!(dockerfile.contains(line), "{line}: {dockerfile}");
    }
    world.write("templates/README.md.tmpl", "a\n{{ .Nam }}\n");
    world
        .run("create-extension other")
        .status(2)
        .says("templates/README.md.tmpl:2: there is no field `Nam`");
    assert!(!world.exists("extensions/other"));
}
