// SPDX-License-Identifier: Apache-2.0
//! How a test of an image has ended, for people and as JSON.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    engine::sources::Unavailable,
    event::StepReport,
    stage::smoke::SmokeTest,
    target::Target,
    tool::docker::Listed,
    ui::{self, seconds},
    value::Digest,
    verdict::Verdict,
    workspace::Unread,
};

/// How a test of an image has ended.
#[derive(Serialize)]
pub(super) struct Row {
    name: String,
    distro: String,
    pg_major: String,
    image: String,
    /// None: the image was not there, or it is not known by which it is.
    digest: Option<Digest>,
    size: Option<String>,
    version: String,
    pub result: Verdict,
    proof: String,
    /// Which run has seen the proof, where it was not this one.
    reason: Option<String>,
    seconds: f64,
    #[serde(skip)]
    title: String,
}

impl Row {
    pub(super) fn of(
        target: &Target,
        test: &SmokeTest,
        step: &StepReport,
        listed: &BTreeMap<String, Listed>,
    ) -> Self {
        // What a failed test said last is no proof.
        let proof = step.last_line.clone().filter(|_| step.succeeded());
        let source = &test.mounts.own().source;
        let created = step.found.as_ref().or(source.sql_version.as_ref());
        let version = created.or(target.version.as_ref());
        // Of what was not tried, what is there may be an older one.
        let listed = listed.get(&source.image.reference().to_string());
        let listed = listed.filter(|_| step.started.is_some());
        let baked = source.image.tagged().ok().and_then(|image| image.digest);
        Self {
            name: target.extension.name.clone(),
            distro: target.server.distro.to_string(),
            pg_major: target.server.major.to_string(),
            image: source.image.reference().to_string(),
            digest: baked.or_else(|| listed.and_then(|one| one.digest.clone())),
            size: listed.map(|one| one.size.clone()),
            version: version.cloned().unwrap_or_default(),
            result: step.outcome.verdict(),
            proof: proof.unwrap_or_default(),
            reason: step.outcome.unchanged().map(str::to_owned),
            seconds: step.elapsed.as_secs_f64(),
            title: test.name.clone(),
        }
    }

    /// Of an image that Debian's archive has nothing for.
    pub(super) fn unavailable(one: &Unavailable) -> Self {
        Self {
            name: one.name.clone(),
            distro: one.server.distro.to_string(),
            pg_major: one.server.major.to_string(),
            image: String::new(),
            digest: None,
            size: None,
            version: String::new(),
            result: Verdict::NotAvailable,
            proof: one.why.clone(),
            reason: None,
            seconds: 0.0,
            title: one.title(),
        }
    }

    /// Of an extension that cannot be read.
    pub(super) fn unread(unread: &Unread) -> Self {
        Self {
            name: unread.name.clone(),
            distro: String::new(),
            pg_major: String::new(),
            image: String::new(),
            digest: None,
            size: None,
            version: String::new(),
            result: unread.verdict,
            proof: unread.reason(),
            reason: None,
            seconds: 0.0,
            title: unread.name.clone(),
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "EXTENSION", "VERSION", "TIME", "PROOF"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.word().to_owned(),
            self.title.clone(),
            self.version.clone(),
            seconds(Duration::from_secs_f64(self.seconds)),
            self.proof.clone(),
        ]
    }
}
