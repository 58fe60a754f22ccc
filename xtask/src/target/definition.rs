// SPDX-License-Identifier: Apache-2.0
//! One target as bake has printed it: for which PostgreSQL it is, how it is tagged, what it says of itself. What is not what
//! it should be is refused here, where it enters.

mod server;

use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    value::{Annotations, DebianVersion, ImageRef, Platform, SqlVersion, annotations, is_tag},
};

/// Arguments that bake files of this kind give PostgreSQL's major, its image and the package's version.
pub(super) const MAJOR: &str = "PG_MAJOR";
const BASE: &str = "BASE";
pub(super) const PACKAGE: &str = "EXT_VERSION";

/// One target of bake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition<'a> {
    pub name: &'a str,
    /// As bake has printed it, marked where it holds the moment.
    pub(super) json: &'a Value,
}

impl<'a> Definition<'a> {
    pub(super) fn texts(self, field: &str) -> impl Iterator<Item = &'a str> {
        let items = self.json[field].as_array();
        items.into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn argument(self, name: &str) -> Option<&'a str> {
        self.json["args"][name]
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// Its arguments that are texts, by name.
    pub(super) fn arguments(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let arguments = self.json["args"].as_object();
        let arguments = arguments.into_iter().flatten();
        arguments.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// The targets that this one is built from, by its named contexts.
    pub(super) fn sources(self) -> impl Iterator<Item = &'a str> {
        let contexts = self.json["contexts"].as_object();
        let contexts = contexts.into_iter().flat_map(Map::values);
        contexts.filter_map(|context| context.as_str()?.strip_prefix("target:"))
    }

    /// Its tags, marked where they hold the moment.
    pub(crate) fn tags(self) -> impl Iterator<Item = &'a str> {
        self.texts("tags")
    }

    /// What it is built for. Empty: what its builder is.
    pub(crate) fn platforms(self) -> Result<Vec<Platform>, Failure> {
        let parsed = self.texts("platforms").map(|text| {
            text.parse()
                .map_err(|wanted| self.wrong(&format!("its platform `{text}` is not {wanted}")))
        });
        parsed.collect()
    }

    /// What it says of itself: its annotations, and what its labels say beside them.
    fn annotations(self) -> Annotations {
        let labels = self.json["labels"].as_object();
        let mut said = labels.cloned().unwrap_or_default();
        let pairs = self.texts("annotations");
        let pairs = pairs.filter_map(|text| text.split_once('='));
        let pairs = pairs.filter(|(_, value)| !value.is_empty());
        said.extend(pairs.map(|(key, value)| (bare(key).to_owned(), Value::from(value))));
        Annotations::of(&Value::Object(said))
    }

    /// The PostgreSQL image that it is for, where that is said.
    pub(crate) fn base(self) -> Result<Option<ImageRef>, Failure> {
        let said = self.annotations();
        let said = said
            .get(annotations::BASE_NAME)
            .or_else(|| self.argument(BASE))
            .or_else(|| self.server_image());
        let parsed = said.map(str::parse).transpose();
        parsed.map_err(|wrong: Failure| {
            let failure = self.wrong(&format!("its base image {}", wrong.message));
            wrong.hint.into_iter().fold(failure, Failure::hint)
        })
    }

    /// An argument, whatever it is called, that is an image of PostgreSQL for the same server.
    fn server_image(self) -> Option<&'a str> {
        let server = self.server().ok()?;
        let arguments = self.json["args"].as_object()?.values();
        arguments.filter_map(Value::as_str).find(|text| {
            let image: Option<ImageRef> = text.parse().ok();
            let tag = image.filter(|image| image.repository.contains("postgres"));
            let tag = tag.and_then(|image| image.tag).unwrap_or_default();
            let mut words = tag.split(['-', '.', '_']);
            words.next() == Some(&*server.major) && words.next_back() == Some(&*server.distro)
        })
    }

    /// The version of Debian's package that it is made of, where that is said.
    pub(crate) fn package(self) -> Option<&'a str> {
        self.argument(PACKAGE)
    }

    /// The version of the extension's software, where that is said.
    pub(crate) fn version(self) -> Result<Option<String>, Failure> {
        let is_version = |text: &str| is_tag(text) || DebianVersion::is(text);
        self.said(annotations::VERSION, is_version, "the version of a package")
    }

    /// The version for `CREATE EXTENSION`, where that is said.
    pub(crate) fn sql_version(self) -> Result<Option<String>, Failure> {
        self.said(annotations::SQL_VERSION, SqlVersion::is, SqlVersion::WANTED)
    }

    /// What it says under a key of itself, which is `wanted`.
    fn said(
        self,
        key: &str,
        is_right: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Result<Option<String>, Failure> {
        match self.annotations().get(key) {
            Some(text) if !is_right(text) => {
                Err(self.wrong(&format!("its `{key}` is `{text}`; it must be {wanted}")))
            }
            said => Ok(said.map(str::to_owned)),
        }
    }

    /// What is wrong with it.
    pub(crate) fn wrong(self, why: &str) -> Failure {
        Failure::invalid(format!("target `{}` of bake: {why}", self.name))
    }
}

/// The key of an annotation without on what it is written: `index,manifest[linux/amd64]:key`.
pub(super) fn bare(key: &str) -> &str {
    key.rsplit_once(':').map_or(key, |(_, key)| key)
}
