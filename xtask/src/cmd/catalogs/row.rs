// SPDX-License-Identifier: Apache-2.0
//! An extension's image in a catalog, for people and as JSON.

use serde::Serialize;

use crate::{
    ui,
    value::{Major, Suite},
};

/// What has become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    New,
    Updated,
    /// There is a newer image, which holds the same.
    Kept,
    /// The newest image that is there is older.
    Older,
    Unchanged,
    /// No image was found: what the catalog has, if anything, stays.
    Missing,
}

impl State {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Kept => "kept, as a newer one holds the same",
            Self::Older => "kept, as the newest one there is older",
            Self::Unchanged => "unchanged",
            Self::Missing => "missing",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub state: State,
    pub name: String,
    pub distro: Suite,
    pub pg_major: Major,
    /// What the catalog has. None: nothing.
    pub image: Option<String>,
    /// Why it is so, where the state does not say it.
    pub why: Option<String>,
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "EXTENSION", "DISTRO", "PG", "IMAGE"];

    fn cells(&self) -> Vec<String> {
        let state = match self.state {
            State::Kept => "kept".to_owned(),
            State::Older => "older".to_owned(),
            state => state.words().to_owned(),
        };
        // The tag tells images apart; JSON has the digest, too.
        let image = self
            .image
            .as_deref()
            .map(|image| match image.split_once("@sha256:") {
                Some((tag, digest)) => format!("{tag}@{}", &digest[..digest.len().min(12)]),
                None => image.to_owned(),
            });
        let image = match (self.state, image, &self.why) {
            (State::Missing, Some(stays), Some(why)) => format!("{why}; {stays} stays"),
            (State::Missing, None, Some(why)) => why.clone(),
            (_, image, _) => image.unwrap_or_else(|| "-".to_owned()),
        };
        vec![
            state,
            self.name.clone(),
            self.distro.to_string(),
            self.pg_major.to_string(),
            image,
        ]
    }
}
