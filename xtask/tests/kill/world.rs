// SPDX-License-Identifier: Apache-2.0
//! The world as lines of text, without numbers and times, so that two of them can be compared.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use regex_lite::Regex;
use walkdir::WalkDir;

use super::{checkout::Checkout, files, processes};

/// How long what has ended may take to be gone: a container's cgroup, a builder's mount, a namespace with
/// a database.
const SETTLES: Duration = Duration::from_secs(60);

/// What the engine and the cluster hold. The cluster's part is silent where there is none.
const ASK: &str = r#"
docker ps --all --format 'container {{.Names}} {{.State}} {{.Labels}}' &&
docker network ls --format 'network {{.Name}} {{.Labels}}' &&
docker volume ls --format 'volume {{.Name}} {{.Labels}}' &&
docker image ls --format 'image {{.Repository}}:{{.Tag}}' &&
kind get clusters 2>&1 | sed 's/^/cluster /' &&
if [ -s target/xtask/e2e/kubeconfig ]; then
    kubectl --kubeconfig target/xtask/e2e/kubeconfig get namespaces --output \
        'jsonpath={range .items[*]}namespace {.metadata.name} {.status.phase}{"\n"}{end}' 2>/dev/null || echo "no answer"
fi
"#;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World(Vec<String>);

/// What is different after a round.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) more: Vec<String>,
    pub(crate) less: Vec<String>,
}

impl Difference {
    pub(crate) fn is_none(&self) -> bool {
        self.more.is_empty() && self.less.is_empty()
    }
}

/// What is looked at.
pub(crate) struct Place<'a> {
    pub(crate) checkouts: &'a [Checkout],
    /// The folders of the sandboxes; none with an engine of the machine's own.
    pub(crate) sandboxes: &'a [PathBuf],
    /// What marks of the series begin with.
    pub(crate) series: &'a str,
}

impl World {
    pub(crate) fn look(place: &Place<'_>) -> Self {
        let mut lines = engine(place);
        // A sandbox shows each checkout that has used it since it was started: one or both.
        let checkouts = place.checkouts.iter();
        let shown: Vec<String> = checkouts
            .map(|checkout| format!("mount {}", checkout.path().display()))
            .collect();
        let is_no_checkout = |line: &String| !shown.contains(line);
        let folders: Vec<&Path> = place.sandboxes.iter().map(PathBuf::as_path).collect();
        lines.extend(processes::lines(&folders, place.series));
        for (at, checkout) in place.checkouts.iter().enumerate() {
            lines.extend(files::of_checkout(checkout, at + 1));
        }
        for (at, folder) in folders.iter().enumerate() {
            lines.extend(files::of_sandbox(folder, at + 1));
            lines.extend(cgroups(folder));
            if let Some(first) = processes::engine(folder) {
                lines.extend(mounts(&format!("/proc/{first}/mountinfo")).filter(is_no_checkout));
            }
        }
        lines.extend(files::of_machine());
        lines.extend(files::of_user(place.checkouts));
        lines.extend(mounts("/proc/self/mountinfo"));
        let mut lines: Vec<String> = lines.iter().map(|line| nameless(line)).collect();
        lines.sort();
        Self(lines)
    }

    /// Looks until nothing moves any more: what was just ended goes by itself.
    pub(crate) fn settled(place: &Place<'_>) -> Self {
        let patience = Instant::now() + SETTLES;
        let mut before = Self::look(place);
        loop {
            thread::sleep(Duration::from_secs(1));
            let now = Self::look(place);
            let ends = now.0.iter().any(|line| line.ends_with(" Terminating"));
            if (now == before && !ends) || Instant::now() > patience {
                return now;
            }
            before = now;
        }
    }

    /// The difference to `self` once the world has had the time to become equal, and that world.
    pub(crate) fn compare(&self, place: &Place<'_>) -> (Difference, Self) {
        let patience = Instant::now() + SETTLES;
        loop {
            let now = Self::look(place);
            let difference = Difference {
                more: beyond(&now.0, &self.0),
                less: beyond(&self.0, &now.0),
            };
            if difference.is_none() || Instant::now() > patience {
                return (difference, now);
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// Lines that are faults, whatever the world was before.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &String> {
        let kinds = ["half-written", "lock", "git status", "temporary file of"];
        self.0
            .iter()
            .filter(move |line| kinds.iter().any(|kind| line.starts_with(kind)))
    }
}

/// What `now` has more of than `before`. Both are sorted.
fn beyond(now: &[String], before: &[String]) -> Vec<String> {
    let mut left = before.to_vec();
    let is_more = |line: &&String| match left.binary_search(line) {
        Ok(at) => {
            left.remove(at);
            false
        }
        Err(_) => true,
    };
    now.iter().filter(is_more).cloned().collect()
}

fn engine(place: &Place<'_>) -> Vec<String> {
    let mut command = match place.sandboxes.first() {
        Some(folder) => {
            let mut command = Command::new(folder.join("bin/enter"));
            command.arg("sh");
            command
        }
        None => Command::new("sh"),
    };
    let output = command
        .args(["-c", ASK])
        .current_dir(place.checkouts[0].path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<String> = text.lines().map(in_order).collect();
    if !output.status.success() {
        lines.push("the engine does not answer".to_owned());
    }
    lines
}

/// The labels at a line's end come in any order.
fn in_order(line: &str) -> String {
    let Some((rest, labels)) = line.rsplit_once(' ') else {
        return line.to_owned();
    };
    let mut labels: Vec<&str> = labels.split(',').collect();
    labels.sort_unstable();
    format!("{rest} {}", labels.join(","))
}

/// Without what is different every time: identities, times, numbers of processes and layers.
fn nameless(line: &str) -> String {
    let identity =
        Regex::new(r"[0-9a-f]{64}|[0-9a-f]{16}|[0-9a-f]{12}|-[0-9]{12}-|\b[0-9a-f]{8}\b").unwrap();
    let number = Regex::new("[0-9]{3,}").unwrap();
    let line = identity.replace_all(line, "<id>");
    number.replace_all(&line, "<number>").into_owned()
}

fn mounts(file: &str) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let points = text.lines().filter_map(|line| line.split(' ').nth(4));
    let lines: Vec<String> = points
        // Layers of running containers are numbered from one start of the engine to the next.
        .filter(|point| !point.starts_with("/var/lib/docker/"))
        .map(|point| format!("mount {point}"))
        .collect();
    lines.into_iter()
}

/// The cgroups of a sandbox's containers, of whichever hierarchy has most.
fn cgroups(folder: &Path) -> Vec<String> {
    let daemon = fs::read_to_string(folder.join("root/etc/docker/daemon.json")).unwrap_or_default();
    let Ok(daemon) = serde_json::from_str::<serde_json::Value>(&daemon) else {
        return Vec::new();
    };
    let name = daemon["cgroup-parent"].as_str().unwrap_or_default();
    let name = name.trim_start_matches('/');
    let groups = WalkDir::new("/sys/fs/cgroup")
        .min_depth(1)
        .max_depth(2)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_name() == name);
    let inside = |group: walkdir::DirEntry| -> Vec<String> {
        let children = fs::read_dir(group.path()).into_iter().flatten().flatten();
        let folders = children.filter(|child| child.file_type().is_ok_and(|kind| kind.is_dir()));
        folders
            .map(|child| format!("cgroup of a container: {}", child.file_name().display()))
            .collect()
    };
    groups.map(inside).max_by_key(Vec::len).unwrap_or_default()
}
