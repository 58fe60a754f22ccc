// SPDX-License-Identifier: Apache-2.0
//! Creates a sandbox, or repairs an incomplete one: each step looks first.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    PROGRAMS, Sandbox, engine, entries,
    mmdebstrap::{self, Mmdebstrap},
    work::Claim,
};
use crate::{
    config::AtOnce,
    failure::{Failure, Section},
    own::source,
    plan::{Action, Cmd, Plan, Probe, Step, StepId},
    tool::apt,
};

/// What the root holds beyond Debian's minimum.
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "cosign",
    "docker-buildx",
    "docker-cli",
    "docker-registry",
    "docker.io",
    "iproute2",
    "iptables",
    "kind",
    "kubernetes-client",
    "oras",
    "passt",
    "procps",
    "xz-utils",
];

/// In the root: what it was made of.
const STAMP: &str = "etc/xtask/root";

fn stamp(sandbox: &Sandbox) -> String {
    format!("{} {}\n", sandbox.suite, PACKAGES.join(" "))
}

/// Whether the root is what this version of the program would make. An older one is rebuilt.
pub(crate) fn is_current(sandbox: &Sandbox) -> bool {
    let found = source::read_own(&sandbox.root(), Path::new(STAMP));
    found.is_ok_and(|text| text == Some(stamp(sandbox)))
}

/// Who asks for the sandbox.
pub(crate) struct Caller {
    /// The program to run as process 1: ourselves.
    program: PathBuf,
    /// What must be visible inside.
    repository: PathBuf,
}

impl Caller {
    /// This program, for that repository.
    pub(crate) fn of(repository: &Path) -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            repository: repository.to_owned(),
        })
    }
}

/// The steps after which parts of the sandbox can be used.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// Mmdebstrap can be called.
    pub tools: Vec<StepId>,
    /// The engine answers.
    pub engine: StepId,
}

/// The pool of the steps that make a root, each of which unpacks hundreds of megabytes.
pub(crate) const ROOTS: &str = "root";
/// How many roots are made at once.
const ROOTS_AT_ONCE: AtOnce = AtOnce::of(3);

/// This program, for a shell.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_else(|_| "target/debug/xtask".into());
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

/// Why this machine cannot have a sandbox, if it cannot.
pub(crate) fn refuse() -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Err(Failure::unavailable("the sandbox needs Linux")
            .hint("install Docker and leave out `--sandbox`")
            .see(Section::Sandbox));
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::unavailable("the sandbox needs root: it makes namespaces, mounts and a network for its engine")
            .hint(format!("run this program as root, not cargo, which would leave root's files in `target`: `sudo -E env PATH=\"$PATH\" {} …`; or install Docker and leave out `--sandbox`", program()))
            .see(Section::Sandbox));
    }
    if !Path::new("/dev/net/tun").exists() {
        return Err(
            Failure::unavailable("the sandbox needs `/dev/net/tun` for its network")
                .hint("load the kernel's module: `modprobe tun`")
                .see(Section::Sandbox),
        );
    }
    Ok(())
}

/// The steps up to an engine that answers.
pub(crate) fn add(
    plan: &mut Plan,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    caller: &Caller,
) -> Ready {
    plan.limits.push((ROOTS, ROOTS_AT_ONCE));
    let marker = Claim(sandbox.folder.clone());
    let marker = plan.add(Step::work("mark the sandbox's folder", marker).quiet());
    let clear = Step::new(
        "remove temporary files",
        Action::RemoveFolder(sandbox.location(&tools.temporary)),
    );
    let clear = plan.add(clear.after([marker]).quiet());
    let place = Step::new(
        "folder for temporary files",
        Action::Folder(sandbox.location(&tools.temporary)),
    );
    let mut before = vec![plan.add(place.after([clear]).quiet())];
    if let Some(extracted) = &tools.extracted {
        before.push(mmdebstrap::fetch(plan, sandbox, extracted, marker));
    }
    let mut ready = vec![add_root(plan, sandbox, tools, marker, &before)];
    ready.extend(add_wrappers(plan, sandbox, marker));
    let engine = add_engine(plan, sandbox, caller, &ready);
    Ready {
        tools: before,
        engine,
    }
}

/// The root, made beside its final place, so that it is there whole or not at all.
fn add_root(
    plan: &mut Plan,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    marker: StepId,
    before: &[StepId],
) -> StepId {
    let root = sandbox.root();
    let have = Probe::Holds {
        path: root.join(STAMP),
        text: stamp(sandbox),
    };
    let partial = sandbox.folder.join(entries::ROOT_NEW);
    let clear = Step::new(
        "remove an unfinished root",
        Action::RemoveFolder(sandbox.location(&partial)),
    );
    let clear = plan.add(clear.after([marker]).quiet());
    let cmd = apt::Root {
        purpose: "make the sandbox's root",
        target: &partial,
        packages: PACKAGES,
        ..tools.template(sandbox)
    }
    .cmd();
    let made = plan.add(
        Step::run(format!("sandbox root ({})", sandbox.suite), cmd)
            .after(before.iter().copied().chain([clear]))
            .skip_if(have.clone(), "it is there")
            .pool(ROOTS)
            .timeout(Duration::from_secs(1200)),
    );
    let contents = format!(
        "{{\"features\": {{\"containerd-snapshotter\": true}}, \"cgroup-parent\": \"/{}\"}}\n",
        sandbox.cgroup()
    );
    let path = sandbox.location(partial.join("etc/docker/daemon.json"));
    let mut last = made;
    let stamped = Action::Write {
        path: sandbox.location(partial.join(STAMP)),
        contents: stamp(sandbox),
    };
    for (name, action) in [
        ("configure the engine", Action::Write { path, contents }),
        ("record what the root is for", stamped),
        (
            "keep the root",
            Action::Rename {
                from: sandbox.location(partial),
                to: sandbox.location(root),
            },
        ),
    ] {
        let step = Step::new(name, action)
            .after([last])
            .skip_if(have.clone(), "it is there");
        last = plan.add(step.quiet());
    }
    last
}

/// The script that starts the engine.
pub(super) const START: &str = "start-engine";

/// The programs that stand on PATH for those inside, and the script that starts the engine.
fn add_wrappers(plan: &mut Plan, sandbox: &Sandbox, marker: StepId) -> Vec<StepId> {
    let enter = (sandbox.bin().join("enter"), sandbox.enter_script());
    let start = (sandbox.bin().join(START), Sandbox::start_script());
    let wrapper = |program: &&str| (sandbox.bin().join(program), sandbox.wrapper_script(program));
    [enter, start]
        .into_iter()
        .chain(PROGRAMS.iter().map(wrapper))
        .map(|(path, contents)| {
            let name = format!("write {}", path.display());
            let path = sandbox.location(path);
            plan.add(
                Step::new(name, Action::Script { path, contents })
                    .after([marker])
                    .quiet(),
            )
        })
        .collect()
}

fn add_engine(plan: &mut Plan, sandbox: &Sandbox, caller: &Caller, ready: &[StepId]) -> StepId {
    let answers = Cmd::new(sandbox.bin().join("docker"), "ask the engine").args([
        "version",
        "--format",
        "{{.Server.Version}}",
    ]);
    let cmd = Cmd::new(sandbox.bin().join(START), "start the sandbox's engine")
        .args(engine::NAMESPACES)
        .arg(&caller.program)
        .args(engine::INIT)
        .arg(&sandbox.folder)
        .arg(&caller.repository);
    let log = sandbox.folder.join(entries::LOG);
    // Made here and never by the engine: one that starts late does not begin what is being removed.
    let lock = sandbox.folder.join(entries::ENGINE_LOCK);
    let there = Probe::Exists(lock.clone());
    let made = Action::Write {
        path: sandbox.location(lock),
        contents: String::new(),
    };
    let lock = plan.add(
        Step::new("make the engine's lock", made)
            .after(ready.iter().copied())
            .skip_if(there, "it is there")
            .quiet(),
    );
    let start = Step::new(
        "start the engine",
        Action::Start {
            cmd,
            log: log.clone(),
        },
    )
    .after([lock])
    .skip_if(Probe::Succeeds(answers.clone()), "it answers");
    let started = plan.add(start);
    let wait = Action::WaitFor {
        what: "the sandbox's engine",
        probe: Probe::Succeeds(answers),
        every: Duration::from_millis(100),
        patience: Duration::from_secs(60),
        log: Some(log),
    };
    plan.add(Step::new("engine answers", wait).after([started]).quiet())
}
