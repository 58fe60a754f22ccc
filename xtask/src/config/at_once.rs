// SPDX-License-Identifier: Apache-2.0
//! How many steps run at the same time: the one place that decides it.

use std::{
    num::NonZero,
    panic::resume_unwind,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread::available_parallelism,
};

use super::{Config, E2E_SUITES, JOBS};
use crate::own::source;

/// KiB of memory that is to be there for each suite's database.
const SUITE_MEMORY: usize = 512 << 10;

/// So many steps at the same time: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtOnce(usize);

impl AtOnce {
    pub(crate) const ONE: Self = Self(1);

    /// When nobody has said how many: mostly they wait, for registries and for the engine.
    const STEPS: Self = Self(8);

    /// So many; one where that is none.
    pub(crate) const fn of(count: usize) -> Self {
        Self(if count == 0 { 1 } else { count })
    }

    /// Steps of any kind: as the setting `bake.jobs` says.
    pub(crate) fn steps(config: &Config) -> Self {
        Self::said(config.get(JOBS)).unwrap_or(Self::STEPS)
    }

    /// Suites: as the setting `e2e.suites` says.
    pub(crate) fn suites(config: &Config) -> Self {
        let processors = || available_parallelism().map_or(1, NonZero::get);
        let decided = || Self::suites_with(processors(), free_memory());
        Self::said(config.get(E2E_SUITES)).unwrap_or_else(decided)
    }

    /// Their databases mostly wait, for images, disks and each other: eight took 81 s at once on two processors, and 104 s three at
    /// a time. `free`: KiB of memory; None: it is not known.
    fn suites_with(processors: usize, free: Option<usize>) -> Self {
        let most = processors.saturating_mul(3).saturating_add(2);
        Self::of(free.map_or(most, |free| most.min(free / SUITE_MEMORY)))
    }

    /// The steps of a plan that holds the suites of so many images, which have a bound of their own: small steps must
    /// not wait for them.
    pub(crate) fn beside_suites(images: usize) -> Self {
        Self(images.saturating_add(Self::STEPS.0))
    }

    /// None for 0, which means "decide for me".
    fn said(count: u32) -> Option<Self> {
        (count > 0).then_some(Self(count as usize))
    }

    /// Does something with each of these, so many at the same time. Gives the results in their order.
    pub(crate) fn each<T: Sync, R: Send>(
        self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
    ) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let some = || {
            let mut done: Vec<(usize, R)> = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(at) else {
                    return done;
                };
                done.push((at, work(item)));
            }
        };
        let mut done = std::thread::scope(|scope| {
            let others = (1..self.0.min(items.len())).map(|_| scope.spawn(some));
            let others: Vec<_> = others.collect();
            let mut done = some();
            for other in others {
                done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            done
        });
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, result)| result).collect()
    }

    pub(crate) fn get(self) -> usize {
        self.0
    }
}

/// KiB of memory that this machine has left. None: its system does not say so in the way of Linux.
fn free_memory() -> Option<usize> {
    let text = source::read_named(Path::new("/proc/meminfo")).ok()??;
    available(&text)
}

/// What `/proc/meminfo` says. Fact: `man 5 proc_meminfo`; its `kB` are 1,024 bytes.
fn available(text: &str) -> Option<usize> {
    let mut lines = text.lines();
    let said = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    said.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_the_order_of_what_they_are_of() {
        let items: Vec<usize> = (0..100).collect();
        for at_once in [1, 2, 7, 200] {
            let done = AtOnce::of(at_once).each(&items, |item| item * 2);
            assert_eq!(done, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
        assert!(AtOnce::ONE.each(&[] as &[u8], |item| *item).is_empty());
    }

    fn config(text: &str) -> Config {
        let mut config = Config::defaults();
        config.read_file(text).unwrap();
        config
    }

    #[test]
    fn what_is_said_counts_and_zero_says_nothing() {
        let said = config("[bake]\njobs = 3\n[e2e]\nsuites = 5\n");
        assert_eq!(AtOnce::steps(&said).get(), 3);
        assert_eq!(AtOnce::suites(&said).get(), 5);
        for unsaid in [Config::defaults(), config("[bake]\njobs = 0\n")] {
            assert_eq!(AtOnce::steps(&unsaid).get(), 8);
            assert!(AtOnce::suites(&unsaid).get() >= 1);
        }
    }

    #[test]
    fn suites_follow_processors_and_memory() {
        let gib = 1 << 20;
        for (processors, free, wanted) in [
            (2, None, 8),
            (2, Some(19 * gib), 8),
            (4, Some(3 * gib), 6),
            (64, Some(0), 1),
            (usize::MAX, None, usize::MAX),
        ] {
            let decided = AtOnce::suites_with(processors, free).get();
            assert_eq!(decided, wanted, "{processors} {free:?}");
        }
        let said = "MemTotal:       24000000 kB\nMemAvailable:   19531250 kB\n";
        assert_eq!(available(said), Some(19_531_250));
        assert_eq!(available("MemAvailable: much\n"), None);
        assert_eq!(available(""), None);
    }

    #[test]
    fn every_image_in_the_suites_leaves_room_for_small_steps() {
        assert_eq!(AtOnce::beside_suites(24).get(), 32);
        assert_eq!(AtOnce::beside_suites(usize::MAX).get(), usize::MAX);
    }
}
