// SPDX-License-Identifier: Apache-2.0
//! `create-extension` of what Debian does not package: what is built, what is written, and what is refused.

use crate::cli::world::World;

const URL: &str = "https://github.com/o/maps/archive/refs/tags/v2.1.0.tar.gz";
const SUM: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a build says of a source with two extensions, one of which needs `alpha`.
fn printed() -> String {
    format!(
        "checksum\t{SUM}\nrelease\t2.1\nsummary\tmaps of everything\nlicence\tPostgreSQL\n\
         file\tlib/maps.so\nfile\tshare/extension/maps--2.1.sql\nfile\tshare/extension/maps.control\n\
         server\thstore\ncontrol\tmaps\tdefault_version = '2.1'\ncontrol\tmaps\trequires = 'hstore, alpha'\n\
         lacks\tlibmaps.so.2\nmodule\tmaps\npreloaded\tmaps\ncreated\tmaps\ndone\n"
    )
}

fn world() -> World {
    let world = World::new();
    world.docker.compiles(&printed());
    world
}

const METADATA: &str = "extensions/maps/metadata.hcl";
const DOCKERFILE: &str = "extensions/maps/Dockerfile";

#[test]
fn what_was_built_is_written_and_passes_checks() {
    let world = world();
    world.write("docker/Dockerfile", "ARG BASE\nFROM $BASE\n");
    world.write(
        "templates/metadata.hcl.tmpl",
        "metadata = { packages = [\"{{.Package}}\"] }\n",
    );
    world.write("templates/Dockerfile.tmpl", "FROM {{.Package}}\n");
    let line = format!(
        "create-extension NAME=maps --from-source {URL} --distro trixie --build-depends libmaps-dev,libz-dev --json"
    );
    let ended = world.run(&*line).success();
    let left = ended.json()["left_to_do"].to_string();
    assert!(
        !left.contains("metadata.hcl") && !left.contains("Dockerfile"),
        "{left}"
    );
    ended.says(&format!(
        "the checksum is that of what is at `{URL}` now: {SUM}"
    ));
    let metadata = world.read(METADATA);
    for line in [
        "packages                 = []",
        "licenses                 = [\"PostgreSQL\"]",
        "shared_preload_libraries = [\"maps\"]",
        "ld_library_path          = [\"system\"]",
        "auto_update_os_libs      = false",
        "required_extensions      = [\"alpha\"]",
        "// renovate: datasource=github-tags depName=o/maps extractVersion=^v?(?<version>.+)$\n        package = \"2.1.0\"\n        sql     = \"2.1\"",
    ] {
        assert!(metadata.contains(line), "{line}: {metadata}");
    }
    let dockerfile = world.read(DOCKERFILE);
    for line in [
        &*format!(
            "ARG EXT_VERSION\nADD --checksum={SUM} https://github.com/o/maps/archive/refs/tags/v${{EXT_VERSION}}.tar.gz /archive\n"
        ),
        "      libmaps-dev \\\n      libz-dev \\\n",
        "COPY <<'END' image/licenses/maps/copyright\nFormat: ",
        "License: PostgreSQL\nEND\n",
    ] {
        assert!(dockerfile.contains(line), "{line}: {dockerfile}");
    }
    assert!(!dockerfile.contains("ask.sh"), "that is for asking");
    let call = world.calls.only("docker buildx build --provenance false");
    let said = call.line();
    assert!(
        said.contains("--build-arg PG_MAJOR=18 --build-arg EXT_VERSION=2.1.0 --output type=local,dest=target/xtask/compiled/maps-18-trixie"),
        "{said}"
    );
    assert!(!world.exists("target/xtask/compiled/maps-18-trixie"));
    world.run("checks maps --no-bake").success();
}

#[test]
fn a_source_that_does_not_say_its_version_in_its_address_is_looked_into() {
    let world = world();
    let url = "http://x.example/download?of=maps";
    let line =
        format!("create-extension maps --from-source {url} --checksum {SUM} --distro trixie");
    let ended = world.run(&*line).success();
    assert!(
        !ended.stderr.contains("the checksum is that"),
        "{}",
        ended.stderr
    );
    assert!(world.read(METADATA).contains("package = \"2.1\""));
    let dockerfile = world.read(DOCKERFILE);
    assert!(
        dockerfile.contains(&format!("ADD --checksum={SUM} {url} /archive")),
        "{dockerfile}"
    );
    assert!(
        dockerfile.contains("the source is not of version $EXT_VERSION"),
        "{dockerfile}"
    );
    world.run("checks maps --no-bake").success();
}

#[test]
fn a_crate_is_compiled_with_certificates_that_the_user_names() {
    let world = world();
    world.docker.compiles(&printed().replace(
        "licence\tPostgreSQL\n",
        "licence\tMIT\nlicence\tMIT OR Apache-2.0\nlicence\tMIT\ndoubt\tthe source has no lock\n",
    ));
    let line = "create-extension NAME=maps --pgrx pg_maps@2.1.0-rc.1 --distro trixie --set bake.certificates=/my,ca.pem";
    world.run(line).success();
    let metadata = world.read(METADATA);
    for said in [
        "# TODO: the source has no lock\n",
        "licenses                 = [\"MIT\", \"MIT OR Apache-2.0\"]",
        "// renovate: datasource=crate depName=pg_maps\n        package = \"2.1.0-rc.1\"\n",
    ] {
        assert!(metadata.contains(said), "{said}: {metadata}");
    }
    let dockerfile = world.read(DOCKERFILE);
    for said in [
        "https://static.crates.io/crates/pg_maps/pg_maps-${EXT_VERSION}.crate /archive",
        "RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt --mount=type=cache,id=cargo-pgrx-$BASE-$TARGETARCH,",
        "cargo fetch --locked",
    ] {
        assert!(dockerfile.contains(said), "{said}: {dockerfile}");
    }
    let call = world.calls.only("docker buildx build --provenance false");
    let said = call.line();
    assert!(
        said.contains("--secret 'id=certificates,\"src=/my,ca.pem\"'"),
        "{said}"
    );
    world.run("checks maps --no-bake").success();
    // Every build gets them, and no repository says them.
    world
        .run("bake alpha --set bake.certificates=ca.pem")
        .success();
    let built = world.read("target/xtask/targets.json");
    assert!(
        built.contains("id=certificates,\\\"src=ca.pem\\\""),
        "{built}"
    );
    let baked = world.calls.only("docker buildx bake -f target/");
    assert_eq!(baked.variable("BUILDX_BAKE_ENTITLEMENTS_FS"), "0");
    world.write("xtask.toml", "[bake]\ncertificates = \"/etc/shadow\"\n");
    world
        .run("bake alpha")
        .status(2)
        .says("`bake.certificates` is not for a repository to say")
        .says("XTASK_BAKE_CERTIFICATES");
}

#[test]
fn what_is_not_built_is_not_written() {
    let world = world();
    world.write("extensions/kept/notes.txt", "mine");
    let create = |more: &str| format!("create-extension maps --distro trixie {more}");
    let good = format!("--from-source {URL}");
    let before = world.files_but_answers();
    let dry = world.run(&*create(&format!("{good} --dry-run"))).success();
    assert!(
        dry.stdout
            .contains("| docker buildx build --provenance false"),
        "{}",
        dry.stdout
    );
    assert!(
        dry.stdout
            .contains("cat -- target/xtask/compiled/maps-18-trixie/facts"),
        "{}",
        dry.stdout
    );
    world.calls.never("docker buildx build");
    for (more, message) in [
        (
            "--from-source http://x.example/x-1.0.tar.gz",
            "without TLS anybody on the way can change",
        ),
        (
            "--from-source https://x.example/$(id).tar.gz",
            "it must be the address of an archive",
        ),
        (
            "--from-source https://x.example/o/r.git",
            "not of a repository",
        ),
        (
            "--from-source https://a:secret@x.example/x-1.0.tar.gz",
            "`https://<redacted>@x.example/x-1.0.tar.gz`",
        ),
        (
            "--from-source /etc/passwd",
            "it must be the address of an archive",
        ),
        ("--checksum sha256:00", "--from-source <URL>|--pgrx <CRATE>"),
        ("--build-depends gcc", "--from-source <URL>|--pgrx <CRATE>"),
        ("--pgrx pg_maps", "`--pgrx pg_maps@VERSION`"),
        ("--pgrx pg_maps@1", "it must be a crate with its version"),
        ("--pgrx pg_maps@1.0.0 --from-archive", "cannot be used with"),
        ("--pgrx https://x.example/r.git", "not of a repository"),
        (
            &format!("{good} --checksum md5:00"),
            "`--checksum` is `md5:00`; it must be `sha256:` and 64",
        ),
        (
            &format!("{good} --build-depends a;b"),
            "`--build-depends` has `a;b`",
        ),
        (
            &format!("{good} --package postgresql-18-maps"),
            "cannot be used with",
        ),
        (&format!("{good} --from-archive"), "cannot be used with"),
    ] {
        let ended = world.run(&*create(more)).status(2).says(message);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    assert_eq!(world.files_but_answers(), before, "nothing is written");
    let untouched = || {
        assert!(!world.exists("extensions/maps"));
        assert!(!world.exists("target/xtask/compiled/maps-18-trixie"));
    };
    world
        .docker
        .compiles("checksum\tsha256:0\nfile\tlib/x.so\n");
    world
        .run(&*create(&good))
        .status(1)
        .says("the last line is missing");
    untouched();
    world.docker.compiles(&printed().replace("alpha", "nobody"));
    world
        .run(&*create(&good))
        .status(2)
        .says("`maps` requires `nobody`");
    world.docker.compiles(&format!("checksum\t{SUM}\ndone\n"));
    world
        .run(&*create(&good))
        .status(2)
        .says("what was built from source installs no module and no extension");
    world
        .run(&*create("--from-source https://x.example/maps.zip"))
        .status(2)
        .says("of what version the source is, neither its address says nor a control file");
    let other = SUM.replace("0123", "ffff");
    world
        .docker
        .compiles_not(&format!("ERROR: digest mismatch {SUM}: {other}\n"));
    let checked = format!("{good} --checksum {other}");
    world
        .run(&*create(&checked))
        .status(1)
        .says(&format!("has the checksum {SUM}"));
    untouched();
}
