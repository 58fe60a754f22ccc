// SPDX-License-Identifier: Apache-2.0
//! Makes a sandbox, or mends one that is half made: each step looks first.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{PROGRAMS, Sandbox};
use crate::{
    exec::{Exec, Real},
    failure::Failure,
    plan::{Action, Cmd, Plan, Probe, Step, StepId},
    tool::apt,
};

/// What the root holds beyond Debian's minimum.
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "docker-buildx",
    "docker-cli",
    "docker-registry",
    "docker.io",
    "iproute2",
    "iptables",
    "passt",
    "procps",
    "xz-utils",
];

/// What the machine itself must have; a Debian without them is hard to find.
pub(crate) const HOST_PROGRAMS: &[&str] = &["apt-get", "dpkg-deb", "nsenter", "setsid", "unshare"];

/// How to call mmdebstrap: the machine's, or the one that is fetched into the sandbox's folder.
#[derive(Clone, Debug)]
pub(crate) struct Mmdebstrap {
    program: PathBuf,
    mirror: Option<String>,
    /// Where it is extracted to when we fetch it; there are steps for that.
    extracted: Option<PathBuf>,
}

impl Mmdebstrap {
    /// Finds mmdebstrap and the mirror. Reads only.
    pub(crate) fn survey(sandbox: &Sandbox, exec: &Real) -> Result<Self, Failure> {
        let missing: Vec<&str> = HOST_PROGRAMS
            .iter()
            .copied()
            .filter(|program| exec.finds(program).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(Failure::unavailable(format!("the sandbox needs {} on PATH", missing.join(", ")))
                .hint("the sandbox is for Debian and what descends from it; elsewhere install Docker 28 with buildx"));
        }
        let mirror = match &sandbox.mirror {
            Some(mirror) => Some(mirror.clone()),
            None => apt::parse_mirror(
                &exec
                    .read(&apt::sources_cmd(), None)
                    .map_err(Failure::from)?,
            ),
        };
        let own = exec.finds("mmdebstrap");
        let tools = sandbox.folder.join("tools");
        Ok(Self {
            program: own
                .clone()
                .unwrap_or_else(|| tools.join("usr/bin/mmdebstrap")),
            extracted: own.is_none().then_some(tools),
            mirror,
        })
    }

    /// The parts of a call that every root shares.
    pub(crate) fn template<'a>(&'a self, sandbox: &'a Sandbox) -> apt::Root<'a> {
        apt::Root {
            purpose: "",
            mmdebstrap: &self.program,
            extracted: self.extracted.as_deref(),
            format: "directory",
            suite: &sandbox.suite,
            target: Path::new(""),
            mirror: self.mirror.as_deref(),
            packages: &[],
            hooks: &[],
            slim: false,
        }
    }
}

/// Why this machine cannot have a sandbox, if it cannot.
pub(crate) fn refuse() -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Err(Failure::unavailable("the sandbox needs Linux")
            .hint("install Docker and leave out `--sandbox`"));
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::unavailable("the sandbox needs root: it makes namespaces, mounts and a network for its engine")
            .hint("run the same command with `sudo -E env PATH=\"$PATH\"`, or install Docker and leave out `--sandbox`"));
    }
    if !Path::new("/dev/net/tun").exists() {
        return Err(
            Failure::unavailable("the sandbox needs `/dev/net/tun` for its network")
                .hint("load the kernel's module: `modprobe tun`"),
        );
    }
    Ok(())
}

/// The steps up to an engine that answers; gives the step after which it does.
pub(crate) fn add(
    plan: &mut Plan,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    xtask: &Path,
) -> (Vec<StepId>, StepId) {
    let folder = &sandbox.folder;
    let root = sandbox.root();
    let have_root = Probe::Exists(root.clone());
    let marker = plan.add(
        Step::new("mark the sandbox's folder", Action::Write {
            path: sandbox.marker(),
            contents: "This folder belongs to `cargo xtask sandbox`; `cargo xtask sandbox down` removes it.\n".into(),
        })
        .quiet(),
    );
    let mut before = vec![marker];
    if tools.extracted.is_some() {
        before = fetch(plan, folder, &tools.program, marker);
    }
    let partial = folder.join("root.new");
    let clear = plan.add(
        Step::new(
            "clear a half-made root",
            Action::RemoveFolder(partial.clone()),
        )
        .after([marker])
        .quiet(),
    );
    let template = tools.template(sandbox);
    let cmd = apt::Root {
        purpose: "make the sandbox's root",
        target: &partial,
        packages: PACKAGES,
        ..template
    }
    .cmd();
    let made = plan.add(
        Step::run(format!("sandbox root ({})", sandbox.suite), cmd)
            .after(before.iter().copied().chain([clear]))
            .skip_if(have_root.clone(), "it is there")
            .timeout(Duration::from_secs(1200)),
    );
    let daemon = format!(
        "{{\"features\": {{\"containerd-snapshotter\": true}}, \"cgroup-parent\": \"/{}\"}}\n",
        sandbox.cgroup()
    );
    let configured = plan.add(
        Step::new(
            "configure the engine",
            Action::Write {
                path: partial.join("etc/docker/daemon.json"),
                contents: daemon,
            },
        )
        .after([made])
        .skip_if(have_root.clone(), "it is there")
        .quiet(),
    );
    let kept = plan.add(
        Step::new(
            "keep the root",
            Action::Rename {
                from: partial,
                to: root,
            },
        )
        .after([configured])
        .skip_if(have_root, "it is there")
        .quiet(),
    );
    let mut ready = vec![kept];
    let mut script = |path: PathBuf, contents: String| {
        let name = format!("write {}", path.display());
        ready.push(
            plan.add(
                Step::new(name, Action::Script { path, contents })
                    .after([marker])
                    .quiet(),
            ),
        );
    };
    script(sandbox.bin().join("enter"), sandbox.enter_script());
    for program in PROGRAMS {
        script(sandbox.bin().join(program), sandbox.wrapper_script(program));
    }
    let answers = Cmd::new(sandbox.bin().join("docker"), "ask the engine").args([
        "version",
        "--format",
        "{{.Server.Version}}",
    ]);
    let start = Cmd::new("setsid", "start the sandbox's engine")
        .args([
            "--fork",
            "unshare",
            "--mount",
            "--pid",
            "--ipc",
            "--uts",
            "--fork",
            "--propagation",
            "slave",
        ])
        .arg(xtask)
        .args(["sandbox", "init"])
        .arg(folder);
    let started = plan.add(
        Step::new(
            "start the engine",
            Action::Start {
                cmd: start,
                log: folder.join("init.log"),
            },
        )
        .after(ready)
        .skip_if(Probe::Succeeds(answers.clone()), "it answers"),
    );
    let engine = plan.add(
        Step::new(
            "engine answers",
            Action::WaitFor {
                probe: Probe::Succeeds(answers),
                every: Duration::from_millis(100),
                patience: Duration::from_secs(60),
                log: folder.join("init.log"),
            },
        )
        .after([started])
        .quiet(),
    );
    (before, engine)
}

/// Fetches mmdebstrap and what it needs from this machine's own distribution, installing nothing.
fn fetch(plan: &mut Plan, folder: &Path, program: &Path, marker: StepId) -> Vec<StepId> {
    let apt = folder.join("apt");
    let tools = folder.join("tools");
    let have = || Probe::Exists(program.to_owned());
    let cache = plan.add(
        Step::new(
            "folder for packages",
            Action::Folder(apt.join("cache/archives/partial")),
        )
        .after([marker])
        .quiet(),
    );
    let lists = plan.add(
        Step::new(
            "folder for the index",
            Action::Folder(apt.join("lists/partial")),
        )
        .after([cache])
        .quiet(),
    );
    let index = plan.add(
        Step::run("package index", apt::update_cmd(&apt))
            .after([lists])
            .skip_if(have(), "mmdebstrap is there"),
    );
    let packages = plan.add(
        Step::run(
            "download mmdebstrap",
            apt::download_cmd(&apt, &["mmdebstrap"]),
        )
        .after([index])
        .skip_if(have(), "mmdebstrap is there"),
    );
    let extracted = plan.add(
        Step::new(
            "extract mmdebstrap",
            Action::Extract {
                from: apt.join("cache/archives"),
                into: tools,
            },
        )
        .after([packages])
        .skip_if(have(), "mmdebstrap is there")
        .quiet(),
    );
    vec![extracted]
}
