// SPDX-License-Identifier: Apache-2.0
//! How long steps took the last time, as the records of earlier runs say: what takes longest is to begin first.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
    path::Path,
};

use serde::Deserialize;

use crate::{
    own::{RUNS, run_names, source},
    run::record,
    verdict::Verdict,
};

/// In how many of the newest runs it is looked for.
const RUNS_READ: usize = 5;

/// The seconds of steps, by their names.
#[derive(Debug, Default)]
pub(crate) struct Took(BTreeMap<String, f64>);

/// Of a run's record, the part that is read again.
#[derive(Deserialize)]
struct Kept {
    steps: Vec<KeptStep>,
}

#[derive(Deserialize)]
struct KeptStep {
    name: String,
    seconds: Option<f64>,
    outcome: Option<Verdict>,
}

impl Took {
    /// What the newest runs in `root` say. They decide an order and nothing else: one that cannot be read says nothing.
    pub(crate) fn read(root: &Path) -> Self {
        let mut took = Self::default();
        for name in run_names(root).iter().rev().take(RUNS_READ) {
            let path = Path::new(RUNS).join(name).join(record::FILE);
            if let Ok(file) = source::open_own(root, &path) {
                took.take(BufReader::new(file));
            }
        }
        took
    }

    /// Takes what is not known from a newer run.
    fn take(&mut self, record: impl Read) {
        let kept: Option<Kept> = serde_json::from_reader(record).ok();
        for step in kept.into_iter().flat_map(|kept| kept.steps) {
            // What was not done took no time.
            let was_done = !matches!(step.outcome, Some(Verdict::Unchanged | Verdict::Skipped));
            if let Some(seconds) = step.seconds.filter(|_| was_done) {
                self.0.entry(step.name).or_insert(seconds);
            }
        }
    }

    /// The places of steps in the order in which they are to begin: those of which nothing is known first, they may take longest.
    pub(crate) fn longest_first(&self, names: &[&str]) -> Vec<usize> {
        let known = |name: &str| self.0.get(name).copied().unwrap_or(f64::INFINITY);
        let mut places: Vec<usize> = (0..names.len()).collect();
        places.sort_by(|one, other| known(names[*other]).total_cmp(&known(names[*one])));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::Took;

    #[test]
    fn what_took_longest_begins_first_and_before_it_what_is_not_known() {
        let mut took = Took::default();
        let step =
            |name: &str, seconds: &str| format!("{{\"name\":\"{name}\",\"seconds\":{seconds}}}");
        let unchanged = r#"{"name":"a","seconds":0.1,"outcome":"unchanged"}"#;
        let record = |steps: &[String]| format!("{{\"steps\":[{}]}}", steps.join(","));
        took.take(record(&[unchanged.to_owned()]).as_bytes());
        let newest = record(&[step("a", "1.5"), step("b", "4"), step("c", "null")]);
        took.take(newest.as_bytes());
        took.take(record(&[step("a", "9"), step("c", "2")]).as_bytes());
        took.take(&b"{\"steps\":"[..]);
        assert_eq!(took.longest_first(&["a", "b", "c", "new"]), [3, 1, 2, 0]);
        assert_eq!(Took::default().longest_first(&["a", "b"]), [0, 1]);
    }
}
