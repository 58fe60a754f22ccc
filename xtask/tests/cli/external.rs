// SPDX-License-Identifier: Apache-2.0
//! What an extension needs of another repository: `[external.NAME]` in xtask.toml says its image.

use crate::cli::world::{World, metadata};

const NEEDS: [(&str, &str); 1] = [("required_extensions", "[\"elsewhere\"]")];
const SAID: &str = "[external.elsewhere]\nimage = \"ghcr.io/them/elsewhere:{version}-{pg}-{distro}\"\nversion = \"3.6\"\n\
    sql_name = \"else\"\nld_library_path = [\"system\"]\nenv = { A = \"${image_root}/a\" }\n";

/// Gamma needs `elsewhere`, of which xtask.toml says this.
fn needing(said: &str) -> World {
    let world = World::new();
    world.extension("gamma", &metadata("gamma", &NEEDS));
    world.write("xtask.toml", said);
    world.docker.labels_once_pulled("{}");
    world
}

#[test]
fn its_image_is_mounted_and_not_built() {
    let world = needing(SAID);
    world.run("smoke gamma --distro trixie").success();
    let run = &world.calls.of("docker run")[0];
    for said in [
        "type=image,source=ghcr.io/them/elsewhere:3.6-18-trixie,target=/extensions/elsewhere",
        "A=/extensions/elsewhere/a",
    ] {
        assert!(run.line().contains(said), "{said}:\n{run}");
    }
    let created = run.variable("XTASK_WANTED");
    assert!(created.contains("'else'"), "{created}");
    assert!(
        run.variable("XTASK_LIBRARY_PATH")
            .contains("/extensions/elsewhere/system")
    );
    let baked = world.calls.of("docker buildx bake -f target/");
    assert_eq!(baked[0].extensions(), ["gamma"]);
    let plan = world
        .run("smoke gamma --no-bake --dry-run --distro trixie")
        .success();
    assert!(
        plan.stdout
            .contains("docker pull --quiet -- ghcr.io/them/elsewhere:3.6-18-trixie"),
        "{}",
        plan.stdout
    );
    assert_eq!(
        world.run("targets --json").success().stdout,
        "[\"alpha\",\"beta\",\"gamma\"]\n"
    );
    world.run("checks gamma").success();
}

#[test]
fn a_checkout_says_its_fields_and_the_published_image_is_taken() {
    let world = needing("[external.elsewhere]\npath = \"../theirs/elsewhere\"\n");
    let fields = [
        ("sql_name", "\"else\""),
        ("image_name", "\"elsewhere-extension\""),
    ];
    world.write(
        "../theirs/elsewhere/metadata.hcl",
        &metadata("elsewhere", &fields),
    );
    let plan = world
        .run("smoke gamma --no-bake --dry-run --distro trixie")
        .success()
        .stdout;
    let image = "ghcr.io/cloudnative-pg/elsewhere-extension:1.2-18-trixie";
    assert!(plan.contains(&format!("source={image},")), "{plan}");
    world.write("../theirs/elsewhere/metadata.hcl", "metadata = {}\n");
    world
        .run("smoke gamma --dry-run")
        .status(2)
        .says("`required_extensions` names `elsewhere`: `xtask.toml` line 2: `[external.elsewhere]`: ")
        .says("missing field `name`");
}

#[test]
fn one_that_is_neither_here_nor_said_keeps_only_its_dependants_from_working() {
    let world = needing("");
    let said = "extensions/gamma/metadata.hcl: error: `required_extensions` names `elsewhere`, which does not exist; an image of another repository is said in xtask.toml: \
        `[external.elsewhere]`, `image = \"ghcr.io/cloudnative-pg/elsewhere:{version}-{pg}-{distro}\"`, `version = \"1.0\"`";
    world.run("smoke gamma --dry-run").status(2).says(said);
    world.run("smoke alpha --dry-run").success();
    world.run("checks gamma --no-bake").status(2).says(said);
    // What is mounted beside it is not needed for its image.
    world.run("bake gamma --distro trixie").success();
    let rows = world.run("smoke --all --distro trixie --json").status(1);
    let rows = rows.says("1 of 3 extensions are left out: `gamma`").json();
    let rows = rows.as_array().unwrap().iter();
    let mut results: Vec<String> = rows
        .map(|row| format!("{}: {}", row["name"], row["result"]))
        .collect();
    results.sort();
    let wanted = [
        "\"alpha\": \"passed\"",
        "\"beta\": \"passed\"",
        "\"gamma\": \"not run\"",
    ];
    assert_eq!(results, wanted);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_of_dependants_alone() {
    for (from, to, said) in [
        (
            "sql_name",
            "sql_nme",
            "line 4: `[external.elsewhere]`: unknown field `sql_nme`; did you mean `sql_name`?",
        ),
        (
            "\"system\"",
            "\"../x\"",
            "line 5: `[external.elsewhere]`: `ld_library_path` has `../x`",
        ),
        (
            "[\"system\"]",
            "3",
            "line 5: `[external.elsewhere]`: `ld_library_path` is a number; it must be a list of strings",
        ),
        (
            "version = \"3.6\"\n",
            "",
            "line 2: `[external.elsewhere]`: `version` is missing: nothing says what `{version}` in the image `ghcr.io/them/elsewhere:{version}-{pg}-{distro}` stands for; add `version = \"1.0\"`",
        ),
        (
            "ghcr.io/them",
            "--them",
            "line 2: `[external.elsewhere]`: `image` is `--them/elsewhere:{version}-{pg}-{distro}`: ",
        ),
        (
            "{pg}",
            "{major}",
            "line 2: `[external.elsewhere]`: `image` has `{major}`; what is filled in is `{version}`, `{pg}`, `{distro}`",
        ),
        (
            "image =",
            "path = \"../nowhere\"\n#",
            "nowhere/metadata.hcl`, which does not exist",
        ),
        (
            "sql_name = \"else\"",
            "required_extensions = [\"faraway\"]",
            "`required_extensions` leads to `elsewhere` of another repository, which needs `faraway`, which does not exist; an image of another repository is said in xtask.toml: `[external.faraway]`",
        ),
        (
            "sql_name = \"else\"",
            "required_extensions = [\"gamma\"]",
            "`required_extensions` form a cycle: gamma -> elsewhere -> gamma",
        ),
        ("\"3.6\"", "\" x\"", "`version` is ` x`; it must be"),
        (
            "\"3.6\"",
            "\"1+b\"",
            "line 3: `[external.elsewhere]`: `version` is `1+b`, with which `image` is none: `ghcr.io/them/elsewhere:1+b-1-1` is not an image reference",
        ),
        (
            "sql_name",
            "name",
            "line 4: `[external.elsewhere]`: `name` is what the section's own name says, `elsewhere`: take it out",
        ),
        (
            "sql_name = \"else\"",
            "versions = {}",
            "line 4: `[external.elsewhere]`: `versions` is metadata.hcl's: here it is `version = \"1.0\"`",
        ),
        (
            "ghcr.io/them/elsewhere:{version}-{pg}-{distro}",
            "",
            "line 2: `[external.elsewhere]`: `image` is empty",
        ),
        (
            "version = ",
            "version = 3 #",
            "`version` is a number; it must be a string",
        ),
    ] {
        let text = SAID.replace(from, to);
        assert_ne!(text, SAID);
        let world = needing(&text);
        world
            .run("smoke gamma --no-bake --dry-run")
            .status(2)
            .says(said);
        world.run("smoke alpha --no-bake --dry-run").success();
    }
}

#[test]
fn it_goes_before_a_stub_of_the_same_name() {
    let world = needing(SAID);
    world.extension("elsewhere", &metadata("elsewhere", &[]));
    world.run("smoke --all --distro trixie").success();
    let runs = world.calls.of("docker run");
    let of = |name: &str| {
        let mut all = runs
            .iter()
            .filter(|run| run.variable("XTASK_EXTENSION") == name);
        all.next().unwrap().line()
    };
    assert!(
        of("gamma").contains("source=ghcr.io/them/elsewhere:3.6-18-trixie,"),
        "{}",
        of("gamma")
    );
    assert!(of("elsewhere").contains("source=localhost:5000/elsewhere-testing"));
}

#[test]
fn a_checkout_without_a_version_for_a_server_says_so_and_serves_the_others() {
    let theirs = |pairs: &str| {
        let world = needing("[external.elsewhere]\npath = \"../theirs/elsewhere\"\n");
        let versions = format!("{{ {pairs} }}");
        let fields = metadata("elsewhere", &[("versions", &versions)]);
        world.write("../theirs/elsewhere/metadata.hcl", &fields);
        world
    };
    let only = "trixie = { \"17\" = \"1.2-1\" }";
    theirs(only)
        .run("smoke gamma --no-bake --dry-run --distro trixie")
        .status(2)
        .says(
            "`[external.elsewhere]`: `version` is missing: the metadata at `path` has none for 18-",
        );
    let world = theirs("trixie = { \"18\" = \"1.2-1\" }");
    let plan = world.run("smoke gamma --no-bake --dry-run").success();
    let plan = plan.says("`gamma 18-bookworm` is left out: `gamma` needs `elsewhere`, which is not built for bookworm and PostgreSQL 18");
    assert!(plan.stdout.contains("elsewhere:1.2-18-trixie"), "{plan:#?}");
    world
        .run("smoke gamma --no-bake --dry-run --distro bookworm")
        .status(2)
        .says("`gamma` needs `elsewhere`, which is not built for bookworm and PostgreSQL 18");
    world.run("bake gamma --distro bookworm").success();
}

#[test]
fn the_settings_show_what_is_said_of_it() {
    let world = World::new();
    world.write("xtask.toml", SAID);
    world.write(
        "../.config/xtask/config.toml",
        "[external.mine]\npath = \"../mine\"\nbin_path = [\"a\", \"b\"]\n",
    );
    let shown = world.run("config --json").success().json();
    let shown = shown.as_array().unwrap().iter();
    let external = shown.filter(|row| row["key"].as_str().unwrap().starts_with("external."));
    let rows = external.map(|row| {
        let text = |key: &str| row[key].as_str().unwrap();
        let origin = text("origin").rsplit('/').next().unwrap();
        format!("{} = {} ({origin})", text("key"), text("value"))
    });
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "external.elsewhere.env = A=${image_root}/a (xtask.toml:6)",
            "external.elsewhere.image = ghcr.io/them/elsewhere:{version}-{pg}-{distro} (xtask.toml:2)",
            "external.elsewhere.ld_library_path = system (xtask.toml:5)",
            "external.elsewhere.sql_name = else (xtask.toml:4)",
            "external.elsewhere.version = 3.6 (xtask.toml:3)",
            "external.mine.bin_path = a, b (config.toml:3)",
            "external.mine.path = ../mine (config.toml:2)",
        ]
    );
    let table = world.run("config").success().stdout;
    assert!(table.contains("external.elsewhere.image"), "{table}");
}

#[test]
fn a_path_leads_to_the_extensions_own_folder_and_stands_alone() {
    let world = needing(
        "[external.elsewhere]\npath = \"../theirs/elsewhere\"\nenv = { A = \"b\" }\nimge = \"x\"\n",
    );
    world.write(
        "../theirs/elsewhere/metadata.hcl",
        &metadata("elsewhere", &[]),
    );
    let refused = world.run("checks gamma --no-bake").status(2);
    refused.says("`xtask.toml` line 3: `[external.elsewhere]`: `env` cannot stand beside `path`: the checkout's metadata.hcl says it");
    world.write(
        "xtask.toml",
        "[external.elsewhere]\npath = \"../theirs/other\"\n",
    );
    world.write("../theirs/other/metadata.hcl", &metadata("other", &[]));
    let refused = world.run("checks gamma --no-bake").status(2);
    refused.says("theirs/other/metadata.hcl`, which is of `other`: name the folder of `elsewhere`, or call the section `[external.other]`");
}

#[test]
fn what_nobody_needs_is_checked_with_its_line_too() {
    for (said, wrong) in [
        (
            "[external.nobody]\nimagee = \"a/b:1\"\n",
            "xtask.toml:2: error: `[external.nobody]`: unknown field `imagee`; did you mean `image`?",
        ),
        (
            "[external.\"Post GIS\"]\nimage = \"a/b:1\"\n",
            "xtask.toml:1: error: `[external.\"Post GIS\"]`: `Post GIS` is no name that `required_extensions` could have",
        ),
        (
            "[external]\nnobody = \"x\"\n",
            "xtask.toml:2: error: `[external.nobody]`: is a string; it must be a table: an image of another repository is said in xtask.toml: `[external.nobody]`, `image = ",
        ),
    ] {
        let world = World::new();
        world.write("xtask.toml", said);
        world.run("checks --all --no-bake").status(2).says(wrong);
        world.run("config").success().says(wrong);
        world.run("checks alpha --no-bake").success();
        world.run("smoke alpha --no-bake --dry-run").success();
    }
}
