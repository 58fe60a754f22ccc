// SPDX-License-Identifier: Apache-2.0
//! Two runs at once in one checkout.

use std::{fs, process::Stdio};

use crate::cli::world::{BUILD, Ended, World, wait_for};

/// The fake bake writes metadata of the one target that it was asked for.
const BAKE: &str = r#"for word in "$@"; do [ "$last" != --metadata-file ] || file=$word; last=$word; done
  echo "{\"$last\":{\"containerimage.digest\":\"sha256:$(printf %064d 7)\"}}" > "$file"
  : > "$here/baked.$last"
  exit 0"#;

#[test]
fn each_has_the_digests_of_its_own_images() {
    let world = World::new();
    world.tools.rule(BUILD, BAKE);
    let args = |distro| ["bake", "gamma", "--distro", distro, "--metadata-file"];
    let first = world
        .command(args("trixie"))
        .arg("first.json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the first run bakes", || {
        world.state("baked.gamma-1_2-18-trixie").exists()
    });
    let second = world
        .command(args("bookworm"))
        .arg("second.json")
        .output()
        .unwrap();
    Ended::from(&second).success();
    Ended::from(&first.wait_with_output().unwrap()).success();
    for (file, target) in [
        ("first.json", "gamma-1_2-18-trixie"),
        ("second.json", "gamma-1_2-18-bookworm"),
    ] {
        let text = fs::read_to_string(world.root().join(file)).unwrap();
        assert!(text.contains(target), "{file}: {text}");
    }
}

#[test]
fn many_runs_keep_their_own_logs_and_old_ones_go() {
    let world = World::new();
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let mut command = world.command("checks gamma");
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for run in runs {
        Ended::from(&run.wait_with_output().unwrap()).success();
    }
    let folder = world.root().join("target/xtask/runs");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 6);
    for number in 0..40 {
        fs::create_dir(folder.join(format!("{number:010}-{number:016x}"))).unwrap();
    }
    world.run("checks gamma").success();
    let mut left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left.len(), 20);
    assert_eq!(
        left.iter().filter(|name| !name.starts_with("0000")).count(),
        7,
        "{left:?}"
    );
}
