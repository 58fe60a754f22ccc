// SPDX-License-Identifier: Apache-2.0
//! Older versions of an image's SQL extensions, with data, updated to those of the image: by its own scripts, and from older images.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde::Serialize;

use super::{
    Runner, SmokeTest, container,
    kept::RECIPE,
    server,
    told::{Section, Told},
};
use crate::{
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    mount,
    plan::{Arg, Cmd, Console, Performed, Plan, Step, StepId, Work, shell},
    verdict::Verdict,
};

const SCRIPT: &str = include_str!("upgrade.sh");
/// The last line of what bash reads.
const CALL: &str = "upgrade \"$@\"; exit\n";
/// What the script says of a version that is an image's, in place of the image.
const SCRIPTS: &str = "scripts";
/// Objects that a message names.
const NAMED: usize = 5;

/// An older version, and what came of updating it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Upgrade {
    pub sql_extension: String,
    pub from: String,
    pub to: String,
    /// The image that made the older version; None: the new image's own scripts did.
    pub image: Option<String>,
    /// The versions on the way, as `ALTER EXTENSION … UPDATE` takes it. None: from an image it is not asked.
    pub path: Option<String>,
    pub result: Verdict,
    /// What was kept or shown, or why it was not.
    pub proof: String,
    /// What smoke.sql had made in the older version: tables and rows. None: nothing.
    pub data: Option<String>,
    /// What an extension that is made new has and the updated one lacks.
    pub lacks: Vec<String>,
    pub seconds: f64,
}

/// Where a step leaves them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upgrades(Arc<OnceLock<Vec<Upgrade>>>);

impl Upgrades {
    pub(crate) fn get(&self) -> &[Upgrade] {
        self.0.get().map(Vec::as_slice).unwrap_or_default()
    }
}

impl Runner {
    /// Adds the step that tries all older versions of a test's image, and those of these older images of it.
    pub(crate) fn add_upgrades(
        &self,
        plan: &mut Plan,
        test: &SmokeTest,
        older: &[ImageRef],
    ) -> (StepId, Upgrades) {
        let upgrades = Upgrades::default();
        let proof = shell::word(test.proof.as_deref().unwrap_or_default());
        let calls: String = older
            .iter()
            .enumerate()
            .map(|(at, image)| call(test, at, image))
            .collect();
        let input = format!(
            "{RECIPE}{}{SCRIPT}proof {proof}\n{calls}{CALL}",
            container::SERVER
        );
        let places: Vec<(String, ImageRef)> = older
            .iter()
            .enumerate()
            .map(|(at, image)| (root(at), image.clone()))
            .collect();
        let (cmd, removal) = container::server_beside(test, self, &places, input);
        let upgrade = Try {
            cmd,
            limit: (!self.limit.is_zero()).then(|| self.limit.saturating_mul(LONGEST)),
            upgrades: upgrades.clone(),
        };
        let step = Step::work(format!("upgrades of {}", test.name), upgrade);
        let step = step.after(test.after.iter().copied()).undo(removal);
        (plan.add(step.proof("upgrade")), upgrades)
    }
}

/// In how many times the time of one smoke test all older versions must be done.
const LONGEST: u32 = 20;

/// Where an older image is mounted.
fn root(at: usize) -> String {
    format!("/older/{at}")
}

/// The line of the script that names an older image: its server is told of it as of the new one, in another place.
fn call(test: &SmokeTest, at: usize, image: &ImageRef) -> String {
    let new = format!("{}/", mount::root(&test.mounts.own().extension.name));
    let moved = |text: String| text.replace(&new, &format!("{}/", root(at)));
    let words = server::variables(&test.mounts).chain(["--".to_owned()]);
    let words = words.chain(server::options(&test.mounts));
    let words: Vec<String> = words.map(|word| shell::word(moved(word))).collect();
    let library_path = moved(server::library_path(&test.mounts));
    let texts = [image.to_string(), library_path, words.join(" ")];
    let texts: Vec<String> = texts.iter().map(shell::word).collect();
    format!("older {}\n", texts.join(" "))
}

#[derive(Debug)]
struct Try {
    cmd: Cmd<Arg>,
    limit: Option<Duration>,
    upgrades: Upgrades,
}

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cmd)
    }
}

impl Work for Try {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let told = Told::by(&self.cmd, self.limit, exec, console)?;
        let found: Vec<Upgrade> = told.sections().map(|section| upgrade(&section)).collect();
        let found = self.upgrades.0.get_or_init(|| found);
        for one in found.iter().filter(|one| !one.lacks.is_empty()) {
            (console.warning)(one.lacking());
        }
        let down: Vec<&str> = told.all("down").collect();
        if !down.is_empty() {
            let failure = Failure::failed("the server did not start");
            return Err(down.into_iter().fold(failure, Failure::detail));
        }
        let failed: Vec<&Upgrade> = found
            .iter()
            .filter(|one| one.result == Verdict::Failed)
            .collect();
        if !failed.is_empty() {
            let failure = Failure::failed(format!(
                "{} of {} older versions cannot be updated",
                failed.len(),
                found.len()
            ));
            return Err(failed.into_iter().fold(failure, |failure, one| {
                failure.detail(format!("{}: {}", one.title(), one.proof))
            }));
        }
        let done = found
            .iter()
            .filter(|one| one.result == Verdict::Passed)
            .count();
        match (done, found.len()) {
            (0, 0) => Ok(Performed::Skipped(
                "no older version is known of it".to_owned(),
            )),
            (0, all) => Ok(Performed::Skipped(format!(
                "no script makes any of its {all} older versions"
            ))),
            (done, all) => Ok(Performed::Done(Some(format!(
                "{done} of {all} older versions updated"
            )))),
        }
    }
}

impl Upgrade {
    fn title(&self) -> String {
        match &self.image {
            Some(image) => format!("`{}` {} of {image}", self.sql_extension, self.from),
            None => format!("`{}` {}", self.sql_extension, self.from),
        }
    }

    fn lacking(&self) -> String {
        let more = match self.lacks.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named: Vec<&str> = self.lacks.iter().take(NAMED).map(String::as_str).collect();
        format!(
            "{}, updated to {}, lacks what one made new has: {}{more}",
            self.title(),
            self.to,
            named.join(", ")
        )
    }
}

/// What is said of one older version.
fn upgrade(section: &Section<'_>) -> Upgrade {
    let mut words = section.name.split('\t');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (sql_extension, from, image) = (word(), word(), word());
    let first = |kind: &'static str| section.first(kind).map(str::to_owned);
    let why = section.why().map(|why| match first("cause") {
        Some(cause) => format!("{cause} ({why})"),
        None => why,
    });
    let shown = first("used")
        .or_else(|| first("kept"))
        .unwrap_or_else(|| "updated".to_owned());
    let shown = match first("note") {
        Some(note) => format!("updated, {note}"),
        None => shown,
    };
    let (result, proof) = match (why, first("skipped")) {
        (Some(why), _) => (Verdict::Failed, why),
        (None, Some(skipped)) => (Verdict::NotRun, skipped),
        (None, None) => (Verdict::Passed, shown),
    };
    Upgrade {
        sql_extension,
        from,
        to: first("to").unwrap_or_default(),
        image: (image != SCRIPTS).then_some(image),
        path: first("path"),
        result,
        proof,
        data: first("data"),
        lacks: section.all("lacks").map(str::to_owned).collect(),
        seconds: section.seconds(),
    }
}
