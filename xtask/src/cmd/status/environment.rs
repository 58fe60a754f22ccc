// SPDX-License-Identifier: Apache-2.0
//! The end-to-end environment: whether it is up, and what setting it up again would change.

use std::time::Duration;

use serde::Serialize;

use crate::{
    cli::e2e::Cluster,
    context::{Context, choice},
    environment::{Environment, survey::Survey},
    exec::Real,
    failure::Failure,
    stage::parts::{self, Part},
};

/// How long an engine may take to list what it has.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What is known of it.
#[derive(Debug, Serialize)]
pub(super) struct Drift {
    /// None: nobody was asked.
    pub up: Option<bool>,
    /// Why nobody was.
    pub not_asked: Option<String>,
    pub parts: Vec<Part>,
    /// What `e2e setup-env` would say.
    pub differs: Vec<String>,
}

/// The environment that the settings mean.
pub(super) fn wanted(context: &Context) -> anyhow::Result<Environment> {
    let place = choice::place(context, &Cluster::default())?;
    let release = choice::release(context, None)?;
    Ok(choice::environment(context, place, release)?)
}

impl Drift {
    /// `obstacle`: why the engine cannot be asked.
    pub(super) fn of(wanted: &Environment, exec: &Real, obstacle: Option<String>) -> Self {
        let not_asked = |why: String| Self {
            up: None,
            not_asked: Some(why),
            parts: Vec::new(),
            differs: Vec::new(),
        };
        if let Some(why) = obstacle {
            return not_asked(why);
        }
        let survey = match Survey::of(wanted, exec) {
            Ok(survey) => survey,
            Err(error) => return not_asked(Failure::from(error).message),
        };
        let operator = survey.api.as_ref().and_then(|api| api.operator.as_ref());
        Self {
            up: Some(operator.is_some_and(|operator| operator.available)),
            not_asked: None,
            parts: parts::of(wanted, &survey),
            differs: parts::differs(wanted, &survey),
        }
    }

    /// For people: what is there, and of what differs that alone which is about something that is there.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        if let Some(why) = &self.not_asked {
            return vec![("not asked".to_owned(), why.clone())];
        }
        let is_there = |part: &&Part| part.state != "absent";
        let there: Vec<&Part> = self.parts.iter().filter(is_there).collect();
        if there.is_empty() {
            let how = "`cargo xtask e2e setup-env` creates it".to_owned();
            return vec![("absent".to_owned(), how)];
        }
        let part = |part: &&Part| {
            (
                part.name.to_owned(),
                format!("{} {}", part.state, part.what)
                    .trim_end()
                    .to_owned(),
            )
        };
        let mut pairs: Vec<(String, String)> = there.iter().map(part).collect();
        let differs = self.differs.iter();
        pairs.extend(differs.map(|line| ("`setup-env` would say".to_owned(), line.clone())));
        pairs
    }
}
