// SPDX-License-Identifier: Apache-2.0
//! A share of the images: what one of several machines builds and tests. The images are put in an order in which
//! neighbours have most in common, and that is cut into parts of one size.

use std::{collections::BTreeMap, str::FromStr};

use super::Target;

/// A share of the images: part `index` (from 1) of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: usize,
    pub count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('/')
            .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err("write it as `2/5`: the second of five parts".into()),
        }
    }
}

impl Shard {
    /// This share of the targets, in their order. The shares differ by one target at most, and one more target moves one
    /// other from a share to the next at most for each cut. Images for one server are neighbours, as they share its base
    /// image, and among these the ones that need each other: what two shares need is built in both.
    pub(super) fn of(self, targets: Vec<Target>) -> Vec<Target> {
        let families = families(&targets);
        let mut order: Vec<usize> = (0..targets.len()).collect();
        order.sort_by_key(|place| (&targets[*place].server, families[*place], *place));
        let (first, end) = (
            self.cut(self.index - 1, order.len()),
            self.cut(self.index, order.len()),
        );
        let own = &mut order[first..end];
        own.sort_unstable();
        let is_own = |place: &usize| own.binary_search(place).is_ok();
        let targets = targets.into_iter().enumerate();
        targets
            .filter_map(|(place, target)| is_own(&place).then_some(target))
            .collect()
    }

    /// Where the part of that number ends, from 0, among so many. The last ones are the smaller ones.
    fn cut(self, number: usize, among: usize) -> usize {
        let at = (number as u128 * among as u128).div_ceil(self.count as u128);
        usize::try_from(at).unwrap_or(among)
    }
}

/// For each target the place of the first one whose extension it needs, or needs the same as, or is needed by.
fn families(targets: &[Target]) -> Vec<usize> {
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, target) in targets.iter().enumerate() {
        let needed = target.extension.required_extensions.iter();
        let members: Vec<&str> = std::iter::once(&target.extension.name)
            .chain(needed)
            .map(String::as_str)
            .collect();
        let known = members
            .iter()
            .filter_map(|name| families.get(name).copied());
        let known: Vec<usize> = known.collect();
        let family = known.iter().copied().min().unwrap_or(place);
        for joined in families.values_mut() {
            if known.contains(joined) {
                *joined = family;
            }
        }
        families.extend(members.into_iter().map(|name| (name, family)));
    }
    let of = |target: &Target| families.get(&*target.extension.name).copied();
    targets
        .iter()
        .map(|target| of(target).unwrap_or_default())
        .collect()
}
