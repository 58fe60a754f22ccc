// SPDX-License-Identifier: Apache-2.0
//! What a GitHub step summary says of a run beside its tables: how it ended, what failed and why, and where its report is.

use std::{path::Path, time::Duration};

use super::{markdown::cell, seconds};
use crate::{
    run::{
        record::{RunRecord, StepRecord},
        standing::{Counts, Standing},
    },
    verdict::Verdict,
};

/// Steps that are named; the report has all.
const NAMED: usize = 20;

/// Of at most `room` bytes. None: there is not even room to say how it ended.
pub(super) fn of(run: &RunRecord, report: &Path, room: usize) -> Option<String> {
    let took = run
        .seconds
        .and_then(|took| Duration::try_from_secs_f64(took).ok());
    let took = took.map_or_else(String::new, |took| format!(" in {}", seconds(took)));
    let command = cell(&format!("cargo xtask {}", run.arguments.join(" ")));
    let counts = Counts::of(&run.steps).words();
    let mut text = format!(
        "**{command}**: {}{took} ({counts}). Its report, `{}`, is in the artifact with this job's runs.\n\n",
        Standing::of(run, false).word(),
        report.display()
    );
    if text.len() + 1 > room {
        return None;
    }
    let failed = run
        .steps
        .iter()
        .filter(|step| step.outcome == Some(Verdict::Failed));
    for line in failed.take(NAMED).map(failed_step) {
        if text.len() + line.len() + 1 > room {
            break;
        }
        text += &line;
    }
    text.push('\n');
    Some(text)
}

/// The step with its message, and with what is most probably behind it.
fn failed_step(step: &StepRecord) -> String {
    let failure = step.failure.as_ref();
    let message = failure.map_or("", |failure| failure.message.as_str());
    let first = || failure?.command.as_ref()?.first_error.as_deref();
    let cause = failure
        .and_then(|failure| failure.cause.as_deref())
        .or_else(first);
    let cause = cause.map_or_else(String::new, |cause| format!(": {}", cell(cause)));
    format!("- **{}**: {}{cause}\n", cell(&step.name), cell(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::Failure, run::timeline::tests::run};

    #[test]
    fn it_says_what_failed_and_where_the_report_is() {
        let mut run = run(1, &[("a", &[], 0.0, 1.0), ("b|c", &[], 0.0, 1.0)]);
        let failure = Failure {
            cause: Some("@you <b>".into()),
            ..Failure::failed("no `x`")
        };
        run.steps[1].outcome = Some(Verdict::Failed);
        run.steps[1].failure = Some((&failure).into());
        (run.exit_code, run.seconds) = (Some(1), Some(2.0));
        run.arguments = vec!["smoke".into(), "*".into()];
        let text = of(&run, Path::new("r/report.html"), 10_000).unwrap();
        assert_eq!(
            text,
            "**cargo xtask smoke \\*: failed in 2.0s (1 passed, 1 failed). Its report, `r/report.html`, is in the artifact with this job's runs.\n\n\
             - **b\\|c**: no \\`x\\`: &#64;you &#60;b&#62;\n\n"
                .replacen("\\*:", "\\***:", 1)
        );
        for room in 0..text.len() + 10 {
            let text = of(&run, Path::new("r/report.html"), room);
            assert!(text.is_none_or(|text| text.len() <= room), "{room}");
        }
    }
}
