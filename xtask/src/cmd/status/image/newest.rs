// SPDX-License-Identifier: Apache-2.0
//! The pins beside the newest versions: asked in the base images that the engine has, of all at the same time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;

use crate::{
    config::AtOnce,
    context::Context,
    exec::Real,
    extension::{Extension, Origin, Pin},
    image::ImageRef,
    plan::{Console, Owned, Work as _},
    run::removal,
    stage::{
        archive::Question,
        newest::{Answer, Ask, Compared, NEWEST, asked},
    },
    target,
    value::{Digest, Server},
};

/// How long the archive may take to answer: whoever looks does not wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a pin is to what the archive has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Newest {
    Current,
    Outdated(String),
    Ahead,
    Absent,
    /// It is built from source, which no archive has.
    FromSource,
    /// Of what package it is a version is said nowhere.
    NoPackage,
    /// Nobody was asked, and why.
    NotAsked(String),
}

impl Newest {
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Current => "newest".to_owned(),
            Self::Outdated(version) => format!("{version} is there"),
            Self::Ahead => "ahead of the archive".to_owned(),
            Self::Absent => "not in the archive".to_owned(),
            Self::FromSource => "from source".to_owned(),
            Self::NoPackage => "package not known".to_owned(),
            Self::NotAsked(_) => "not asked".to_owned(),
        }
    }

    pub(crate) fn is_behind(&self) -> bool {
        matches!(self, Self::Outdated(_))
    }
}

/// What is asked in one base image.
pub(crate) struct Asking {
    base: String,
    ask: Ask,
    removal: Owned,
}

/// What is known of pins once all have answered.
#[derive(Default)]
pub(crate) struct Answers {
    /// Which base image stands for a server.
    bases: BTreeMap<Server, String>,
    answers: BTreeMap<String, Answer>,
    /// Why there is no answer of a base image.
    pub failures: BTreeMap<String, String>,
    /// Why nobody was asked at all.
    obstacle: Option<String>,
}

/// The questions for these pins, each in the base image of its server, where that is there: among the images that the
/// engine has.
pub(crate) fn questions(
    extensions: &[Arc<Extension>],
    there: &BTreeMap<String, Digest>,
    context: &Context,
) -> (Vec<Asking>, Answers) {
    let servers = extensions.iter().flat_map(|one| one.versions.keys());
    let servers: BTreeSet<&Server> = servers.collect();
    let mut answers = Answers::default();
    let mut bases: BTreeMap<String, (ImageRef, Vec<String>)> = BTreeMap::new();
    for server in servers {
        let Some(base) = base(server, there, context) else {
            continue;
        };
        let name = base.to_string();
        let (_, pins) = bases.entry(name.clone()).or_insert((base, Vec::new()));
        for pin in extensions.iter().filter_map(|one| one.pin(server)) {
            pins.extend(asked(pin).filter(|pin| !pins.contains(pin)));
        }
        answers.bases.insert(server.clone(), name);
    }
    let mut questions = Vec::new();
    for (number, (name, (base, pins))) in bases.into_iter().enumerate() {
        if pins.is_empty() {
            continue;
        }
        let question = Question {
            kind: "versions",
            about: number.to_string(),
            purpose: format!("ask what is newest in `{name}`"),
            script: NEWEST,
        };
        let read = question.cmd_in(&context.run_id, &base, None).args(&pins);
        let answer = Answer::default();
        answers.answers.insert(name.clone(), answer.clone());
        questions.push(Asking {
            base: name,
            removal: question.removal(&context.run_id),
            ask: Ask {
                read,
                asked: pins,
                patience: PATIENCE,
                answer,
            },
        });
    }
    (questions, answers)
}

/// A server's base image that is here already: nothing is pulled.
fn base(server: &Server, there: &BTreeMap<String, Digest>, context: &Context) -> Option<ImageRef> {
    let base = target::base_of(server, &context.config).ok()?;
    there.contains_key(&base.to_string()).then_some(base)
}

/// Puts the questions, all at the same time. Gives, by base image, why there was no answer.
pub(crate) fn ask(questions: &[Asking], exec: &Real) -> BTreeMap<String, String> {
    let failed = AtOnce::of(8).each(questions, |question| {
        let mut console = Console {
            line: &mut |_| {},
            warning: &mut |_| {},
        };
        let failure = question.ask.perform(exec, &mut console).err()?;
        // What was cut off would run on in its container.
        let _gone = removal::remove(exec, &question.removal, None, PATIENCE);
        let why = failure.cause.unwrap_or(failure.message);
        Some((question.base.clone(), why))
    });
    failed.into_iter().flatten().collect()
}

impl Answers {
    /// Nobody was asked, and why.
    pub(crate) fn none(why: String) -> Self {
        Self {
            obstacle: Some(why),
            ..Self::default()
        }
    }

    /// What is known of a pin.
    pub(crate) fn of(&self, extension: &Extension, server: &Server, pin: &Pin) -> Newest {
        match pin.origin {
            Origin::Elsewhere => return Newest::FromSource,
            Origin::Unsaid => return Newest::NoPackage,
            Origin::Archive(_) => {}
        }
        if let Some(why) = &self.obstacle {
            return Newest::NotAsked(why.clone());
        }
        let Some(base) = self.bases.get(server) else {
            return Newest::NotAsked(
                "its base image is not here, and `versions` would pull it".to_owned(),
            );
        };
        let answer = self.answers.get(base);
        match answer.and_then(|answer| answer.compared(extension, pin)) {
            // Which SQL version it makes is in the package.
            Some(Compared::Current(_) | Compared::OtherSql(_)) => Newest::Current,
            Some(Compared::Outdated(newest)) => Newest::Outdated(newest.package.to_string()),
            Some(Compared::Ahead(_)) => Newest::Ahead,
            Some(Compared::Absent) => Newest::Absent,
            None => {
                let why = self.failures.get(base).map(String::as_str);
                let why = why.unwrap_or("the archive did not answer");
                Newest::NotAsked(why.to_owned())
            }
        }
    }
}
