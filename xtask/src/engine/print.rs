// SPDX-License-Identifier: Apache-2.0
//! Asks bake what it builds of each extension, and keeps the answers: the next question whose inputs are the same is
//! answered from the file.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{Engine, Opener};
use crate::{
    config::{AtOnce, Config},
    exec::{Exec, Real},
    extension::Extension,
    failure::{CmdFailure, Failure},
    own::source,
    target::{Expressions, Inputs, Matrix, Printed, is_lifted, is_read, timeless},
    tool::buildx::{self, Bake},
    workspace::Workspace,
};

mod evaluated;
mod kept;
mod question;

pub(crate) use evaluated::evaluated;

use self::{
    kept::Key,
    question::{Question, Watch, program},
};

/// Where answers are kept, below the root.
const FOLDER: &str = "target/xtask/print";
/// How long bake may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Questions at the same time: each is a process that computes.
const AT_ONCE: AtOnce = AtOnce::of(8);
/// Why nobody can be asked where docker is, but no buildx.
const NO_BUILDX: &str = "`docker` has no buildx plugin to ask bake with";

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
    let answers = match asking.all(&all)? {
        Answers::Given(answers) => answers,
        Answers::None(why) => {
            opener.note(&format!(
                "{why}: names, tags and platforms are those that the default kind of bake file gives"
            ));
            let mut matrix = Matrix::modelled(&all, opener.config());
            add_external(&mut matrix, workspace, extensions);
            return Ok(matrix);
        }
    };
    asking.warn(opener);
    let mut matrix = Matrix::default();
    for (extension, answer) in all.iter().zip(answers) {
        matrix.add(extension, answer, opener.config());
    }
    add_external(&mut matrix, workspace, extensions);
    Ok(matrix)
}

/// What bake prints of an extension, or why it prints nothing.
pub(crate) type Answer = (Arc<Extension>, Result<Printed, Failure>);

/// What bake prints of these extensions, each with what it needs. Fails where bake cannot be asked.
pub(crate) fn printed(
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
            Ok(all.into_iter().zip(answers).collect())
        }
        Answers::None(why) => Err(Failure::unavailable(format!(
            "what bake builds is not known yet: {why}"
        ))
        .hint("run `cargo xtask sandbox up --base debian` first: a dry run starts nothing")),
    }
}

/// What bake has said of several extensions, in their order.
enum Answers {
    Given(Vec<Result<Printed, Failure>>),
    /// It cannot be asked, and why.
    None(&'static str),
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
fn with_needs(workspace: &Workspace, extensions: &[Arc<Extension>]) -> Vec<Arc<Extension>> {
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

/// All that answers are asked with.
struct Asking<'a> {
    root: &'a Path,
    workspace: &'a Workspace,
    config: &'a Config,
    exec: &'a Real,
    /// Which program answers.
    program: String,
    /// Why nobody can be asked now.
    obstacle: Option<&'static str>,
    /// Why an answer could not be kept: it is asked for again the next time, and nothing else.
    unkept: OnceLock<String>,
    /// None yet: nothing was kept or looked up. An error: why there is none.
    key: OnceLock<Result<Key, String>>,
}

/// Why there is no answer.
enum Unanswered {
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
    fn of(opener: &'a dyn Opener, engine: &'a Engine, workspace: &'a Workspace) -> Self {
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
            program: program.unwrap_or_default(),
            obstacle,
            unkept: OnceLock::new(),
            key: OnceLock::new(),
        }
    }

    /// The answers in the extensions' order.
    fn all(&self, extensions: &[Arc<Extension>]) -> Result<Answers, Failure> {
        let asked = extensions.iter().map(|extension| {
            let place = format!("{}.json", extension.name);
            (extension, self.question(&extension.metadata_file, &place))
        });
        let asked: Vec<(&Arc<Extension>, Result<Question, Failure>)> = asked.collect();
        let is_open = |question: &Result<Question, Failure>| {
            question
                .as_ref()
                .is_ok_and(|question| question.kept.is_none())
        };
        let mut questions = asked.iter().map(|(_, question)| question);
        if let Some(why) = self.obstacle
            && questions.any(is_open)
        {
            return Ok(Answers::None(why));
        }
        let answers = AT_ONCE.each(&asked, |(extension, question)| match question {
            Ok(question) => self.answer(extension, question),
            Err(failure) => Err(failure.clone().into()),
        });
        if self.exec.interrupted() {
            return Err(Failure::interrupted());
        }
        let mut given = Vec::new();
        for answer in answers {
            given.push(match answer {
                Ok(printed) if is_lifted() => Ok(printed),
                Ok(printed) => printed.staying_in(self.root),
                Err(Unanswered::Refused(failure)) => Err(failure),
                Err(Unanswered::NoBuildx) => {
                    return Ok(Answers::None(NO_BUILDX));
                }
            });
        }
        Ok(Answers::Given(given))
    }

    /// `place` is the name of the file that keeps the answer.
    fn question(&self, metadata_file: &Path, place: &str) -> Result<Question, Failure> {
        let mut inputs = Inputs {
            program: self.program.clone(),
            ..Inputs::default()
        };
        for name in [&*self.workspace.bake_file, metadata_file] {
            let text = source::read(self.root, name)?.ok_or_else(|| {
                Failure::invalid(format!("`{}` does not exist", name.display()))
                    .hint("the setting `paths.bake-file` says where the bake file is")
            })?;
            inputs.files.insert(name.display().to_string(), text);
        }
        let place = Path::new(FOLDER).join(place);
        let kept = self
            .key()
            .ok()
            .and_then(|key| key.open(self.root, &place))
            .filter(|kept| kept.inputs.files == inputs.files);
        if let Some(kept) = kept {
            inputs.variables = self.variables(&kept.declared);
            let printed = Printed::parse_marked(&kept.printed);
            if let (true, Ok(printed)) = (kept.inputs == inputs, printed) {
                return Ok(Question {
                    inputs,
                    expressions: Expressions::default(),
                    kept: Some(printed),
                    place,
                });
            }
        }
        let expressions = Expressions::of(inputs.files.values().map(String::as_str));
        inputs.variables = self.variables(&expressions.declared);
        Ok(Question {
            inputs,
            expressions,
            kept: None,
            place,
        })
    }

    fn answer(&self, extension: &Extension, question: &Question) -> Result<Printed, Unanswered> {
        if let Some(kept) = &question.kept {
            return Ok(kept.clone());
        }
        let watch = Watch::start();
        let text = self.ask(extension)?;
        let moments = question.moments(watch);
        let Some(timeless) = moments.and_then(|moments| timeless(&text, &moments)) else {
            return Ok(Printed::parse(&text)?);
        };
        let parsed = Printed::parse_marked(&timeless)?;
        self.keep(question, timeless);
        Ok(parsed)
    }

    /// What kept answers are sealed with.
    fn key(&self) -> anyhow::Result<&Key> {
        let key = self
            .key
            .get_or_init(|| Key::of_user().map_err(|error| format!("{error:#}")));
        key.as_ref().map_err(|why| anyhow::anyhow!("{why}"))
    }

    fn keep(&self, question: &Question, printed: String) {
        if let Err(error) = self.key().and_then(|key| key.keep(question, printed)) {
            self.unkept.get_or_init(|| format!("{error:#}"));
        }
    }

    /// Says what could not be done, and is no reason to fail.
    fn warn(&self, opener: &dyn Opener) {
        if let Some(why) = self.unkept.get() {
            opener.warn(&format!("bake will be asked again the next time: {why}"));
        }
    }

    /// The variables that bake takes from the environment, as it will find them.
    fn variables(&self, declared: &[String]) -> BTreeMap<String, String> {
        let inherited = std::env::vars_os().filter_map(|(name, value)| {
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

    fn ask(&self, extension: &Extension) -> Result<String, Unanswered> {
        let ask = question(self.workspace, extension, self.config).cmd();
        Ok(self.exec.read(&ask, Some(PATIENCE))?)
    }
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
