// SPDX-License-Identifier: Apache-2.0
//! What a GitHub runner gets beside the other forms: annotations, and tables in the step summary.

use std::{path::PathBuf, rc::Rc};

use serde_json::Value;

use super::{Reporter, Table, failure::words, screen::Screen, workflow};
use crate::{
    event::{Event, Outcome},
    finding::Finding,
    own::file,
};

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

    fn result(&self, _value: &Value, table: &Table, _json: bool) -> Result<(), String> {
        let summary = self.summary.as_ref().filter(|_| !table.rows.is_empty());
        let Some(path) = summary else {
            return Ok(());
        };
        file::append_named(path, &table.markdown())
            .map_err(|error| format!("no step summary in `{}`: {error}", path.display()))
    }
}
