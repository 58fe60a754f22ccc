// SPDX-License-Identifier: Apache-2.0
//! `prereqs`: everything that the wanted commands need, checked at once; what is missing comes with its fix.

use std::time::Duration;

use serde::Serialize;

use crate::{
    cli::{NeededFor, Prereqs},
    config,
    context::Context,
    engine::{Access, Engine},
    exec::{Exec, Real},
    failure::Failure,
    image::ImageRef,
    plan::Cmd,
    sandbox,
    tool::{self, buildx, docker, kind},
    ui::Row,
    value::without_logins,
};

/// A tool that does not say its version by then hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    fix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    #[serde(rename = "ok")]
    Good,
    /// It works, but something is worth knowing.
    Warning,
    Missing,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Warning => "warning",
            State::Missing => "missing",
        }
    }
}

impl Row for Check {
    const HEADINGS: &'static [&'static str] = &["STATE", "WHAT", "FOUND", "FIX"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.state.name().to_owned(),
            self.name.to_owned(),
            self.found.clone(),
            self.fix.clone().unwrap_or_default(),
        ]
    }
}

pub(super) fn run(args: &Prereqs, context: &mut Context) -> anyhow::Result<()> {
    let all = [
        NeededFor::Checks,
        NeededFor::Bake,
        NeededFor::Smoke,
        NeededFor::E2e,
    ];
    let mut wanted: &[NeededFor] = if args.needed_for.is_empty() {
        &all
    } else {
        &args.needed_for
    };
    let with_sandbox = [NeededFor::Sandbox];
    let mut checks = Vec::new();
    let mut exec = context.exec.clone();
    if context.global.sandbox || wanted.contains(&NeededFor::Sandbox) {
        checks.extend(sandbox_checks(context));
        let up = context.global.sandbox
            && checks
                .iter()
                .all(|check: &Check| check.state != State::Missing);
        if up {
            exec = Engine::open(context, Access::Share)?.exec;
        } else if context.global.sandbox {
            wanted = &with_sandbox;
        }
    }
    if wanted.iter().any(|command| *command != NeededFor::Sandbox) {
        checks.extend(engine_checks(context, &exec, wanted));
    }
    if wanted.contains(&NeededFor::E2e) {
        // Who has not asked for it by name can do all the rest without.
        let asked = args.needed_for.contains(&NeededFor::E2e);
        checks.extend(e2e_checks(context, &exec, asked));
    }
    context.rows(args.json, &checks);
    let missing = checks
        .iter()
        .filter(|check| check.state == State::Missing)
        .count();
    if missing > 0 {
        let what = if missing == 1 {
            "1 prerequisite is missing".to_owned()
        } else {
            format!("{missing} prerequisites are missing")
        };
        return Err(Failure::unavailable(what).into());
    }
    context.ui.conclusion("all that is needed is there");
    Ok(())
}

fn sandbox_checks(context: &Context) -> Vec<Check> {
    let machine = match sandbox::up::refuse() {
        Ok(()) => Check {
            name: "Linux, root, tun",
            state: State::Good,
            found: "yes".into(),
            fix: None,
        },
        Err(failure) => Check {
            name: "Linux, root, tun",
            state: State::Missing,
            found: failure.message,
            fix: failure.hint,
        },
    };
    let tools = sandbox::mmdebstrap::HOST_PROGRAMS.iter().map(|program| match context.exec.finds(program) {
        Some(path) => Check { name: program, state: State::Good, found: path.display().to_string(), fix: None },
        None => Check {
            name: program,
            state: State::Missing,
            found: "not on PATH".into(),
            fix: Some("the sandbox is for Debian and what descends from it; elsewhere install Docker 28 with buildx".into()),
        },
    });
    std::iter::once(machine).chain(tools).collect()
}

fn engine_checks(context: &Context, exec: &Real, wanted: &[NeededFor]) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |name, state, found: String, fix: Option<&str>| {
        checks.push(Check {
            name,
            state,
            found,
            fix: fix.map(str::to_owned),
        });
    };
    let Some(client) = exec.finds("docker") else {
        add(
            "docker",
            State::Missing,
            "not on PATH".into(),
            Some("install Docker 28 or newer, or add `--sandbox` (Linux, root)"),
        );
        add(
            "buildx",
            State::Missing,
            "needs docker".into(),
            Some("install package `docker-buildx` or `docker-buildx-plugin`"),
        );
        return checks;
    };
    add("docker", State::Good, client.display().to_string(), None);
    let buildx_version =
        crate::plan::Cmd::new("docker", "ask for buildx").args(["buildx", "version"]);
    match exec.read(&buildx_version, None) {
        Ok(text) => add(
            "buildx",
            State::Good,
            text.split_whitespace().nth(1).unwrap_or("there").to_owned(),
            None,
        ),
        Err(_) => add(
            "buildx",
            State::Missing,
            "`docker buildx` is not known".into(),
            Some("install package `docker-buildx` or `docker-buildx-plugin`"),
        ),
    }
    let engine = match docker::Info::survey(exec) {
        Ok(engine) => engine,
        Err(failure) => {
            let command = failure.command.as_ref();
            let quoted = command
                .and_then(|command| command.cause())
                .map(without_logins);
            let said = failure.details.first().cloned().or(quoted);
            let found = said.unwrap_or(failure.message);
            add("engine", State::Missing, found, failure.hint.as_deref());
            return checks;
        }
    };
    add(
        "engine",
        State::Good,
        format!("Docker {}", engine.version),
        None,
    );
    if wanted.contains(&NeededFor::Smoke) && engine.major() < 28 {
        add(
            "image mounts",
            State::Warning,
            format!("Docker {} has none", engine.version),
            Some("smoke copies the files instead; Docker 28 mounts them"),
        );
    }
    if wanted.contains(&NeededFor::Bake) {
        let builder = context.config.builder();
        match exec.read(&buildx::inspect_cmd(builder), None) {
            Err(failed) => add(
                "builder",
                State::Missing,
                failed.cause().unwrap_or("cannot be inspected").to_owned(),
                Some("`docker buildx ls` lists the builders"),
            ),
            Ok(text) => {
                let driver = buildx::parse_driver(&text).unwrap_or("unknown").to_owned();
                if driver == "docker" && !engine.containerd_store {
                    add("builder", State::Missing, "driver docker without the containerd image store: no attestations, no index".into(),
                        Some("set features.containerd-snapshotter in daemon.json, or `docker buildx create --use --driver docker-container --driver-opt network=host`"));
                } else {
                    add("builder", State::Good, format!("driver {driver}"), None);
                }
                platforms(&text, &mut add);
            }
        }
    }
    disk(context, &engine, &mut add);
    checks
}

/// The tools of the tests on a cluster.
fn e2e_checks(context: &Context, exec: &Real, asked: bool) -> Vec<Check> {
    let absent = if asked {
        State::Missing
    } else {
        State::Warning
    };
    tool::E2E
        .iter()
        .map(|(program, version, install)| {
            let cmd = Cmd::new(program, format!("ask {program} for its version")).args(*version);
            let (state, found, fix) = match exec.finds(program) {
                None => (
                    absent,
                    "not on PATH, and e2e needs it".to_owned(),
                    Some(*install),
                ),
                Some(_) => match exec.read(&cmd, Some(PATIENCE)) {
                    Ok(text) => match too_old(context, program, text.trim()) {
                        None => (State::Good, tool::version_in(&text), None),
                        Some(why) => (absent, why, Some(*install)),
                    },
                    Err(failed) => {
                        let found = failed.cause().unwrap_or("it does not run").to_owned();
                        (absent, found, Some(*install))
                    }
                },
            };
            Check {
                name: program,
                state,
                found,
                fix: fix.map(str::to_owned),
            }
        })
        .collect()
}

/// Why a tool is too old for the cluster that the settings ask for.
fn too_old(context: &Context, program: &str, version: &str) -> Option<String> {
    if program != "kind" {
        return None;
    }
    let image: ImageRef = context.config.get(config::NODE_IMAGE).parse().ok()?;
    let failure = kind::check_version(version, &image.tag?).err()?;
    Some(failure.message)
}

/// Takes a check's name, state, what was found, and the fix.
type Add<'a> = &'a mut dyn FnMut(&'static str, State, String, Option<&str>);

/// Whether the builder can run programs of the other platforms. Our own Dockerfiles put such images
/// together without running anything; others may need it.
fn platforms(inspected: &str, add: Add<'_>) {
    let listed = inspected
        .lines()
        .find_map(|line| line.strip_prefix("Platforms:"))
        .unwrap_or_default();
    let missing: Vec<&str> = crate::target::PLATFORMS
        .into_iter()
        .filter(|platform| !listed.contains(platform))
        .collect();
    if missing.is_empty() {
        add(
            "platforms",
            State::Good,
            crate::target::PLATFORMS.join(", "),
            None,
        );
    } else {
        add(
            "platforms",
            State::Warning,
            format!("{} is not emulated", missing.join(", ")),
            Some(
                "Dockerfiles that run programs of that platform need it (ours do not): `docker run --privileged --rm tonistiigi/binfmt --install all`",
            ),
        );
    }
}

fn disk(context: &Context, engine: &docker::Info, add: Add<'_>) {
    // The sandbox's engine names its folder as it sees it; outside that is the sandbox's own.
    let folder = match context.sandbox() {
        Ok(sandbox) if context.global.sandbox => sandbox.folder,
        _ => engine.root_folder.clone().into(),
    };
    // An engine on another machine has a disk that cannot be seen from here.
    let Ok(disk) = nix::sys::statvfs::statvfs(&folder) else {
        return;
    };
    let free = disk.blocks_available() * disk.fragment_size() / (1 << 30);
    let least = u64::from(context.config.get(config::DISK_WARNING));
    if free < least {
        add(
            "disk",
            State::Warning,
            format!("{free} GiB free for images"),
            Some("`docker system df` shows what takes it, `docker buildx prune` drops build cache"),
        );
    } else {
        add(
            "disk",
            State::Good,
            format!("{free} GiB free for images"),
            None,
        );
    }
}
