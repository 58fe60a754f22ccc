// SPDX-License-Identifier: Apache-2.0
//! Shows events, results and failures; the only file that prints.
//!
//! People read standard error: a line per step, and what to do when one failed. Standard output carries
//! data only: what was asked for with `--json`, tables of results, and with `--format json` every event.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{IsTerminal, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

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

/// Shows every command that is started, the questions among them too, when `XTASK_LOG` names a level
/// (`debug`, `trace`). For those who look for what is wrong with xtask itself.
pub(crate) fn trace() {
    let level = std::env::var("XTASK_LOG")
        .ok()
        .and_then(|name| name.parse().ok());
    if let Some(level) = level {
        let level: tracing::Level = level;
        // Set once, at the start; a second one would be refused, and the first one is as good.
        let _first = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_target(false)
            .with_writer(std::io::stderr)
            .try_init();
    }
}

/// A table of results: headings, and rows of as many cells.
pub(crate) struct Table {
    pub headings: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Ui {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = format == Format::Text;
        let terminal = text && !verbose && std::io::stderr().is_terminal();
        Self {
            format,
            verbose,
            github: set("GITHUB_ACTIONS").filter(|_| text).map(|_| Github {
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
            return;
        }
        match event {
            Event::Note(note) => self.line(&format!("{DIM}note: {note}{DIM:#}")),
            Event::Warning(text) => self.warning(&text),
            Event::Started { step } => {
                if self.verbose {
                    self.line(&format!("{DIM}… {step}{DIM:#}"));
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
                    self.line(&format!("{DIM}{step} |{DIM:#} {line}"));
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
            Outcome::Done(None) if !quiet => {
                self.line(&format!("{GOOD}✓{GOOD:#} {step} {DIM}{time}{DIM:#}"));
            }
            Outcome::Done(Some(what)) if !quiet => {
                self.line(&format!(
                    "{GOOD}✓{GOOD:#} {step}: {what} {DIM}{time}{DIM:#}"
                ));
            }
            Outcome::Skipped(why) if !quiet => self.line(&format!("{DIM}· {step}: {why}{DIM:#}")),
            Outcome::Failed(failure) => {
                self.line(&format!("{BAD}✗ {step}{BAD:#} {DIM}{time}{DIM:#}"));
                for line in describe(&failure).lines() {
                    self.line(&format!("  {line}"));
                }
                if self.github.is_some() {
                    self.line(&format!(
                        "::error title={}::{}",
                        property(step),
                        message(&failure.to_string())
                    ));
                }
            }
            _ => {}
        }
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
        self.line(&format!("::group::{step}"));
        for line in said {
            self.line(&line);
        }
        self.line("::endgroup::");
    }

    /// A line on standard error, above the status line.
    fn line(&self, text: &str) {
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
        self.write(&format!("{value}\n"));
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
        status.set_message(match said.trim() {
            "" => running,
            said => format!("{running} | {said}"),
        });
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
        self.line(&format!("{DIM}… {step} {time} | {}{DIM:#}", said.trim()));
    }

    pub(crate) fn warning(&self, text: &str) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "warning", "text": text}));
            return;
        }
        self.line(&format!("{WARN}warning{WARN:#}: {text}"));
        if self.github.is_some() {
            self.line(&format!("::warning::{}", message(text)));
        }
    }

    pub(crate) fn note(&self, text: &str) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "note", "text": text}));
        } else {
            self.line(&format!("{DIM}note: {text}{DIM:#}"));
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
            self.line(&format!("{GOOD}{text}{GOOD:#}"));
        }
    }

    pub(crate) fn finding(&self, finding: &Finding) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "finding", "finding": finding}));
            return;
        }
        let (style, name) = match finding.severity {
            Severity::Error => (BAD, "error"),
            Severity::Warning => (WARN, "warning"),
        };
        let place = match finding.line {
            Some(line) => format!("{}:{line}", finding.file.display()),
            None => finding.file.display().to_string(),
        };
        self.line(&format!(
            "{place}: {style}{name}{style:#}: {}",
            finding.message
        ));
        if self.github.is_some() {
            let line = finding
                .line
                .map_or_else(String::new, |line| format!(",line={line}"));
            let file = property(&finding.file.display().to_string());
            self.line(&format!(
                "::{name} file={file}{line}::{}",
                message(&finding.message)
            ));
        }
    }

    /// Data on standard output.
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
            self.line(&format!(
                "{BAD}error{BAD:#}: cannot write to standard output: {error}"
            ));
        }
    }

    /// Whether all data has arrived. A reader that has seen enough (`| head`) is no loss.
    pub(crate) fn complete(&self) -> bool {
        !self.lost.get()
    }

    /// A result: a JSON value for scripts, or a table for people.
    pub(crate) fn result(&self, json: bool, value: &Value, table: &Table) {
        if self.format == Format::Json {
            self.json_line(&json!({"event": "result", "result": value}));
        } else if json {
            self.data(&format!("{}\n", pretty(value)));
        } else if !table.rows.is_empty() {
            self.data(&table.text());
        }
        let summary = self
            .github
            .as_ref()
            .and_then(|github| github.summary.as_ref());
        if let Some(path) = summary.filter(|_| !table.rows.is_empty()) {
            let appended = fs_err::File::options()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| file.write_all(table.markdown().as_bytes()));
            if let Err(error) = appended {
                self.warning(&format!("no step summary: {error}"));
            }
        }
    }

    pub(crate) fn failure(&self, error: &anyhow::Error) {
        let text = match error.downcast_ref::<Failure>() {
            Some(failure) if self.format == Format::Json => failure.to_string(),
            Some(failure) => describe(failure),
            None => format!("{error:#}"),
        };
        if self.format == Format::Json {
            self.json_line(&json!({"event": "failure", "text": text, "exit_code": crate::failure::exit_code(error)}));
        } else {
            self.line(&format!("{BAD}error{BAD:#}: {text}"));
        }
    }
}

/// The failure with its hint in the hint's colour.
fn describe(failure: &Failure) -> String {
    let mut text = failure.message.clone();
    if let Some(cause) = &failure.cause {
        text += &format!("\n  probable cause: {cause}");
    }
    for line in &failure.details {
        text += &format!("\n  {line}");
    }
    if let Some(hint) = &failure.hint {
        text += &format!("\n\n{HINT}hint{HINT:#}: {hint}");
    }
    text
}

fn write_all(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// JSON as data: two spaces, and short lists of strings on one line are left to the reader's `jq`.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
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

/// Escapes for a GitHub workflow command's text and for its properties. Facts:
/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

fn to_json(event: &Event) -> Value {
    match event {
        Event::Note(text) => json!({"event": "note", "text": text}),
        Event::Warning(text) => json!({"event": "warning", "text": text}),
        Event::Started { step } => json!({"event": "started", "step": step}),
        Event::Output { step, line } => json!({"event": "output", "step": step, "line": line}),
        Event::Finished {
            step,
            outcome,
            elapsed,
            ..
        } => {
            let (name, text) = match outcome {
                Outcome::Done(what) => ("done", what.clone()),
                Outcome::Skipped(why) => ("skipped", Some(why.clone())),
                Outcome::Failed(failure) => ("failed", Some(failure.to_string())),
                Outcome::NotRun => ("not-run", None),
            };
            json!({"event": "finished", "step": step, "outcome": name, "text": text, "seconds": elapsed.as_secs_f64()})
        }
    }
}

impl Table {
    pub(crate) fn text(&self) -> String {
        let headings = self
            .headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&headings).chain(&self.rows).collect();
        let width = |column: usize| {
            lines
                .iter()
                .map(|line| line.get(column).map_or(0, |cell| cell.chars().count()))
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let mut text = String::new();
        for line in lines {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            text += cells.join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    fn markdown(&self) -> String {
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let mut text = row(&mut self.headings.iter().copied());
        text += &row(&mut self.headings.iter().map(|_| "---"));
        for cells in &self.rows {
            text += &row(&mut cells.iter().map(String::as_str));
        }
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_has_no_trailing_blanks() {
        let table = Table {
            headings: vec!["a", "long"],
            rows: vec![
                vec!["wide cell".into(), "x".into()],
                vec!["y".into(), String::new()],
            ],
        };
        assert_eq!(table.text(), "a          long\nwide cell  x\ny\n");
        assert_eq!(
            table.markdown(),
            "| a | long |\n| --- | --- |\n| wide cell | x |\n| y |  |\n\n"
        );
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(123)), "2m03s");
    }

    #[test]
    fn workflow_commands_are_escaped() {
        assert_eq!(message("50%\nnext"), "50%25%0Anext");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
