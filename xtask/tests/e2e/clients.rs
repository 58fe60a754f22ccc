// SPDX-License-Identifier: Apache-2.0
//! A machine with Docker and kind alone.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

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

/// An environment that is up, with values of pgvector's image in its directory.
fn with_values() -> Lab {
    let lab = Lab::up();
    let (image, _) = lab.pushed(&[]);
    let generate = ["e2e", "generate-values", "pgvector", "--extension-image"];
    lab.xtask(&[&generate[..], &[&image]].concat()).success();
    lab
}

/// Runs a command on a machine that lacks these programs.
fn without(lab: &Lab, left_out: &[&str], args: &[&str]) -> Ended {
    let machine = std::env::var("PATH").unwrap();
    let path = of_sandbox(lab).map_or(machine.clone(), |first| format!("{first}:{machine}"));
    let programs = lab.repository.path().join("programs");
    if !programs.exists() {
        fs::create_dir(&programs).unwrap();
        programs_without(&path, left_out, &programs);
    }
    let mut command = lab.command(args);
    command.env_remove("XTASK_SANDBOX").env("PATH", &programs);
    Ended::from(&command.output().unwrap())
}

/// The containers of clients that are left.
fn left(lab: &Lab) -> Vec<String> {
    let is_ours = |thing: &String| {
        ["xtask-psql-", "xtask-chainsaw-", "xtask-kubectl-"]
            .iter()
            .any(|name| thing.contains(name))
    };
    lab.things().into_iter().filter(is_ours).collect()
}

/// A kubeconfig of the lane's cluster as people have them of others: of another name, its certificates and key in files
/// beside it.
fn theirs(lab: &Lab) -> &'static str {
    let folder = lab.repository.path();
    let mut text = lab.read("target/xtask/e2e/kubeconfig");
    for (field, file) in [
        ("certificate-authority", "ca.crt"),
        ("client-certificate", "user.crt"),
        ("client-key", "user.key"),
    ] {
        let (_, rest) = text.split_once(&format!("{field}-data: ")).unwrap();
        let data = rest.split_whitespace().next().unwrap().to_owned();
        fs::write(folder.join(file), BASE64_STANDARD.decode(&data).unwrap()).unwrap();
        text = text.replace(
            &format!("{field}-data: {data}"),
            &format!("{field}: {file}"),
        );
    }
    let text = text.replace("kind-", "theirs-");
    fs::write(folder.join("theirs"), text).unwrap();
    for file in ["theirs", "user.key"] {
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    "theirs"
}

#[test]
fn an_existing_cluster_needs_no_chainsaw_either() {
    let lab = with_values();
    let kubeconfig = theirs(&lab);
    let psql = |more: &[&str]| {
        let args = ["e2e", "psql", "pgvector", "--kubeconfig", kubeconfig];
        without(&lab, &["chainsaw"], &[&args[..], more].concat()).success()
    };
    let made = psql(&["--", "SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance"]);
    assert!(made.stdout.contains("distance"), "{}", made.stdout);
    psql(&["--delete"]);
    assert_eq!(left(&lab), [""; 0]);
}

#[test]
fn docker_and_kind_are_enough() {
    let lab = with_values();
    let alone = |args: &[&str]| without(&lab, &["kubectl", "chainsaw"], args);
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
    assert_eq!(left(&lab), [""; 0]);
}
