// SPDX-License-Identifier: Apache-2.0
//! What people read: lines on standard error, and tables on standard output.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    BAD, DIM, Form, GOOD, Report, Reporter, WARN,
    failure::Words,
    line::Line,
    running::{FEW, Running},
    screen::Screen,
    seconds, tool_line, workflow,
};
use crate::{
    event::{Event, Outcome, StepReport},
    failure::FailureRecord,
    finding::{Finding, Severity},
    json::pretty,
    plan::StepId,
    printable::{clipped, columns, printable},
    verdict::Verdict,
};

/// How often the lines of steps that run are drawn at most.
const FRAME: Duration = Duration::from_millis(100);

pub(super) struct Text {
    screen: Rc<Screen>,
    verbose: bool,
    running: RefCell<Running>,
    /// When these were drawn.
    drawn: Cell<Option<Instant>>,
}

impl Text {
    pub(super) fn new(screen: Rc<Screen>, verbose: bool) -> Self {
        Self {
            screen,
            verbose,
            running: RefCell::default(),
            drawn: Cell::default(),
        }
    }

    fn started(&self, id: StepId, step: &str) {
        if self.verbose {
            self.screen.line(&Line::styled(DIM, &format!("… {step}")));
        }
        let now = Instant::now();
        self.running.borrow_mut().start(id, step, now);
        self.show(now);
    }

    fn output(&self, id: StepId, step: &str, line: &str) {
        let now = Instant::now();
        let is_kept = self.screen.runner;
        self.running.borrow_mut().say(id, line, is_kept, now);
        if self.verbose {
            let said = tool_line(line);
            let line = Line::styled(DIM, &format!("{step} |"));
            self.screen.line(&line.and(" ").and(&said));
        } else {
            self.show(now);
        }
    }

    /// Draws the lines of what runs where that is possible, and it is time to; where it is not, says now and then that it
    /// does.
    fn show(&self, now: Instant) {
        if self.verbose {
            return;
        }
        let Some(size) = self.screen.size() else {
            let lines = self.running.borrow_mut().heartbeat(now);
            for line in &lines {
                self.screen.line(line);
            }
            return;
        };
        let age = |drawn: Instant| now.saturating_duration_since(drawn);
        if self.drawn.get().is_none_or(|drawn| age(drawn) >= FRAME) {
            self.screen.draw(&self.running.borrow().lines(size, now));
            self.drawn.set(Some(now));
        }
    }

    fn finished(&self, report: &StepReport) {
        let step = &report.name;
        let has_failed = matches!(report.outcome, Outcome::Failed(_));
        let said = self
            .running
            .borrow_mut()
            .end(report.id, !report.quiet, has_failed);
        // What stays is written above lines that no longer speak of it.
        self.drawn.set(None);
        self.show(Instant::now());
        if !said.is_empty() {
            self.group(step, &said);
        }
        let time = seconds(report.elapsed);
        let quiet = report.quiet && !self.verbose;
        match &report.outcome {
            Outcome::Done(what) if !quiet => {
                let before = format!(" {step}");
                let what = what
                    .as_deref()
                    .map(|what| self.fitting(what, &before, &time));
                let what = what.unwrap_or_default();
                let line = Line::styled(GOOD, "✓").and(&format!("{before}{what} "));
                self.screen.line(&line.in_style(DIM, &time));
            }
            Outcome::Unchanged(what) if !quiet => {
                let before = format!(" {step}: {}", Verdict::Unchanged.word());
                let what = what.as_deref().map(|what| self.fitting(what, &before, ""));
                let said = format!("·{before}{}", what.unwrap_or_default());
                self.screen.line(&Line::styled(DIM, &said));
            }
            Outcome::Skipped(why) if !quiet => {
                let before = format!(" {step}");
                let said = format!("·{before}{}", self.fitting(why, &before, ""));
                self.screen.line(&Line::styled(DIM, &said));
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
    }

    /// What a step did, or why it did not, behind its name: on a terminal as much of it as fits on the line; the record has all.
    fn fitting(&self, what: &str, before: &str, time: &str) -> String {
        let Some(size) = self.screen.size() else {
            return format!(": {what}");
        };
        // With the mark, and a blank before the time.
        let taken = columns(before) + columns(time) + 2;
        let what = format!(": {}", printable(what));
        match size.columns.saturating_sub(taken) {
            ..FEW => String::new(),
            room => clipped(&what, room).into_owned(),
        }
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
}

impl Reporter for Text {
    fn event(&self, event: &Event) {
        match event {
            Event::Note(text) => self
                .screen
                .line(&Line::styled(DIM, &format!("note: {text}"))),
            Event::Warning(text) => self.warning(text),
            Event::Planned { steps } => {
                let now = Instant::now();
                self.running.borrow_mut().begin(*steps, now);
            }
            Event::Started { id, step } => self.started(*id, step),
            Event::Output { id, step, line } => self.output(*id, step, line),
            Event::Finished(report) => self.finished(report),
            Event::Quiet => self.show(Instant::now()),
        }
    }

    fn idle(&self) {
        self.running.take();
        self.drawn.set(None);
        self.screen.erase();
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
            Form::Text => self
                .screen
                .write(&report.text(self.screen.runner, Screen::columns())),
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
