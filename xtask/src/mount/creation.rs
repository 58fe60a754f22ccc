// SPDX-License-Identifier: Apache-2.0
//! What is created in SQL for an extension: what its image holds, and before it what that needs of other images and of the
//! base image.

use std::collections::BTreeSet;

use super::{Mounted, Mounts};
use crate::extension::SqlExtension;

/// An SQL extension that is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub name: &'a str,
    /// None: the one that its control file says.
    pub version: Option<&'a str>,
    /// None: the one that its control file says, or else the first of the search path.
    pub schema: Option<&'a str>,
    /// What must have been created before, beside what its control file requires.
    pub needs: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    /// As its control file says.
    fn of(name: &'a str) -> Self {
        Self {
            name,
            version: None,
            schema: None,
            needs: Vec::new(),
        }
    }
}

impl<S> Mounts<S> {
    /// What is created, as the metadata say it: of each image, those that are needed first, what it needs of the base
    /// image or its own, its own extension, and what else it holds. `version` gives that of an image's own extension.
    pub(crate) fn wanted<'a>(
        &'a self,
        version: impl Fn(&'a Mounted<S>) -> Option<&'a str>,
    ) -> Vec<Wanted<'a>> {
        let mut all: Vec<Wanted<'a>> = Vec::new();
        for one in self.in_creation_order() {
            let extension = &one.extension;
            let first = || extension.created_first.iter().map(String::as_str);
            let is_said =
                |name: &&str| extension.sql_extensions.iter().any(|one| one.name == *name);
            all.extend(first().filter(|name| !is_said(name)).map(Wanted::of));
            if !extension.create_extension {
                continue;
            }
            let is_own = |other: &&SqlExtension| other.name == extension.sql_name;
            let own = extension.sql_extensions.iter().find(is_own);
            all.push(Wanted {
                name: &extension.sql_name,
                version: version(one),
                schema: own.and_then(|own| own.schema.as_deref()),
                needs: first().chain(own.into_iter().flat_map(requires)).collect(),
            });
            let others = extension
                .sql_extensions
                .iter()
                .filter(|other| !is_own(other));
            all.extend(others.map(|other| Wanted {
                name: &other.name,
                version: other.version.as_deref(),
                schema: other.schema.as_deref(),
                needs: requires(other).collect(),
            }));
        }
        let mut names = BTreeSet::new();
        all.retain(|one| names.insert(one.name));
        all
    }
}

fn requires(one: &SqlExtension) -> impl Iterator<Item = &str> {
    one.requires.iter().map(String::as_str)
}

/// What is wanted, and before each what it needs: as the metadata say and, by `required`, as its control file does.
/// Otherwise all stay as they stand. In a circle, which PostgreSQL refuses, one of them comes first.
pub(crate) fn in_order<'a>(
    wanted: &[Wanted<'a>],
    required: impl Fn(&Wanted<'a>) -> Vec<&'a str>,
) -> Vec<Wanted<'a>> {
    let find = |name: &'a str| {
        let known = wanted.iter().find(|one| one.name == name);
        known.cloned().unwrap_or_else(|| Wanted::of(name))
    };
    let mut ordered: Vec<Wanted<'a>> = Vec::new();
    let mut seen = BTreeSet::new();
    // Each is looked at twice: then what it needs goes on top of it, and then it is placed.
    let mut pending: Vec<(Wanted<'a>, bool)> = wanted
        .iter()
        .rev()
        .map(|one| (one.clone(), false))
        .collect();
    while let Some((one, is_ready)) = pending.pop() {
        if is_ready {
            ordered.push(one);
        } else if seen.insert(one.name) {
            let mut needs = one.needs.clone();
            needs.extend(required(&one));
            pending.push((one, true));
            pending.extend(needs.into_iter().rev().map(|name| (find(name), false)));
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::{Wanted, in_order};

    fn wanted<'a>(name: &'a str, needs: &[&'a str]) -> Wanted<'a> {
        Wanted {
            needs: needs.to_vec(),
            ..Wanted::of(name)
        }
    }

    fn names<'a>(all: &[Wanted<'a>], required: &[(&'a str, &[&'a str])]) -> Vec<&'a str> {
        let of = |one: &Wanted<'a>| {
            let mut all = required.iter();
            let own = all.find(|(name, _)| *name == one.name);
            own.map(|(_, needs)| needs.to_vec()).unwrap_or_default()
        };
        in_order(all, of).iter().map(|one| one.name).collect()
    }

    #[test]
    fn what_is_needed_comes_before_and_the_rest_stays_where_it_is() {
        let all = [
            wanted("geometry", &[]),
            wanted("second", &["third", "hstore"]),
            wanted("third", &[]),
        ];
        assert_eq!(names(&all, &[]), ["geometry", "third", "hstore", "second"]);
        assert_eq!(
            names(
                &all,
                &[("geometry", &["cube"]), ("hstore", &["base", "cube"])]
            ),
            ["cube", "geometry", "third", "base", "hstore", "second"]
        );
    }

    #[test]
    fn a_circle_ends() {
        let all = [wanted("a", &["b"]), wanted("b", &["c"])];
        assert_eq!(names(&all, &[("c", &["a"])]), ["c", "b", "a"]);
    }

    #[test]
    fn what_is_said_of_one_that_is_needed_first_counts() {
        let mut all = [wanted("a", &["b"]), wanted("b", &[])];
        all[1].schema = Some("own");
        let ordered = in_order(&all, |_| Vec::new());
        assert_eq!(ordered[0].schema, Some("own"));
        assert_eq!(ordered.len(), 2);
    }
}
