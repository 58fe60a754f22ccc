// SPDX-License-Identifier: Apache-2.0
//! The sandbox: a private container engine for a Linux machine that has none.
//!
//! A Debian root with Docker in it runs in mount, process, network, IPC and host-name namespaces of its
//! own, below one folder. Its interfaces, packet-filter rules and mounts exist in those namespaces
//! only, so they end with its first process, however that ends. The host's own Docker, if it has one,
//! is not touched. `pasta` carries traffic between the two networks in user space and makes every TCP
//! port that listens inside reachable at the host's 127.0.0.1.

pub(crate) mod archive;
pub(crate) mod base;
pub(crate) mod default_versions;
pub(crate) mod down;
pub(crate) mod engine;
pub(crate) mod entries;
pub(crate) mod init;
pub(crate) mod libraries;
pub(crate) mod mmdebstrap;
pub(crate) mod repository;
pub(crate) mod suites;
pub(crate) mod up;
mod work;

use std::{
    ffi::OsString,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, Instant},
};

use self::init::LOOPBACK;
use crate::{
    config::{self, Config, Key},
    exec::{Exec, PROXY, Real},
    failure::Failure,
    own::{
        self,
        folder::{self, Claim},
        process::Process,
        source,
    },
    plan::{Cmd, Location, shell},
    tool::docker,
    value::{Suite, Url},
};

/// The programs inside that the rest of the tool may use as if they were installed.
pub(crate) const PROGRAMS: &[&str] = &[
    "cosign",
    "docker",
    "docker-registry",
    "kind",
    "kubectl",
    "oras",
];

/// The search path inside.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a sandbox lives, and what it is asked to be.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    pub folder: PathBuf,
    pub suite: Suite,
    /// Other suites of the archive, asked in this order for a PostgreSQL that the sandbox's own lacks.
    pub others: Vec<Suite>,
    pub mirror: Option<Url>,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Absent,
    /// There is a folder, and it is not ours.
    Foreign,
    /// Files, but no engine: stopped, killed, or only half made.
    Stopped,
    /// The engine's first process, as the host sees it.
    Running(Process),
}

/// Whether the engine's first process runs. One that has been killed lets go of its namespaces first and
/// then waits for all that runs in them to end, in which time a second engine would meet the first one's
/// files: that is waited for.
fn runs(engine: &Process) -> bool {
    let patience = Instant::now() + Duration::from_secs(30);
    while engine.lives() {
        if fs_err::read_link(format!("/proc/{}/ns/mnt", engine.pid)).is_ok() {
            return true;
        }
        if Instant::now() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

impl Sandbox {
    pub(crate) fn new(
        config: &Config,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Failure> {
        let set = config.get(config::SANDBOX_FOLDER);
        let folder = if set.is_empty() {
            let cache = env("XDG_CACHE_HOME")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".cache")));
            cache
                .ok_or_else(|| {
                    Failure::invalid(
                        "no folder for the sandbox: neither XDG_CACHE_HOME nor HOME is set",
                    )
                    .hint("set `XTASK_SANDBOX_FOLDER`")
                })?
                .join("xtask-sandbox")
        } else {
            PathBuf::from(set)
        };
        if !folder.is_absolute() || folder.parent().is_none() {
            return Err(Failure::invalid(format!(
                "the sandbox's folder `{}` must be an absolute path below `/`",
                folder.display()
            )));
        }
        // What is compared with mounts, and marked, is the folder itself, by whatever way it is reached.
        let folder = own::resolved(&folder).map_err(|error| {
            Failure::invalid(format!(
                "the sandbox's folder `{}` cannot be reached: {error}",
                folder.display()
            ))
        })?;
        let (suite, others) = suites::configured(config)?;
        Ok(Self {
            folder,
            suite,
            others,
            mirror: match config.get(config::SANDBOX_MIRROR) {
                "" => None,
                _ => Some(typed(config, config::SANDBOX_MIRROR)?),
            },
        })
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join(entries::ROOT)
    }

    /// Goes in front of `PATH`: wrappers that run the programs inside.
    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.join(entries::BIN)
    }

    /// A place in the folder, for a step that writes or removes there.
    pub(crate) fn location(&self, path: impl Into<PathBuf>) -> Location {
        Location::ours(&self.folder, path)
    }

    /// Refuses a folder that is not ours and cannot become ours. Nothing is written.
    pub(crate) fn refuse_foreign(&self) -> anyhow::Result<()> {
        match folder::claim(&self.folder)? {
            Claim::Foreign(failure) => Err(failure.into()),
            Claim::Free | Claim::Ours => Ok(()),
        }
    }

    /// Docker's own configuration inside, as it is on the machine.
    pub(crate) fn docker_configuration(&self) -> PathBuf {
        self.root()
            .join(entries::DOCKER_SETTINGS)
            .join(docker::CONFIGURATION)
    }

    pub(crate) fn engine_log(&self) -> PathBuf {
        self.root().join("var/log/dockerd.log")
    }

    fn engine_file(&self) -> PathBuf {
        self.folder.join(entries::ENGINE)
    }

    /// Containers live below this cgroup, so that what is left of it can be found and removed.
    pub(crate) fn cgroup(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.folder.hash(&mut hasher);
        format!("xtask-sandbox-{:08x}", hasher.finish() & 0xffff_ffff)
    }

    pub(crate) fn state(&self) -> State {
        match folder::claim(&self.folder) {
            Ok(Claim::Ours) => {}
            Ok(Claim::Free) => return State::Absent,
            // What somebody else's folder says of processes is nothing to us.
            Ok(Claim::Foreign(_)) | Err(_) => return State::Foreign,
        }
        // What cannot be read says nothing, and nothing is what it is then.
        let engine = source::read_own(&self.folder, Path::new(entries::ENGINE))
            .ok()
            .flatten()
            .and_then(|text| {
                let (pid, started) = text.trim().split_once(' ')?;
                Some(Process {
                    pid: pid.parse().ok()?,
                    started: started.parse().ok()?,
                })
            });
        match engine {
            Some(engine) if runs(&engine) && engine::is_first(engine.pid, &self.folder) => {
                State::Running(engine)
            }
            _ => State::Stopped,
        }
    }

    /// Asks a running engine for its version; None when it does not answer.
    pub(crate) fn engine_version(&self, exec: &Real) -> Option<String> {
        let ask = Cmd::new(self.bin().join("docker"), "ask the engine").args([
            "version",
            "--format",
            "{{.Server.Version}}",
        ]);
        // From a folder that is surely visible inside.
        let exec = exec.clone().in_folder(Path::new("/"));
        let answer = exec.read(&ask, Some(Duration::from_secs(20))).ok()?;
        Some(answer.trim().to_owned())
    }

    /// Held by who uses the engine, makes it or removes it. Whoever shares the folder shares the lock.
    pub(crate) fn lock_file(&self) -> PathBuf {
        let mut path = self.folder.as_os_str().to_owned();
        path.push(".lock");
        path.into()
    }

    /// The configuration folder of docker inside, as this machine sees it.
    pub(crate) fn docker_settings(&self) -> PathBuf {
        self.root().join(entries::DOCKER_SETTINGS)
    }

    /// The script that runs a program inside, in the current folder.
    pub(crate) fn enter_script(&self) -> String {
        let engine = shell::word(self.engine_file());
        let settings = entries::DOCKER_SETTINGS;
        let proxies = PROXY.concat().join(" ");
        format!(
            "#!/bin/sh\n\
             # Written by `cargo xtask sandbox up`: runs a program inside the sandbox, in the current folder.\n\
             absent() {{ echo \"error: the sandbox does not run; \\`cargo xtask sandbox up\\` starts it\" >&2; exit 125; }}\n\
             [ -r {engine} ] || absent\n\
             read -r pid started < {engine} || absent\n\
             # A number may belong to another process by now: field 22 of proc(5) says when it started.\n\
             stat=$(cat \"/proc/$pid/stat\" 2>/dev/null) || absent\n\
             now=$(set -f; set -- ${{stat##*) }}; echo \"${{20}}\")\n\
             [ \"$now\" = \"$started\" ] || absent\n\
             # What listens at this machine's loopback has another address inside.\n\
             for name in {proxies}; do\n\
             \x20 eval \"value=\\${{$name-}}\"\n\
             \x20 case $value in *localhost* | *127.* | *'[::1]'*)\n\
             \x20   value=$(printf '%s\\n' \"$value\" | sed -E 's#(^|//|@)(localhost|127(\\.[0-9]+)+|\\[::1\\])(:|/|$)#\\1{LOOPBACK}\\4#')\n\
             \x20   export \"$name=$value\" ;;\n\
             \x20 esac\n\
             done\n\
             exec nsenter --target \"$pid\" --mount --net --pid --ipc --uts --root -- \\\n\
             \x20 /usr/bin/env -u DOCKER_HOST -u DOCKER_CONTEXT DOCKER_CONFIG=/{settings} PATH={PATH} \\\n\
             \x20 /bin/sh -c 'cd \"$1\" && shift && exec \"$@\"' enter \"$PWD\" \"$@\"\n"
        )
    }

    /// Starts what outlives its caller, without the files that the caller has open: a lock among them
    /// would be held for as long as the engine runs. (All of it is read before any of it is done, as the
    /// script is one of those files.)
    pub(crate) fn start_script() -> String {
        "#!/bin/bash\n\
         # Written by `cargo xtask sandbox up`: runs a program that has no open files but its first three.\n\
         {\n\
         \x20 for file in /proc/self/fd/*; do\n\
         \x20   [ \"${file##*/}\" -le 2 ] || eval \"exec ${file##*/}>&-\"\n\
         \x20 done\n\
         \x20 exec \"$@\"\n\
         }\n"
            .to_owned()
    }

    /// The same command, with the sandbox's own root.
    pub(crate) fn inside(&self, cmd: Cmd) -> Cmd {
        let enter = Cmd::new(self.bin().join("enter"), cmd.purpose).arg(cmd.program);
        enter.args(cmd.args)
    }

    /// The suites of the archive, its own first, in the order in which they are asked.
    pub(crate) fn suites(&self) -> impl Iterator<Item = &Suite> {
        std::iter::once(&self.suite).chain(&self.others)
    }

    /// The script that stands on PATH for a program inside.
    pub(crate) fn wrapper_script(&self, program: &str) -> String {
        let enter = shell::word(self.bin().join("enter"));
        format!("#!/bin/sh\nexec {enter} {program} \"$@\"\n")
    }
}

/// A setting as the type that its kind has checked.
fn typed<T: FromStr<Err = &'static str>>(config: &Config, key: Key<String>) -> Result<T, Failure> {
    let name = key.name();
    let value = config.get(key);
    value.parse().map_err(|wanted| {
        Failure::invalid(format!(
            "setting `{name}` is `{value}`; it must be {wanted}"
        ))
    })
}

/// What tells a folder from every other one; None when it is not there.
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = fs_err::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
