// SPDX-License-Identifier: Apache-2.0
//! Asks bake: what was kept is taken from its file, what is left is asked of the program, several questions at a time.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    kept::{Kept, Key},
    question::{Question, Watch, program},
};
use crate::{
    config::{AtOnce, Config},
    engine::{Engine, Opener},
    exec::{self, Exec, Real},
    extension::Extension,
    failure::{CmdFailure, Failure},
    own::{resolved, source},
    plan::Cmd,
    target::{Definitions, Expressions, Inputs, is_lifted, is_read, timeless},
    tool::buildx,
    workspace::Workspace,
};

/// Where answers are kept, below the root.
const FOLDER: &str = "target/xtask/print";
/// How long bake may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Questions at the same time: each is a process that computes.
pub(super) const AT_ONCE: AtOnce = AtOnce::of(8);
/// Why nobody can be asked where docker is, but no buildx.
pub(super) const NO_BUILDX: &str = "`docker` has no buildx plugin to ask bake with";

/// All that answers are asked with.
pub(super) struct Asking<'a> {
    root: &'a Path,
    pub workspace: &'a Workspace,
    pub config: &'a Config,
    pub exec: &'a Real,
    /// The text of the bake file, which is read once: all answers are of the same.
    bake_file: Result<String, Failure>,
    /// Which program answers.
    program: String,
    /// Why nobody can be asked now.
    pub obstacle: Option<&'static str>,
    /// Why an answer could not be kept: it is asked for again the next time, and nothing else.
    unkept: OnceLock<String>,
    /// None yet: nothing was kept or looked up. An error: why there is none.
    key: OnceLock<Result<Key, String>>,
}

/// What bake has said of several extensions, in their order.
pub(super) enum Answers {
    Given(Vec<Result<Definitions, Failure>>),
    /// It cannot be asked, and why.
    None(&'static str),
}

/// What is known before anybody is asked.
pub(super) enum Known {
    /// The answer was kept, and is what bake would say.
    Kept(Definitions),
    Open(Question),
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// There is nobody to ask.
    NoBuildx,
    /// Bake has refused the extension, or its answer is of no use.
    Refused(Failure),
}

impl From<CmdFailure> for Unanswered {
    fn from(failed: CmdFailure) -> Self {
        if buildx::is_missing(&failed) {
            Self::NoBuildx
        } else {
            Self::Refused(failed.into())
        }
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl<'a> Asking<'a> {
    pub(super) fn of(opener: &'a dyn Opener, engine: &'a Engine, workspace: &'a Workspace) -> Self {
        let program = program(engine);
        let obstacle = match &program {
            None => Some("there is no `docker` to ask bake with"),
            Some(_) if engine.is_stopped() => {
                Some("the sandbox does not run, so bake is not asked")
            }
            Some(_) => None,
        };
        Self {
            root: opener.root(),
            workspace,
            config: opener.config(),
            exec: &engine.exec,
            bake_file: read(opener.root(), &workspace.bake_file),
            program: program.unwrap_or_default(),
            obstacle,
            unkept: OnceLock::new(),
            key: OnceLock::new(),
        }
    }

    /// The answers in the extensions' order.
    pub(super) fn all(&self, extensions: &[Arc<Extension>]) -> Result<Answers, Failure> {
        let (mut answers, mut open) = (BTreeMap::new(), Vec::new());
        for (at, extension) in extensions.iter().enumerate() {
            let place = format!("{}.sealed", extension.name);
            match self.look_up(&extension.metadata_file, &place) {
                Ok(Known::Kept(definitions)) => {
                    answers.insert(at, Ok(definitions));
                }
                Ok(Known::Open(question)) => open.push((at, extension, question)),
                Err(failure) => {
                    answers.insert(at, Err(failure));
                }
            }
        }
        if let Some(why) = self.obstacle
            && !open.is_empty()
        {
            return Ok(Answers::None(why));
        }
        let asked = AT_ONCE.each(&open, |(at, extension, question)| {
            (*at, self.ask(extension, question))
        });
        if self.exec.interrupted() {
            return Err(Failure::interrupted());
        }
        for (at, answer) in asked {
            let answer = match answer {
                Ok(definitions) => Ok(definitions),
                Err(Unanswered::Refused(failure)) => Err(failure),
                Err(Unanswered::NoBuildx) => return Ok(Answers::None(NO_BUILDX)),
            };
            answers.insert(at, answer);
        }
        let answers = answers.into_values();
        if is_lifted() {
            return Ok(Answers::Given(answers.collect()));
        }
        let root = resolved(self.root).map_err(|error| {
            Failure::failed(format!("`{}` is gone: {error}", self.root.display()))
        })?;
        let answers = answers.map(|answer| answer?.staying_in(&root));
        Ok(Answers::Given(answers.collect()))
    }

    /// What is known of an extension's metadata; `place` is the name of the file that keeps the answer.
    pub(super) fn look_up(&self, metadata_file: &Path, place: &str) -> Result<Known, Failure> {
        let texts = [
            (&*self.workspace.bake_file, self.bake_file.clone()?),
            (metadata_file, read(self.root, metadata_file)?),
        ];
        let files = texts.map(|(path, text)| (path.display().to_string(), text));
        let mut inputs = Inputs {
            files: files.into(),
            variables: BTreeMap::new(),
            program: self.program.clone(),
        };
        let place = Path::new(FOLDER).join(place);
        if let Some(kept) = Kept::read(self.root, &place)
            && let Ok(key) = self.key()
        {
            inputs.variables = self.variables(kept.declared());
            let printed = key.open(&kept, &place, &inputs);
            if let Some(Ok(definitions)) = printed.map(Definitions::parse_marked) {
                return Ok(Known::Kept(definitions));
            }
        }
        let expressions = Expressions::of(inputs.files.values().map(String::as_str));
        inputs.variables = self.variables(&expressions.declared);
        Ok(Known::Open(Question {
            inputs,
            expressions,
            place,
        }))
    }

    /// What the program says to a command that asks a question.
    pub(super) fn read(&self, ask: &Cmd) -> Result<String, CmdFailure> {
        self.exec.read(ask, Some(PATIENCE))
    }

    fn ask(&self, extension: &Extension, question: &Question) -> Result<Definitions, Unanswered> {
        let watch = Watch::start();
        let text = self.read(&super::question(self.workspace, extension, self.config).cmd())?;
        let moments = question.moments(watch);
        let Some(timeless) = moments.and_then(|moments| timeless(&text, &moments)) else {
            return Ok(Definitions::parse(&text)?);
        };
        let parsed = Definitions::parse_marked(&timeless)?;
        self.keep(question, &timeless);
        Ok(parsed)
    }

    /// What kept answers are sealed with.
    fn key(&self) -> anyhow::Result<&Key> {
        let key = self
            .key
            .get_or_init(|| Key::of_user().map_err(|error| format!("{error:#}")));
        key.as_ref().map_err(|why| anyhow::anyhow!("{why}"))
    }

    /// Keeps the answer to a question, in which the moment is marked.
    pub(super) fn keep(&self, question: &Question, printed: &str) {
        let kept = self.key().and_then(|key| key.keep(question, printed));
        if let Err(error) = kept {
            self.unkept.get_or_init(|| format!("{error:#}"));
        }
    }

    /// Says what could not be done, and is no reason to fail.
    pub(super) fn warn(&self, opener: &dyn Opener) {
        if let Some(why) = self.unkept.get() {
            opener.warn(&format!("bake will be asked again the next time: {why}"));
        }
    }

    /// The variables that bake takes from the environment, as it will find them.
    fn variables(&self, declared: &[String]) -> BTreeMap<String, String> {
        let respelled = exec::respelled().map(|(name, value)| (name.into(), value));
        let inherited = std::env::vars_os().chain(respelled);
        let inherited = inherited.filter_map(|(name, value)| {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            Some((name.into_owned(), value.into_owned()))
                .filter(|(name, _)| is_read(name, declared))
        });
        let mut variables: BTreeMap<String, String> = inherited.collect();
        for (name, value) in self.config.bake_variables() {
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables
    }
}

/// A file that bake reads.
fn read(root: &Path, name: &Path) -> Result<String, Failure> {
    source::read(root, name)?.ok_or_else(|| {
        Failure::invalid(format!("`{}` does not exist", name.display()))
            .hint("the setting `paths.bake-file` says where the bake file is")
    })
}
