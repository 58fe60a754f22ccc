// SPDX-License-Identifier: Apache-2.0
//! What `installcheck` asks of docker, and what it refuses.

use crate::cli::world::{World, metadata};

const CHECKSUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn the_source_of_the_package_or_one_that_is_named_goes_into_the_server() {
    let world = World::new();
    let pin = "// renovate: suite=trixie-pgdg depName=postgresql-18-gamma\n package = \"1.2-1.pgdg13+1\"\n sql = \"1.2\"";
    let versions = format!("{{ trixie = {{ \"18\" = {{\n {pin}\n }} }} }}");
    world.extension("gamma", &metadata("gamma", &[("versions", &versions)]));
    let call = "installcheck gamma --no-bake --distro trixie --dry-run";
    let printed = world.run(call).success().stdout;
    for part in [
        "XTASK_PACKAGE=postgresql-18-gamma=1.2-1.pgdg13+1 ",
        " --user 0 ",
        "target=/extensions/gamma ",
        "setpriv --reuid ",
    ] {
        assert!(printed.contains(part), "{part}\n{printed}");
    }
    assert!(
        !printed.contains("--rm --interactive --network none"),
        "{printed}"
    );
    let call =
        format!("{call} --source https://example.org/gamma.tar.gz --checksum sha256:{CHECKSUM}");
    let printed = world.run(&*call).success().stdout;
    for part in [
        "XTASK_SOURCE=https://example.org/gamma.tar.gz ".to_owned(),
        format!("XTASK_CHECKSUM={CHECKSUM} "),
    ] {
        assert!(printed.contains(&part), "{part}\n{printed}");
    }
    world.calls.never("docker run");
}

#[test]
fn what_cannot_be_meant_is_said() {
    let world = World::new();
    let source = "--source https://example.org/a.tar.gz";
    for (call, said) in [
        (
            "installcheck gamma --source https://example.org/a.tar.gz".to_owned(),
            "--checksum",
        ),
        (
            format!("installcheck gamma {source} --checksum 12"),
            "`--checksum 12`: it must be",
        ),
        (
            format!("installcheck gamma --source nowhere --checksum {CHECKSUM}"),
            "`--source nowhere`: it must be",
        ),
        (
            format!("installcheck alpha beta {source} --checksum {CHECKSUM}"),
            "`--source` has the tests of one extension",
        ),
    ] {
        world.run(&*call).status(2).says(said);
    }
    world.extension(
        "gamma",
        &metadata("gamma", &[("known_differences", "[\"a\"]")]),
    );
    world
        .run("checks gamma --no-bake")
        .status(2)
        .says("`known_differences` is a list; it must be a map of strings");
}
