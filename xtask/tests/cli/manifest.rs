// SPDX-License-Identifier: Apache-2.0
//! `manifest`: what a user of an image applies.

use serde_json::json;

use crate::cli::world::{World, metadata};

const PUBLISHED: [(&str, &str); 2] = [
    ("registry", "ghcr.io/example"),
    ("environment", "production"),
];

#[test]
fn an_image_and_what_it_needs_are_mounted_configured_and_created_in_order() {
    let world = World::new();
    let beta = [
        ("required_extensions", "[\"alpha\", \"base-image:cube\"]"),
        ("shared_preload_libraries", "[\"beta\"]"),
        ("postgresql_parameters", "{ \"beta.on\" = \"on\" }"),
        ("bin_path", "[\"bin\"]"),
        ("env", "{ \"BETA\" = \"$${image_root}/x\" }"),
        (
            "sql_extensions",
            "[{ name = \"beta_more\", schema = \"more\", requires = [\"seg\"] }]",
        ),
    ];
    world.extension("beta", &metadata("beta", &beta));
    let ended = world
        .run_with("manifest beta --distro trixie --json", &PUBLISHED)
        .success();
    assert!(!ended.stderr.contains("local registry"), "{}", ended.stderr);
    let documents = ended.json();
    let cluster = &documents[0]["spec"];
    let image = "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie";
    assert_eq!(cluster["imageName"], image);
    assert_eq!(
        cluster["postgresql"],
        json!({
            "shared_preload_libraries": ["beta"],
            "parameters": { "beta.on": "on" },
            "extensions": [
                {
                    "name": "beta",
                    "image": { "reference": "ghcr.io/example/beta:1.2-18-trixie" },
                    "bin_path": ["bin"],
                    "env": [{ "name": "BETA", "value": "${image_root}/x" }],
                },
                {
                    "name": "alpha",
                    "image": { "reference": "ghcr.io/example/alpha:1.2-18-trixie" },
                    "ld_library_path": ["system"],
                    "env": [{ "name": "ALPHA_DATA", "value": "${image_root}/share/a" }],
                },
            ],
        })
    );
    let database = &documents[1];
    assert_eq!(database["kind"], "Database");
    assert_eq!(
        database["spec"]["schemas"],
        json!([{ "ensure": "present", "name": "more", "owner": "app" }])
    );
    let created = database["spec"]["extensions"].as_array().unwrap();
    let names: Vec<&str> = created
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alpha", "cube", "beta", "seg", "beta_more"]);
    assert_eq!(created[2]["version"], "1.2");
    let text = world
        .run_with("manifest beta --distro trixie", &PUBLISHED)
        .success()
        .stdout;
    let begin = "# beta 18-trixie, with CloudNativePG 1.28.2 or later.";
    assert!(text.starts_with(begin), "{text}");
    assert!(text.contains("\n---\napiVersion: postgresql.cnpg.io/v1\nkind: Database\n"));
    assert!(
        text.contains("beta.on: \"on\"\n"),
        "no reader takes it for a boolean: {text}"
    );
}

#[test]
fn what_is_not_created_has_no_database_and_a_server_must_be_chosen() {
    let world = World::new();
    world.extension(
        "gamma",
        &metadata("gamma", &[("create_extension", "false")]),
    );
    let ended = world.run("manifest gamma --distro trixie --json").success();
    assert_eq!(ended.json().as_array().unwrap().len(), 1);
    ended.says("as in the local registry");
    world
        .run("manifest gamma")
        .status(2)
        .says("built for several servers: gamma 18-bookworm; gamma 18-trixie")
        .says("`--distro` and `--pg`");
    world
        .run("manifest gamma --pg 99")
        .status(2)
        .says("no image matches");
    world.run("manifest nothing").status(2).says("`nothing`");
    world.calls.never("docker run");
}

#[test]
fn with_a_catalog_the_cluster_names_extensions_and_no_image() {
    let world = World::new();
    let beta = [
        ("required_extensions", "[\"alpha\"]"),
        ("shared_preload_libraries", "[\"beta\"]"),
        ("env", "{ \"BETA\" = \"x\" }"),
    ];
    world.extension("beta", &metadata("beta", &beta));
    let ended = world
        .run("manifest beta --distro trixie --catalog --json")
        .success();
    assert!(!ended.stderr.contains("local registry"), "{}", ended.stderr);
    let documents = ended.json();
    let cluster = &documents[0]["spec"];
    assert_eq!(
        cluster["imageCatalogRef"],
        json!({
            "apiGroup": "postgresql.cnpg.io",
            "kind": "ClusterImageCatalog",
            "name": "postgresql-minimal-trixie",
            "major": 18,
        })
    );
    assert_eq!(cluster.get("imageName"), None);
    assert_eq!(
        cluster["postgresql"],
        json!({
            "shared_preload_libraries": ["beta"],
            "extensions": [{ "name": "beta" }, { "name": "alpha" }],
        })
    );
    assert_eq!(documents[1]["kind"], "Database");
    let text = world
        .run("manifest beta --distro trixie --catalog=my-own")
        .success()
        .stdout;
    assert!(
        text.contains("CloudNativePG 1.29 or later")
            && text.contains("# The images are those of the ClusterImageCatalog `my-own`")
            && text.contains("    name: my-own\n"),
        "{text}"
    );
    world
        .run("manifest beta --distro trixie --catalog=My_own")
        .status(2)
        .says("`--catalog=My_own`: it must be the name of an object of Kubernetes");
}
