// SPDX-License-Identifier: Apache-2.0
//! `init`: what it writes into repositories of other kinds, and what it leaves alone.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use crate::{
    cli::world::{World, metadata},
    support::repository::Repository,
};

const WORKFLOW: &str = ".github/workflows/images.yml";

/// What the source says.
const NEWEST: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// A folder in which nothing is.
fn nothing() -> World {
    let world = World::empty();
    for name in fs::read_dir(world.root()).unwrap() {
        let path = name.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    let answer =
        format!("[ \"$1\" = ls-remote ] || refuse \"$@\"\nprintf '%s\\tHEAD\\n' {NEWEST}\n");
    world.tools.fake("git", &answer);
    world
}

/// A repository of the old tooling, with two extensions.
fn old() -> World {
    let world = nothing();
    world.write(
        "docker-bake.hcl",
        "variable \"registry\" {\n  default = \"quay.io/acme\"\n}\n\ntarget \"default\" {\n}\n",
    );
    for name in ["alpha", "beta"] {
        world.write(&format!("{name}/metadata.hcl"), &metadata(name, &[]));
    }
    world.write("templates/metadata.hcl.tmpl", "");
    world.write("test/chainsaw-test.yaml", "# The suite.\n");
    world.write("dagger/maintenance/dagger.json", "{}\n");
    world.write(
        "Taskfile.yml",
        "vars:\n  REGISTRY_HOST_PORT: 5001\n  E2E_NETWORK: pg-extensions-e2e\n  KIND_NODE_VERSION: v1.35.0\n  K8S_VERSION: '{{ .X }}'\ntasks:\n  bake:all:\n    cmds: []\n  deploy:\n    cmds: []\n",
    );
    world.write(
        ".github/workflows/bake.yml",
        "jobs:\n  a:\n    steps:\n      - uses: docker/bake-action@v7\n",
    );
    world.write(
        ".github/workflows/test.yml",
        "jobs:\n  a:\n    steps:\n      - uses: dagger/dagger-for-github@v8\n        with:\n          module: ./dagger/maintenance/\n",
    );
    world.write(
        ".github/workflows/site.yml",
        "# docker/bake-action, generate-catalogs\nname: task bake\njobs:\n  a:\n    steps:\n      - run: |\n          # task e2e: is elsewhere\n          make site\n",
    );
    world
}

/// All but what runs leave behind.
fn files(world: &World) -> Vec<PathBuf> {
    let below = |path: PathBuf| path.strip_prefix(world.root()).ok().map(PathBuf::from);
    let mut files: Vec<PathBuf> = world.files().into_iter().filter_map(below).collect();
    files.retain(|file| !file.starts_with("target") && !world.root().join(file).is_dir());
    files
}

#[test]
fn an_old_one_gets_settings_workflows_and_a_note_and_keeps_all_it_has() {
    let world = old();
    let before = files(&world);
    let texts: Vec<String> = before
        .iter()
        .map(|file| world.read(&file.to_string_lossy()))
        .collect();
    let said = world.run("init --json").success().json();
    let new: Vec<String> = files(&world)
        .iter()
        .filter(|file| !before.contains(file))
        .map(|file| file.display().to_string())
        .collect();
    assert_eq!(
        new,
        [
            ".github/actions/xtask/action.yml",
            ".github/workflows/catalogs.yml",
            ".github/workflows/extension.yml",
            ".github/workflows/images.yml",
            ".github/workflows/os-libs.yml",
            "MIGRATION.md",
            "renovate.json",
            "xtask.toml",
        ]
    );
    for (file, text) in before.iter().zip(texts) {
        assert_eq!(
            world.read(&file.to_string_lossy()),
            text,
            "{}",
            file.display()
        );
    }
    for (pointer, wanted) in [
        ("/found/extensions_folder", "."),
        ("/found/extensions/1", "beta"),
        ("/found/bake_file", "docker-bake.hcl"),
        ("/found/dagger", "dagger/maintenance"),
        ("/found/workflows/bake.yml", "extension.yml"),
        ("/found/workflows/test.yml", "nothing"),
        ("/found/registries/0", "quay.io/acme"),
        ("/files/0/result", "written"),
    ] {
        assert_eq!(said.pointer(pointer).unwrap(), wanted, "{pointer}");
    }
    let settings = world.read("xtask.toml");
    for line in [
        "# Taskfile.yml: REGISTRY_HOST_PORT\nregistry = \"localhost:5001\"\n",
        "[images]\n# Taskfile.yml: KIND_NODE_VERSION\nnode = \"kindest/node:v1.35.0\"\n",
        "[paths]\nextensions = \".\"\nbake-file = \"docker-bake.hcl\"\nsuite = \"test\"\n",
    ] {
        assert!(settings.contains(line), "{settings}");
    }
    assert!(!settings.contains("network"), "{settings}");
    let note = world.read("MIGRATION.md");
    for line in [
        "- extensions in `.`: `alpha`, `beta`\n",
        "| `task bake:all` | `cargo xtask bake --all` |\n",
        "| `task deploy` | none of ours: keep it |\n",
        "- `.github/workflows/bake.yml`, which seems to do what `extension.yml` does\n",
        "- `.github/workflows/test.yml`, which seems to be about the Dagger module alone\n",
        "For `quay.io/acme` with the host `quay.io` set the variables `REGISTRY` and `REGISTRY_HOST`",
        "- templates for new extensions: `metadata.hcl.tmpl`\n",
        "- `Taskfile.yml`, but for what is none of ours in it\n",
    ] {
        assert!(note.contains(line), "`{line}` is not in:\n{note}");
    }
    assert!(!note.contains("site.yml"), "{note}");
    // What was written is what is read.
    let targets = world.run("targets --json").success();
    assert_eq!(targets.stdout, "[\"alpha\",\"beta\"]\n");
}

#[test]
fn what_is_there_is_kept_and_a_second_call_writes_nothing() {
    let world = old();
    world.write(WORKFLOW, "name: mine\n");
    world.write("elsewhere", "");
    symlink(
        world.root().join("elsewhere"),
        world.root().join("renovate.json"),
    )
    .unwrap();
    let ended = world.run("init").success();
    assert!(ended.stdout.contains("kept"), "{}", ended.stdout);
    assert!(
        ended
            .stdout
            .contains("of its lines ours lacks 1, of ours it lacks"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("it is no plain file"),
        "{}",
        ended.stdout
    );
    assert_eq!(world.read(WORKFLOW), "name: mine\n");
    assert_eq!(world.read("elsewhere"), "");
    let note = world.read("MIGRATION.md");
    assert!(
        note.contains("- `.github/workflows/images.yml` was there and is **kept**"),
        "{note}"
    );
    let before = files(&world);
    world.run("init").success().says("nothing to write");
    assert_eq!(files(&world), before);
    assert_eq!(world.read("MIGRATION.md"), note);
}

#[test]
fn an_empty_one_also_gets_what_images_are_made_with() {
    let world = nothing();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let ended = world.run(("init", ["--revision", commit])).success();
    ended.says("MIGRATION.md says what comes next");
    for file in [
        "docker/bake.hcl",
        "docker/Dockerfile",
        "test/chainsaw-test.yaml",
    ] {
        assert!(world.exists(file), "{file}");
    }
    let action = world.read(".github/actions/xtask/action.yml");
    assert!(
        action.contains("--git \"$REPOSITORY\" --rev \"$REVISION\" xtask"),
        "{action}"
    );
    assert!(
        action.contains(&format!("REVISION: \"{commit}\"")),
        "{action}"
    );
    let note = world.read("MIGRATION.md");
    assert!(note.contains("create-extension"), "{note}");
    assert!(
        !note.contains("## Tasks") && !note.contains("## To delete"),
        "{note}"
    );
    assert_eq!(world.run("targets --json").success().stdout, "[]\n");
    world.run("create-extension hypopg").success();
    let targets = world.run("targets --json").success();
    assert_eq!(targets.stdout, "[\"hypopg\"]\n");
}

/// What runs with the rights of a repository is a commit that was seen, and it stays the same one.
#[test]
fn workflows_never_install_a_branch() {
    let world = nothing();
    world.run("init").success().says(&format!(
        "workflows install the program of commit {NEWEST}, the newest of `https://"
    ));
    let call = world.calls.only("git ls-remote --exit-code -- https://");
    assert!(call.line().ends_with(" HEAD"), "{call}");
    let file = ".github/actions/xtask/action.yml";
    let action = world.read(file);
    assert!(
        action.contains(&format!("REVISION: \"{NEWEST}\"")) && !action.contains("--branch"),
        "{action}"
    );
    // Nobody is asked again, also where the file is somebody's own.
    world.calls.forget();
    world.run("init").success().says("nothing to write");
    world.write(file, "name: mine\n");
    world.run("init").success();
    world.calls.never("git");
    assert_eq!(world.read(file), "name: mine\n");
    for (answer, status, says) in [
        (
            "fail 'fatal: unable to access' 128\n",
            3,
            "unable to access",
        ),
        (
            "echo nothing HEAD\n",
            1,
            "does not say what its newest commit is",
        ),
    ] {
        let world = nothing();
        world.tools.fake("git", answer);
        world
            .run("init")
            .status(status)
            .says(says)
            .says("hint: name it: `--revision COMMIT`");
        assert!(files(&world).is_empty(), "{:?}", files(&world));
    }
}

#[test]
fn a_dry_run_prints_what_would_be_written_and_the_text_can_be_pasted() {
    let world = nothing();
    let plan = world.run("init --dry-run").success().stdout;
    assert!(files(&world).is_empty(), "{:?}", files(&world));
    let world = nothing();
    let shell = std::process::Command::new("sh")
        .args(["-e", "-c", &plan])
        .current_dir(world.root())
        .status();
    assert!(shell.unwrap().success());
    let pasted: Vec<(PathBuf, String)> = files(&world)
        .into_iter()
        .map(|file| (file.clone(), world.read(&file.to_string_lossy())))
        .collect();
    let other = nothing();
    other.run("init").success();
    let written: Vec<(PathBuf, String)> = files(&other)
        .into_iter()
        .map(|file| (file.clone(), other.read(&file.to_string_lossy())))
        .collect();
    assert_eq!(pasted, written);
}

#[test]
fn small_repositories_of_other_kinds_are_driven_as_they_are() {
    for (name, folder, bake_file) in [
        ("inline", ".", "docker-bake.hcl"),
        ("matrix", ".", "docker-bake.hcl"),
        ("older", "images", "build/images.hcl"),
    ] {
        let repository = Repository::foreign(name);
        let args = ["init", "--json", "--revision", NEWEST];
        let said = repository.xtask(&args).success().json();
        let found = &said["found"];
        assert_eq!(found["extensions_folder"], folder, "{name}");
        assert_eq!(found["bake_file"], bake_file, "{name}");
        let targets = repository.xtask(&["targets", "--json"]).success().json();
        assert_eq!(targets, found["extensions"], "{name}");
    }
}

#[test]
fn a_configuration_of_renovate_goes_on_being_the_one_that_counts() {
    for (file, text) in [
        (".github/renovate.json5", "{}\n"),
        (".renovaterc", "{}\n"),
        ("package.json", "{\"renovate\": {}}\n"),
    ] {
        let world = old();
        world.write(file, text);
        let said = world.run("init --json").success().json();
        assert_eq!(said["found"]["renovate"], file);
        assert!(!world.exists("renovate.json"), "{file}");
        let note = world.read("MIGRATION.md");
        let kept = format!("Renovate's configuration in `{file}`, which is kept");
        assert!(note.contains(&kept), "{note}");
    }
    let world = old();
    world.write("package.json", "{\"name\": \"x\"}\n");
    world.run("init").success();
    let written = world.read("renovate.json");
    for own in ["xtask/", "fuzz/", ".ci/", "gitlab"] {
        assert!(!written.contains(own), "{own}: {written}");
    }
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["ignorePaths"].to_string(), "[\"**/target/**\"]");
    let managers = written["customManagers"].as_array().unwrap();
    let is_of_programs = |one: &&serde_json::Value| {
        let about = one["description"].as_str().unwrap();
        about.starts_with("Versions of programs")
    };
    let programs = managers.iter().find(is_of_programs).unwrap();
    let files = &programs["managerFilePatterns"];
    assert_eq!(files.to_string(), "[\"xtask.toml\",\".github/**/*.yml\"]");
}

#[test]
fn what_stands_where_a_folder_is_to_be_is_said_before_anything_is_written() {
    let world = nothing();
    world.write(".github", "a file\n");
    world.run("init").status(2).says(
        "`.github` is no folder: `.github/actions/xtask/action.yml` is to be written below it",
    );
    assert_eq!(files(&world), [PathBuf::from(".github")]);
    let world = nothing();
    fs::create_dir(world.root().join("elsewhere")).unwrap();
    symlink(world.root().join("elsewhere"), world.root().join("docker")).unwrap();
    world
        .run("init")
        .status(2)
        .says("`docker` is a link: `docker/bake.hcl` is to be written below it");
    assert!(!world.exists("xtask.toml"));
}

#[test]
fn settings_that_are_there_say_where_things_are() {
    let world = nothing();
    let settings = "[paths]\nextensions = \"images\"\nbake-file = \"build/images.hcl\"\n";
    world.write("xtask.toml", settings);
    world.write("build/images.hcl", "target \"default\" {\n}\n");
    world.write("images/alpha/metadata.hcl", &metadata("alpha", &[]));
    world.write("more/beta/metadata.hcl", &metadata("beta", &[]));
    let said = world.run("init --json").success().json();
    assert_eq!(said["found"]["extensions"].to_string(), "[\"alpha\"]");
    assert_eq!(said["found"]["bake_file"], "build/images.hcl");
    assert_eq!(world.read("xtask.toml"), settings);
    assert!(!world.exists("docker/bake.hcl"));
}

#[test]
fn a_folder_of_a_clone_means_the_clone_and_wrong_words_change_nothing() {
    let world = nothing();
    world.write(".git/HEAD", "ref: refs/heads/main\n");
    world.write("docs/a.md", "");
    let plan = world.run_in("docs", "init --dry-run").success().stdout;
    assert!(plan.starts_with("cd "), "{plan}");
    let before = files(&world);
    for (option, value, wanted) in [
        ("--revision", "main", "40 hexadecimal digits"),
        ("--source", "https://a b", "it must be a URL"),
        ("--source", "https://a/${{github.token}}", "without `$`"),
        ("--source", "https://a/{value}", "without `$`"),
        ("--source", "--option", "'--option'"),
    ] {
        world.run(("init", [option, value])).status(2).says(wanted);
    }
    assert_eq!(files(&world), before);
    world.write("xtask/Cargo.toml", "");
    world
        .run("init")
        .status(2)
        .says("has the source of `cargo xtask`");
    world.write("xtask.toml", "[paths]\nextension = \".\"\n");
    world
        .run("init")
        .status(2)
        .says("unknown setting `paths.extension`");
}

/// Others type what Cargo knows: its own word comes first.
#[test]
fn installed_it_is_a_command_of_cargo() {
    let world = World::new();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-xtask"));
    let output = std::process::Command::new(program)
        .args(["xtask", "targets", "--json"])
        .current_dir(world.root())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "[\"alpha\",\"beta\",\"gamma\"]\n"
    );
}
