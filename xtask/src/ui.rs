// SPDX-License-Identifier: Apache-2.0
//! Shows events, results and failures; the only file that prints.
//!
//! People read standard error: a line per step, and what to do when one failed. Standard output carries
//! data only: what was asked for with `--json`, tables of results, and with `--format json` every event.
//!
//! Everything for people goes through a [`Line`] or a [`Table`], so that no name and no tool's output is
//! more than text.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

mod failure;
mod json;
mod line;
mod markdown;
mod printable;
mod table;
mod trace;
mod workflow;

use failure::Words;
pub(crate) use failure::words;
pub(crate) use json::pretty;
use json::to_json;
use line::Line;
pub(crate) use printable::{is_hidden, printable};
pub(crate) use table::Table;
pub(crate) use trace::trace;

use crate::{
    cli::Format,
    event::{Event, Outcome},
    failure::Failure,
    finding::{Finding, Severity},
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// After how long without news of a step somebody wants to know that it still runs.
const HEARTBEAT: Duration = Duration::from_secs(30);

pub(crate) struct Ui {
    format: Format,
    verbose: bool,
    github: Option<Github>,
    /// The line at the bottom of a terminal: what runs and what it says.
    status: Option<ProgressBar>,
    running: BTreeMap<String, (Instant, Instant)>,
    /// Data could not be written: whoever asked for it must not believe that it is all there.
    lost: Cell<bool>,
}

struct Github {
    summary: Option<PathBuf>,
    /// What each running step has said, to be shown folded when it ends.
    said: BTreeMap<String, Vec<String>>,
}

/// Lines of a step that a folded group shows at most; the log has all.
const GROUP: usize = 2_000;

impl Ui {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = format == Format::Text;
        let terminal = text && !verbose && std::io::stderr().is_terminal();
        Self {
            format,
            verbose,
            github: set("GITHUB_ACTIONS").map(|_| Github {
                summary: set("GITHUB_STEP_SUMMARY").map(PathBuf::from),
                said: BTreeMap::new(),
            }),
            status: terminal.then(|| {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("{spinner} {wide_msg}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar
            }),
            running: BTreeMap::new(),
            lost: Cell::new(false),
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        if self.format == Format::Json {
            self.json_line(&to_json(&event));
            match event {
                Event::Warning(text) => self.command("warning", &[], &text),
                Event::Finished {
                    step,
                    outcome: Outcome::Failed(failure),
                    ..
                } => self.annotate_step(&step, &failure),
                _ => {}
            }
            return;
        }
        match event {
            Event::Note(note) => self.note(&note),
            Event::Warning(text) => self.warning(&text),
            Event::Started { step } => {
                if self.verbose {
                    self.line(&Line::styled(DIM, &format!("… {step}")));
                }
                if let Some(status) = self.status.as_ref().filter(|status| status.is_finished()) {
                    status.reset();
                }
                let now = Instant::now();
                self.running.insert(step, (now, now));
                self.status_line("");
            }
            Event::Output { step, line } => {
                if let Some(github) = &mut self.github {
                    let said = github.said.entry(step.clone()).or_default();
                    if said.len() < GROUP {
                        said.push(line.clone());
                    }
                }
                if self.verbose {
                    let said = tool_line(&line);
                    self.line(&Line::styled(DIM, &format!("{step} |")).and(" ").and(&said));
                } else if self.status.is_some() {
                    self.status_line(&line);
                } else {
                    self.heartbeat(&step, &line);
                }
            }
            Event::Finished {
                step,
                quiet,
                outcome,
                elapsed,
            } => {
                self.running.remove(&step);
                self.group(&step);
                self.finished(&step, quiet, outcome, elapsed);
                self.status_line("");
            }
        }
    }

    fn finished(&mut self, step: &str, quiet: bool, outcome: Outcome, elapsed: Duration) {
        let time = seconds(elapsed);
        let quiet = quiet && !self.verbose;
        match outcome {
            Outcome::Done(what) if !quiet => {
                let what = what.map_or_else(String::new, |what| format!(": {what}"));
                let line = Line::styled(GOOD, "✓").and(&format!(" {step}{what} "));
                self.line(&line.in_style(DIM, &time));
            }
            Outcome::Skipped(why) if !quiet => {
                self.line(&Line::styled(DIM, &format!("· {step}: {why}")));
            }
            Outcome::Failed(failure) => {
                let line = Line::styled(BAD, &format!("✗ {step}")).and(" ");
                self.line(&line.in_style(DIM, &time));
                for line in Words::of(&failure).lines(Line::plain("  "), "  ") {
                    self.line(&line);
                }
                self.annotate_step(step, &failure);
            }
            _ => {}
        }
    }

    fn annotate_step(&self, step: &str, failure: &Failure) {
        self.command("error", &[("title", step)], &words(failure));
    }

    /// What a finished step has said, folded; with `--verbose` it was shown as it came.
    fn group(&mut self, step: &str) {
        let said = self
            .github
            .as_mut()
            .and_then(|github| github.said.remove(step));
        let Some(said) = said.filter(|_| !self.verbose) else {
            return;
        };
        match workflow::group(step, &said) {
            Ok(lines) => lines.iter().for_each(|line| self.raw_line(line)),
            // Without random numbers nothing can be folded safely; the log has it.
            Err(error) => self.warning(&format!("no folded output of `{step}`: {error}")),
        }
    }

    /// A workflow command, where a GitHub runner reads it.
    fn command(&self, name: &str, properties: &[(&str, &str)], message: &str) {
        if self.github.is_some() {
            self.raw_line(&workflow::command(name, properties, message));
        }
    }

    /// A line on standard error, above the status line.
    fn line(&self, line: &Line) {
        self.raw_line(&line.render(self.github.is_some()));
    }

    /// The same for a text that is fit already.
    fn raw_line(&self, text: &str) {
        // Nobody may be reading any more; that is no reason to fail, let alone to panic.
        let print = || {
            let _unread = writeln!(anstream::stderr(), "{text}");
        };
        match &self.status {
            Some(status) => status.suspend(print),
            None => print(),
        }
    }

    /// One event as a line of JSON on standard output.
    fn json_line(&self, value: &Value) {
        self.write_json(&value.to_string());
    }

    fn write_json(&self, json: &str) {
        self.write(&if self.github.is_some() {
            format!("{}\n", workflow::json_without_commands(json))
        } else {
            format!("{json}\n")
        });
    }

    fn status_line(&self, said: &str) {
        let Some(status) = &self.status else {
            return;
        };
        let running =
            self.running
                .iter()
                .map(|(step, (started, _))| match started.elapsed().as_secs() {
                    0 => step.clone(),
                    whole => format!("{step} {whole}s"),
                });
        let running = running.collect::<Vec<_>>().join(", ");
        let text = match said.trim() {
            "" => running,
            said => format!("{running} | {said}"),
        };
        status.set_message(Line::plain(&text).render(false));
        status.tick();
    }

    /// Without a terminal there is no status line: says now and then that a step still runs.
    fn heartbeat(&mut self, step: &str, said: &str) {
        let Some((started, last)) = self.running.get_mut(step) else {
            return;
        };
        if last.elapsed() < HEARTBEAT {
            return;
        }
        *last = Instant::now();
        let time = seconds(started.elapsed());
        let said = tool_line(said.trim());
        self.line(&Line::styled(DIM, &format!("… {step} {time} | {said}")));
    }

    pub(crate) fn warning(&self, text: &str) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "warning", "text": text}));
        } else {
            self.line(&Line::styled(WARN, "warning").and(": ").and(text));
        }
        self.command("warning", &[], text);
    }

    pub(crate) fn note(&self, text: &str) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "note", "text": text}));
        } else {
            self.line(&Line::styled(DIM, &format!("note: {text}")));
        }
    }

    /// The plan has ended: nothing runs that the status line could speak of.
    pub(crate) fn idle(&mut self) {
        self.running.clear();
        if let Some(status) = &self.status {
            status.finish_and_clear();
        }
    }

    /// A sentence that says how it ended.
    pub(crate) fn conclusion(&self, text: &str) {
        if self.format == Format::Text {
            self.line(&Line::styled(GOOD, text));
        }
    }

    /// A finding, for people unless `quiet`: standard output then carries it. A runner gets its annotation always.
    pub(crate) fn finding(&self, finding: &Finding, quiet: bool) {
        let (style, name) = match finding.severity {
            Severity::Error => (BAD, "error"),
            Severity::Warning => (WARN, "warning"),
        };
        if self.format == Format::Json {
            if !quiet {
                self.json_line(&json!({"event": "finding", "finding": finding}));
            }
        } else if !quiet {
            let place = match finding.line {
                Some(line) => format!("{}:{line}", finding.file.display()),
                None => finding.file.display().to_string(),
            };
            let line = Line::plain(&format!("{place}: ")).in_style(style, name);
            self.line(&line.and(&format!(": {}", finding.message)));
        }
        let file = finding.file.display().to_string();
        let number = finding
            .line
            .map_or_else(String::new, |line| line.to_string());
        let properties = [("file", file.as_str()), ("line", &number)];
        self.command(name, &properties, &finding.message);
    }

    /// Data on standard output, made of what is fit for a terminal: shell lines, names.
    pub(crate) fn data(&self, text: &str) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "data", "text": text}));
        } else {
            self.write(text);
        }
    }

    fn write(&self, text: &str) {
        if let Err(error) = write_all(text)
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.lost.set(true);
            let line = Line::styled(BAD, "error");
            self.line(&line.and(&format!(": cannot write to standard output: {error}")));
        }
    }

    /// Whether all data has arrived. A reader that has seen enough (`| head`) is no loss.
    pub(crate) fn complete(&self) -> bool {
        !self.lost.get()
    }

    /// A result: a JSON value for scripts, or a table for people.
    pub(crate) fn result(&self, json: bool, value: &Value, table: &Table) {
        let summary = self
            .github
            .as_ref()
            .and_then(|github| github.summary.as_ref());
        if let Some(path) = summary.filter(|_| !table.rows.is_empty()) {
            let appended = crate::own::file::append_named(Path::new(path), &table.markdown());
            if let Err(error) = appended {
                let path = Path::new(path).display();
                self.warning(&format!("no step summary in `{path}`: {error}"));
            }
        }
        if self.format == Format::Json {
            self.json_line(&json!({"event": "result", "result": value}));
        } else if json {
            self.write_json(&pretty(value));
        } else if !table.rows.is_empty() {
            self.write(&table.text(self.github.is_some()));
        }
    }

    pub(crate) fn failure(&self, error: &anyhow::Error) {
        if self.format == Format::Json {
            self.json_line(&json::failure(error));
            return;
        }
        let first = Line::styled(BAD, "error").and(": ");
        for line in Words::of_error(error).lines(first, "") {
            self.line(&line);
        }
    }

    /// What clap has to say of arguments, where every line is an event or no terminal should see it as it is.
    pub(crate) fn refusal(&self, text: &str, exit_code: u8) {
        if self.format == Format::Json {
            self.json_line(&json::refusal(text, exit_code));
            return;
        }
        for line in text.trim_end().lines() {
            self.line(&Line::plain(line));
        }
    }
}

/// A line that a tool has said, on its way to people: its tabs are blanks.
fn tool_line(line: &str) -> String {
    let line = line.replace('\t', "    ");
    printable::clipped(&printable(&line), printable::LONGEST_LINE).into_owned()
}

fn write_all(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// `0.4s`, `12.3s`, `2m03s`.
pub(crate) fn seconds(elapsed: Duration) -> String {
    let whole = elapsed.as_secs();
    if whole >= 100 {
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        format!("{:.1}s", elapsed.as_secs_f64())
    }
}

/// One text as each reader gets it, for those who try what no text may do.
#[cfg(any(test, fuzzing))]
pub(crate) struct Fit {
    pub(crate) terminal: String,
    pub(crate) runner: String,
    pub(crate) command: String,
    pub(crate) cell: String,
}

#[cfg(any(test, fuzzing))]
impl Fit {
    pub(crate) fn of(text: &str) -> Self {
        let line = Line::plain(text);
        Self {
            terminal: line.render(false),
            runner: line.render(true),
            command: workflow::command("error", &[("file", text)], text),
            cell: markdown::cell(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(123)), "2m03s");
    }
}
