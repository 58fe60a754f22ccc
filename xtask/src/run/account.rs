// SPDX-License-Identifier: Apache-2.0
//! All that a report tells of a run: its record, when its steps ran, what became of images, the ends of the logs of what failed, and
//! what has changed since the run before.

use std::path::{Path, PathBuf};

use super::{
    comparison::Comparison,
    evidence,
    excerpt::Excerpt,
    image_result::ImageResult,
    kept::{self, KeptRun},
    log_name,
    record::{RunRecord, StepRecord},
    standing::{Counts, Standing},
    timeline::Timeline,
};
use crate::verdict::Verdict;

/// So many steps have their logs on the page, and so many files of what was said of each.
const QUOTED: usize = 30;
const FILES: usize = 12;

/// A run as its report tells it.
pub(crate) struct Account {
    pub run: RunRecord,
    pub standing: Standing,
    pub counts: Counts,
    pub timeline: Timeline,
    /// None: the command said no list of results.
    pub results: Option<Vec<ImageResult>>,
    /// What failed, and what had not ended.
    pub quoted: Vec<Quoted>,
    /// None: there is no such run any more.
    pub since: Option<Comparison>,
    /// The folder of the run, below the root.
    pub folder: PathBuf,
}

/// A step with what was printed.
pub(crate) struct Quoted {
    /// Its place among the steps.
    pub step: usize,
    pub log: Option<Excerpt>,
    /// What others said of it.
    pub evidence: Vec<Excerpt>,
}

impl Account {
    pub(crate) fn of(root: &Path, kept: KeptRun) -> Self {
        let (folder, standing) = (kept.folder(), kept.standing());
        let run = kept.record;
        let place = root.join(&folder);
        let is_told = |step: &&StepRecord| match step.outcome {
            Some(outcome) => outcome == Verdict::Failed,
            None => step.started.is_some(),
        };
        let told = run.steps.iter().filter(is_told).enumerate();
        let quoted = told.map(|(at, step)| {
            if at < QUOTED {
                Quoted::of(&place, step)
            } else {
                Quoted::bare(step)
            }
        });
        Self {
            standing,
            counts: Counts::of(&run.steps),
            timeline: Timeline::of(&run),
            results: ImageResult::all(&run),
            quoted: quoted.collect(),
            since: kept::before(root, &kept.name, &run)
                .map(|before| Comparison::of(&before, &run))
                .filter(|compared| compared.common > 0),
            run,
            folder,
        }
    }

    pub(crate) fn step(&self, id: usize) -> Option<&StepRecord> {
        self.run.steps.get(id)
    }
}

impl Quoted {
    fn bare(step: &StepRecord) -> Self {
        Self {
            step: step.id,
            log: None,
            evidence: Vec::new(),
        }
    }

    /// The record may be anybody's: no path of it leads out of the run's folder.
    fn of(folder: &Path, step: &StepRecord) -> Self {
        // One that has not ended has said nothing of its log yet.
        let log = step.log_file().map(PathBuf::from);
        let log = log.unwrap_or_else(|| log_name(&step.name).into());
        let answers = evidence::folder(&log);
        let listed = fs_err::read_dir(folder.join(&answers))
            .into_iter()
            .flatten();
        let mut files: Vec<PathBuf> = listed
            .filter_map(|entry| Some(answers.join(entry.ok()?.file_name())))
            .collect();
        files.sort();
        let files = files.iter().take(FILES);
        // Before what a command has printed stands the command, with all that it reads.
        let command = step
            .failure
            .as_ref()
            .and_then(|failure| failure.command.as_ref());
        let printed = command.map_or(usize::MAX, |command| command.lines);
        let answer = |path: &PathBuf| Excerpt::of(folder, path, usize::MAX);
        Self {
            log: Excerpt::of(folder, &log, printed),
            evidence: files.filter_map(answer).collect(),
            ..Self::bare(step)
        }
    }
}
