// SPDX-License-Identifier: Apache-2.0
//! The sandbox's first process: makes the inside, starts the engine and its network, and waits.
//!
//! `up` starts it through `unshare`, as process 1 of fresh mount, process, IPC and host-name
//! namespaces. When it ends, the kernel ends everything that runs inside.

mod leftovers;
mod network;
mod root;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, sethostname},
};

pub(super) use self::network::LOOPBACK;
use super::{PATH, engine, entries};
use crate::{
    exec::{PROXY, Real},
    failure::Failure,
    own::{
        file,
        folder::{self, Claim},
        process,
    },
    plan::{Cmd, Location},
    tool::proxy,
};

/// Runs until the engine ends or SIGTERM arrives. `folder` is the sandbox's, `repository` the one that
/// asked for it.
pub(crate) fn run(folder: &Path, repository: &Path) -> anyhow::Result<()> {
    refuse_outside()?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    anyhow::ensure!(
        matches!(folder::claim(folder)?, Claim::Ours),
        "`{}` is not a sandbox",
        folder.display()
    );
    // /proc is still the host's, so this is our number as the host sees it.
    let pid: i32 = fs_err::read_link("/proc/self")?.to_string_lossy().parse()?;
    let started = process::start_time(pid).context("no start time of our own")?;
    // Two calls of `up` may both find no engine; the one that comes second here gives way.
    let _lock = engine::own_lock(folder)?;
    let root = folder.join(entries::ROOT);
    root::prepare(&root)?;
    root::enter(&root, folder, repository)?;
    let _ = sethostname("xtask-sandbox");
    let pasta = network::join()?;
    let exec = Real::default();
    let dockerd = Cmd::new("/usr/sbin/dockerd", "start the engine")
        .env("PATH", PATH)
        .env("HOME", "/root");
    let dockerd = proxies().fold(dockerd, |dockerd, (name, url)| dockerd.env(name, url));
    let dockerd = exec.detached(&dockerd, Path::new("/var/log/dockerd.log"))?;
    let folder = Path::new("/host").join(folder.strip_prefix("/")?);
    let name = folder.join(entries::ENGINE);
    // An engine that ends in order takes its name away. Without a sweep the next one may still do.
    if name.exists()
        && let Err(failed) = leftovers::sweep(&exec)
    {
        tracing::warn!(%failed, "what a killed engine left is still there");
    }
    let name = Location::ours(&folder, name);
    // Written last and by our own hand: who reads it finds namespaces that are complete.
    file::write_atomically(&name, &format!("{pid} {started}\n"))?;
    match wait(dockerd, pasta, &stop) {
        End::InOrder => file::remove_file(&name),
        End::Late => Ok(()),
        End::ByItself(what) => anyhow::bail!("{what} ended by itself; see its log"),
    }
}

/// The proxies of this process's environment, in both spellings, as they are reached from inside.
fn proxies() -> impl Iterator<Item = (&'static str, String)> {
    PROXY.into_iter().flat_map(|[upper, lower]| {
        [[upper, lower], [lower, upper]]
            .into_iter()
            .filter_map(|names| {
                let url = names.iter().find_map(|name| std::env::var(name).ok())?;
                Some((names[0], proxy::seen_from_inside(&url, LOOPBACK)))
            })
    })
}

/// Refuses to run anywhere but as the first process of namespaces of our own: elsewhere all that follows
/// would happen to the machine.
#[expect(clippy::disallowed_methods, reason = "files of the kernel")]
fn refuse_outside() -> Result<(), Failure> {
    let refuse = |why: &str| {
        Failure::invalid(format!(
            "`sandbox init` runs only as the first process of a sandbox: {why}"
        ))
        .hint("`cargo xtask sandbox up` starts it")
    };
    if std::process::id() != 1 {
        return Err(refuse("this is not process 1"));
    }
    // /proc is still the machine's, so its numbers are. In namespaces that `unshare` has just made there is
    // nobody but `unshare` and us. (To look at process 1 is forbidden on some machines.)
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let number = |name: &str| -> Option<i32> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    let own = [number("Pid:"), number("PPid:")];
    let others: Vec<i32> = process::all()
        .filter(|pid| !own.contains(&Some(*pid)))
        .collect();
    for kind in ["mnt", "pid", "ipc", "uts"] {
        let namespace = |process: &str| fs_err::read_link(format!("/proc/{process}/ns/{kind}"));
        let shares = |pid: &i32| {
            let own = namespace("self").ok();
            own.is_none() || namespace(&pid.to_string()).ok() == own
        };
        if others.is_empty() || others.iter().any(shares) {
            return Err(refuse(&format!("its `{kind}` namespace is that of others")));
        }
    }
    // Fields 7 and on of mountinfo, up to a dash, see proc(5).
    let mounts = fs_err::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_shared = |line: &str| {
        let mut fields = line.split(' ').skip(6).take_while(|field| *field != "-");
        fields.any(|field| field.starts_with("shared:"))
    };
    if mounts.is_empty() || mounts.lines().any(is_shared) {
        return Err(refuse("what it mounts would be seen outside"));
    }
    Ok(())
}

/// How an engine ends.
enum End {
    /// It was asked to, and did.
    InOrder,
    /// It was asked to, and has to be killed.
    Late,
    /// Nobody asked; what has ended first.
    ByItself(&'static str),
}

/// Reaps until one of the two ends or we are told to stop; then lets the engine end in order.
fn wait(dockerd: u32, pasta: u32, stop: &AtomicBool) -> End {
    let engine = Pid::from_raw(i32::try_from(dockerd).unwrap_or_default());
    let mut patience: Option<Instant> = None;
    loop {
        if let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) =
            waitpid(None, Some(WaitPidFlag::WNOHANG))
        {
            let pid = u32::try_from(pid.as_raw()).unwrap_or_default();
            if pid == dockerd {
                return patience.map_or(End::ByItself("the engine"), |_| End::InOrder);
            }
            if pid == pasta && patience.is_none() {
                return End::ByItself("pasta");
            }
            continue;
        }
        match patience {
            None if stop.load(Ordering::SeqCst) => {
                let _gone = kill(engine, Signal::SIGTERM);
                patience = Some(Instant::now() + Duration::from_secs(20));
            }
            Some(end) if Instant::now() > end => return End::Late,
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
