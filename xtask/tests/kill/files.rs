// SPDX-License-Identifier: Apache-2.0
//! What lies in a checkout, in a sandbox's folder and in places for temporary files.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::Path,
    process::Command,
};

use serde_json::Value;
use walkdir::WalkDir;

use super::checkout::Checkout;
use crate::support::locks;

/// A line for each file that a checkout keeps between runs, for each change that git sees, and for
/// each file that is no whole document.
pub(crate) fn of_checkout(checkout: &Checkout, number: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let git = Command::new("git")
        .args(["status", "--porcelain", "--untracked-files=all"])
        .current_dir(checkout.path())
        .output()
        .unwrap();
    let changes = String::from_utf8(git.stdout).unwrap();
    lines.extend(
        changes
            .lines()
            .map(|line| format!("git status of checkout {number}: {line}")),
    );
    let temporary = WalkDir::new(checkout.temporary()).min_depth(1).max_depth(1);
    for entry in temporary.into_iter().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        lines.push(format!("temporary file of checkout {number}: {name}"));
    }
    let target = checkout.path().join("target/xtask");
    for entry in WalkDir::new(&target).into_iter().flatten() {
        let path = entry.path().strip_prefix(&target).unwrap();
        let name = path.to_string_lossy();
        if is_half(&name) {
            lines.push(format!("half-written in checkout {number}: {name}"));
        } else if entry.file_type().is_file() {
            if !is_document(entry.path()) {
                lines.push(format!("half-written in checkout {number}: {name}"));
            }
            lines.extend(lock_line(entry.path(), &name));
            // Logs come and go with each run, `cleanup` takes results with it, and an image that is built once more is another
            // one, with results of its own.
            let passing = ["runs", "e2e/last-tests", "e2e/values", "proofs"];
            if !passing.iter().any(|place| path.starts_with(place)) {
                lines.push(format!("file of checkout {number}: {name}"));
            }
        }
    }
    lines
}

/// A line for each thing on top of a sandbox's folder and among its temporary files.
pub(crate) fn of_sandbox(folder: &Path, number: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in WalkDir::new(folder)
        .min_depth(1)
        .max_depth(2)
        .into_iter()
        .flatten()
    {
        let path = entry.path().strip_prefix(folder).unwrap();
        let name = path.to_string_lossy();
        let inside = |place: &str| path.starts_with(place) && path != Path::new(place);
        if is_half(&name) || inside("tmp") {
            lines.push(format!("half-written in sandbox {number}: {name}"));
        } else if entry.depth() == 1 || inside("bin") {
            lines.push(format!("file of sandbox {number}: {name}"));
        }
        if entry.depth() == 1 && entry.file_type().is_file() {
            lines.extend(lock_line(entry.path(), &name));
        }
    }
    let mut beside = folder.as_os_str().to_owned();
    beside.push(".lock");
    lines.extend(lock_line(Path::new(&beside), "the sandbox's"));
    lines
}

/// What temporary folders of the machine hold that only this program names so.
pub(crate) fn of_machine() -> Vec<String> {
    let entries = fs::read_dir("/tmp").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.contains("xtask") || name.contains("mmdebstrap"))
        .map(|name| format!("temporary file: {name}"))
        .collect()
}

/// The locks in this user's folders that name one of the checkouts: nobody runs there.
pub(crate) fn of_user(checkouts: &[Checkout]) -> Vec<String> {
    let locks = checkouts
        .iter()
        .flat_map(|checkout| locks::naming(checkout.path()));
    locks
        .map(|_| "lock: that of an engine or a cluster still names its holder".to_owned())
        .collect()
}

/// Names that are given to what is not finished yet.
fn is_half(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    last.starts_with(".xtask-")
        || [".new", ".tmp", ".part", ".partial"]
            .iter()
            .any(|end| last.ends_with(end))
}

/// Whether what should be JSON is that, and what should be YAML a mapping whose last line ends.
fn is_document(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    let text = || fs::read_to_string(path).unwrap_or_default();
    if name.ends_with(".json") {
        serde_json::from_str::<Value>(&text()).is_ok()
    } else if name.ends_with(".sealed") {
        // A line of JSON, and behind it a document.
        let text = text();
        let parts = text.split_once('\n');
        let is_json = |part: &str| serde_json::from_str::<Value>(part).is_ok();
        parts.is_some_and(|(head, document)| is_json(head) && is_json(document))
    } else if name.ends_with(".yaml") || name.starts_with("kubeconfig") {
        let text = text();
        text.ends_with('\n') && serde_saphyr::from_str::<BTreeMap<String, Value>>(&text).is_ok()
    } else {
        true
    }
}

/// A line for a lock that names somebody, or that somebody holds, while nobody runs. That of an engine
/// is held as long as it runs.
fn lock_line(path: &Path, name: &str) -> Option<String> {
    if !path.to_string_lossy().ends_with(".lock") || name == "engine.lock" {
        return None;
    }
    let file = File::open(path).ok()?;
    let says = fs::read_to_string(path).unwrap_or_default();
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Some(format!("lock: {name} is held"));
    }
    (!says.is_empty()).then(|| format!("lock: {name} still names its holder"))
}
