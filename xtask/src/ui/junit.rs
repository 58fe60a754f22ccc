// SPDX-License-Identifier: Apache-2.0
//! The proofs of a run as XML in the form of `JUnit`, which CI systems read: one test case for each step that proves
//! something.
//!
//! There is no standard for it; these are elements and attributes that all readers know, as
//! <https://github.com/testmoapp/junitxml> describes them.

use std::io::{self, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::failure::Words;
use crate::{
    printable::printable,
    run::record::{RunRecord, StepRecord},
    verdict::Verdict,
};

/// The document; None when the run was to prove nothing.
pub(crate) fn junit(record: &RunRecord) -> Option<io::Result<String>> {
    let proofs = record.steps.iter().filter(|step| step.proof.is_some());
    let proofs: Vec<&StepRecord> = proofs.collect();
    (!proofs.is_empty()).then(|| document(record, &proofs))
}

fn document(record: &RunRecord, proofs: &[&StepRecord]) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let count = |case: Case| {
        let of = proofs.iter().filter(|step| Case::of(step) == case);
        of.count().to_string()
    };
    let name = format!("cargo xtask {}", record.arguments.join(" "));
    writer
        .create_element("testsuite")
        .with_attribute(("name", fit(&name).as_str()))
        .with_attribute(("timestamp", record.started.as_str()))
        .with_attribute(("time", time(record.seconds).as_str()))
        .with_attribute(("tests", proofs.len().to_string().as_str()))
        .with_attribute(("failures", count(Case::Failure).as_str()))
        .with_attribute(("errors", count(Case::Error).as_str()))
        .with_attribute(("skipped", count(Case::Skipped).as_str()))
        .write_inner_content(|writer| proofs.iter().try_for_each(|step| case(writer, step)))?;
    writer.get_mut().write_all(b"\n")?;
    String::from_utf8(writer.into_inner()).map_err(io::Error::other)
}

fn case(writer: &mut Writer<Vec<u8>>, step: &StepRecord) -> io::Result<()> {
    writer
        .create_element("testcase")
        .with_attribute(("classname", step.proof.as_deref().unwrap_or_default()))
        .with_attribute(("name", fit(&step.name).as_str()))
        .with_attribute(("time", time(step.seconds).as_str()))
        .write_inner_content(|writer| {
            ended(writer, step)?;
            let log = step.log.iter().map(|log| format!("log: {}", log.display()));
            let again = step.retried.iter();
            let again = again.map(|why| format!("it was run again: {why}"));
            let said: Vec<String> = again.chain(log).collect();
            if said.is_empty() {
                return Ok(());
            }
            let element = writer.create_element("system-out");
            element.write_text_content(BytesText::new(&fit(&said.join("\n"))))?;
            Ok(())
        })?;
    Ok(())
}

/// What a proof is to those who count test cases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Passed,
    Failure,
    /// It has shown nothing, which is no success.
    Error,
    /// It has shown nothing either, for a reason that is no fault.
    Skipped,
}

impl Case {
    fn of(step: &StepRecord) -> Self {
        match step.outcome {
            Some(Verdict::Passed) => Self::Passed,
            Some(Verdict::Failed) => Self::Failure,
            // What has passed in an earlier run was not tried in this one.
            Some(Verdict::Unchanged | Verdict::Skipped | Verdict::NotAvailable) => Self::Skipped,
            Some(Verdict::NotRun) if step.reason.is_some() => Self::Skipped,
            Some(Verdict::NotRun | Verdict::NotRead) | None => Self::Error,
        }
    }
}

/// The element that says that a test has not passed.
fn ended(writer: &mut Writer<Vec<u8>>, step: &StepRecord) -> io::Result<()> {
    let mut empty = |name: &str| {
        let reason = fit(step.reason.as_deref().unwrap_or("not run"));
        let message = match step.outcome {
            Some(Verdict::Unchanged) => format!("{}: {reason}", Verdict::Unchanged.word()),
            _ => reason,
        };
        let element = writer.create_element(name);
        let element = element.with_attribute(("message", message.as_str()));
        element.write_empty().map(drop)
    };
    match (Case::of(step), &step.failure) {
        (Case::Passed, _) => Ok(()),
        (Case::Error, _) => empty("error"),
        (Case::Skipped, _) => empty("skipped"),
        (Case::Failure, None) => empty("failure"),
        (Case::Failure, Some(failure)) => {
            let element = writer
                .create_element("failure")
                .with_attribute(("message", fit(&failure.message).as_str()))
                .with_attribute(("type", failure.kind.name()));
            let text = fit(&Words::of(failure).text());
            element.write_text_content(BytesText::new(&text)).map(drop)
        }
    }
}

/// Text without characters that XML cannot hold.
fn fit(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    let text = lines.join("\n");
    // XML 1.0, 2.2, has no place for these two, and `printable` has done with the other ones.
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn time(seconds: Option<f64>) -> String {
    format!("{:.3}", seconds.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::AtOnce,
        event::{Outcome, StepReport},
        failure::Failure,
        own::RunId,
        plan::{Cmd, Plan, Step, StepId},
        run::journal::Journal,
    };

    #[test]
    fn each_proof_is_a_test_case_and_whatever_is_said_stays_text() {
        let mut plan = Plan::default();
        plan.add(Step::run("bake", Cmd::new("docker", "bake")));
        for name in ["smoke a", "smoke <b>", "smoke c"] {
            plan.add(Step::run(name, Cmd::new("docker", "try it")).proof("smoke"));
        }
        let failure =
            Failure::failed("it said \"]]></failure>\"").detail("a\u{1b}[1mb\u{0}\u{fffe}\u{ffff}");
        let outcomes = [
            Outcome::Done(None),
            Outcome::Done(None),
            Outcome::failed(&failure),
            Outcome::NotRun,
        ];
        let steps = plan.steps.iter().zip(outcomes).enumerate();
        let steps = steps.map(|(at, (step, outcome))| StepReport {
            outcome,
            ..StepReport::not_run(StepId(at), step)
        });
        let id = RunId::parse("0123456789abcdef").unwrap();
        let mut journal = Journal::begun(&id, "smoke", &["smoke".into(), "a&b".into()]);
        journal.plan_begins(&plan, AtOnce::ONE);
        steps.for_each(|report| journal.step_ends(&report));
        journal.plan_ends();
        let record = RunRecord {
            started: "2026-01-02T03:04:05.678Z".to_owned(),
            ..journal.record().clone()
        };
        let text = junit(&record).unwrap().unwrap();
        assert_eq!(
            text,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="cargo xtask smoke a&amp;b" timestamp="2026-01-02T03:04:05.678Z" time="0.000" tests="3" failures="1" errors="1" skipped="0">
  <testcase classname="smoke" name="smoke a" time="0.000">
  </testcase>
  <testcase classname="smoke" name="smoke &lt;b&gt;" time="0.000">
    <failure message="it said &quot;]]&gt;&lt;/failure&gt;&quot;" type="failed">it said &quot;]]&gt;&lt;/failure&gt;&quot;
  ab\u{0}��</failure>
  </testcase>
  <testcase classname="smoke" name="smoke c" time="0.000">
    <error message="not run"/>
  </testcase>
</testsuite>
"#
        );
    }

    #[test]
    fn a_run_that_proves_nothing_has_none() {
        let id = RunId::parse("0123456789abcdef").unwrap();
        assert!(junit(&RunRecord::begun(&id, "bake", &[])).is_none());
    }
}
