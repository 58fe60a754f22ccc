// SPDX-License-Identifier: Apache-2.0
//! Only what is ours is written, replaced or removed, and only what the repository holds is read.

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
    process::Command,
};

use crate::cli::world::{Ended, World};

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs a line in a mount namespace of its own, as root. None where that is not possible.
pub(crate) fn in_namespace(world: &World, line: &str) -> Option<Ended> {
    let able = Command::new("unshare").args(["--mount", "true"]).output();
    if !is_root() || !able.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", line])
        .current_dir(world.root())
        .env("XTASK", env!("CARGO_BIN_EXE_xtask"))
        .output()
        .unwrap();
    Some(Ended::from(&output))
}

#[test]
fn a_folder_that_holds_files_is_neither_made_a_sandbox_nor_removed() {
    let world = World::new();
    let cache = world.root().join("cache");
    fs::create_dir_all(cache.join("xtask-sandbox")).unwrap();
    fs::create_dir_all(cache.join("tmp")).unwrap();
    fs::write(cache.join("tmp/precious"), "mine").unwrap();
    let old =
        "This folder belongs to `cargo xtask sandbox`; `cargo xtask sandbox down` removes it.\n";
    let copied = format!("{old}folder /somewhere/else\ninode 1\n");
    for marker in [None, Some("something"), Some(old), Some(copied.as_str())] {
        if let Some(text) = marker {
            let place = cache.join("xtask-sandbox");
            let _folder = fs::remove_dir(&place);
            fs::write(place, text).unwrap();
        }
        let env = [("XTASK_SANDBOX_FOLDER", cache.to_str().unwrap())];
        for command in ["down", "up"] {
            let ended = world.run_with(["sandbox", command], &env);
            if command == "down" || is_root() {
                ended.status(2).says("is not a sandbox").says("hint: ");
            }
        }
        let status = world.run_with("sandbox status", &env).status(1);
        assert!(status.stdout.contains("not a sandbox"), "{status:#?}");
        assert!(cache.join("tmp/precious").exists());
        assert!(!world.exists("cache.lock"));
    }
}

#[test]
fn an_engine_file_in_a_foreign_folder_ends_nobody() {
    let world = World::new();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", other.id())).unwrap();
    let started = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(19)
        .unwrap();
    world.write("place/engine", &format!("{} {started}\n", other.id()));
    let folder = world.root().join("place");
    let env = [("XTASK_SANDBOX_FOLDER", folder.to_str().unwrap())];
    for args in [&["sandbox", "down"][..], &["sandbox", "down", "--keep"]] {
        world
            .run_with(args, &env)
            .status(2)
            .says("is not a sandbox");
    }
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}

/// A folder with the marker that `sandbox up` would write.
pub(crate) fn marked(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let folder = fs::canonicalize(folder).unwrap();
    let text = format!(
        "This folder belongs to `cargo xtask sandbox`; `cargo xtask sandbox down` removes it.\nfolder {}\ninode {}\n",
        folder.display(),
        fs::metadata(&folder).unwrap().ino()
    );
    fs::write(folder.join("xtask-sandbox"), text).unwrap();
}

#[test]
fn what_is_mounted_below_a_sandbox_stays_however_its_folder_is_named() {
    let world = World::new();
    let (real, foreign) = (world.root().join("real"), world.root().join("foreign"));
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("precious"), "mine").unwrap();
    marked(&real.join("a b"));
    fs::write(real.join("a b/init.log"), "ours").unwrap();
    fs::create_dir(real.join("a b/root")).unwrap();
    symlink(&real, world.root().join("cache")).unwrap();
    for path in [real.join("a b"), world.root().join("cache/a b")] {
        let line = format!(
            "mount --bind foreign 'real/a b/root' && XTASK_SANDBOX_FOLDER='{}' \"$XTASK\" sandbox down",
            path.display()
        );
        let Some(ended) = in_namespace(&world, &line) else {
            return;
        };
        ended.status(1).says("is mounted, so");
        assert!(foreign.join("precious").exists());
        assert!(
            real.join("a b/init.log").exists(),
            "nothing goes when it refuses"
        );
    }
    let folder = world.root().join("cache/a b");
    let env = [("XTASK_SANDBOX_FOLDER", folder.to_str().unwrap())];
    symlink(&foreign, real.join("a b/tmp")).unwrap();
    world.run_with("sandbox down", &env).success();
    assert!(!real.join("a b").exists());
    assert!(foreign.join("precious").exists());
}

#[test]
fn the_sandbox_s_folder_is_not_a_repository_s_to_say() {
    let world = World::new();
    world.write("xtask.toml", "[sandbox]\nfolder = \"/var/lib\"\n");
    world
        .run("sandbox status")
        .status(2)
        .says("`xtask.toml` line 2: `sandbox.folder` is not for a repository to say")
        .says("XTASK_SANDBOX_FOLDER");
    world.write("xtask.toml", "registry = \"repository:5000\"\n");
    let config = world.root().join("../.config/xtask/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(
        &config,
        "registry = \"user:5000\"\n[sandbox]\nfolder = \"/mine\"\n",
    )
    .unwrap();
    let origin = |args: &[&str], key: &str| {
        let shown = world.run(args).success().json();
        let found = shown
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["key"] == key);
        let found = found.unwrap();
        format!("{} {}", found["value"], found["origin"]).replace('"', "")
    };
    let all = ["config", "--json"];
    let said = origin(&all, "sandbox.folder");
    assert!(
        said.starts_with("/mine ") && said.ends_with("config.toml:3"),
        "{said}"
    );
    assert_eq!(origin(&all, "registry"), "repository:5000 xtask.toml:1");
    let flag = ["config", "--json", "--sandbox-folder", "/other"];
    assert_eq!(
        origin(&flag, "sandbox.folder"),
        "/other flag --sandbox-folder"
    );
}

#[test]
fn a_link_below_target_xtask_leads_no_write_elsewhere() {
    for link in [
        "target",
        "target/xtask",
        "target/xtask/runs",
        "target/xtask/bake",
        "target/xtask/bake/gamma.json",
    ] {
        let world = World::new();
        let foreign = world.root().join("foreign");
        fs::create_dir_all(foreign.join("0000000001-0123456789abcdef")).unwrap();
        let place = world.root().join(link);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(&foreign, &place).unwrap();
        world
            .run("bake gamma")
            .status(2)
            .says(&format!("`{link}` is a link to"))
            .says("hint: remove the link");
        assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1, "{link}");
        assert!(world.calls.of("docker buildx bake").is_empty());
    }
}

#[test]
fn files_of_a_repository_that_lead_out_are_not_read() {
    let world = World::new();
    let secret = world.root().join("../secret");
    fs::write(&secret, "SELECT 'hunter2';\n").unwrap();
    let replace = |name: &str, target: &Path| {
        let path = world.root().join("extensions/gamma").join(name);
        fs::remove_file(&path).unwrap();
        symlink(target, path).unwrap();
    };
    replace("smoke.sql", &secret);
    world
        .run("smoke gamma")
        .status(2)
        .says("`extensions/gamma/smoke.sql` leads out of the repository");
    replace("README.md", Path::new("/dev/zero"));
    replace("Dockerfile", &secret);
    let ended = world.run("checks gamma --no-bake").status(2);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for file in ["README.md", "Dockerfile"] {
        let text = format!("`extensions/gamma/{file}` leads out of the repository");
        assert!(said.contains(&text), "{file}: {said}");
    }
    assert!(!said.contains("hunter2"));
    replace("metadata.hcl", &secret);
    world
        .run("bake gamma")
        .status(2)
        .says("leads out of the repository");
    world.write("xtask.toml", "[paths]\nbake-file = \"../secret\"\n");
    world
        .run("bake alpha")
        .status(2)
        .says("`../secret` leads out of the repository");
}

#[test]
fn the_lab_says_whether_it_is_made_in_minutes_and_makes_nothing_for_it() {
    let world = World::new();
    let lab = world.root().join("cache");
    let up = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test/lab/up");
    let ready = |archive: &str| {
        let output = Command::new(&up)
            .arg("--ready")
            .env("XTASK_LAB", &lab)
            .env("XTASK_LAB_PROGRAMS", world.root().join(archive))
            .output();
        Ended::from(&output.unwrap())
    };
    ready("absent").status(1);
    assert!(!lab.exists());
    ready("xtask.toml").success();
}

#[test]
fn the_lab_removes_only_what_it_has_made() {
    let world = World::new();
    let world = world.root().join("cache");
    let up = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test/lab/up");
    let remove = || {
        let output = Command::new(&up)
            .arg("--remove")
            .env("XTASK_LAB", &world)
            .output();
        Ended::from(&output.unwrap())
    };
    fs::create_dir_all(world.join("programs")).unwrap();
    fs::write(world.join("precious"), "mine").unwrap();
    remove()
        .status(3)
        .says("is not the lab's folder: nothing is removed");
    // One that was copied from elsewhere.
    fs::write(
        world.join("xtask-lab"),
        "the lab of cargo xtask in /elsewhere\n",
    )
    .unwrap();
    remove().status(3);
    assert!(world.join("programs").is_dir());
    let place = world.canonicalize().unwrap();
    let text = format!("the lab of cargo xtask in {}\n", place.display());
    fs::write(world.join("xtask-lab"), text).unwrap();
    remove().status(0).says("they stay");
    assert!(!world.join("programs").exists());
    assert_eq!(fs::read_to_string(world.join("precious")).unwrap(), "mine");
}
