// SPDX-License-Identifier: Apache-2.0
//! How many steps run at the same time: the one place that decides it.

use std::{num::NonZero, thread::available_parallelism};

use super::{Config, E2E_SUITES, JOBS};

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

    /// Suites: as the setting `e2e.suites` says. Their databases mostly wait, for images, disks and each other.
    pub(crate) fn suites(config: &Config) -> Self {
        let processors = || available_parallelism().map_or(1, NonZero::get);
        Self::said(config.get(E2E_SUITES)).unwrap_or_else(|| Self(2 + processors() / 2))
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

    pub(crate) fn get(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(AtOnce::suites(&unsaid).get() >= 2);
        }
    }

    #[test]
    fn every_image_in_the_suites_leaves_room_for_small_steps() {
        assert_eq!(AtOnce::beside_suites(24).get(), 32);
        assert_eq!(AtOnce::beside_suites(usize::MAX).get(), usize::MAX);
    }
}
