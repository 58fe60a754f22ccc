// SPDX-License-Identifier: Apache-2.0
//! What was measured: the times of both ways, their medians, and how they are to each other.

use std::{fmt, path::Path, thread};

use serde::Serialize;

use super::Row;
use crate::{failure::Failure, own::source, tool::hyperfine::Measured, ui};

/// One of the two ways to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Reference,
    Ours,
}

impl Way {
    pub(super) const BOTH: [Self; 2] = [Self::Reference, Self::Ours];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Ours => "ours",
        }
    }
}

/// The times of one way, in seconds; one for each round.
#[derive(Debug, Default, Serialize)]
pub(super) struct Times {
    command: &'static str,
    seconds: Vec<f64>,
    /// Of processors; what an engine does for it is not in it.
    cpu_seconds: Vec<f64>,
    median: Option<f64>,
    median_cpu: Option<f64>,
}

impl Times {
    fn take(&mut self, one: &Measured) {
        self.seconds.push(one.seconds);
        self.cpu_seconds.push(one.user + one.system);
        self.median = median(&self.seconds);
        self.median_cpu = median(&self.cpu_seconds);
    }
}

/// What was measured of a row.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    name: &'static str,
    what: &'static str,
    against: &'static str,
    reference: Times,
    ours: Times,
    /// Our median as a part of the reference's. None: nothing was measured.
    ratio: Option<f64>,
    goal: f64,
    is_met: Option<bool>,
}

impl Comparison {
    pub(super) fn of(row: &'static Row) -> Self {
        let of = |command| Times {
            command,
            ..Times::default()
        };
        Self {
            name: row.name,
            what: row.what,
            against: row.against,
            reference: of(row.reference),
            ours: of(row.ours),
            ratio: None,
            goal: row.goal,
            is_met: None,
        }
    }

    /// Takes what a round has measured.
    pub(super) fn take(&mut self, round: Vec<Measured>) {
        for one in round {
            if one.command == Way::Reference.name() {
                self.reference.take(&one);
            } else if one.command == Way::Ours.name() {
                self.ours.take(&one);
            }
        }
        let medians = self.reference.median.zip(self.ours.median);
        self.ratio = medians.map(|(reference, ours)| ours / reference);
        self.is_met = self.ratio.map(|ratio| ratio <= self.goal);
    }
}

impl ui::Row for Comparison {
    const HEADINGS: &'static [&'static str] = &[
        "ROW",
        "WORK",
        "COMPARED WITH",
        "REFERENCE",
        "OURS",
        "RATIO",
        "GOAL",
        "",
    ];

    fn cells(&self) -> Vec<String> {
        let time = |times: &Times| times.median.map_or_else(|| "-".to_owned(), shown);
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}"));
        let met = self.is_met.map(|met| if met { "met" } else { "missed" });
        vec![
            self.name.to_owned(),
            self.what.to_owned(),
            self.against.to_owned(),
            time(&self.reference),
            time(&self.ours),
            ratio.unwrap_or_else(|| "-".to_owned()),
            format!("{}", self.goal),
            met.unwrap_or("not measured").to_owned(),
        ]
    }
}

/// `3.6 ms`, `12.3 s`.
fn shown(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.1} s")
    }
}

/// The middle one, or what is between the two in the middle.
fn median(times: &[f64]) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[sorted.len() / 2 - 1];
    Some(f64::midpoint(lower, upper))
}

/// Where it was measured.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    system: &'static str,
    architecture: &'static str,
    processors: usize,
    /// How many processes wanted a processor, on average of a minute: before, and after. None: the system does not say.
    load_before: Option<f64>,
    load_after: Option<f64>,
}

impl Machine {
    pub(super) fn look() -> Result<Self, Failure> {
        Ok(Self {
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            processors: thread::available_parallelism().map_or(1, usize::from),
            load_before: load()?,
            load_after: None,
        })
    }

    pub(super) fn look_again(&mut self) -> Result<(), Failure> {
        self.load_after = load()?;
        Ok(())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (processors, system) = (ui::counted(self.processors, "processor"), self.system);
        write!(
            f,
            "measured on {processors} ({system}, {})",
            self.architecture
        )?;
        match self.load_before {
            Some(load) => write!(f, ", load {load} before"),
            None => Ok(()),
        }
    }
}

fn load() -> Result<Option<f64>, Failure> {
    let text = source::read_named(Path::new("/proc/loadavg"))?;
    let first = text.as_deref().and_then(|text| text.split(' ').next());
    Ok(first.and_then(|first| first.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::ci::bench::Needs;

    #[test]
    fn the_median_is_what_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn rounds_give_medians_and_their_ratio() {
        const ROW: Row = Row {
            name: "x",
            what: "x",
            against: "y",
            needs: Needs::Nothing,
            reference_needs: None,
            rounds: 3,
            goal: 0.1,
            before: "",
            reference: "y",
            ours: "x",
        };
        let mut row = Comparison::of(&ROW);
        let round = |reference, ours| {
            let one = |way: Way, seconds| Measured {
                command: way.name().to_owned(),
                seconds,
                user: 0.5,
                system: 0.25,
            };
            vec![one(Way::Ours, ours), one(Way::Reference, reference)]
        };
        for (reference, ours) in [(2.0, 0.125), (4.0, 0.25), (3.0, 0.1875)] {
            row.take(round(reference, ours));
        }
        let said = serde_json::to_value(&row).unwrap();
        assert_eq!(said["reference"]["median"], 3.0);
        assert_eq!(said["ours"]["median_cpu"], 0.75);
        assert_eq!(said["ratio"], 0.0625);
        assert_eq!(said["is_met"], true);
        assert_eq!(ui::Row::cells(&row)[3..6], ["3.0 s", "187.5 ms", "0.06"]);
    }
}
