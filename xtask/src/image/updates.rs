// SPDX-License-Identifier: Apache-2.0
//! The update scripts of an SQL extension as a graph of its versions.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use serde::Serialize;

/// A script that takes an extension from one version to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Update {
    pub from: String,
    pub to: String,
}

/// Versions with those at the other ends of their scripts.
type Edges<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Which scripts there are from a version, and to one.
pub(super) struct Graph<'a> {
    pub forward: Edges<'a>,
    pub backward: Edges<'a>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(updates: &'a [Update]) -> Self {
        let (mut forward, mut backward) = (Edges::new(), Edges::new());
        for Update { from, to } in updates {
            forward.entry(from).or_default().push(to.as_str());
            backward.entry(to).or_default().push(from.as_str());
        }
        Self { forward, backward }
    }

    /// What is reached along the edges, `from` itself with it.
    pub(super) fn reached(edges: &Edges<'a>, from: &'a str) -> BTreeSet<&'a str> {
        Self::ways(edges, from).into_keys().collect()
    }

    /// What is reached along the edges, each with the one before it on the shortest way; None: `from` itself.
    fn ways(edges: &Edges<'a>, from: &'a str) -> BTreeMap<&'a str, Option<&'a str>> {
        let mut before = BTreeMap::from([(from, None)]);
        let mut next = VecDeque::from([from]);
        while let Some(version) = next.pop_front() {
            for other in edges.get(version).into_iter().flatten() {
                if let Entry::Vacant(place) = before.entry(*other) {
                    place.insert(Some(version));
                    next.push_back(other);
                }
            }
        }
        before
    }
}

/// The versions by which `ALTER EXTENSION … UPDATE` takes an extension from one to another, both with them: the way with the
/// fewest scripts, as `find_update_path` in `src/backend/commands/extension.c` of PostgreSQL looks for it. One where they
/// are the same; none where no scripts lead there.
pub(crate) fn update_path(updates: &[Update], from: &str, to: &str) -> Vec<String> {
    let before = Graph::ways(&Graph::of(updates).forward, from);
    let mut path = Vec::new();
    let mut at = before.contains_key(to).then_some(to);
    while let Some(version) = at {
        path.push(version.to_owned());
        at = before.get(version).copied().flatten();
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_with_the_fewest_scripts_is_found() {
        let updates: Vec<Update> = [("1", "2"), ("2", "3"), ("3", "4"), ("2", "4"), ("4", "1")]
            .map(|(from, to)| Update {
                from: from.to_owned(),
                to: to.to_owned(),
            })
            .into();
        for (from, to, path) in [
            ("1", "4", &["1", "2", "4"][..]),
            ("4", "3", &["4", "1", "2", "3"]),
            ("3", "3", &["3"]),
            ("5", "5", &["5"]),
            ("5", "1", &[]),
            ("1", "5", &[]),
        ] {
            assert_eq!(update_path(&updates, from, to), path, "{from} to {to}");
        }
    }
}
