// SPDX-License-Identifier: Apache-2.0
//! What a script in a server's container prints: a kind, a tab, and what is said. A line `begin` opens a section. What others say stands
//! behind a kind, so that it is no answer of ours.

use std::time::Duration;

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    plan::{Arg, Cmd, Console},
};

/// Lines by their kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told(Vec<(String, String)>);

/// The lines from one `begin` to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Section<'a> {
    /// What stands behind `begin`.
    pub name: &'a str,
    lines: &'a [(String, String)],
}

const BEGIN: &str = "begin";

impl Told {
    /// Runs a container whose script prints such lines. `limit`: after how long it is ended; None: never.
    pub(super) fn by(
        cmd: &Cmd<Arg>,
        limit: Option<Duration>,
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<Self, Failure> {
        let mut told = Self::default();
        let how = Supervision {
            timeout: limit,
            ..Supervision::default()
        };
        exec.run(&cmd.known()?, how, &mut |line| {
            (console.line)(&line.replace('\t', " "));
            told.take(line);
        })?;
        Ok(told)
    }

    fn take(&mut self, line: &str) {
        if let Some((kind, text)) = line.split_once('\t') {
            self.0.push((kind.to_owned(), text.to_owned()));
        }
    }

    /// What is said of one kind, whatever the section.
    pub(super) fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        of_kind(&self.0, kind)
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let is_begin = |(kind, _): &(String, String)| kind == BEGIN;
        let begins = self
            .0
            .iter()
            .enumerate()
            .filter(move |(_, line)| is_begin(line));
        begins.map(move |(at, (_, name))| {
            let lines = &self.0[at + 1..];
            let end = lines.iter().position(is_begin).unwrap_or(lines.len());
            Section {
                name,
                lines: &lines[..end],
            }
        })
    }
}

fn of_kind<'a>(lines: &'a [(String, String)], kind: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = lines.iter().filter(move |(of, _)| of == kind);
    lines.map(|(_, text)| text.as_str())
}

impl<'a> Section<'a> {
    pub(super) fn first(&self, kind: &'a str) -> Option<&'a str> {
        self.all(kind).next()
    }

    pub(super) fn all(&self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        of_kind(self.lines, kind)
    }

    /// How long it took, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        let text = self.first("milliseconds").unwrap_or_default();
        text.parse::<f64>().unwrap_or_default() / 1000.0
    }

    /// Why something has failed that was said line by line: our own words stand last, and the server's are quoted. None: it has not.
    pub(super) fn why(&self) -> Option<String> {
        let lines: Vec<&str> = self.all("failed").collect();
        let last = lines.last()?;
        let own = lines
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("error: "));
        let is_answer = |line: &&&str| {
            let is_error = line.contains("ERROR: ") || line.contains("FATAL: ");
            is_error && !line.starts_with("server: ")
        };
        let answer = lines.iter().find(is_answer).map(|line| line.trim());
        Some(match (own, answer) {
            (Some(own), Some(answer)) if !own.contains(answer) => format!("{own}: {answer}"),
            (Some(own), _) => own.to_owned(),
            (None, answer) => answer.unwrap_or(last).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_no_answer_of_ours() {
        let mut told = Told::default();
        for line in [
            "proof\tof nobody",
            "WARNING: Image mount is an experimental feature",
            "begin\tone",
            "proof\tlog\tfaked",
            "milliseconds\t310",
            "begin\ttwo",
            "failed\tserver: ERROR:  of another one",
            "failed\tERROR:  no such thing",
            "failed\terror: smoke.sql did not pass",
            "log\tpostmaster: WARNING:  so",
        ] {
            told.take(line);
        }
        let logged: Vec<&str> = told.all("log").collect();
        assert_eq!(logged, ["postmaster: WARNING:  so"]);
        let sections: Vec<Section<'_>> = told.sections().collect();
        let [one, two] = sections.as_slice() else {
            panic!("{sections:?}");
        };
        assert_eq!((one.name, one.first("proof")), ("one", Some("log\tfaked")));
        assert!((one.seconds() - 0.31).abs() < 1e-9 && one.why().is_none());
        let why = "smoke.sql did not pass: ERROR:  no such thing";
        assert_eq!((two.name, two.why().as_deref()), ("two", Some(why)));
    }
}
