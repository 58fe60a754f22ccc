// SPDX-License-Identifier: Apache-2.0
//! Asks bake what it builds of each extension, and keeps the answers: the next question whose inputs are the same is
//! answered from the file.

use std::sync::Arc;

use super::{Engine, Opener};
use crate::{
    config::Config,
    extension::Extension,
    failure::Failure,
    target::{Definitions, Matrix},
    tool::buildx::{self, Bake},
    workspace::Workspace,
};

mod asking;
mod evaluated;
mod kept;
mod question;

pub(crate) use evaluated::evaluated;
pub(crate) use kept::Key;

use self::asking::{Answers, Asking};

/// What bake builds of these extensions, each with what it needs. Where bake cannot be asked, a model of our own kind of
/// bake file stands in, which is said.
pub(crate) fn matrix(
    opener: &dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
    extensions: &[Arc<Extension>],
) -> Result<Matrix, Failure> {
    let asking = Asking::of(opener, engine, workspace);
    let all = with_needs(workspace, extensions);
    let mut matrix = match asking.all(&all)? {
        Answers::Given(answers) => {
            asking.warn(opener);
            let mut matrix = Matrix::default();
            for (extension, answer) in all.iter().zip(answers) {
                let images = images(opener, extension, answer);
                matrix.add(extension, images, opener.config());
            }
            matrix
        }
        Answers::None(why) => {
            opener.note(&format!(
                "{why}: names, tags and platforms are those that the default kind of bake file gives"
            ));
            Matrix::modelled(&all, opener.config())
        }
    };
    add_external(&mut matrix, workspace, extensions);
    Ok(matrix)
}

/// What bake prints of an extension, or why it prints nothing.
pub(crate) type Answer = (Arc<Extension>, Result<Definitions, Failure>);

/// What bake prints of these extensions, each with what it needs. Fails where bake cannot be asked.
pub(crate) fn definitions(
    opener: &dyn Opener,
    engine: &Engine,
    workspace: &Workspace,
    extensions: &[Arc<Extension>],
) -> Result<Vec<Answer>, Failure> {
    let asking = Asking::of(opener, engine, workspace);
    let all = with_needs(workspace, extensions);
    match asking.all(&all)? {
        Answers::Given(answers) => {
            asking.warn(opener);
            let answers = all.into_iter().zip(answers);
            let answers = answers.map(|(extension, answer)| {
                let images = images(opener, &extension, answer);
                (extension, images)
            });
            Ok(answers.collect())
        }
        Answers::None(why) => Err(Failure::unavailable(format!(
            "what bake builds is not known yet: {why}"
        ))
        .hint("run `cargo xtask sandbox up --base debian` first: a dry run starts nothing")),
    }
}

/// What is an image of an extension of all that bake would build. Each of the others is said.
fn images(
    opener: &dyn Opener,
    extension: &Extension,
    answer: Result<Definitions, Failure>,
) -> Result<Definitions, Failure> {
    let (images, others) = answer?.images();
    for Failure { message, hint, .. } in others {
        let left_out = format!("it is left out of the images of `{}`", extension.name);
        let hint = hint.map(|hint| format!("; if it is one, {hint}"));
        opener.warn(&format!(
            "{message}; {left_out}{}",
            hint.unwrap_or_default()
        ));
    }
    Ok(images)
}

/// Adds what these extensions need of other repositories to what is built.
pub(crate) fn add_external(
    matrix: &mut Matrix,
    workspace: &Workspace,
    extensions: &[Arc<Extension>],
) {
    for extension in extensions {
        for needed in workspace.dependencies(extension) {
            matrix.add_external(&needed);
        }
    }
}

/// These extensions and all that they need and that is built here, each once.
pub(super) fn with_needs(
    workspace: &Workspace,
    extensions: &[Arc<Extension>],
) -> Vec<Arc<Extension>> {
    let mut all: Vec<Arc<Extension>> = Vec::new();
    for extension in extensions {
        for one in workspace.dependencies(extension).iter().chain([extension]) {
            let is_new = !all.iter().any(|known| known.name == one.name);
            if is_new && one.external.is_none() {
                all.push(Arc::clone(one));
            }
        }
    }
    all
}

/// The call that prints what bake builds of an extension.
pub(crate) fn question(workspace: &Workspace, extension: &Extension, config: &Config) -> Bake {
    Bake {
        purpose: format!("ask bake what it builds of `{}`", extension.name),
        files: vec![workspace.bake_file.clone(), extension.metadata_file.clone()],
        ..call(config)
    }
}

/// What all questions have in common.
fn call(config: &Config) -> Bake {
    Bake {
        variables: buildx::variables(config),
        print: true,
        ..Bake::default()
    }
}
