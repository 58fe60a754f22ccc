// SPDX-License-Identifier: Apache-2.0
//! One server with what several would get, and what becomes of it without one of them.

use std::collections::BTreeSet;

use super::{Mounted, Mounts};

impl<S: Clone> Mounts<S> {
    /// All that several servers get, each extension once. None: there is no server.
    pub(crate) fn together<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self>
    where
        S: 'a,
    {
        let mut names = BTreeSet::new();
        let all = all.into_iter().flat_map(Self::iter);
        Self::of(all.filter(|one| names.insert(one.extension.name.as_str())))
    }

    /// An extension with what it needs of the others. None: it is not among them.
    pub(crate) fn alone(&self, name: &str) -> Option<Self> {
        let own = self.iter().find(|one| one.extension.name == name)?;
        let needed = self.iter().filter(|one| self.needs(name, one));
        Self::of(std::iter::once(own).chain(needed))
    }

    /// The others, but for those that need it. None: there are none.
    pub(crate) fn without(&self, name: &str) -> Option<Self> {
        let left = self.iter().filter(|one| {
            let other = &one.extension.name;
            let is_needed = self
                .iter()
                .any(|one| one.extension.name == name && self.needs(other, one));
            other != name && !is_needed
        });
        Self::of(left)
    }

    /// The first is what the server is about.
    fn of<'a>(all: impl Iterator<Item = &'a Mounted<S>>) -> Option<Self>
    where
        S: 'a,
    {
        let mut all = all.cloned();
        Some(Self::new(all.next()?, all))
    }
}

impl<S> Mounts<S> {
    /// Whether an extension needs another one, be it by way of others.
    pub(crate) fn needs(&self, name: &str, other: &Mounted<S>) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            let found = self.iter().find(|one| one.extension.name == name);
            let needed = found
                .into_iter()
                .flat_map(|one| &one.extension.required_extensions);
            for needed in needed {
                if *needed == other.extension.name {
                    return true;
                }
                if seen.insert(needed) {
                    open.push(needed);
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mounts, tests::mounted};

    fn names(mounts: Option<&Mounts<()>>) -> Vec<String> {
        let mounts = mounts.into_iter().flat_map(Mounts::iter);
        mounts.map(|one| one.extension.name.clone()).collect()
    }

    #[test]
    fn each_is_there_once_and_takes_along_what_needs_it() {
        let one = Mounts::new(
            mounted("route", &["map"]),
            [mounted("map", &["base"]), mounted("base", &[])],
        );
        let other = Mounts::new(mounted("map", &["base"]), [mounted("base", &[])]);
        let third = Mounts::new(mounted("log", &[]), []);
        let all = Mounts::together([&one, &other, &third]).unwrap();
        assert_eq!(names(Some(&all)), ["route", "map", "base", "log"]);
        assert_eq!(names(all.alone("map").as_ref()), ["map", "base"]);
        assert_eq!(names(all.without("base").as_ref()), ["log"]);
        assert_eq!(names(all.without("log").as_ref()), ["route", "map", "base"]);
        assert_eq!(names(all.alone("nobody").as_ref()), [""; 0]);
        let last = all.alone("log").unwrap();
        assert_eq!(names(last.without("log").as_ref()), [""; 0]);
        assert_eq!(names(Mounts::together([]).as_ref()), [""; 0]);
    }
}
