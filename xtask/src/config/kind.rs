// SPDX-License-Identifier: Apache-2.0
//! What a setting's text may be: it reaches tools as an argument, so it is checked where it enters.

use std::str::FromStr;

use super::{Choice as _, Scanner};
use crate::value::{
    AllowList, BuilderName, ClusterName, Domain, EnvironmentName, HostName, ImageRef, Licence,
    NetworkName, PackageName, Registry, Suite, Url, Username, is_one_line,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any one line that is no option.
    Line,
    /// A path.
    Path,
    /// A path of this machine, or a URL.
    Source,
    Url,
    Registry,
    Domain,
    Image,
    /// An image with `{pg}` and `{distro}` in place of a major and a suite.
    ImagePattern,
    Builder,
    Suite,
    Environment,
    Network,
    Host,
    Cluster,
    Username,
    /// A licence that may be used, by its SPDX name.
    Licence,
    /// An expression of SPDX.
    Licences,
    /// A package of an image.
    Package,
    /// A scanner of the program's own table.
    Scanner,
    /// Of files, with keys like `{suite}` in place of what settings name.
    Glob,
}

impl Kind {
    pub(super) fn takes(self, text: &str) -> bool {
        let line = is_one_line(text) && !text.starts_with('-') && !text.trim().is_empty();
        match self {
            Kind::Line | Kind::Path => line,
            Kind::Source => line && (!text.contains("://") || Url::is(text)),
            Kind::Url => Url::is(text),
            Kind::Registry => Registry::is(text),
            Kind::Domain => Domain::is(text),
            Kind::Image => ImageRef::from_str(text).is_ok(),
            Kind::ImagePattern => {
                let filled = text.replace("{pg}", "18").replace("{distro}", "trixie");
                ImageRef::from_str(&filled).is_ok()
            }
            Kind::Builder => BuilderName::is(text),
            Kind::Suite => Suite::is(text),
            Kind::Environment => EnvironmentName::is(text),
            Kind::Network => NetworkName::is(text),
            Kind::Host => HostName::is(text),
            Kind::Cluster => ClusterName::is(text),
            Kind::Username => Username::is(text),
            Kind::Licence => AllowList::takes(text),
            Kind::Licences => Licence::from_str(text).is_ok(),
            Kind::Package => PackageName::is(text),
            Kind::Scanner => Scanner::ALL.iter().any(|one| one.name() == text),
            Kind::Glob => line && is_glob(text),
        }
    }

    /// Reads well after "it must be".
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Kind::Line => "one line, without control characters and not beginning with `-`",
            Kind::Path => {
                "a path, without control characters and not beginning with `-` (`./-x` does not)"
            }
            Kind::Source => {
                "a path that does not begin with `-`, or a URL (`https://…`) without a user or a password in it: kubectl reads no login from it"
            }
            Kind::Url => Url::WANTED,
            Kind::Registry => Registry::WANTED,
            Kind::Domain => Domain::WANTED,
            Kind::Image => "an image reference: `registry/name:tag` or `registry/name@sha256:…`",
            Kind::ImagePattern => {
                "an image reference, where `{pg}` and `{distro}` stand for a major and a distro"
            }
            Kind::Builder => BuilderName::WANTED,
            Kind::Suite => Suite::WANTED,
            Kind::Environment => EnvironmentName::WANTED,
            Kind::Network => NetworkName::WANTED,
            Kind::Host => HostName::WANTED,
            Kind::Cluster => ClusterName::WANTED,
            Kind::Username => Username::WANTED,
            Kind::Licence => AllowList::WANTED,
            Kind::Licences => {
                "an expression of SPDX: `GPL-3.0-or-later WITH GCC-exception-3.1`, `MIT OR Zlib`"
            }
            Kind::Package => PackageName::WANTED,
            Kind::Scanner => "one of `trivy`, `grype`, `dockle`, `debsecan`",
            Kind::Glob => {
                "a glob that begins below the root and names files: `*` for names, `**` for folders of any depth (`base/**`), `[…]` for characters; of `{…}` there are `{bake-file}`, `{bake-folder}` and `{suite}`"
            }
        }
    }
}

/// What stands in globs for the places that the settings below `paths` name.
pub(crate) const PLACES: [&str; 3] = ["{bake-file}", "{bake-folder}", "{suite}"];

/// Whether some file's name may match: Git names none with `.`, `..` or nothing as a folder.
fn is_glob(text: &str) -> bool {
    let with_places = PLACES
        .iter()
        .fold(text.to_owned(), |text, key| text.replace(key, "x"));
    let names = with_places.split('/');
    !with_places.starts_with('!')
        && !with_places.contains(['{', '}'])
        && names
            .into_iter()
            .all(|name| !["", ".", ".."].contains(&name))
        && glob::Pattern::new(&with_places).is_ok()
}
