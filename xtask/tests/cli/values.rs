// SPDX-License-Identifier: Apache-2.0
//! What a repository says is refused where it enters when it could be an option, a program or a command, and
//! is a word where it is taken.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
};

use crate::cli::world::{Ended, World, metadata};

/// A setting in `xtask.toml` with the end of its message.
const REFUSED: &[(&str, &str)] = &[
    (
        "[sandbox]\nsuite = \"--help\"",
        "setting `sandbox.suites` is `--help` (xtask.toml:2); it must be a list; `--help` in it must be a Debian suite: lower-case letters, digits and `-`, like `trixie`",
    ),
    (
        "[sandbox]\nmirror = \"--hook-dir=/x\"",
        "setting `sandbox.mirror` is `--hook-dir=/x` (xtask.toml:2); it must be a URL like `https://mirror.example/debian`",
    ),
    (
        "[sandbox]\nmirror = \"https://me:secret@mirror.example/debian\"",
        "setting `sandbox.mirror` is `https://<redacted>@mirror.example/debian` (xtask.toml:2); it must be a URL",
    ),
    (
        "[images]\nbase = \"--privileged\"",
        "setting `images.base` is `--privileged` (xtask.toml:2); it must be an image reference, where `{pg}` and `{distro}` stand for",
    ),
    (
        "[images]\nbase = \"x:{pg}$(touch x)\"",
        "setting `images.base` is `x:{pg}$(touch x)` (xtask.toml:2); it must be an image reference",
    ),
    (
        "registry = \"a|g;s|x|y\"",
        "setting `registry` is `a|g;s|x|y` (xtask.toml:1); it must be the host of a registry",
    ),
    (
        "registry = \"me:secret@registry.example\"",
        "setting `registry` is `<redacted>@registry.example` (xtask.toml:1); it must be the host of a registry",
    ),
    (
        "[images]\npublished = \"-x\"",
        "setting `images.published` is `-x` (xtask.toml:2); it must be the host of a registry",
    ),
    (
        "[images]\nregistry = \"--privileged\"",
        "setting `images.registry` is `--privileged` (xtask.toml:2); it must be an image reference",
    ),
    (
        "[e2e]\nseed = [\"a:1\", \"-x\"]",
        "setting `e2e.seed` is `a:1,-x` (xtask.toml:2); it must be a list; `-x` in it must be an image reference",
    ),
    (
        "[e2e]\nname = \"--x\"",
        "setting `e2e.name` is `--x` (xtask.toml:2); it must be of lower-case letters, digits and `-`, at most 30",
    ),
    (
        "[mirrors]\n\"ghcr.io\" = \"https://me:secret@m.example\"",
        "setting `mirrors` is `ghcr.io=https://<redacted>@m.example` (xtask.toml:1); it must be `name=value`, comma-separated; `https://<redacted>@m.example` must be a URL",
    ),
    (
        "[bake]\nbuilder = \"-x\"",
        "setting `bake.builder` is `-x` (xtask.toml:2); it must be the name of a builder",
    ),
    (
        "[paths]\nsuite = \"--x\"",
        "setting `paths.suite` is `--x` (xtask.toml:2); it must be a path",
    ),
    (
        "[paths]\nbake-file = \"-\"",
        "setting `paths.bake-file` is `-` (xtask.toml:2); it must be a path",
    ),
    (
        "[cnpg]\nmanifest = \"https://me:secret@m.example/{release}.yaml\"",
        "setting `cnpg.manifest` is `https://<redacted>@m.example/{release}.yaml` (xtask.toml:2); it must be a path",
    ),
    (
        "[credentials]\nusername = \"a\\nb\"",
        "setting `credentials.username` is `a\\nb` (xtask.toml:2); it must be one line without `:`",
    ),
    (
        "revision = \"\\u001b[2J\"",
        "setting `revision` is `` (xtask.toml:1); it must be one line",
    ),
];

#[test]
fn a_setting_that_could_be_an_option_or_a_program_is_refused() {
    for (toml, says) in REFUSED {
        let world = World::new();
        world.write("xtask.toml", &format!("{toml}\n"));
        for args in [
            &["bake", "alpha", "--dry-run"][..],
            &["config"],
            &["sandbox", "status"],
        ] {
            let ended = world.run(args).status(2).says(says);
            assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
            assert_eq!(ended.stdout, "", "{toml}");
        }
        assert!(world.calls.of_work().is_empty());
    }
}

#[test]
fn the_environment_and_flags_are_no_better() {
    let world = World::new();
    for (name, value) in [
        ("registry", "u:secret@r.example"),
        ("XTASK_SANDBOX_MIRROR", "https://secret@m.example"),
        ("XTASK_MIRRORS", "ghcr.io=https://u:secret@m.example"),
        ("base_image", "-v/:/host"),
        ("BUILDX_BUILDER", "--x"),
    ] {
        let ended = world
            .run_with("bake alpha --dry-run", &[(name, value)])
            .status(2)
            .says(&format!("(environment variable {name}); it must be "));
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    for (args, says) in [
        (
            &["bake", "alpha", "--platform", "a,--x"][..],
            "it must be a platform like `linux/amd64`",
        ),
        (
            &["bake", "alpha", "--builder=-x"],
            "(flag --builder); it must be the name of a builder",
        ),
        (
            &["smoke", "alpha", "--image=--privileged"],
            "`--privileged` is not an image reference",
        ),
        (
            &["smoke", "alpha", "--image", "u:secret@h.example/x"],
            "`<redacted>@h.example/x` is not an image reference",
        ),
    ] {
        world.run(args).status(2).says(says);
    }
    assert!(world.calls.of_work().is_empty());
}

#[test]
fn a_depname_that_is_no_package_is_said_and_not_asked_for() {
    let world = World::new();
    let versions = "{\n    trixie = { \"18\" = {\n      // renovate: depName=--option\n      package = \"1.2-1\"\n      sql = \"1.2\" } }\n  }";
    world.extension("gamma", &metadata("gamma", &[("versions", versions)]));
    world
        .run("checks gamma --no-bake")
        .success()
        .says("extensions/gamma/metadata.hcl:19: warning: the comment above `versions.trixie.\"18\".package` has `depName=--option`, which is not the name of a Debian package");
}

/// A directory whose name is for no shell and no argument.
pub(super) fn hostile(world: &World) -> Vec<String> {
    let names = [
        "$(touch x)",
        "`touch x`",
        "-x",
        "a b",
        "a\nb",
        "\u{1b}[2Jx",
        "a'b",
        "Ü",
        "a;b",
    ];
    for name in names {
        world.write(
            &format!("extensions/{name}/metadata.hcl"),
            &metadata("x", &[]),
        );
    }
    names.map(str::to_owned).to_vec()
}

#[test]
fn a_directory_that_is_no_name_is_a_finding_and_nothing_else() {
    let world = World::new();
    let names = hostile(&world);
    let ended = world.run("checks --all --no-bake").status(2);
    assert_eq!(
        ended
            .stderr
            .matches(
                "error: the directory's name is not the name of an extension: it matches `^[a-z0-9]"
            )
            .count(),
        names.len(),
        "{}",
        ended.stderr
    );
    ended
        .says("extensions/a\\nb/metadata.hcl: error: ")
        .says("extensions/x/metadata.hcl: error: ")
        .says("extensions/$(touch x)/metadata.hcl: error: ");
    // Others are not held up by it.
    world.run("bake alpha --dry-run").success();
    world
        .run("bake 'a b'")
        .status(2)
        .says("error: `extensions/a b` holds a metadata.hcl, but the directory's name is not the name of an extension")
        .says("hint: rename the directory");
    let dry = world
        .run("bake --all --dry-run")
        .status(1)
        .says("warning: `$(touch x)` is left out: its metadata has errors: ");
    for name in &names {
        let folder = format!("extensions/{name}");
        assert!(!dry.stdout.contains(&folder), "{name:?}: {}", dry.stdout);
    }
    let all = names.len() + 3;
    let said = format!("{} of {all} extensions cannot be read: ", names.len());
    let rows = world.run("bake --all --json").status(1).says(&said).json();
    let with = |result: &str| {
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["result"] == result).count()
    };
    assert_eq!((with("passed"), with("not read")), (6, names.len()));
    assert!(!world.exists("x"));
}

#[test]
fn a_repository_whose_path_is_not_utf8_is_refused_with_one_message() {
    let world = World::new();
    let odd = world.root().with_file_name("odd");
    let odd = Path::new(std::ffi::OsStr::from_bytes(
        &[odd.as_os_str().as_bytes(), &[0xff]].concat(),
    ))
    .to_owned();
    fs::create_dir(&odd).unwrap();
    fs::set_permissions(&odd, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(odd.join("xtask.toml"), "").unwrap();
    let output = world.command("targets").current_dir(&odd).output().unwrap();
    Ended::from(&output)
        .status(2)
        .says("is not UTF-8\n\nhint: rename the folder");
}

#[test]
fn a_label_that_would_end_a_statement_is_refused() {
    let world = World::new();
    let labels = "{\"io.cloudnativepg.image.base.os\": \"trixie\", \"io.cloudnativepg.image.base.pgmajor\": \"18\", \"io.cloudnativepg.image.sql.version\": \"1$check$; DROP\"}";
    world.docker.labels(labels);
    world
        .run("smoke gamma --image x/y:1")
        .status(2)
        .says("image `x/y:1` says that its SQL version is `1$check$; DROP`; it must be an extension's version in SQL");
    assert!(world.calls.of("docker run").is_empty());
}
