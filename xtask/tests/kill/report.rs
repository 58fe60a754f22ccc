// SPDX-License-Identifier: Apache-2.0
//! What was found, as a table.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{blow::Blow, task::Task};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It did not end, or not well.
    Stuck,
    /// Something is there that should not be, or the other way round.
    Leaked,
    HalfWritten,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Stuck => "stuck",
            Kind::Leaked => "leaked",
            Kind::HalfWritten => "half-written",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// What is done in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kindred {
    pub(crate) task: Task,
    /// Two checkouts at once.
    pub(crate) pair: bool,
    /// None: two checkouts that nobody disturbs.
    pub(crate) blow: Option<Blow>,
}

impl fmt::Display for Kindred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let two = if self.pair { ", two checkouts" } else { "" };
        let blow = self.blow.map_or("undisturbed", Blow::name);
        write!(f, "{}{two}, {blow}", self.task.name())
    }
}

#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) number: u64,
    pub(crate) what: Kindred,
    pub(crate) elapsed: Duration,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) rounds: Vec<Ended>,
    /// What was wrong before anything was disturbed.
    pub(crate) before: Vec<Finding>,
    /// How long each takes undisturbed, and where that was asked.
    pub(crate) usual: Vec<(Task, Duration)>,
    pub(crate) elapsed: Duration,
}

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.before.is_empty() && self.rounds.iter().all(|round| round.findings.is_empty())
    }
}

fn count(rounds: &[&Ended], kind: Kind) -> usize {
    let has = |round: &&&Ended| round.findings.iter().any(|finding| finding.kind == kind);
    rounds.iter().filter(has).count()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for (task, time) in &self.usual {
            writeln!(
                f,
                "undisturbed, {} takes {:.1}s",
                task.name(),
                time.as_secs_f64()
            )?;
        }
        let mut groups: BTreeMap<String, Vec<&Ended>> = BTreeMap::new();
        for round in &self.rounds {
            groups
                .entry(round.what.to_string())
                .or_default()
                .push(round);
        }
        writeln!(
            f,
            "\n{:60} {:>6} {:>6} {:>7} {:>13} {:>12}",
            "COMMAND, BLOW", "ROUNDS", "STUCK", "LEAKED", "HALF-WRITTEN", "SECONDS EACH"
        )?;
        for (name, rounds) in &groups {
            let seconds: f64 = rounds.iter().map(|round| round.elapsed.as_secs_f64()).sum();
            #[expect(clippy::cast_precision_loss, reason = "a few hundred at most")]
            let each = seconds / rounds.len() as f64;
            writeln!(
                f,
                "{name:60} {:>6} {:>6} {:>7} {:>13} {each:>12.1}",
                rounds.len(),
                count(rounds, Kind::Stuck),
                count(rounds, Kind::Leaked),
                count(rounds, Kind::HalfWritten),
            )?;
        }
        let all: Vec<&Ended> = self.rounds.iter().collect();
        for finding in &self.before {
            writeln!(
                f,
                "error: undisturbed: {}: {}",
                finding.kind.name(),
                finding.text
            )?;
        }
        for round in self
            .rounds
            .iter()
            .filter(|round| !round.findings.is_empty())
        {
            writeln!(
                f,
                "error: round {}: `cargo xtask ci --lane kill --seed {} --round {}` repeats it",
                round.number, self.seed, round.number
            )?;
        }
        write!(
            f,
            "{} rounds with seed {} in {:.0}s: {} stuck, {} leaked, {} half-written",
            all.len(),
            self.seed,
            self.elapsed.as_secs_f64(),
            count(&all, Kind::Stuck),
            count(&all, Kind::Leaked),
            count(&all, Kind::HalfWritten)
        )
    }
}
