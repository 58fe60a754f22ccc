// SPDX-License-Identifier: Apache-2.0
//! What people read: lines on standard error, and tables on standard output.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    BAD, DIM, Form, GOOD, Report, Reporter, WARN, failure::Words, line::Line, screen::Screen,
    seconds, tool_line, workflow,
};
use crate::{
    event::{Event, Outcome, StepReport},
    failure::FailureRecord,
    finding::{Finding, Severity},
    json::pretty,
    plan::StepId,
    verdict::Verdict,
};

/// After how long without news of a step somebody wants to know that it still runs.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Lines of a step that a folded group shows at most; the log has all.
const GROUP: usize = 2_000;

pub(super) struct Text {
    screen: Rc<Screen>,
    verbose: bool,
    running: RefCell<BTreeMap<StepId, Running>>,
}

/// A step that runs.
struct Running {
    name: String,
    started: Instant,
    /// When it was last spoken of.
    told: Instant,
    /// What it has said, to be shown folded when it ends.
    said: Vec<String>,
}

impl Text {
    pub(super) fn new(screen: Rc<Screen>, verbose: bool) -> Self {
        Self {
            screen,
            verbose,
            running: RefCell::default(),
        }
    }

    fn started(&self, id: StepId, step: &str) {
        if self.verbose {
            self.screen.line(&Line::styled(DIM, &format!("… {step}")));
        }
        self.screen.wake_status_line();
        let now = Instant::now();
        let running = Running {
            name: step.to_owned(),
            started: now,
            told: now,
            said: Vec::new(),
        };
        self.running.borrow_mut().insert(id, running);
        self.status_line("");
    }

    fn output(&self, id: StepId, step: &str, line: &str) {
        if self.screen.runner
            && let Some(running) = self.running.borrow_mut().get_mut(&id)
            && running.said.len() < GROUP
        {
            running.said.push(line.to_owned());
        }
        if self.verbose {
            let said = tool_line(line);
            let line = Line::styled(DIM, &format!("{step} |"));
            self.screen.line(&line.and(" ").and(&said));
        } else if self.screen.has_status_line() {
            self.status_line(line);
        } else {
            self.heartbeat(id, line);
        }
    }

    fn finished(&self, report: &StepReport) {
        let step = &report.name;
        let running = self.running.borrow_mut().remove(&report.id);
        if let Some(running) = running.filter(|running| !running.said.is_empty()) {
            self.group(step, &running.said);
        }
        let time = seconds(report.elapsed);
        let quiet = report.quiet && !self.verbose;
        match &report.outcome {
            Outcome::Done(what) if !quiet => {
                let what = what
                    .as_ref()
                    .map_or_else(String::new, |what| format!(": {what}"));
                let line = Line::styled(GOOD, "✓").and(&format!(" {step}{what} "));
                self.screen.line(&line.in_style(DIM, &time));
            }
            Outcome::Unchanged(what) if !quiet => {
                let what = what.as_ref();
                let what = what.map_or_else(String::new, |what| format!(": {what}"));
                let said = format!("· {step}: {}{what}", Verdict::Unchanged.word());
                self.screen.line(&Line::styled(DIM, &said));
            }
            Outcome::Skipped(why) if !quiet => {
                self.screen
                    .line(&Line::styled(DIM, &format!("· {step}: {why}")));
            }
            Outcome::Failed(failure) => {
                let line = Line::styled(BAD, &format!("✗ {step}")).and(" ");
                self.screen.line(&line.in_style(DIM, &time));
                for line in Words::of(failure).lines(Line::plain("  "), "  ") {
                    self.screen.line(&line);
                }
            }
            _ => {}
        }
        self.status_line("");
    }

    /// What a finished step has said, folded; with `--verbose` it was shown as it came.
    fn group(&self, step: &str, said: &[String]) {
        if self.verbose {
            return;
        }
        match workflow::group(step, said) {
            Ok(lines) => lines.iter().for_each(|line| self.screen.raw_line(line)),
            // Without random numbers nothing can be folded safely; the log has it.
            Err(error) => self.warning(&format!("no folded output of `{step}`: {error}")),
        }
    }

    fn warning(&self, text: &str) {
        self.screen
            .line(&Line::styled(WARN, "warning").and(": ").and(text));
    }

    fn status_line(&self, said: &str) {
        if !self.screen.has_status_line() {
            return;
        }
        let running = self.running.borrow();
        let running = running
            .values()
            .map(|step| match step.started.elapsed().as_secs() {
                0 => step.name.clone(),
                whole => format!("{} {whole}s", step.name),
            });
        let running = running.collect::<Vec<_>>().join(", ");
        self.screen.status_line(&match said.trim() {
            "" => running,
            said => format!("{running} | {said}"),
        });
    }

    /// Without a terminal there is no status line: says now and then that a step still runs.
    fn heartbeat(&self, id: StepId, said: &str) {
        let mut all = self.running.borrow_mut();
        let Some(running) = all.get_mut(&id) else {
            return;
        };
        if running.told.elapsed() < HEARTBEAT {
            return;
        }
        running.told = Instant::now();
        let time = seconds(running.started.elapsed());
        let said = tool_line(said.trim());
        self.screen.line(&Line::styled(
            DIM,
            &format!("… {} {time} | {said}", running.name),
        ));
    }
}

impl Reporter for Text {
    fn event(&self, event: &Event) {
        match event {
            Event::Note(text) => self
                .screen
                .line(&Line::styled(DIM, &format!("note: {text}"))),
            Event::Warning(text) => self.warning(text),
            Event::Started { id, step } => self.started(*id, step),
            Event::Output { id, step, line } => self.output(*id, step, line),
            Event::Finished(report) => self.finished(report),
            Event::Quiet => {}
        }
    }

    fn idle(&self) {
        self.running.borrow_mut().clear();
        self.screen.no_status_line();
    }

    fn conclusion(&self, text: &str) {
        self.screen.line(&Line::styled(GOOD, text));
    }

    fn finding(&self, finding: &Finding, quiet: bool) {
        if quiet {
            return;
        }
        let style = match finding.severity {
            Severity::Error => BAD,
            Severity::Warning => WARN,
        };
        let place = match finding.line {
            Some(line) => format!("{}:{line}", finding.file.display()),
            None => finding.file.display().to_string(),
        };
        let line = Line::plain(&format!("{place}: ")).in_style(style, finding.severity.name());
        self.screen
            .line(&line.and(&format!(": {}", finding.message)));
    }

    fn data(&self, text: &str) {
        self.screen.write(text);
    }

    fn result(&self, value: &Value, report: &Report, form: Form) -> Result<(), String> {
        match form {
            Form::Json => self.screen.write_json(&pretty(value)),
            Form::Markdown => {
                let text = report.markdown(usize::MAX).unwrap_or_default();
                self.screen.write(&text);
            }
            Form::Text => self.screen.write(&report.text(self.screen.runner)),
        }
        Ok(())
    }

    fn one_line(&self, value: &Value) {
        self.screen.write_json(&value.to_string());
    }

    fn failure(&self, failure: &FailureRecord) {
        let first = Line::styled(BAD, "error").and(": ");
        for line in Words::of(failure).lines(first, "") {
            self.screen.line(&line);
        }
    }

    fn refusal(&self, text: &str, _exit_code: u8) {
        for line in text.trim_end().lines() {
            self.screen.line(&Line::plain(line));
        }
    }
}
