// SPDX-License-Identifier: Apache-2.0
//! The libraries that a server loads at its start, in one list of all that its extensions say.

use super::{Mounted, Mounts};
use crate::extension::Extension;

/// What two extensions say of two libraries, which no list can have both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction<'a> {
    /// An extension, and the library that it has before the other one.
    pub one: (&'a str, &'a str),
    pub other: (&'a str, &'a str),
}

impl<S> Mounts<S> {
    /// The libraries that the server loads at its start, each once: those of what is needed before those that need it, as
    /// a library may find another there or not. What an extension's own list has in another order stays in that.
    pub(crate) fn preload(&self) -> Vec<&str> {
        let mut left = self.preload_of_needed_first();
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let is_first = |name: &&str| {
                let mut lists = self.lists();
                !lists.any(|(_, list)| before(list, name).any(|other| left.contains(&other)))
            };
            // Where lists contradict each other none is.
            let next = left.iter().position(is_first).unwrap_or(0);
            ordered.push(left.remove(next));
        }
        ordered
    }

    fn preload_of_needed_first(&self) -> Vec<&str> {
        let mut preload: Vec<&str> = Vec::new();
        for one in self.in_creation_order().into_iter().rev() {
            let named = one.extension.shared_preload_libraries.iter();
            let named = named.map(String::as_str);
            let new: Vec<&str> = named.filter(|name| !preload.contains(name)).collect();
            preload.splice(0..0, new);
        }
        preload
    }

    fn lists(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.iter().map(|Mounted { extension, .. }| {
            let Extension {
                name,
                shared_preload_libraries: list,
                ..
            } = &**extension;
            (name.as_str(), list.as_slice())
        })
    }

    /// The libraries that two extensions want in two orders.
    pub(crate) fn contradictions(&self) -> Vec<Contradiction<'_>> {
        let lists: Vec<(&str, &[String])> = self.lists().collect();
        let mut found = Vec::new();
        for (at, (one, list)) in lists.iter().enumerate() {
            for (other, others) in &lists[at + 1..] {
                for second in *list {
                    let is_behind = |first: &&str| before(others, first).any(|name| name == second);
                    if let Some(first) = before(list, second).find(is_behind) {
                        found.push(Contradiction {
                            one: (one, first),
                            other: (other, second),
                        });
                    }
                }
            }
        }
        found
    }
}

/// What a list has before a name; nothing where it does not have that.
fn before<'a>(list: &'a [String], name: &str) -> impl Iterator<Item = &'a str> {
    let end = list.iter().position(|one| one == name).unwrap_or(0);
    list[..end].iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::{Mounts, tests::preloaded};
    use super::*;

    #[test]
    fn the_libraries_of_what_is_needed_come_first() {
        let needed = || {
            [
                preloaded("audit", &["base"], &["audit"]),
                preloaded("base", &[], &["base"]),
            ]
        };
        let mounts = Mounts::new(preloaded("file", &["audit"], &["file"]), needed());
        assert_eq!(mounts.preload(), ["base", "audit", "file"]);
        let own = preloaded("file", &["audit"], &["server", "file", "audit"]);
        let mounts = Mounts::new(own, needed());
        assert_eq!(mounts.preload(), ["base", "server", "file", "audit"]);
    }

    #[test]
    fn every_list_keeps_its_order_and_two_that_cannot_both_are_named() {
        let all = |last: &[&str]| {
            let own = preloaded("one", &[], &["b", "c"]);
            let others = [
                preloaded("two", &[], &["c", "d"]),
                preloaded("three", &[], last),
            ];
            Mounts::new(own, others)
        };
        let mounts = all(&["a", "b"]);
        assert_eq!(mounts.preload(), ["a", "b", "c", "d"]);
        assert!(mounts.contradictions().is_empty());
        let mounts = all(&["d", "c"]);
        let mut names = mounts.preload();
        names.sort_unstable();
        assert_eq!(names, ["b", "c", "d"]);
        let wanted = Contradiction {
            one: ("two", "c"),
            other: ("three", "d"),
        };
        assert_eq!(mounts.contradictions(), [wanted]);
    }
}
