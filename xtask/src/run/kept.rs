// SPDX-License-Identifier: Apache-2.0
//! The runs whose folders are still there, with their records: which there are, which one is meant, and which came before another.

use std::{
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    record::{FILE, RunRecord},
    standing::Standing,
};
use crate::{
    failure::Failure,
    own::{self, FoundRun, RUNS, run_names, source},
};

/// A run that has a folder.
#[derive(Clone, Debug)]
pub(crate) struct KeptRun {
    /// The folder's name.
    pub name: String,
    pub is_held: bool,
    pub record: RunRecord,
}

impl KeptRun {
    /// Why a record cannot be used is the failure.
    pub(crate) fn read(root: &Path, found: FoundRun) -> Result<Self, Failure> {
        Ok(Self {
            record: record(root, &found.name)?,
            name: found.name,
            is_held: found.is_held,
        })
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing::of(&self.record, self.is_held)
    }

    /// Below the root.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(RUNS).join(&self.name)
    }
}

/// The record in the folder of this name.
pub(crate) fn record(root: &Path, name: &str) -> Result<RunRecord, Failure> {
    let path = Path::new(RUNS).join(name).join(FILE);
    let file = source::open_own(root, &path)?;
    parse(BufReader::new(file)).map_err(|error| {
        let path = path.display();
        Failure::invalid(format!("`{path}` is no record of a run: {error}")).hint(
            "another version may have written it; `cargo xtask runs` lists those that can be read",
        )
    })
}

/// From a record's file. It lies in the repository, and anybody may have edited it: the places of steps are their ids.
pub(crate) fn parse(record: impl Read) -> Result<RunRecord, serde_json::Error> {
    let mut record: RunRecord = serde_json::from_reader(record)?;
    for (at, step) in record.steps.iter_mut().enumerate() {
        step.id = at;
    }
    Ok(record)
}

/// The run that a text means: `latest`, or how its id or its folder's name begins.
pub(crate) fn find(root: &Path, text: &str) -> Result<KeptRun, Failure> {
    let all = own::found(root);
    let of: Vec<&FoundRun> = match text {
        "latest" => latest(root, &all).into_iter().collect(),
        text => all.iter().filter(|run| is_meant(&run.name, text)).collect(),
    };
    match of[..] {
        [one] => KeptRun::read(root, one.clone()),
        [] if all.is_empty() => Err(Failure::invalid(format!("there are no runs in `{RUNS}`"))
            .hint("commands that build or test leave one each: `cargo xtask smoke TARGET`")),
        [] => Err(Failure::invalid(format!("no run in `{RUNS}` begins with `{text}`"))
            .hint("`cargo xtask runs` lists those that are there; older ones are removed as new ones come")),
        _ => Err(Failure::invalid(format!("{} runs begin with `{text}`", of.len()))
            .hint("give more digits of its id: `cargo xtask runs` lists them")),
    }
}

/// A name is ten digits of the time, `-` and the id.
fn is_meant(name: &str, text: &str) -> bool {
    let id = name.split_once('-').map_or("", |(_, id)| id);
    !text.is_empty() && (id.starts_with(text) || name.starts_with(text) && text.len() > 10)
}

/// Of a record, what tells which run it was of.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    command: Option<String>,
    arguments: Vec<String>,
    started: String,
    ended: Option<String>,
}

impl Told {
    /// None: there is no record.
    fn read(root: &Path, name: &str) -> Option<Self> {
        let path = Path::new(RUNS).join(name).join(FILE);
        let file = source::open_own(root, &path).ok()?;
        serde_json::from_reader(BufReader::new(file)).ok()
    }
}

/// The second in which a run began, as its folder's name has it. Of several in one second their records say which was first.
fn second(name: &str) -> &str {
    name.split_once('-').map_or(name, |(second, _)| second)
}

fn latest<'a>(root: &Path, all: &'a [FoundRun]) -> Option<&'a FoundRun> {
    let last = second(&all.last()?.name);
    let of_last: Vec<&FoundRun> = all.iter().filter(|run| second(&run.name) == last).collect();
    match of_last[..] {
        [one] => Some(one),
        _ => of_last
            .into_iter()
            .max_by_key(|run| Told::read(root, &run.name).map(|told| told.started)),
    }
}

/// The latest run before the one of this name to compare it with: of the same command, that has come to its end; best with the
/// same arguments.
pub(crate) fn before(root: &Path, name: &str, run: &RunRecord) -> Option<RunRecord> {
    let command = run.command.as_ref()?;
    let names = run_names(root);
    let earlier = names
        .iter()
        .rev()
        .filter(|other| second(other) <= second(name));
    let told = earlier.filter_map(|other| {
        let told = Told::read(root, other).filter(|_| other != name)?;
        let is_like = told.command.as_ref() == Some(command) && told.ended.is_some();
        (is_like && told.started < run.started).then_some((other, told.arguments))
    });
    let mut like = None;
    for (name, arguments) in told {
        if arguments == run.arguments {
            return record(root, name).ok();
        }
        like.get_or_insert(name);
    }
    record(root, like?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::timeline::tests::run;

    fn put(root: &Path, name: &str, run: &RunRecord) {
        let folder = root.join(RUNS).join(name);
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join(FILE), serde_json::to_string(run).unwrap()).unwrap();
    }

    #[test]
    fn a_run_is_found_by_how_it_begins() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let said = |text: &str| {
            find(root, text)
                .map(|run| run.name)
                .map_err(|failure| failure.message)
        };
        assert!(said("latest").unwrap_err().contains("no runs"));
        let names = ["0000000001-ab00000000000000", "0000000002-ac00000000000000"];
        for name in names {
            put(root, name, &run(1, &[]));
        }
        let mut later = run(1, &[]);
        later.started = later.started.replace("2001", "2002");
        put(root, "0000000002-aa00000000000000", &later);
        assert_eq!(said("latest").unwrap(), "0000000002-aa00000000000000");
        fs_err::remove_dir_all(root.join(RUNS).join("0000000002-aa00000000000000")).unwrap();
        assert_eq!(said("latest").unwrap(), names[1]);
        assert_eq!(said("ab").unwrap(), names[0]);
        assert_eq!(said(names[1]).unwrap(), names[1]);
        assert!(said("a").unwrap_err().contains("2 runs begin with"));
        for none in ["b", "0", "", "../x", "0000000001-b"] {
            assert!(said(none).is_err(), "{none}");
        }
        fs_err::write(root.join(RUNS).join(names[0]).join(FILE), "{").unwrap();
        assert!(said("ab").unwrap_err().contains("is no record of a run"));
    }

    #[test]
    fn a_run_is_compared_with_the_latest_of_its_kind() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let of = |arguments: &[&str], ended: bool, seconds: f64| {
            let mut run = run(1, &[]);
            run.arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
            run.ended = ended.then(|| run.started.clone());
            run.seconds = Some(seconds);
            run.started = format!("2026-01-02T03:04:{seconds:02}.000Z");
            run
        };
        let found =
            |name: &str, run: &RunRecord| before(root, name, run).and_then(|run| run.seconds);
        let now = of(&["smoke", "--all"], true, 9.0);
        assert_eq!(found("9-", &now), None);
        put(
            root,
            "0000000001-ab00000000000000",
            &of(&["smoke", "--all"], true, 1.0),
        );
        put(
            root,
            "0000000002-ab00000000000000",
            &of(&["smoke", "x"], true, 2.0),
        );
        put(
            root,
            "0000000003-ab00000000000000",
            &of(&["smoke", "y"], false, 3.0),
        );
        let mut bake = of(&["smoke", "--all"], true, 4.0);
        bake.command = Some("bake".into());
        put(root, "0000000004-ab00000000000000", &bake);
        assert_eq!(found("9-", &now), Some(1.0));
        assert_eq!(found("9-", &of(&["smoke", "z"], true, 9.0)), Some(2.0));
        assert_eq!(found("0000000002-ab00000000000000", &now), Some(1.0));
        assert_eq!(found("0000000001-ab00000000000000", &now), None);
    }
}
