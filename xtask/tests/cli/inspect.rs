// SPDX-License-Identifier: Apache-2.0
//! `inspect`: what is asked of docker for the files of an image, and what is shown of them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use serde_json::{Value, json};

use crate::cli::world::{
    World,
    process::{end_by, wait_for},
};

const IMAGE: &str = "localhost:5000/gamma:1";
const BASE: &str = "ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie";
/// Needs `libx.so.1` and `libc.so.6`, and was built for PostgreSQL 18 on amd64.
const MODULE: &[u8] = include_bytes!("../../../fuzz/seeds/shared_object/module");

/// The engine has an image that says nothing of itself.
fn world_with_files() -> World {
    let world = World::new();
    world.docker.labels("null");
    world.docker.file("lib/gamma.txt", "1234");
    world.docker.file("share/a\u{1b}[31m\u{202e}b.sql", "12");
    world
}

/// An image for a base image that has libraries.
fn world_with_a_module() -> World {
    let world = World::new();
    let labels = json!({
        "io.cloudnativepg.image.base.name": BASE,
        "io.cloudnativepg.image.base.pgmajor": "18",
        "org.opencontainers.image.licenses": "MIT",
    });
    world.docker.labels(&labels.to_string());
    world.docker.file("lib/gamma.so", MODULE);
    let control = "default_version = '2.0'\nmodule_pathname = 'gamma'\nrequires = 'cube'\n";
    world.docker.file("share/extension/gamma.control", control);
    for script in [
        "gamma--1.0.sql",
        "gamma--1.0--2.0.sql",
        "gamma--0.9--1.0.sql",
    ] {
        let path = format!("share/extension/{script}");
        world
            .docker
            .file(&path, "CREATE FUNCTION f() AS 'MODULE_PATHNAME';");
    }
    let copyright = "Format: x\n\nFiles: *\nLicense: Expat or GPL-2+\n";
    world.docker.file("licenses/gamma/copyright", copyright);
    let status = "Package: gamma\nVersion: 1.2-3\nArchitecture: amd64\n";
    world.docker.file("var/lib/dpkg/status.d/gamma", status);
    world
        .docker
        .file_of_base("usr/lib/x86_64-linux-gnu/libc.so.6", "");
    world
}

fn messages(value: &Value) -> Vec<String> {
    let findings = value["findings"].as_array().unwrap().iter();
    let texts = findings.map(|one| {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        format!(
            "{}: {}: {}",
            text("file"),
            text("severity"),
            text("message")
        )
    });
    texts.collect()
}

#[test]
fn the_files_of_an_image_are_shown_and_nothing_stays() {
    let world = world_with_files();
    let ended = world.run(["inspect", IMAGE]).success();
    for part in [
        "image       localhost:5000/gamma:1\n",
        "base image  not known: the image does not say for which it is\n",
        "size        6 bytes in 2 files\n",
        "\nFiles\nSIZE  MODE  FILE\n4     0644  /lib/gamma.txt\n2     0644  /share/a\\u{202e}b.sql\n",
    ] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
    ended.says("2 files, 6 bytes; 0 errors, 0 warnings");
    world.calls.in_order(&[
        "docker image inspect --format '{{json .}}' localhost:5000/gamma:1",
        "docker create --name xtask-inspect-",
        "docker export --output target/xtask/inspect/xtask-inspect-",
        "docker rm --force --volumes",
    ]);
    let left = world.root().join("target/xtask/inspect");
    assert_eq!(left.read_dir().unwrap().count(), 0);
}

/// The server is another user than the one whose files they are.
#[test]
fn permissions_that_a_server_has_no_use_for_are_said() {
    let world = World::new();
    world.docker.labels("{}");
    for (file, mode) in [
        ("bin/helper", 0o4755),
        ("lib/data", 0o640),
        ("lib/fine", 0o644),
    ] {
        world.docker.file(file, "x");
        let place = world.state(&format!("docker/files/{file}"));
        fs::set_permissions(place, fs::Permissions::from_mode(mode)).unwrap();
    }
    let ended = world.run(["inspect", IMAGE, "--json"]).success();
    let value = ended.json();
    let modes = value["files"].as_array().unwrap().iter();
    let modes: Vec<&str> = modes.map(|file| file["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["4755", "0640", "0644"]);
    assert_eq!(
        messages(&value),
        [
            "/lib/data: error: its mode is 0640: a server, which is another user than its owner, cannot read it",
            "/bin/helper: warning: its mode is 4755: whoever starts it gets the rights of its owner or group",
        ]
    );
    // What narrows targets narrows no image that was named by its reference.
    for command in ["inspect", "licences", "scan --with debsecan"] {
        world
            .run(format!("{command} {IMAGE} --pg 18").as_str())
            .status(2)
            .says("`--distro`, `--pg` and `--shard` narrow what targets are taken");
    }
}

#[test]
fn scripts_get_all_files_and_their_sum() {
    let world = world_with_files();
    let ended = world.run(["inspect", IMAGE, "--json"]).success();
    let value = ended.json();
    // What `printf 1234 | sha256sum` prints.
    let digest = "sha256:03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4";
    let file = json!({ "path": "/lib/gamma.txt", "size": 4, "mode": "0644", "digest": digest });
    assert_eq!(value["files"][0], file);
    assert_eq!(value["files"][1]["path"], "/share/a\u{1b}[31m\u{202e}b.sql");
    assert_eq!(
        (&value["image"], &value["size"]),
        (&json!(IMAGE), &json!(6))
    );
    assert_eq!(
        (&value["platform"], &value["base"]),
        (&json!("linux/amd64"), &json!(null))
    );
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
}

#[test]
fn a_module_is_told_with_its_server_and_with_where_its_libraries_come_from() {
    let world = world_with_a_module();
    let value = world.run(["inspect", IMAGE, "--json"]).success().json();
    let module = &value["objects"][0];
    assert_eq!(module["path"], "/lib/gamma.so");
    assert_eq!(module["architecture"], "amd64");
    assert_eq!(module["module"]["major"], 18);
    assert_eq!(module["module"]["name"], "sample");
    assert_eq!(module["needed"]["libc.so.6"]["from"], "base");
    assert_eq!(module["needed"]["libx.so.1"]["from"], "missing");
    let missing = "it needs `libx.so.1`, which neither the image nor the base image has";
    assert_eq!(
        messages(&value),
        [format!("/lib/gamma.so: error: {missing}")]
    );
    let extension = &value["extensions"][0];
    assert_eq!(extension["default_version"], "2.0");
    assert_eq!(extension["reaches"]["0.9"], json!(["1.0", "2.0"]));
    assert_eq!(extension["default_is_made"], true);
    assert_eq!(value["licences"][0]["licence"], "MIT OR GPL-2.0-or-later");
    let ended = world.run(["inspect", IMAGE]).success();
    for line in [
        "\nerror  /lib/gamma.so  it needs `libx.so.1`, which neither",
        "\n/lib/gamma.so  amd64     18 sample 1.2  libx.so.1 (missing), 1 of the base image\n",
        "\ngamma  2.0      gamma   cube      from all 2 other versions\n",
        "\ngamma    1.2-3    MIT OR GPL-2.0-or-later\n",
        "\norg.opencontainers.image.licenses    MIT\n",
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
    let ended = world.run(["inspect", IMAGE, "--markdown"]).success();
    assert!(
        ended.stdout.contains("\n### SQL extensions\n\n| NAME | "),
        "{}",
        ended.stdout
    );
    world
        .run(["inspect", IMAGE, "--markdown", "--json"])
        .status(2);
}

#[test]
fn a_library_in_a_folder_of_which_nobody_has_spoken_is_not_called_found() {
    let world = world_with_a_module();
    world.docker.file("odd/libx.so.1", MODULE);
    let ended = world.run(["inspect", IMAGE, "--json"]).success();
    let value = ended.json();
    let unplaced = r#""libx.so.1":{"from":"unplaced","path":"/odd/libx.so.1"}"#;
    assert!(value.to_string().contains(unplaced), "{value:#}");
    let ended = world.run(["inspect", IMAGE]).success();
    let said = "libx.so.1 (if its folder is on the path)";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}

/// What somebody else has made is material: it is told what is wrong with it, and the command ends well.
#[test]
fn a_hostile_image_is_told_and_does_no_harm() {
    let world = world_with_a_module();
    for (path, bytes) in [
        ("lib/cut.so", &MODULE[..100]),
        ("lib/text.so", b"no ELF"),
        (
            "lib/huge.so",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff",
        ),
        ("share/extension/b.control", b"default_version = '9'\n"),
        (
            "share/extension/b--1--2.sql",
            b"LOAD '$libdir/gamma';\0\xff",
        ),
    ] {
        world.docker.file(path, bytes);
    }
    let large = "#".repeat(70_000);
    world.docker.file("share/extension/large.control", &large);
    let files = world.root().join("../").join("fakes/docker/files");
    symlink("/etc/passwd", files.join("lib/out")).unwrap();
    symlink("../../../etc/passwd", files.join("lib/above")).unwrap();
    symlink("gamma.so", files.join("lib/fine")).unwrap();
    let value = world.run(["inspect", IMAGE, "--json"]).success().json();
    let said = messages(&value);
    for begin in [
        "/lib/cut.so: error: it cannot be read: ",
        "/lib/text.so: error: it cannot be read: it is no ELF file",
        "/lib/huge.so: error: it cannot be read: ",
        "/lib/out: error: it is a link to `/etc/passwd`, out of the image",
        "/lib/above: error: it is a link to `../../../etc/passwd`, out of the image",
        "/share/extension/large.control: warning: it is too large to be looked into",
        "/share/extension/b.control: error: no script makes its default version 9",
        "/share/extension/b--1--2.sql: warning: line 1 names `$libdir/gamma`",
    ] {
        assert!(
            said.iter().any(|one| one.starts_with(begin)),
            "{begin}\n{said:#?}"
        );
    }
    assert!(
        !said.iter().any(|one| one.starts_with("/lib/fine")),
        "{said:#?}"
    );
}

/// An extension stands for the image that was baked of it, and its metadata says what the server is told.
#[test]
fn an_extension_stands_for_its_image() {
    let world = world_with_a_module();
    let value = world
        .run([
            "inspect", "gamma", "--pg", "18", "--distro", "trixie", "--json",
        ])
        .success()
        .json();
    assert_eq!(value["image"], "localhost:5000/gamma-testing:1.2-18-trixie");
    world.docker.file("system/libx.so.1", MODULE);
    let value = world
        .run([
            "inspect", "gamma", "--pg", "18", "--distro", "trixie", "--json",
        ])
        .success()
        .json();
    let said = "/lib/gamma.so: error: it needs `libx.so.1`, and `/system/libx.so.1` is in no folder of `ld_library_path`";
    assert!(messages(&value).contains(&said.to_owned()), "{value:#}");
    let ended = world.run(["inspect", "gamma"]).status(2);
    ended.says("it is built for several servers: gamma 18-bookworm; gamma 18-trixie");
    world
        .run(["inspect", "gama"])
        .status(2)
        .says("did you mean `gamma`?");
}

/// For reviewers: what another image in its place changes, in its files and in a server.
#[test]
fn against_another_image_what_differs_is_shown() {
    let world = world_with_a_module();
    let old = "localhost:5000/gamma:0";
    let control = "default_version = '1.0'\nmodule_pathname = 'gamma'\n";
    for (path, bytes) in [
        ("share/extension/gamma.control", control.as_bytes()),
        ("share/extension/gamma--1.0.sql", b"SELECT 1;"),
        (
            "var/lib/dpkg/status.d/gamma",
            b"Package: gamma\nVersion: 1.0-1\n",
        ),
    ] {
        world.docker.file_of("gamma:0", path, bytes);
    }
    world
        .docker
        .proof(r#"{"settings":["gamma.a"],"objects":["function f()"]}"#);
    let args = ["inspect", "gamma", "--distro", "trixie", "--against", old];
    let value = world.run((&args, "--json")).success().json();
    assert_eq!(value["against"], old);
    let gamma = json!([{ "name": "gamma", "from": "1.0-1", "to": "1.2-3" }]);
    assert_eq!(value["packages"], gamma);
    assert_eq!(value["extensions"][0]["path"], json!(["1.0", "2.0"]));
    let library = json!({ "name": "libx.so.1 of /lib/gamma.so", "from": null, "to": "missing" });
    assert_eq!(value["libraries"][1], library);
    assert_eq!(value["modules"][0]["to"], "amd64 PostgreSQL 18 1.2");
    assert_eq!(
        (&value["settings"], &value["objects"]),
        (&json!([]), &json!([]))
    );
    let servers = world.calls.of("docker run --rm --interactive");
    assert_eq!(servers.len(), 2);
    assert!(
        servers
            .iter()
            .all(|one| one.stdin.contains("json_build_object"))
    );
    let ended = world.run(args).success();
    for line in [
        "\ngamma    1.0-1  1.2-3\n",
        "\ngamma  1.0  2.0  1.0 -> 2.0\n",
        "\nlibx.so.1 of /lib/gamma.so  -    missing\n",
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
    ended.says("settings 0, SQL objects 0");
    // A server that does not start hides nothing of what the files say.
    world
        .docker
        .test_fails("error: the extension could not be created\n");
    let ended = world.run(args).status(1);
    assert!(
        ended.stdout.contains("\ngamma    1.0-1  1.2-3\n"),
        "{}",
        ended.stdout
    );
    // Without metadata it is not known how a server is started.
    let ended = world.run(["inspect", IMAGE, "--against", old]).success();
    ended.says("no server was asked");
}

#[test]
fn a_step_summary_on_github_has_as_many_rows_as_it_has_room_for() {
    const FILES: usize = 2_000;
    let world = World::new();
    world.docker.labels("null");
    for at in 0..FILES {
        world.docker.file(&format!("{at:0>100}"), "");
    }
    let summary = world.root().join("summary.md");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let inspect = |before: usize| {
        world.write("summary.md", &"x".repeat(before));
        let ended = world.run_with(["inspect", IMAGE], &environment).success();
        let files = ended.stdout.lines().filter(|line| line.starts_with("0 "));
        assert_eq!(files.count(), FILES, "people see all");
        let text = world.read("summary.md").split_off(before);
        assert!(before + text.len() <= 1 << 20, "{} bytes", text.len());
        (text, ended)
    };
    // A part of what a step has in all, or what is left of that.
    for (before, least) in [(0, 100_000), ((1 << 20) - 50_000, 45_000)] {
        let (text, _) = inspect(before);
        assert!(text.len() > least, "{} bytes", text.len());
        let rows = text.lines().filter(|line| line.starts_with("| 0 | "));
        let all_left = " more rows, which `--json` prints.";
        let left = text.lines().find_map(|line| line.strip_suffix(all_left));
        let left: usize = left.expect("how many are left out").parse().unwrap();
        assert_eq!(rows.count() + left, FILES);
        assert!(text.contains("/report.html`"), "how it ended has its room");
    }
    let (text, ended) = inspect((1 << 20) - 50);
    assert_eq!(text, "");
    ended
        .says("warning: no step summary in `")
        .says("it has no room left");
}

#[test]
fn an_image_that_cannot_be_had_or_is_none_is_said() {
    let world = World::new();
    let ended = world.run(["inspect", IMAGE]).status(1);
    ended
        .says("image `localhost:5000/gamma:1` cannot be pulled: Error: manifest unknown")
        .says("hint: `docker image ls` lists what the engine has");
    let ended = world
        .run(["inspect", "gamma", "--distro", "trixie"])
        .status(1);
    ended.says("hint: build it first: `cargo xtask bake gamma`");
    world.calls.never("docker create");
    world.docker.labels("null");
    let said = "Error response from daemon: no space left on device\n";
    world.tools.fails("docker create", 1, said);
    let ended = world.run(["inspect", IMAGE]).status(1);
    ended
        .says("failed to open the image `localhost:5000/gamma:1`")
        .says("no space left on device");
    world.calls.never("docker export");
    world.run(["inspect", "no/ image"]).status(2);
    world.tools.without("docker");
    world.run(["inspect", IMAGE]).status(3);
}

#[test]
fn an_interruption_leaves_no_container_and_no_archive() {
    let world = world_with_files();
    world.docker.export_hangs();
    let child = world.started(["inspect", IMAGE]);
    wait_for("the export", || world.state("hanging").exists());
    end_by("-INT", child).status(130);
    world.calls.only("docker rm --force --volumes");
    let left = world.root().join("target/xtask/inspect");
    assert_eq!(left.read_dir().unwrap().count(), 0);
}

#[test]
fn a_dry_run_prints_the_commands_and_runs_none() {
    let world = world_with_files();
    let ended = world.run(["inspect", IMAGE, "--dry-run"]).success();
    for line in [
        " -- localhost:5000/gamma:1 none\n",
        "docker export --output target/xtask/inspect/xtask-inspect-",
        "tar --list --verbose --file target/xtask/inspect/xtask-inspect-",
        "rm -rf --one-file-system -- target/xtask/inspect/xtask-inspect-",
    ] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    world.calls.never("docker");
    let ended = world
        .run(["inspect", "gamma", "--distro", "trixie", "--dry-run"])
        .success();
    let base = format!(" -- {BASE} none\n");
    assert!(ended.stdout.contains(&base), "{}", ended.stdout);
}
