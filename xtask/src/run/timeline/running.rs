// SPDX-License-Identifier: Apache-2.0
//! How many steps ran at once, at any moment of a run.

use std::collections::BTreeMap;

use super::{BLURRED, Span};
use crate::run::record::StepRecord;

/// How many steps of each pool, and of all, ran at a moment.
pub(super) struct Running<'a> {
    /// Starts and ends in their order; the pool is None for all steps.
    of: BTreeMap<Option<&'a str>, (Vec<f64>, Vec<f64>)>,
}

impl<'a> Running<'a> {
    pub(super) fn of(spans: &BTreeMap<usize, Span>, steps: &'a [StepRecord]) -> Self {
        let mut of: BTreeMap<Option<&str>, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for step in steps {
            let Some(span) = spans.get(&step.id) else {
                continue;
            };
            for pool in [None, step.pool.as_deref()]
                .into_iter()
                .take(1 + usize::from(step.pool.is_some()))
            {
                let (starts, ends) = of.entry(pool).or_default();
                starts.push(span.start);
                ends.push(span.end);
            }
        }
        for (starts, ends) in of.values_mut() {
            starts.sort_by(f64::total_cmp);
            ends.sort_by(f64::total_cmp);
        }
        Self { of }
    }

    pub(super) fn at(&self, moment: f64, pool: Option<&str>) -> usize {
        let Some((starts, ends)) = self.of.get(&pool) else {
            return 0;
        };
        let until = |times: &[f64]| times.partition_point(|time| *time <= moment);
        until(starts).saturating_sub(until(ends))
    }
}

impl Running<'_> {
    /// In how many seconds so many steps ran, or more.
    pub(super) fn seconds_of(&self, count: usize) -> f64 {
        let Some((starts, ends)) = self.of.get(&None) else {
            return 0.0;
        };
        let begins = starts.iter().map(|time| (*time + BLURRED, 1_i64));
        let mut all: Vec<(f64, i64)> = begins.chain(ends.iter().map(|time| (*time, -1))).collect();
        all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (mut running, mut since, mut full) = (0_i64, 0.0, 0.0);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        for (time, change) in all {
            if running >= count {
                full += time - since;
            }
            (running, since) = (running + change, time);
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use crate::run::timeline::{Timeline, tests::run};

    #[test]
    fn the_time_in_which_all_places_are_taken_is_counted() {
        let run = run(
            2,
            &[
                ("a", &[], 0.0, 4.0),
                ("b", &[], 0.0, 2.0),
                ("c", &[1], 2.0, 1.0),
                ("d", &[0, 2], 4.0, 1.0),
            ],
        );
        let (places, full) = Timeline::of(&run).full.unwrap();
        assert!(places == 2 && (full - 3.0).abs() < 0.02, "{full}");
    }
}
