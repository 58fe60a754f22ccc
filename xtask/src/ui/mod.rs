// SPDX-License-Identifier: Apache-2.0
//! Shows events, results and failures; the only folder that prints.
//!
//! People read standard error: a line per step, and what to do when one failed. Standard output carries
//! data only: what was asked for with `--json`, tables of results, and with `--format json` every event.
//! Each form has a reporter, which is told everything; which there are is decided once.

use std::{path::Path, rc::Rc, time::Duration};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

mod failure;
mod github;
mod html;
mod json;
mod junit;
mod line;
mod markdown;
mod region;
mod report;
mod running;
mod screen;
mod summary;
mod table;
mod terminal;
mod tested;
mod text;
mod trace;
mod waiting;
mod workflow;

pub(crate) use failure::words;
pub(crate) use html::html;
pub(crate) use junit::junit;
pub(crate) use report::{Form, Report};
pub(crate) use table::{Row, Table};
pub(crate) use trace::trace;

use self::{github::GitHub, json::Json, screen::Screen, text::Text};
use crate::{
    cli::Format,
    event::Event,
    failure::FailureRecord,
    finding::Finding,
    printable::{self, printable},
    run::{record::RunRecord, waiting::Waiting},
    tool::buildkit::step,
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// One form of all that is shown. What it has no words for, it leaves out.
trait Reporter {
    fn event(&self, event: &Event);

    /// The plan has ended: nothing runs any more.
    fn idle(&self) {}

    /// A sentence that says how it ended.
    fn conclusion(&self, _text: &str) {}

    /// `quiet`: standard output carries the findings as data.
    fn finding(&self, finding: &Finding, quiet: bool);

    /// Data for standard output, fit for a terminal.
    fn data(&self, _text: &str) {}

    /// A result, in the form that people want. Fails where it could not be kept, and says why.
    fn result(&self, value: &Value, report: &Report, form: Form) -> Result<(), String>;

    /// A value that scripts want on one line.
    fn one_line(&self, _value: &Value) {}

    /// The run has ended and has a report. Fails where it could not be said.
    fn reported(&self, _run: &RunRecord, _report: &Path) -> Result<(), String> {
        Ok(())
    }

    /// The failure that the command ends with.
    fn failure(&self, _failure: &FailureRecord) {}

    /// What clap has to say of arguments.
    fn refusal(&self, _text: &str, _exit_code: u8) {}
}

/// Where all that is to be shown goes: each reporter is told of it.
pub(crate) struct Ui {
    screen: Rc<Screen>,
    /// In the order in which they are told.
    reporters: Vec<Box<dyn Reporter>>,
}

impl Ui {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let runner = set("GITHUB_ACTIONS").is_some();
        let screen = Rc::new(match format {
            Format::Text if !verbose => Screen::live(runner),
            _ => Screen::new(runner),
        });
        let mut reporters: Vec<Box<dyn Reporter>> = vec![match format {
            Format::Text => Box::new(Text::new(Rc::clone(&screen), verbose)),
            Format::Json => Box::new(Json::new(Rc::clone(&screen))),
        }];
        if runner {
            let summary = set("GITHUB_STEP_SUMMARY").map(Into::into);
            reporters.push(Box::new(GitHub::new(Rc::clone(&screen), summary)));
        }
        Self { screen, reporters }
    }

    pub(crate) fn event(&self, event: &Event) {
        self.tell(|reporter| reporter.event(event));
    }

    pub(crate) fn warning(&self, text: &str) {
        self.event(&Event::Warning(text.to_owned()));
    }

    pub(crate) fn note(&self, text: &str) {
        self.event(&Event::Note(text.to_owned()));
    }

    /// The plan has ended: nothing runs that could be spoken of.
    pub(crate) fn idle(&self) {
        self.tell(|reporter| reporter.idle());
    }

    /// What takes away whatever is drawn at the terminal, for those who leave at once.
    pub(crate) fn leaving(&self) -> impl Fn() + Send + Sync + use<> {
        self.screen.leaving()
    }

    /// What the plan has waited for longest.
    pub(crate) fn waiting(&self, waiting: &Waiting) {
        self.note(&waiting::sentence(waiting));
    }

    /// A sentence that says how it ended.
    pub(crate) fn conclusion(&self, text: &str) {
        self.tell(|reporter| reporter.conclusion(text));
    }

    /// A finding, for people unless `quiet`: standard output then carries it. A runner gets its annotation always.
    pub(crate) fn finding(&self, finding: &Finding, quiet: bool) {
        self.tell(|reporter| reporter.finding(finding, quiet));
    }

    /// Data on standard output, made of what is fit for a terminal: shell lines, names.
    pub(crate) fn data(&self, text: &str) {
        self.tell(|reporter| reporter.data(text));
    }

    /// Whether all data has arrived. A reader that has seen enough (`| head`) is no loss.
    pub(crate) fn complete(&self) -> bool {
        self.screen.complete()
    }

    /// A result: a JSON value for scripts, or tables for people.
    pub(crate) fn result(&self, form: Form, value: &Value, report: &Report) {
        for reporter in &self.reporters {
            if let Err(why) = reporter.result(value, report, form) {
                self.warning(&why);
            }
        }
    }

    /// The run has ended: what of it is to be said where nobody has seen it, and where its report is.
    pub(crate) fn reported(&self, run: &RunRecord, report: &Path) {
        for reporter in &self.reporters {
            if let Err(why) = reporter.reported(run, report) {
                self.warning(&why);
            }
        }
    }

    /// A result for scripts on one line: it goes into `matrix=…` of a workflow's output file as it is.
    pub(crate) fn one_line(&self, value: &Value) {
        self.tell(|reporter| reporter.one_line(value));
    }

    /// The failure that the command ends with.
    pub(crate) fn failure(&self, failure: &FailureRecord) {
        self.tell(|reporter| reporter.failure(failure));
    }

    /// What clap has to say of arguments, where every line is an event or no terminal should see it as it is.
    pub(crate) fn refusal(&self, text: &str, exit_code: u8) {
        self.tell(|reporter| reporter.refusal(text, exit_code));
    }

    fn tell(&self, of: impl Fn(&dyn Reporter)) {
        for reporter in &self.reporters {
            of(reporter.as_ref());
        }
    }
}

/// A line that a tool has said, on its way to people: its tabs are blanks, and a build step's command is as long as it takes
/// to know it.
fn tool_line(line: &str) -> String {
    let line = step::in_short(line).replace('\t', "    ");
    printable::clipped(&printable(&line), printable::LONGEST_LINE).into_owned()
}

/// `1 image`, `2 images`: of what takes an `s`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `3 images signed`, and how many of them were so before, `unchanged`; of all that were, `why`.
pub(crate) fn images(
    done: &str,
    unchanged: impl ExactSizeIterator<Item = bool>,
    why: &str,
) -> String {
    let all = counted(unchanged.len(), "image");
    let (count, unchanged) = (unchanged.len(), unchanged.filter(|one| *one).count());
    match unchanged {
        0 => format!("{all} {done}"),
        _ if unchanged == count => format!("{all} unchanged: {why}"),
        _ => format!("{all} {done}, {unchanged} of them unchanged"),
    }
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

/// `512 bytes`, `1.3 kB`, `26.6 MB`, as docker counts them.
pub(crate) fn bytes(count: u64) -> String {
    let (mut value, mut unit) = (count, "bytes");
    let mut tenths = 0;
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1_000 {
            break;
        }
        (tenths, value, unit) = (value % 1_000 / 100, value / 1_000, next);
    }
    match unit {
        "bytes" => format!("{count} bytes"),
        unit => format!("{value}.{tenths} {unit}"),
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
        let line = line::Line::plain(text);
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
    fn what_was_so_before_is_counted_apart() {
        let said = |all: &[bool]| images("signed", all.iter().copied(), "as it was");
        assert_eq!(said(&[false]), "1 image signed");
        assert_eq!(said(&[true, true]), "2 images unchanged: as it was");
        assert_eq!(
            said(&[false, true, false]),
            "3 images signed, 1 of them unchanged"
        );
    }

    #[test]
    fn sizes_read_well() {
        for (count, shown) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_250, "1.2 kB"),
            (26_600_000, "26.6 MB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(bytes(count), shown);
        }
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(123)), "2m03s");
    }
}
