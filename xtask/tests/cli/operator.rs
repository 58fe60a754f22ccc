// SPDX-License-Identifier: Apache-2.0
//! What CloudNativePG refuses of an extension: `checks` says it, no server is tried with it, and its image is built all the same.

use crate::cli::world::{World, metadata};

/// Field, value, and what is said of it.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "env",
        "{ \"PGDATA\" = \"/x\" }",
        ":12: error: `env` sets `PGDATA`, which CloudNativePG keeps for itself",
    ),
    (
        "env",
        "{ \"cnpg_x\" = \"/x\" }",
        "`env` sets `cnpg_x`, which CloudNativePG keeps for itself",
    ),
    (
        "env",
        "{ \"Namespace\" = \"/x\" }",
        "`env` sets `Namespace`, which CloudNativePG keeps for itself",
    ),
    (
        "env",
        "{ \"PATH\" = \"/x\" }",
        "`env` sets `PATH`, which CloudNativePG refuses: name the folders in `bin_path`",
    ),
    (
        "env",
        "{ \"LD_LIBRARY_PATH\" = \"/x\" }",
        "`env` sets `LD_LIBRARY_PATH`, which CloudNativePG refuses: name the folders in `ld_library_path`",
    ),
    (
        "env",
        "{ \"GAMMA_DATA\" = \"$${image_root}/a:$${imageroot}/b\" }",
        "`env` has `${imageroot}` in `GAMMA_DATA`; CloudNativePG knows `${image_root}` alone",
    ),
    (
        "postgresql_parameters",
        "{ \"shared_preload_libraries\" = \"gamma\" }",
        "`postgresql_parameters` sets `shared_preload_libraries`, which CloudNativePG lets nobody set: name the libraries in the field of that name",
    ),
    (
        "postgresql_parameters",
        "{ \"ssl_ecdh_curve\" = \"x\" }",
        ":7: error: `postgresql_parameters` sets `ssl_ecdh_curve`, which CloudNativePG lets nobody set",
    ),
    (
        "postgresql_parameters",
        "{ \"wal_level\" = \"minimal\" }",
        "`postgresql_parameters` sets `wal_level` to `minimal`; CloudNativePG takes `logical` and `replica`",
    ),
    (
        "bin_path",
        "[\"bin\", \"bin\"]",
        ":11: error: `bin_path` has `bin` twice, which CloudNativePG refuses",
    ),
];

#[test]
fn what_the_operator_refuses_is_an_error_and_no_server_is_tried_with_it() {
    for (field, value, said) in REFUSED {
        let world = World::new();
        world.extension("gamma", &metadata("gamma", &[(field, value)]));
        world.run("checks gamma --no-bake").status(2).says(said);
        world
            .run("smoke gamma --no-bake --distro trixie")
            .status(2)
            .says("the metadata has errors")
            .says(said);
        world.run("bake gamma --distro trixie").success();
        assert!(world.calls.of("docker run").is_empty(), "{said}");
    }
}

#[test]
fn what_it_takes_is_no_finding() {
    let world = World::new();
    let fields = [
        (
            "env",
            "{ \"GAMMA_PG\" = \"$${image_root}/a\", \"GAMMA_X\" = \"$$${imageroot} $x\" }",
        ),
        ("postgresql_parameters", "{ \"wal_level\" = \"logical\" }"),
    ];
    world.extension("gamma", &metadata("gamma", &fields));
    world
        .run("checks gamma --no-bake")
        .success()
        .says("no findings");
    world.run("smoke gamma --no-bake --distro trixie").success();
    let run = world.calls.only("docker run").line();
    let server = " GAMMA_PG=/extensions/gamma/a 'GAMMA_X=${imageroot} $x' -- ";
    assert!(run.contains(server), "{run}");
}

#[test]
fn a_name_that_no_cluster_can_have_is_refused_of_servers_alone() {
    for name in ["0gamma".to_owned(), "g".repeat(51)] {
        let world = World::new();
        world.extension(&name, &metadata(&name, &[]));
        let said =
            format!("the suites' cluster would be called `{name}`; CloudNativePG takes at most 50");
        world
            .run(["checks", &name, "--no-bake"])
            .status(2)
            .says(&said);
        world
            .run(["smoke", &name, "--no-bake"])
            .status(2)
            .says(&said);
        world.run(["bake", &name, "--distro", "trixie"]).success();
    }
}

#[test]
fn others_are_tried_and_what_needs_it_is_not() {
    let world = World::new();
    world.extension(
        "alpha",
        &metadata("alpha", &[("env", "{ \"PGDATA\" = \"/x\" }")]),
    );
    let ended = world.run("smoke --all --no-bake --distro trixie --json");
    let rows = ended
        .status(1)
        .says("2 of 3 extensions are left out: `alpha`, `beta`")
        .json();
    let results = rows.as_array().unwrap().iter();
    let results: Vec<String> = results
        .map(|row| format!("{}: {}", row["name"], row["result"]))
        .collect();
    assert_eq!(
        results,
        [
            "\"gamma\": \"passed\"",
            "\"alpha\": \"not run\"",
            "\"beta\": \"not run\""
        ]
    );
    assert_eq!(world.calls.of("docker run").len(), 1);
}

#[test]
fn no_cluster_is_made_for_it() {
    let world = World::e2e();
    let refused = [("postgresql_parameters", "{ \"archive_mode\" = \"on\" }")];
    world.extension("gamma", &metadata("gamma", &refused));
    for line in [
        "e2e test-full gamma",
        "e2e test gamma",
        "e2e generate-values gamma --extension-image x/gamma:1",
        "e2e upgrade-test gamma --from x/gamma:1",
    ] {
        world.run(line).status(2).says(
            "`postgresql_parameters` sets `archive_mode`, which CloudNativePG lets nobody set",
        );
    }
    world.calls.never("kind create");
}

#[test]
fn what_needs_such_a_one_of_another_repository_is_refused_too() {
    let world = World::new();
    let said = "[external.elsewhere]\nimage = \"x/elsewhere:1\"\nenv = { PGDATA = \"/x\" }\n";
    world.write("xtask.toml", said);
    let needs = [("required_extensions", "[\"elsewhere\"]")];
    world.extension("gamma", &metadata("gamma", &needs));
    world
        .run("smoke gamma --no-bake --distro trixie")
        .status(2)
        .says("`env` sets `PGDATA`, which CloudNativePG keeps for itself");
    assert!(world.calls.of("docker run").is_empty());
}
