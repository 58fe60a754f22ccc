// SPDX-License-Identifier: Apache-2.0
//! What a GitHub runner gets beside the other forms: annotations, and tables in the step summary.

use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use serde_json::Value;

use super::{Form, Report, Reporter, failure::words, screen::Screen, summary, workflow};
use crate::{
    event::{Event, Outcome},
    finding::Finding,
    own::file,
    run::record::RunRecord,
};

/// Bytes of a step's summary: of one that has more nothing is shown, and the step has an error instead.
/// `AttachmentSizeLimit` in `FileCommandManager.cs` of <https://github.com/actions/runner>.
const SUMMARY: usize = 1 << 20;

/// Bytes that tables leave to what is said of how runs ended.
const ENDED: usize = 4 << 10;

/// Bytes of a table in it: other commands of the same step have tables too.
const TABLE: usize = SUMMARY / 8;

pub(super) struct GitHub {
    screen: Rc<Screen>,
    summary: Option<PathBuf>,
}

impl GitHub {
    /// `summary`: the file that the step's summary is added to.
    pub(super) fn new(screen: Rc<Screen>, summary: Option<PathBuf>) -> Self {
        Self { screen, summary }
    }

    fn command(&self, name: &str, properties: &[(&str, &str)], message: &str) {
        self.screen
            .raw_line(&workflow::command(name, properties, message));
    }
}

impl GitHub {
    /// Adds to the step's summary, where there is one, text of at most so many bytes; None: there is no room for it.
    fn summarise(&self, text: &dyn Fn(usize) -> Option<String>) -> Result<(), String> {
        let Some(path) = &self.summary else {
            return Ok(());
        };
        let markdown = |before: u64| {
            let room = SUMMARY.saturating_sub(usize::try_from(before).unwrap_or(SUMMARY));
            let text = text(room);
            text.ok_or_else(|| io::Error::other("it has no room left"))
        };
        file::append_named(path, markdown)
            .map_err(|error| format!("no step summary in `{}`: {error}", path.display()))
    }
}

impl Reporter for GitHub {
    fn event(&self, event: &Event) {
        match event {
            Event::Warning(text) => self.command("warning", &[], text),
            Event::Finished(report) => {
                if let Outcome::Failed(failure) = &report.outcome {
                    self.command("error", &[("title", &report.name)], &words(failure));
                }
            }
            _ => {}
        }
    }

    fn finding(&self, finding: &Finding, _quiet: bool) {
        let file = finding.file.display().to_string();
        let line = finding
            .line
            .map_or_else(String::new, |line| line.to_string());
        let properties = [("file", file.as_str()), ("line", &line)];
        self.command(finding.severity.name(), &properties, &finding.message);
    }

    fn result(&self, _value: &Value, report: &Report, _form: Form) -> Result<(), String> {
        if report.is_empty() {
            return Ok(());
        }
        self.summarise(&|room| report.markdown(room.saturating_sub(ENDED).min(TABLE)))
    }

    fn reported(&self, run: &RunRecord, report: &Path) -> Result<(), String> {
        self.summarise(&|room| summary::of(run, report, room.min(ENDED)))
    }
}
