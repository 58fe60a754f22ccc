// SPDX-License-Identifier: Apache-2.0
//! A machine with Docker and kind alone.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use super::lab::Lab;
use crate::support::ended::Ended;

/// All programs of a search path but these, as links in one folder.
fn programs_without(path: &str, left_out: &[&str], folder: &Path) {
    let folders = std::env::split_paths(path);
    for file in folders
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
    {
        let file: PathBuf = file.unwrap().path();
        let name = file.file_name().unwrap();
        let link = folder.join(name);
        let wanted = !left_out.iter().any(|program| name == *program);
        if wanted && link.symlink_metadata().is_err() {
            symlink(&file, link).unwrap();
        }
    }
}

/// In the lab, the folder of the sandbox's programs: a dry run's first line puts it on PATH.
fn of_sandbox(lab: &Lab) -> Option<String> {
    let dry = lab.xtask(&["e2e", "setup-env", "--dry-run"]).success();
    let line = dry.stdout.lines().next()?;
    let folder = line.strip_prefix("export PATH=")?.split(':').next()?;
    Some(folder.to_owned())
}

#[test]
fn docker_and_kind_are_enough() {
    let lab = Lab::up();
    let (image, _) = lab.pushed(&[]);
    let values = [
        "e2e",
        "generate-values",
        "pgvector",
        "--extension-image",
        &image,
    ];
    lab.xtask(&values).success();
    let machine = std::env::var("PATH").unwrap();
    let path = of_sandbox(&lab).map_or(machine.clone(), |first| format!("{first}:{machine}"));
    let programs = lab.repository.path().join("programs");
    fs::create_dir(&programs).unwrap();
    programs_without(&path, &["kubectl", "chainsaw"], &programs);
    let alone = |args: &[&str]| {
        let mut command = lab.command(args);
        command.env_remove("XTASK_SANDBOX").env("PATH", &programs);
        Ended::from(&command.output().unwrap())
    };
    let ways = alone(&["prereqs", "--for", "e2e"]).success().stdout;
    assert_eq!(ways.matches("not on PATH: ").count(), 2, "{ways}");
    // The shared suite makes the database: chainsaw in its container, with scripts that call kubectl.
    let statement = "SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance";
    let psql = alone(&["e2e", "psql", "pgvector", "--", statement]).success();
    assert!(psql.stdout.contains("distance"), "{}", psql.stdout);
    alone(&["e2e", "psql", "pgvector", "--delete"]).success();
    let file = lab
        .repository
        .path()
        .join("target/xtask/e2e/kubeconfig-internal");
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let is_ours = |thing: &String| {
        ["xtask-psql-", "xtask-chainsaw-"]
            .iter()
            .any(|name| thing.contains(name))
    };
    let left: Vec<String> = lab.things().into_iter().filter(is_ours).collect();
    assert!(left.is_empty(), "{left:?}");
}
