// SPDX-License-Identifier: Apache-2.0
//! Data directories that the engine keeps: an image for each base image, with an initialised, stopped data directory in it, from
//! which tests start in place of running initdb each. What cannot be kept is said, and tests make their own.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use super::{Runner, SmokeTest, superseded::Superseded};
use crate::{
    exec::{Exec, Supervision},
    failure::{CmdFailure, Failure, Reason},
    image::ImageRef,
    plan::{
        Again, Cmd, Console, Kind, Owned, Pending, Performed, Plan, Probe, Retry, Step, StepId,
        Work, shell,
    },
    run::removal,
    tool::docker::{self, RUN_LABEL},
    value::Digest,
};

/// How a data directory is made.
pub(super) const RECIPE: &str = include_str!("data.sh");
const SCRIPT: &str = include_str!("keep.sh");

/// On the image: the base image that it is of, by its name.
pub(super) const LABEL: &str = "io.cloudnativepg.xtask.data";
/// On the image: the base image that it was made of, by its identity and its platform.
const OF: &str = "io.cloudnativepg.xtask.data.of";
/// What names of these images begin with. No registry is at this place: none is ever asked for them.
pub(super) const REPOSITORY: &str = "localhost/xtask-data";
/// How much of a base image's tag is in them; a tag has at most 128 characters.
const TAG_LENGTH: usize = 100;
/// What was said when such an image was made; images that somebody makes of it say something else.
pub(super) const MESSAGE: &str = "xtask: an initialised data directory";
/// Where it is in the image, and the variable that says so there.
const PLACE: &str = "/tmp/xtask-data";
const VARIABLE: &str = "XTASK_DATA";

/// How long a removal may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data directory that tests start from, and the step after which it is known whether there is one.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    base: ImageRef,
    /// The image's name. It follows from the base image's and from the recipe, so that what the image is of may change
    /// without a second one.
    name: String,
    /// Set once the engine has it: the identity and the platform of the base image that it was made of.
    of: Arc<OnceLock<String>>,
    pub(super) step: StepId,
}

impl Kept {
    /// Adds the step that finds the data directory of a base image, or makes it.
    pub(super) fn add(plan: &mut Plan, base: &ImageRef, runner: &Runner) -> Self {
        let digest = Digest::of(format!("{base}\n{RECIPE}{SCRIPT}").as_bytes());
        let (_, digits) = digest.split_at("sha256:".len());
        let tag = base.tag.as_deref().unwrap_or_default();
        let tag = tag.get(..TAG_LENGTH).unwrap_or(tag);
        let name = format!("{REPOSITORY}:{tag}-{}", &digits[..12]);
        let name = name.replace(":-", ":");
        let of = Arc::default();
        let keep = Keep {
            base: base.clone(),
            container: format!("xtask-data-{}-{}", runner.run.short(), &digits[..12]),
            name: name.clone(),
            label: format!("{RUN_LABEL}={}", runner.run),
            limit: runner.limit,
            found: Arc::clone(&of),
        };
        let removal = keep.removal();
        let step = plan.add(Step::work(format!("data directory of {base}"), keep).undo(removal));
        Self {
            base: base.clone(),
            name,
            of,
            step,
        }
    }

    pub(super) fn is_of(&self, base: &ImageRef) -> bool {
        self.base == *base
    }

    /// The identity and the platform of the base image, once it is known that what starts is of that one. None: nothing is kept.
    pub(super) fn identity(&self) -> Option<&str> {
        self.of.get().map(String::as_str)
    }

    /// What is done once when somebody has removed the image meanwhile: the same test of the base image.
    pub(super) fn again(&self, step: Step) -> Again {
        Again {
            retry: Arc::new(Gone),
            needs: "the base image",
            ready: Probe::Succeeds(identity_cmd(&self.base)),
            patience: Duration::from_secs(10),
            place: "with the base image alone",
            prepare: identity_cmd(&self.base),
            step,
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The image that a test's server starts in: this one, or the base image where none could be kept.
impl Pending for Kept {
    fn text(&self) -> Result<String, Failure> {
        Ok(match self.of.get() {
            Some(_) => self.name.clone(),
            None => self.base.to_string(),
        })
    }
}

/// The image has gone between its being found and its use.
#[derive(Debug)]
struct Gone;

impl Retry for Gone {
    fn why(&self, printed: &str) -> Option<String> {
        let is_gone = printed.contains("No such image: localhost/xtask-data:");
        is_gone.then(|| "somebody has removed the data directory that the engine kept".to_owned())
    }
}

impl SmokeTest {
    /// The same with a data directory of its own, made in the test.
    pub(super) fn without_kept(&self) -> Self {
        Self {
            kept: None,
            ..self.clone()
        }
    }
}

/// Finds the image or makes it.
#[derive(Debug)]
struct Keep {
    base: ImageRef,
    name: String,
    container: String,
    /// That of the run.
    label: String,
    limit: Duration,
    /// Set to the identity of the base image once the engine has a data directory of it.
    found: Arc<OnceLock<String>>,
}

impl Keep {
    fn of_kept(&self) -> Cmd {
        let label = format!("{{{{index .Config.Labels {OF:?}}}}}");
        Cmd::new("docker", format!("look at the image `{}`", self.name))
            .args(["image", "inspect", "--format", &label, "--", &self.name])
    }

    /// A container of the base image that makes the directory.
    fn initialise(&self, of: &str) -> Cmd {
        Cmd::new("docker", "make a data directory")
            .args(["run", "--interactive", "--network", "none"])
            .args(["--name", &self.container, "--label", &self.label])
            .args(["--label", &format!("{LABEL}={}", self.base)])
            .args(["--label", &format!("{OF}={of}"), "--"])
            .arg(self.base.to_string())
            .args(["bash", "-s", "--", PLACE])
            .stdin(format!("{RECIPE}{SCRIPT}"))
    }

    fn commit(&self) -> Cmd {
        Cmd::new("docker", "keep the data directory")
            .args(["commit", "--message", MESSAGE])
            .args(["--change", &format!("ENV {VARIABLE}={PLACE}"), "--"])
            .args([&self.container, &self.name])
    }

    fn removal(&self) -> Owned {
        let purpose = "remove the data directory's container";
        Owned::new(Kind::Container, &self.label, purpose).name(&self.container)
    }

    /// What the base image is and what the kept one is of, asked at the same time. None: the engine has none.
    fn survey(&self, exec: &dyn Exec) -> Result<(Option<String>, Option<String>), Failure> {
        let (base, kept) = thread::scope(|scope| {
            let kept = scope.spawn(|| ask(exec, &self.of_kept()));
            (ask(exec, &identity_cmd(&self.base)), kept.join())
        });
        let kept = kept.map_err(|_| Failure::failed("a question of docker panicked"))?;
        Ok((base?, kept?))
    }

    fn superseded(&self) -> Superseded<'_> {
        Superseded {
            base: &self.base,
            name: &self.name,
        }
    }

    fn supervision(&self) -> Supervision<'static> {
        Supervision {
            timeout: Some(self.limit),
            ..Supervision::default()
        }
    }

    /// Makes the directory and the image of it.
    fn make(&self, exec: &dyn Exec, of: &str, console: &mut Console<'_>) -> Result<(), CmdFailure> {
        exec.run(&self.initialise(of), self.supervision(), console.line)?;
        exec.run(&self.commit(), self.supervision(), console.line)
    }
}

/// Prints as lines that look first, as a run does.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (identity, pull) = (identity_cmd(&self.base), docker::pull_cmd(&self.base));
        writeln!(f, "of=$({identity} || {{ {pull} >&2 && {identity}; }})")?;
        writeln!(f, "[ \"$({})\" = \"$of\" ] || {{", self.of_kept())?;
        let label = format!("{OF}=$of");
        let made = self.initialise("$of").to_string();
        let made = made.replace(&shell::word(&label), &format!("\"{label}\""));
        writeln!(f, "{made} &&")?;
        writeln!(f, "{}", self.commit())?;
        writeln!(f, "{}", self.removal())?;
        writeln!(f, "{}", self.superseded())?;
        write!(f, "}}")
    }
}

impl Work for Keep {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let (mut base, kept) = self.survey(exec)?;
        if base.is_none() {
            exec.run(
                &docker::pull_cmd(&self.base),
                self.supervision(),
                console.line,
            )?;
            base = ask(exec, &identity_cmd(&self.base))?;
        }
        let of = base.ok_or_else(|| {
            Failure::failed(format!(
                "the engine does not have `{}`, which it has just pulled",
                self.base
            ))
        })?;
        if kept.is_some_and(|kept| kept == of) {
            self.found.get_or_init(|| of);
            return Ok(Performed::Skipped("the engine has it".to_owned()));
        }
        let made = self.make(exec, &of, console);
        if exec.interrupted() {
            return Err(Failure::interrupted());
        }
        // What a container has left is nobody's matter but ours: the next run on this engine finds it by its label.
        if let Err(failed) = removal::remove(exec, &self.removal(), None, PATIENCE) {
            (console.warning)(failed.to_string());
        }
        if let Err(failed) = made {
            let why = failed.cause().unwrap_or("docker did not say why");
            (console.warning)(format!(
                "the data directory of `{}` is not kept, each test makes its own: {why}",
                self.base
            ));
            return Ok(Performed::Done(Some("not kept".to_owned())));
        }
        self.found.get_or_init(|| of);
        self.superseded().remove(exec, console)?;
        Ok(Performed::Done(None))
    }
}

/// Prints the identity of a base image, and its platform.
fn identity_cmd(base: &ImageRef) -> Cmd {
    let format = "{{.Id}} {{.Os}}/{{.Architecture}}";
    Cmd::new("docker", format!("look at the base image `{base}`"))
        .args(["image", "inspect", "--format", format, "--"])
        .arg(base.to_string())
}

/// What docker prints of something. None: it does not have it.
fn ask(exec: &dyn Exec, cmd: &Cmd) -> Result<Option<String>, Failure> {
    match exec.read(cmd, None) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(CmdFailure {
            reason: Reason::Status(_),
            ..
        }) if !exec.interrupted() => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}
