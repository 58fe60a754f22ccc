// SPDX-License-Identifier: Apache-2.0
//! What a command is going to do, as data: steps with their exact actions and order.
//!
//! A plan is computed before anything is touched. `--dry-run` prints it, running it executes the same
//! values; nothing in here starts a process or writes a file.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::image::Built;

/// One argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    Plain(OsString),
    /// `prefix` + the image's reference, pinned to the digest that its bake wrote + `suffix`.
    /// The digest is not known before the bake has run; printed, it is the tag.
    Image {
        prefix: String,
        image: Built,
        suffix: String,
    },
}

impl<T: AsRef<OsStr>> From<T> for Arg {
    fn from(text: T) -> Self {
        Arg::Plain(text.as_ref().to_owned())
    }
}

impl Arg {
    fn printed(&self) -> String {
        match self {
            Arg::Plain(text) => text.to_string_lossy().into_owned(),
            Arg::Image {
                prefix,
                image,
                suffix,
            } => format!("{prefix}{}{suffix}", image.tag),
        }
    }
}

/// A process to start: what for, program, arguments, environment, standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cmd {
    /// What it is for, as a verb phrase that reads well after "failed to".
    pub purpose: String,
    pub program: OsString,
    pub args: Vec<Arg>,
    pub env: Vec<(String, String)>,
    pub stdin: Option<String>,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>, purpose: impl Into<String>) -> Self {
        Self {
            purpose: purpose.into(),
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: None,
        }
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: impl Into<Arg>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub(crate) fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }
}

/// A line that a shell takes: environment, program and arguments, each quoted where it must be.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", shell_words::quote(value))?;
        }
        f.write_str(&shell_words::quote(&self.program.to_string_lossy()))?;
        for arg in &self.args {
            write!(f, " {}", shell_words::quote(&arg.printed()))?;
        }
        if let Some(stdin) = &self.stdin {
            let end = if stdin.ends_with('\n') { "" } else { "\n" };
            write!(f, " <<'XTASK_EOF'\n{stdin}{end}XTASK_EOF")?;
        }
        Ok(())
    }
}

/// A question about the world that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// The command exits with status 0.
    Succeeds(Cmd),
    /// The file or folder is there.
    Exists(PathBuf),
}

/// The timestamped tags of one target, of which only the newest is worth its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// `registry/name`, without a tag.
    pub repository: String,
    /// What stands before the twelve digits of the time: `0.8.6-`.
    pub prefix: String,
    /// What stands behind them: `-18-trixie`.
    pub suffix: String,
}

impl Rotation {
    /// Whether `tag` is one of these.
    pub(crate) fn covers(&self, tag: &str) -> bool {
        tag.strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_suffix(&self.suffix))
            .is_some_and(|time| time.len() == 12 && time.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The references to drop, given the repository's tags: all that are covered but the newest.
    pub(crate) fn superseded<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut own: Vec<&str> = tags.into_iter().filter(|tag| self.covers(tag)).collect();
        own.sort_unstable();
        own.dedup();
        own.pop();
        own.iter()
            .map(|tag| format!("{}:{tag}", self.repository))
            .collect()
    }

    /// Lists the repository's tags, one a line.
    pub(crate) fn list(&self) -> Cmd {
        Cmd::new("docker", format!("list the images of {}", self.repository))
            .args(["image", "ls", "--format", "{{.Tag}}"])
            .arg(&self.repository)
    }

    pub(crate) fn remove(references: &[String]) -> Cmd {
        Cmd::new("docker", "drop superseded images")
            .args(["image", "rm"])
            .args(references)
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Run(Cmd),
    /// Make a folder and those above it.
    Folder(PathBuf),
    /// Write a file; it appears whole or not at all.
    Write {
        path: PathBuf,
        contents: String,
    },
    /// Merge JSON objects into one file: what `buildx bake` wrote for each extension.
    MergeJson {
        from: Vec<PathBuf>,
        into: PathBuf,
    },
    /// Drop the superseded timestamped images of one target.
    Rotate(Rotation),
    /// Write a program that anybody may run.
    Script {
        path: PathBuf,
        contents: String,
    },
    /// Extract every Debian package that lies in a folder.
    Extract {
        from: PathBuf,
        into: PathBuf,
    },
    /// Start a process that stays, its output in `log`.
    Start {
        cmd: Cmd,
        log: PathBuf,
    },
    /// Ask until the answer is yes; then go on. Fails after `patience`, quoting the end of `log`.
    WaitFor {
        probe: Probe,
        every: Duration,
        patience: Duration,
        log: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// Remove a folder that an earlier run has left half-made, if there is one.
    RemoveFolder(PathBuf),
}

/// Prints as lines that a shell takes and that do the same.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
        match self {
            Action::Run(cmd) => cmd.fmt(f),
            Action::Folder(path) => write!(f, "mkdir -p {}", quoted(path)),
            Action::Write { path, contents } => {
                write!(
                    f,
                    "cat > {} <<'XTASK_EOF'\n{contents}XTASK_EOF",
                    quoted(path)
                )
            }
            Action::Script { path, contents } => {
                let path = quoted(path);
                write!(
                    f,
                    "cat > {path} <<'XTASK_EOF'\n{contents}XTASK_EOF\nchmod 755 {path}"
                )
            }
            Action::Extract { from, into } => {
                write!(
                    f,
                    "for package in {}/*.deb; do dpkg-deb -x \"$package\" {}; done",
                    quoted(from),
                    quoted(into)
                )
            }
            Action::Start { cmd, log } => write!(f, "{cmd} > {} 2>&1 &", quoted(log)),
            Action::WaitFor {
                probe: Probe::Succeeds(cmd),
                every,
                ..
            } => {
                write!(f, "until {cmd}; do sleep {}; done", every.as_secs_f64())
            }
            Action::WaitFor {
                probe: Probe::Exists(path),
                every,
                ..
            } => {
                write!(
                    f,
                    "until [ -e {} ]; do sleep {}; done",
                    quoted(path),
                    every.as_secs_f64()
                )
            }
            Action::Rename { from, to } => write!(f, "mv {} {}", quoted(from), quoted(to)),
            Action::RemoveFolder(path) => write!(f, "rm -rf --one-file-system {}", quoted(path)),
            Action::MergeJson { from, into } => {
                f.write_str("jq -s add")?;
                for path in from {
                    write!(f, " {}", quoted(path))?;
                }
                write!(f, " > {}", quoted(into))
            }
            Action::Rotate(rotation) => {
                let pattern = format!(
                    "^{}[0-9]{{12}}{}$",
                    rotation.prefix.replace('.', "\\."),
                    rotation.suffix
                );
                write!(
                    f,
                    "{} | grep -E {} | sort | head -n -1 | sed {} | xargs -r docker image rm",
                    rotation.list(),
                    shell_words::quote(&pattern),
                    shell_words::quote(&format!("s|^|{}:|", rotation.repository))
                )
            }
        }
    }
}

/// The place of a step in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StepId(pub usize);

/// One action with its name, its order, and how it is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Short, unique in the plan, also the log's file name: `bake pgvector`.
    pub name: String,
    pub action: Action,
    /// Steps that must have succeeded before.
    pub after: Vec<StepId>,
    /// The step is not needed when this holds; the text says why, for people.
    pub skip_if: Option<(Probe, String)>,
    /// Takes back what the step made, when the step or one that builds on it does not succeed.
    pub undo: Option<Cmd>,
    pub timeout: Option<Duration>,
    /// A small step that is shown only when it fails or when asked for.
    pub quiet: bool,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, action: Action) -> Self {
        Self {
            name: name.into(),
            action,
            after: Vec::new(),
            skip_if: None,
            undo: None,
            timeout: None,
            quiet: false,
        }
    }

    pub(crate) fn run(name: impl Into<String>, cmd: Cmd) -> Self {
        Self::new(name, Action::Run(cmd))
    }

    #[must_use]
    pub(crate) fn after(mut self, steps: impl IntoIterator<Item = StepId>) -> Self {
        self.after.extend(steps);
        self
    }

    #[must_use]
    pub(crate) fn skip_if(mut self, probe: Probe, why: impl Into<String>) -> Self {
        self.skip_if = Some((probe, why.into()));
        self
    }

    #[must_use]
    pub(crate) fn undo(mut self, cmd: Cmd) -> Self {
        self.undo = Some(cmd);
        self
    }

    #[must_use]
    pub(crate) fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    #[must_use]
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
}

/// The steps of one command, in an order that respects their edges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub steps: Vec<Step>,
    /// Decisions that the user should know of: which platform and why, say.
    pub notes: Vec<String>,
}

impl Plan {
    /// Appends a step. What it comes after must already be in the plan, so a plan has no cycles.
    pub(crate) fn add(&mut self, step: Step) -> StepId {
        let id = StepId(self.steps.len());
        assert!(
            step.after.iter().all(|before| *before < id),
            "`{}` comes after a step that is not in the plan yet",
            step.name
        );
        self.steps.push(step);
        id
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// The whole plan as shell lines; notes are comments.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "# {note}")?;
        }
        for step in &self.steps {
            writeln!(f, "{}", step.action)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_as_a_line_that_a_shell_takes_apart_again() {
        let cmd = Cmd::new("docker", "try")
            .env("registry", "local host:5000")
            .args(["buildx", "a b", "$HOME", "it's"]);
        let line = cmd.to_string();
        let words = shell_words::split(&line).expect("the line is quoted");
        assert_eq!(
            words,
            [
                "registry=local host:5000",
                "docker",
                "buildx",
                "a b",
                "$HOME",
                "it's"
            ]
        );
    }

    fn rotation() -> Rotation {
        Rotation {
            repository: "localhost:5000/pgvector-testing".into(),
            prefix: "0.8.6-".into(),
            suffix: "-18-trixie".into(),
        }
    }

    #[test]
    fn a_rotation_keeps_the_newest_and_all_that_is_not_its_own() {
        let tags = [
            "0.8.6-18-trixie",
            "0.8.6-202611220101-18-trixie",
            "0.8.6-202611220300-18-trixie",
            "0.8.6-202611220200-18-trixie",
            "0.8.6-202611220200-18-bookworm",
            "0.8.5-202611220200-18-trixie",
            "10.8.6-202611220200-18-trixie",
            "0.8.6-20261122020x-18-trixie",
        ];
        assert_eq!(
            rotation().superseded(tags),
            [
                "localhost:5000/pgvector-testing:0.8.6-202611220101-18-trixie",
                "localhost:5000/pgvector-testing:0.8.6-202611220200-18-trixie",
            ]
        );
        assert!(
            rotation()
                .superseded(["0.8.6-202611220101-18-trixie"])
                .is_empty()
        );
    }

    #[test]
    fn a_plan_prints_notes_as_comments_and_steps_as_lines() {
        let mut plan = Plan::default();
        plan.note("for linux/amd64, this machine's platform");
        let folder = plan.add(Step::new("folder", Action::Folder("a b".into())));
        plan.add(
            Step::new(
                "merge",
                Action::MergeJson {
                    from: vec!["x.json".into(), "y.json".into()],
                    into: "all.json".into(),
                },
            )
            .after([folder]),
        );
        assert_eq!(
            plan.to_string(),
            "# for linux/amd64, this machine's platform\nmkdir -p 'a b'\njq -s add x.json y.json > all.json\n"
        );
    }
}
