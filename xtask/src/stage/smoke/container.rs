// SPDX-License-Identifier: Apache-2.0
//! A test's container: the base image, our script on its standard input, the extensions' images mounted.

use super::{Runner, SmokeTest, kept::RECIPE, passed::Passed, server, step_name};
use crate::{
    image::{Image, ImageRef},
    mount,
    plan::{Arg, Cmd, Kind, Owned, Plan, Step, StepId},
    tool::docker::RUN_LABEL,
};

/// What scripts start a server with, behind the recipe of its data directory.
pub(super) const SERVER: &str = include_str!("server.sh");
const SCRIPT: &str = include_str!("smoke.sh");
/// The server's files are in memory: what a test writes is gone with it, and was never for a disk.
const MEMORY: [&str; 2] = ["--tmpfs", "/xtask:exec,mode=1777"];

/// A test is to reach nobody.
const CLOSED: [&str; 2] = ["--network", "none"];
/// Root, who may install what a source is fetched with; the server is another user's.
const OPEN: [&str; 2] = ["--user", "0"];

/// The container of one test, by its name and its label.
pub(super) struct Container {
    pub name: String,
    pub label: String,
}

impl Container {
    pub(super) fn of(test: &SmokeTest, runner: &Runner) -> Self {
        let (run, title) = (&runner.run, test.name.replace(' ', "-"));
        Self {
            name: format!("xtask-smoke-{}-{title}", run.short()),
            label: format!("{RUN_LABEL}={run}"),
        }
    }

    /// What takes it away.
    pub(super) fn remove(&self) -> Owned {
        Owned::new(Kind::Container, &self.label, "remove the test's container").name(&self.name)
    }

    /// Makes the container (`create`) or runs it (`run`); `mounted` adds what its files come from.
    pub(super) fn cmd(
        &self,
        verb: &str,
        test: &SmokeTest,
        mounted: impl FnOnce(Cmd<Arg>) -> Cmd<Arg>,
    ) -> Cmd<Arg> {
        self.cmd_with(verb, test, &CLOSED, mounted)
    }

    /// The same with other options in the place of those that keep a container to itself.
    fn cmd_with(
        &self,
        verb: &str,
        test: &SmokeTest,
        options: &[&str],
        mounted: impl FnOnce(Cmd<Arg>) -> Cmd<Arg>,
    ) -> Cmd<Arg> {
        let cmd = Cmd::new("docker", purpose(test)).args([verb, "--rm", "--interactive"]);
        let mut cmd =
            cmd.args(options)
                .args(MEMORY)
                .args(["--name", &self.name, "--label", &self.label]);
        for (name, value) in server::environment(test) {
            // The name alone on the command line; docker takes the value from its own environment.
            cmd = cmd.args(["--env", name]).env(name, value);
        }
        let cmd = mounted(cmd.into());
        let cmd = match &test.kept {
            // There by now, or gone: a registry is never asked for it.
            Some(kept) => cmd
                .args(["--pull", "never", "--"])
                .pending("", kept.clone(), ""),
            None => cmd.arg("--").arg(test.base.to_string()),
        };
        cmd.args(["bash", "-s", "--"])
            .args(server::variables(&test.mounts))
            // CNPG's names of variables hold no `-`.
            .arg("--")
            .args(server::options(&test.mounts))
    }
}

pub(super) fn purpose(test: &SmokeTest) -> String {
    format!("run `{}` in PostgreSQL", test.name)
}

/// What goes to the container's standard input. The script reads the rest of it: an argument or a variable has room
/// for 128 KiB only.
pub(super) fn input(test: &SmokeTest) -> String {
    format!(
        "{RECIPE}{SERVER}{SCRIPT}{}",
        test.proof.as_deref().unwrap_or_default()
    )
}

/// The server with the images, mounted as Docker 28 mounts them, and what takes it away.
pub(super) fn server(test: &SmokeTest, runner: &Runner) -> (Cmd<Arg>, Owned) {
    server_with(test, runner, input(test))
}

/// The same with another script on its standard input.
pub(super) fn server_with(test: &SmokeTest, runner: &Runner, input: String) -> (Cmd<Arg>, Owned) {
    server_beside(test, runner, &[], input)
}

/// The same with more images, which are mounted where it is said and are nothing to the server.
pub(super) fn server_beside(
    test: &SmokeTest,
    runner: &Runner,
    beside: &[(String, ImageRef)],
    input: String,
) -> (Cmd<Arg>, Owned) {
    let container = Container::of(test, runner);
    let cmd = container.cmd("run", test, |cmd| {
        let beside = beside.iter().cloned();
        let beside = beside.map(|(root, image)| (root, Image::Given(image)));
        mounted(cmd, own(test).chain(beside))
    });
    (cmd.stdin(input), container.remove())
}

/// One whose script is root's at first and reaches the archive; `told` are more variables of it.
pub(super) fn open_server(
    test: &SmokeTest,
    runner: &Runner,
    told: &[(&str, &str)],
    input: String,
) -> (Cmd<Arg>, Owned) {
    let container = Container::of(test, runner);
    let cmd = container.cmd_with("run", test, &OPEN, |mut cmd| {
        for (name, value) in told {
            cmd = cmd.args(["--env", name]).env(*name, *value);
        }
        mounted(cmd, own(test))
    });
    (cmd.stdin(input), container.remove())
}

/// Where the images of a test are mounted.
fn own(test: &SmokeTest) -> impl Iterator<Item = (String, Image)> {
    test.mounts.iter().map(|one| {
        let root = mount::root(&one.extension.name);
        (root, one.source.image.clone())
    })
}

fn mounted(mut cmd: Cmd<Arg>, images: impl Iterator<Item = (String, Image)>) -> Cmd<Arg> {
    for (root, image) in images {
        let target = format!(",target={root}");
        cmd = cmd
            .arg("--mount")
            .pending("type=image,source=", image, target);
    }
    cmd
}

/// Adds the step that tries the images.
pub(super) fn add(plan: &mut Plan, test: &SmokeTest, runner: &Runner) -> StepId {
    let (cmd, removal) = server(test, runner);
    let title = step_name(&test.name);
    let mut step = Step::run(&title, cmd)
        .after(test.after.iter().copied())
        .undo(removal)
        .timeout(runner.limit)
        .speaks()
        .proof("smoke");
    if let Some(kept) = &test.kept {
        let (cmd, removal) = server(&test.without_kept(), runner);
        let alone = Step::run(format!("{title} again"), cmd).undo(removal);
        step = step.again(kept.again(alone.timeout(runner.limit)));
    }
    if let Some(passed) = Passed::of(test, runner) {
        step = step.remembered_by(passed);
    }
    plan.add(step)
}
