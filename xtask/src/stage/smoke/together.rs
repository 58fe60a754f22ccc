// SPDX-License-Identifier: Apache-2.0
//! All extensions in one server: each in a database of its own, and what the server complains of that it does not with one of them alone.

mod compare;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde::Serialize;

use super::{Runner, SmokeTest, Source, container, kept::RECIPE, server, told::Told};
use crate::{
    exec::Exec,
    failure::Failure,
    mount::{Mounted, Mounts},
    plan::{Arg, Cmd, Console, Performed, Plan, Step, StepId, Work, shell},
    verdict::Verdict,
};
pub(crate) use compare::Compared;

const SCRIPT: &str = include_str!("together.sh");
/// The database of an ordinary user, as CloudNativePG makes it.
const DATABASE: &str = "app";
/// The last line of what bash reads.
const CALL: &str = "together \"$@\"; exit\n";

/// An extension in the server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Proof {
    pub name: String,
    pub version: String,
    pub result: Verdict,
    /// What was shown, or why it was not.
    pub proof: String,
    pub seconds: f64,
}

/// What the server complains of with all of them, and does not with any of them alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Complaint {
    pub line: String,
    /// Without any of these it does not: it takes all of them. Empty: whichever is left out, it does.
    pub takes: Vec<String>,
}

/// What has come of a server.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Together {
    pub proofs: Vec<Proof>,
    pub complaints: Vec<Complaint>,
}

/// Where a step leaves that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ran(Arc<OnceLock<Together>>);

impl Ran {
    /// None: the server was not started, or has said nothing.
    pub(crate) fn get(&self) -> Option<&Together> {
        self.0.get()
    }
}

impl SmokeTest {
    /// A server with all that these tests have. None: there are none.
    pub(crate) fn together(tests: &[Self], title: &str) -> Option<Self> {
        let first = tests.first()?;
        Some(Self {
            name: title.to_owned(),
            mounts: Mounts::together(tests.iter().map(|test| &test.mounts))?,
            proof: None,
            after: tests.iter().flat_map(|test| test.after.clone()).collect(),
            ..first.clone()
        })
    }

    fn with(&self, mounts: Mounts<Source>) -> Self {
        Self {
            mounts,
            ..self.clone()
        }
    }
}

impl Runner {
    /// Adds the step that starts a server with all that `all` has, and runs each of the `tests` in it; gives the step.
    pub(crate) fn add_together(
        &self,
        plan: &mut Plan,
        all: &SmokeTest,
        tests: &[SmokeTest],
    ) -> (StepId, Ran) {
        let ran = Ran::default();
        let server = |test: &SmokeTest, names: &BTreeSet<&str>| {
            let is_meant =
                |test: &&SmokeTest| names.contains(test.mounts.own().extension.name.as_str());
            let calls: String = tests.iter().filter(is_meant).map(call).collect();
            let input = format!("{RECIPE}{}{SCRIPT}{calls}{CALL}", container::SERVER);
            container::server_with(test, self, input)
        };
        let names = names(&all.mounts);
        let (cmd, removal) = server(all, &names);
        // Mostly it is a worker that complains, and only what is preloaded has one.
        let mut workers_first: Vec<&Mounted<Source>> = all.mounts.iter().collect();
        workers_first.sort_by_key(|one| one.extension.shared_preload_libraries.is_empty());
        let alone = workers_first.into_iter().filter_map(|one| {
            let name = one.extension.name.as_str();
            let mounts = all.mounts.alone(name)?;
            let cmd = server(&all.with(mounts), &BTreeSet::from([name])).0;
            Some((name.to_owned(), cmd))
        });
        let without = names.iter().filter_map(|name| {
            let mounts = all.mounts.without(name)?;
            let left = all.with(mounts);
            let cmd = server(&left, &self::names(&left.mounts)).0;
            Some(((*name).to_owned(), cmd))
        });
        let (alone, without) = (alone.collect(), without.collect());
        let each = u32::try_from(tests.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let start = Start {
            cmd,
            names: tests
                .iter()
                .map(|test| test.mounts.own().extension.name.clone())
                .collect(),
            alone,
            without,
            limit: (!self.limit.is_zero()).then(|| self.limit.saturating_mul(each)),
            ran: ran.clone(),
        };
        let step = Step::work(format!("server {}", all.name), start);
        let step = step.after(all.after.iter().copied()).undo(removal);
        (plan.add(step.proof("together")), ran)
    }
}

fn names(mounts: &Mounts<Source>) -> BTreeSet<&str> {
    let all = mounts.iter();
    all.map(|one| one.extension.name.as_str()).collect()
}

/// The line of the script that adds an extension to its server.
fn call(test: &SmokeTest) -> String {
    let own = &test.mounts.own().extension;
    let (load, wanted) = (
        server::load_sql(&test.mounts),
        server::wanted_sql(&test.mounts),
    );
    let words = [
        &own.name,
        &database(test),
        &load,
        &wanted,
        &own.sql_name,
        test.silent(),
        test.proof.as_deref().unwrap_or_default(),
    ];
    let words: Vec<String> = words.iter().map(shell::word).collect();
    format!("extension {}\n", words.join(" "))
}

/// Each has one of its own. Those that are told the name of CloudNativePG's have that.
fn database(test: &SmokeTest) -> String {
    let own = &test.mounts.own().extension;
    let mut parameters = own.postgresql_parameters.values();
    let is_told = parameters.any(|value| value == DATABASE);
    if is_told {
        DATABASE.to_owned()
    } else {
        own.name.clone()
    }
}

/// Starts a server, and where it complains smaller ones.
#[derive(Debug)]
struct Start {
    cmd: Cmd<Arg>,
    names: Vec<String>,
    /// Servers with each of the extensions and what it needs.
    alone: Vec<(String, Cmd<Arg>)>,
    /// And with all but each, and what needs it.
    without: Vec<(String, Cmd<Arg>)>,
    limit: Option<Duration>,
    ran: Ran,
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cmd)
    }
}

impl Start {
    fn run(
        &self,
        cmd: &Cmd<Arg>,
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<Told, Failure> {
        Told::by(cmd, self.limit, exec, console)
    }

    /// What it takes for each of these complaints. Those that a server with one extension has too are said, and left out.
    fn look_for(
        &self,
        lines: &[String],
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<Vec<Complaint>, Failure> {
        let mut left = lines.to_vec();
        for (name, cmd) in &self.alone {
            if left.is_empty() {
                break;
            }
            let told = self.run(cmd, exec, console)?;
            left.retain(|line| {
                let is_its_own = is_said(&told, line);
                if is_its_own {
                    (console.warning)(format!(
                        "a server with `{name}` alone says the same: {line}"
                    ));
                }
                !is_its_own
            });
        }
        let mut found: Vec<Complaint> = left
            .into_iter()
            .map(|line| Complaint {
                line,
                takes: Vec::new(),
            })
            .collect();
        if found.is_empty() {
            return Ok(found);
        }
        for (name, cmd) in &self.without {
            let told = self.run(cmd, exec, console)?;
            for complaint in found.iter_mut().filter(|one| !is_said(&told, &one.line)) {
                complaint.takes.push(name.clone());
            }
        }
        Ok(found)
    }
}

/// Whether a server says a line too, whatever the numbers in it: those of processes, or how long something took.
fn is_said(told: &Told, line: &str) -> bool {
    let without_numbers = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    told.all("log")
        .any(|said| without_numbers(said) == without_numbers(line))
}

impl Work for Start {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let told = self.run(&self.cmd, exec, console)?;
        let mut together = Together {
            proofs: self.names.iter().map(|name| proof(&told, name)).collect(),
            ..Together::default()
        };
        let mut lines: Vec<String> = told.all("log").map(str::to_owned).collect();
        lines.sort();
        lines.dedup();
        if !lines.is_empty() {
            let many = self.alone.len() + self.without.len();
            (console.line)(&format!(
                "looks for what it takes in up to {many} smaller servers"
            ));
            together.complaints = self.look_for(&lines, exec, console)?;
        }
        let log = if lines.is_empty() {
            "nothing in its log"
        } else {
            "nothing in its log that is not in that of a server with one of them"
        };
        let failure = failure(&together, &told);
        let proved = together.proofs.len();
        self.ran.0.get_or_init(|| together);
        match failure {
            Some(failure) => Err(failure),
            None => Ok(Performed::Done(Some(format!("{proved} proved, {log}")))),
        }
    }
}

/// Why a server with all of them does not do.
fn failure(together: &Together, told: &Told) -> Option<Failure> {
    let complaints = together.complaints.iter().map(|complaint| {
        let takes: Vec<String> = complaint
            .takes
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        match takes.as_slice() {
            [] => format!(
                "whichever extension is left out, the server says: {}",
                complaint.line
            ),
            _ => format!(
                "with {} the server says: {}",
                takes.join(" and "),
                complaint.line
            ),
        }
    });
    let down = told
        .all("down")
        .map(|line| format!("it is not there: {line}"));
    let failed = together
        .proofs
        .iter()
        .filter(|one| one.result != Verdict::Passed);
    let failed = failed.map(|one| format!("`{}`: {}", one.name, one.proof));
    let details: Vec<String> = complaints.chain(down).chain(failed).collect();
    if details.is_empty() {
        return None;
    }
    let failure = Failure::failed(
        "one server with all of them does not do what servers with each of them do",
    );
    Some(details.into_iter().fold(failure, Failure::detail))
}

/// What became of an extension.
fn proof(told: &Told, name: &str) -> Proof {
    let section = told.sections().find(|section| section.name == name);
    let why = section.and_then(|section| section.why());
    let shown = section.and_then(|section| section.first("proof"));
    let (result, proof) = match (shown, why) {
        (Some(shown), _) => (Verdict::Passed, shown.to_owned()),
        (None, Some(why)) => (Verdict::Failed, why),
        (None, None) => (Verdict::NotRun, "the server was not there".to_owned()),
    };
    let found = section.and_then(|section| section.first("found"));
    Proof {
        name: name.to_owned(),
        version: found.unwrap_or_default().to_owned(),
        result,
        proof,
        seconds: section.map_or(0.0, |section| section.seconds()),
    }
}
