// SPDX-License-Identifier: Apache-2.0
//! How CloudNativePG mounts extensions into a server and configures it for them, derived once from the metadata:
//! `smoke` does the same to a container, and the suites' values ask the operator for it.
//!
//! Facts: <https://cloudnative-pg.io/documentation/current/imagevolume_extensions/>.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    extension::Extension,
    value::placeholder::{IMAGE_ROOT, Piece, pieces},
};

mod creation;
mod preload;
mod together;

pub(crate) use creation::{Wanted, in_order};

/// A list of an image's folders that the server is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folders {
    /// Where control files and scripts are.
    Control,
    /// Where PostgreSQL finds libraries.
    Library,
    /// Where the dynamic linker finds what those need.
    Linker,
    /// Where programs are.
    Programs,
}

impl Folders {
    pub(crate) const ALL: [Self; 4] = [Self::Control, Self::Library, Self::Linker, Self::Programs];

    /// The field of metadata.hcl and of a `Cluster`'s extension.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Control => "extension_control_path",
            Self::Library => "dynamic_library_path",
            Self::Linker => "ld_library_path",
            Self::Programs => "bin_path",
        }
    }

    /// What the metadata names, relative to the image's root.
    pub(crate) fn named(self, extension: &Extension) -> &[String] {
        match self {
            Self::Control => &extension.extension_control_path,
            Self::Library => &extension.dynamic_library_path,
            Self::Linker => &extension.ld_library_path,
            Self::Programs => &extension.bin_path,
        }
    }

    /// What the server is told of: what the metadata names, or else CloudNativePG's default.
    pub(crate) fn of(self, extension: &Extension) -> Vec<String> {
        let named = self.named(extension);
        if named.is_empty() {
            return self.default().map(str::to_owned).into_iter().collect();
        }
        named.to_vec()
    }

    /// What CloudNativePG takes when the metadata names none.
    fn default(self) -> Option<&'static str> {
        match self {
            Self::Control => Some("share"),
            Self::Library => Some("lib"),
            Self::Linker | Self::Programs => None,
        }
    }
}

/// A variable's value where the image is mounted at `root`. What nobody knows stays: it is refused elsewhere.
fn expanded(value: &str, root: &str) -> String {
    let pieces = pieces(value).into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Placeholder(name) if name == IMAGE_ROOT => root.to_owned(),
        Piece::Placeholder(name) => format!("${{{name}}}"),
    });
    pieces.collect()
}

/// Where the image of an extension of that name is mounted.
pub(crate) fn root(name: &str) -> String {
    format!("/extensions/{name}")
}

/// An extension with what is known of the image that its files come from.
#[derive(Clone, Debug)]
pub(crate) struct Mounted<S> {
    pub extension: Arc<Extension>,
    pub source: S,
}

impl<S> Mounted<S> {
    /// The metadata's own variables of the server's process.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, String)> {
        let root = root(&self.extension.name);
        let pairs = self.extension.env.iter();
        pairs.map(move |(name, value)| (name.as_str(), expanded(value, &root)))
    }
}

/// What one server gets: the extension that it is about, and behind it what that needs, in the order in which they
/// are mounted.
#[derive(Clone, Debug)]
pub(crate) struct Mounts<S> {
    own: Mounted<S>,
    needed: Vec<Mounted<S>>,
}

impl<S> Mounts<S> {
    pub(crate) fn new(own: Mounted<S>, needed: impl IntoIterator<Item = Mounted<S>>) -> Self {
        let needed = needed.into_iter().collect();
        Self { own, needed }
    }

    /// The extension that the server is about.
    pub(crate) fn own(&self) -> &Mounted<S> {
        &self.own
    }

    pub(crate) fn own_mut(&mut self) -> &mut Mounted<S> {
        &mut self.own
    }

    /// All of them, in mounting order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mounted<S>> {
        std::iter::once(&self.own).chain(&self.needed)
    }

    /// All of them in the order in which they are created: what is needed before what needs it, otherwise as they
    /// stand. With one behind what needs it the operator would fail once and try again.
    pub(crate) fn in_creation_order(&self) -> Vec<&Mounted<S>> {
        let mut left: Vec<&Mounted<S>> = self.iter().collect();
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let ready = |one: &&Mounted<S>| {
                let needed = &one.extension.required_extensions;
                !left
                    .iter()
                    .any(|other| needed.contains(&other.extension.name))
            };
            // In a circle nobody is ready; metadata with one is refused elsewhere.
            let next = left.iter().position(ready).unwrap_or(0);
            ordered.push(left.remove(next));
        }
        ordered
    }

    /// The parameters that the extensions want of the server. Where several name one, that counts which needs the others.
    pub(crate) fn parameters(&self) -> BTreeMap<&str, &str> {
        let wanted = self.in_creation_order().into_iter();
        let wanted = wanted.flat_map(|one| &one.extension.postgresql_parameters);
        wanted.map(|(name, value)| (&**name, &**value)).collect()
    }

    /// The folders of one kind, as the server sees them.
    pub(crate) fn folders(&self, folders: Folders) -> Vec<String> {
        let mut all = Vec::new();
        for one in self.iter() {
            let root = root(&one.extension.name);
            let of_this = folders.of(&one.extension).into_iter();
            all.extend(of_this.map(|folder| format!("{root}/{folder}")));
        }
        all
    }

    /// The metadata's own variables of the server's process.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, String)> {
        self.iter().flat_map(Mounted::variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::tests::extension;

    pub(super) fn mounted(name: &str, needs: &[&str]) -> Mounted<()> {
        let needs: Vec<String> = needs.iter().map(|name| (*name).to_owned()).collect();
        Mounted {
            extension: Arc::new(extension(name, &needs, &[("trixie", "18")])),
            source: (),
        }
    }

    #[test]
    fn what_is_needed_is_created_before_what_needs_it_and_the_rest_stays_where_it_is() {
        let needed = [
            mounted("left", &["bottom"]),
            mounted("bottom", &[]),
            mounted("right", &["bottom", "elsewhere"]),
        ];
        let mounts = Mounts::new(mounted("top", &["left", "right"]), needed);
        let order: Vec<&str> = mounts
            .in_creation_order()
            .iter()
            .map(|one| &*one.extension.name)
            .collect();
        assert_eq!(order, ["bottom", "left", "right", "top"]);
    }

    /// An extension with libraries to preload, and a parameter with its own name as the value.
    pub(super) fn preloaded(name: &str, needs: &[&str], libraries: &[&str]) -> Mounted<()> {
        let mut one = mounted(name, needs);
        let extension = Arc::make_mut(&mut one.extension);
        extension.shared_preload_libraries = libraries.iter().map(|&name| name.into()).collect();
        let parameters = ["all", name].map(|key| (key.to_owned(), name.to_owned()));
        extension.postgresql_parameters = parameters.into();
        one
    }

    #[test]
    fn the_parameters_of_what_needs_others_count() {
        let needed = [
            preloaded("audit", &["base"], &["audit"]),
            preloaded("base", &[], &["base"]),
        ];
        let mounts = Mounts::new(preloaded("file", &["audit"], &["file"]), needed);
        assert_eq!(
            mounts.parameters(),
            [
                ("all", "file"),
                ("audit", "audit"),
                ("base", "base"),
                ("file", "file")
            ]
            .into()
        );
    }
}
