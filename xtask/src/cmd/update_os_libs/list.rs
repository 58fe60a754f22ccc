// SPDX-License-Identifier: Apache-2.0
//! The list of the libraries that apt would install with an image's packages: read anew, compared with the file in the
//! repository, and written there when it differs.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    exec::Exec,
    failure::Failure,
    own::{file, source},
    plan::{
        Cmd, Console, Location, Performed, Work,
        shell::{operand, word},
    },
    tool::apt,
    value::PackageName,
};

/// How long pulling a base image and reading the package index may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is done with a list that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    /// It is a failure, which shows the difference.
    Compare,
}

/// One list.
#[derive(Debug)]
pub(super) struct List {
    /// Prints what apt would download.
    pub read: Cmd,
    pub packages: Vec<PackageName>,
    /// The repository's.
    pub root: PathBuf,
    pub file: Location,
    pub purpose: Purpose,
    pub compared: Compared,
}

/// Where a list leaves what it has found.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared(Arc<OnceLock<Difference>>);

impl Compared {
    /// None: it has not come to that.
    pub(super) fn get(&self) -> Option<&Difference> {
        self.0.get()
    }
}

/// The lines of a list before and now.
#[derive(Debug)]
pub(super) struct Difference {
    /// None: there was no such file.
    before: Option<Vec<String>>,
    pub now: Vec<String>,
}

impl Difference {
    pub(super) fn is_one(&self) -> bool {
        self.before.as_ref() != Some(&self.now)
    }

    pub(super) fn added(&self) -> Vec<String> {
        let before = self.before.as_deref().unwrap_or_default();
        let new = self.now.iter().filter(|line| !before.contains(line));
        new.cloned().collect()
    }

    pub(super) fn removed(&self) -> Vec<String> {
        let before = self.before.iter().flatten();
        let gone = before.filter(|line| !self.now.contains(line));
        gone.cloned().collect()
    }

    /// For people: `84 libraries, 2 new, 1 gone`.
    fn words(&self) -> String {
        let count = self.now.len();
        let (added, removed) = (self.added().len(), self.removed().len());
        match &self.before {
            None => format!("{count} libraries in a new list"),
            Some(_) if !self.is_one() => format!("unchanged: {count} libraries"),
            Some(_) => format!("{count} libraries, {added} new, {removed} gone"),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = format!("{} | sed -nE {}", self.read, word(apt::LIBRARIES));
        let file = operand(&self.file);
        match self.purpose {
            Purpose::Compare => write!(f, "{read} | diff -- {file} -"),
            Purpose::Write => {
                let folder = self.file.parent().unwrap_or(&self.file);
                let new = operand(&self.file.with_extension("txt.new"));
                write!(
                    f,
                    "mkdir -p -- {}\n{read} > {new}\n[ -s {new} ] && mv -- {new} {file}",
                    operand(folder)
                )
            }
        }
    }
}

impl Work for List {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let printed = exec.read(&self.read, Some(PATIENCE))?;
        let downloads = apt::parse_downloads(&printed);
        let libraries = downloads.iter().filter(|one| one.is_library());
        let now: Vec<String> = libraries.map(ToString::to_string).collect();
        if now.is_empty() {
            let names: Vec<String> = self.packages.iter().map(|one| format!("`{one}`")).collect();
            return Err(Failure::failed(format!(
                "no library would come with {}: apt would download {} other packages",
                names.join(", "),
                downloads.len(),
            ))
            .hint("an image without libraries of the system needs no list: set `auto_update_os_libs` to false"));
        }
        let text = source::read(&self.root, &self.file)?;
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        let before = text.map(lines);
        let difference = self.compared.0.get_or_init(|| Difference { before, now });
        if !difference.is_one() {
            return Ok(Performed::Done(Some(difference.words())));
        }
        match self.purpose {
            Purpose::Compare => Err(self.out_of_date(difference)),
            Purpose::Write => {
                file::write_atomically(&self.file, &(difference.now.join("\n") + "\n"))?;
                Ok(Performed::Done(Some(difference.words())))
            }
        }
    }
}

impl List {
    fn out_of_date(&self, difference: &Difference) -> Failure {
        let failure = Failure::failed(format!(
            "`{}` is out of date: {}",
            self.file.display(),
            difference.words()
        ));
        let gone = difference
            .removed()
            .into_iter()
            .map(|line| format!("- {line}"));
        let new = difference
            .added()
            .into_iter()
            .map(|line| format!("+ {line}"));
        let failure = gone.chain(new).fold(failure, Failure::detail);
        failure.hint("leave out `--check` to write it")
    }
}
