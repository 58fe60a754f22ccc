// SPDX-License-Identifier: Apache-2.0
//! What is not in one run as it was in another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    image_result::ImageResult,
    record::{RunRecord, StepRecord},
};
use crate::verdict::Verdict;

/// Seconds by which times differ before anybody wants to know, and how many times as long one must be.
const SECONDS: f64 = 1.0;
const TIMES: f64 = 1.5;

/// Two runs beside each other.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    /// The run before.
    pub before: String,
    /// When it began.
    pub began: String,
    /// It was given the same arguments.
    pub same_arguments: bool,
    pub seconds: [Option<f64>; 2],
    /// How many images and steps are in both.
    pub common: usize,
    pub changes: Vec<Change>,
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Change {
    /// An image, or a step.
    pub of: String,
    pub what: What,
    pub before: String,
    pub now: String,
}

/// In which respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    Result,
    Version,
    Digest,
    Size,
    Proof,
    /// Of a step.
    Outcome,
    Seconds,
}

impl What {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Version => "version",
            Self::Digest => "digest",
            Self::Size => "size",
            Self::Proof => "proof",
            Self::Outcome => "step",
            Self::Seconds => "time",
        }
    }
}

/// What is said where there was nothing.
const NONE: &str = "-";

impl Comparison {
    pub(crate) fn of(before: &RunRecord, now: &RunRecord) -> Self {
        let same_arguments = before.arguments == now.arguments;
        let mut changes = Vec::new();
        let mut common = images(before, now, same_arguments, &mut changes);
        common += steps(before, now, &mut changes);
        Self {
            before: before.id.clone(),
            began: before.started.clone(),
            same_arguments,
            seconds: [before.seconds, now.seconds],
            common,
            changes,
        }
    }
}

fn images(before: &RunRecord, now: &RunRecord, all: bool, changes: &mut Vec<Change>) -> usize {
    let known = |run: &RunRecord| -> BTreeMap<String, ImageResult> {
        let all = ImageResult::all(run).unwrap_or_default().into_iter();
        all.map(|one| (one.title(), one)).collect()
    };
    let (old, new) = (known(before), known(now));
    let word = |one: Option<&ImageResult>| {
        let verdict = one.and_then(|one| one.result);
        verdict.map_or(NONE, Verdict::word).to_owned()
    };
    let mut common = 0;
    for title in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let mut change = |what: What, before: String, now: String| {
            if before != now {
                let of = title.clone();
                changes.push(Change {
                    of,
                    what,
                    before,
                    now,
                });
            }
        };
        let (old, new) = (old.get(title), new.get(title));
        let (Some(one), Some(other)) = (old, new) else {
            // Of another choice of images nobody wants to know what it had not.
            if all {
                change(What::Result, word(old), word(new));
            }
            continue;
        };
        common += 1;
        // What has passed and was then not tried again is no news.
        let has_passed =
            |one: &ImageResult| matches!(one.result, Some(Verdict::Passed | Verdict::Unchanged));
        if !(has_passed(one) && has_passed(other)) {
            change(What::Result, word(old), word(new));
        }
        // What only one of them knows has not changed.
        let mut both = |what: What, before: &str, now: &str| {
            if !before.is_empty() && !now.is_empty() {
                change(what, before.to_owned(), now.to_owned());
            }
        };
        both(What::Version, &one.version, &other.version);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        both(What::Digest, &text(&one.digest), &text(&other.digest));
        both(What::Size, &text(&one.size), &text(&other.size));
        both(What::Proof, &one.proof, &other.proof);
    }
    common
}

fn steps(before: &RunRecord, now: &RunRecord, changes: &mut Vec<Change>) -> usize {
    let old: BTreeMap<&str, &StepRecord> = before
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step))
        .collect();
    let mut common = 0;
    let mut times = Vec::new();
    for step in &now.steps {
        let Some(was) = old.get(step.name.as_str()) else {
            continue;
        };
        common += 1;
        let word = |step: &StepRecord| step.outcome.map_or("not ended", Verdict::word).to_owned();
        let change = |what: What, before: String, now: String| Change {
            of: step.name.clone(),
            what,
            before,
            now,
        };
        let is_good = |step: &StepRecord| step.outcome.is_some_and(Verdict::is_good);
        // What was there already and was skipped is no news.
        if word(was) != word(step) && !(is_good(was) && is_good(step)) {
            changes.push(change(What::Outcome, word(was), word(step)));
        } else if let (Some(before), Some(now)) = (was.seconds, step.seconds)
            && is_far(before, now)
        {
            let shown = |seconds: f64| format!("{seconds:.1}");
            times.push((
                now - before,
                change(What::Seconds, shown(before), shown(now)),
            ));
        }
    }
    times.sort_by(|(one, _), (other, _)| other.abs().total_cmp(&one.abs()));
    changes.extend(times.into_iter().map(|(_, change)| change));
    common
}

/// Whether one time is much longer than the other.
fn is_far(one: f64, other: f64) -> bool {
    let (short, long) = (one.min(other), one.max(other));
    long - short >= SECONDS && long >= short * TIMES
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::timeline::tests::run;

    fn said(before: &RunRecord, now: &RunRecord) -> Vec<String> {
        let changes = Comparison::of(before, now).changes.into_iter();
        let words = changes.map(|one| {
            format!(
                "{} {}: {} -> {}",
                one.of,
                one.what.word(),
                one.before,
                one.now
            )
        });
        words.collect()
    }

    #[test]
    fn what_became_of_images_and_how_long_steps_took_is_compared() {
        let mut before = run(
            1,
            &[
                ("a", &[], 0.0, 1.0),
                ("b", &[], 1.0, 9.0),
                ("c", &[], 0.0, 9.0),
            ],
        );
        let mut now = run(
            1,
            &[
                ("a", &[], 0.0, 4.0),
                ("b", &[], 1.0, 9.4),
                ("d", &[], 0.0, 9.0),
            ],
        );
        now.steps[1].outcome = Some(Verdict::Failed);
        let row = |result: &str, digest: &str, size: &str| json!({"name": "x", "distro": "trixie", "pg_major": "18", "result": result, "digest": digest, "size": size});
        before.result =
            Some(json!([row("passed", "sha256:1", "1MB"), {"name": "y", "result": "passed"}]));
        now.result =
            Some(json!([row("failed", "sha256:2", "1MB"), {"name": "z", "result": "passed"}]));
        let images = [
            "x 18-trixie result: passed -> failed",
            "x 18-trixie digest: sha256:1 -> sha256:2",
        ];
        let others = ["y result: passed -> -", "z result: - -> passed"];
        let steps = ["b step: passed -> failed", "a time: 1.0 -> 4.0"];
        assert_eq!(said(&before, &now), [&images[..], &others, &steps].concat());
        now.arguments.push("--all".into());
        assert_eq!(said(&before, &now), [&images[..], &steps].concat());
        assert_eq!(Comparison::of(&before, &now).common, 3);
    }

    #[test]
    fn a_run_is_as_itself() {
        let run = run(1, &[("a", &[], 0.0, 1.0)]);
        assert_eq!(said(&run, &run), Vec::<String>::new());
        assert!(is_far(1.0, 2.0) && !is_far(0.1, 0.9) && !is_far(100.0, 120.0));
    }
}
