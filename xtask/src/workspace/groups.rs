// SPDX-License-Identifier: Apache-2.0
//! Which extensions are built and tested together: what an image is proven with is then what is published with it.

use super::Workspace;

impl Workspace {
    /// These extensions: those of which one needs the other in one group, each behind what it needs. One that needs the same as
    /// another one, which is not among these, is a group of its own.
    pub(crate) fn groups<'a>(&self, names: &[&'a str]) -> Vec<Vec<&'a str>> {
        let place = |name: &&str| self.get(name).and_then(|one| self.position(one));
        let mut ordered = names.to_vec();
        ordered.sort_by_key(|name| (place(name), *name));
        let mut groups: Vec<Vec<&str>> = Vec::new();
        for name in ordered {
            let needed = self.get(name).map(|one| self.dependencies(one));
            let needed = needed.unwrap_or_default();
            let is_needed =
                |member: &&str| needed.iter().any(|dependency| dependency.name == *member);
            let (joined, others): (Vec<Vec<&str>>, _) = groups
                .into_iter()
                .partition(|group| group.iter().any(is_needed));
            groups = others;
            groups.push(joined.into_iter().flatten().chain([name]).collect());
        }
        groups.sort();
        groups
    }
}
