// SPDX-License-Identifier: Apache-2.0
//! How a test of an image has ended, for people and as JSON.

use std::time::Duration;

use serde::Serialize;

use crate::{
    engine::sources::Unavailable,
    event::StepReport,
    stage::smoke::SmokeTest,
    target::Target,
    ui::{self, seconds},
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
    pub(super) fn of(target: &Target, test: &SmokeTest, step: &StepReport) -> Self {
        // What a failed test said last is no proof.
        let proof = step.last_line.clone().filter(|_| step.succeeded());
        let source = &test.mounts.own().source;
        let created = step.found.as_ref().or(source.sql_version.as_ref());
        let version = created.or(target.version.as_ref());
        Self {
            name: target.extension.name.clone(),
            distro: target.server.distro.to_string(),
            pg_major: target.server.major.to_string(),
            image: source.image.reference().to_string(),
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
