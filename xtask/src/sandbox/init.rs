// SPDX-License-Identifier: Apache-2.0
//! The sandbox's first process: makes the inside, starts the engine and its network, and waits.
//!
//! `up` starts it through `unshare`, as process 1 of fresh mount, process, IPC and host-name
//! namespaces. When it ends, the kernel ends everything that runs inside.

use std::{
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns, unshare},
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, chdir, pivot_root, sethostname},
};

use super::{PATH, engine, entries};
use crate::{
    exec::Real,
    failure::Failure,
    own::{
        file,
        folder::{self, Claim},
        process, source,
    },
    plan::{Cmd, Location},
};

/// Folders of the host that the sandbox has of its own.
const OWN: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "host",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "lost+found",
    "oldroot",
    "proc",
    "run",
    "sbin",
    "sys",
    "usr",
    "var",
];

/// The address at which `pasta` answers for the host's resolver, wherever that listens.
const RESOLVER: &str = "169.254.1.1";

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
    prepare(&root)?;
    mounts(&root, folder, repository)?;
    let _ = sethostname("xtask-sandbox");
    let engine_network = network()?;
    let exec = Real::default();
    let dockerd = exec.detached(
        &Cmd::new("/usr/sbin/dockerd", "start the engine")
            .env("PATH", PATH)
            .env("HOME", "/root"),
        Path::new("/var/log/dockerd.log"),
    )?;
    // Written last and by our own hand: who reads it finds namespaces that are complete.
    let folder = Path::new("/host").join(folder.strip_prefix("/")?);
    file::write_atomically(
        &Location::ours(&folder, folder.join(entries::ENGINE)),
        &format!("{pid} {started}\n"),
    )?;
    let ended = wait(dockerd, engine_network, &stop);
    anyhow::ensure!(
        stop.load(Ordering::SeqCst),
        "{ended} ended by itself; see its log"
    );
    Ok(())
}

/// Refuses to run anywhere but as the first process of namespaces of our own: elsewhere all that follows
/// would happen to the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "files of the kernel, and a name in a file system that we have just mounted"
)]
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

/// Files of the root that depend on the host's state of today.
fn prepare(root: &Path) -> anyhow::Result<()> {
    for name in ["host", "oldroot", "etc/xtask/docker", "var/lib/docker"] {
        file::make_folder(&Location::ours(root, root.join(name)))?;
    }
    // The host's search domains, but a resolver that can be reached from inside.
    let host = source::read_named(Path::new("/etc/resolv.conf"))?.unwrap_or_default();
    let kept = host
        .lines()
        .filter(|line| line.starts_with("search") || line.starts_with("options"));
    let lines: Vec<&str> = kept.collect();
    // A link of the root's, to `/run` say, would lead to the host's own file.
    let write = |name: &str, contents: &str| {
        file::write_atomically(&Location::ours(root, root.join(name)), contents)
    };
    write(
        "etc/resolv.conf",
        &format!("nameserver {RESOLVER}\n{}\n", lines.join("\n")),
    )?;
    // A company's own certificate authorities are the host's business, and ours.
    for name in ["etc/ssl/certs/ca-certificates.crt", "etc/hosts"] {
        if let Some(text) = source::read_named(&Path::new("/").join(name))? {
            write(name, &text)?;
        }
    }
    Ok(())
}

fn bind(from: &Path, to: &Path) -> anyhow::Result<()> {
    mount(
        Some(from),
        to,
        None::<&str>,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        None::<&str>,
    )
    .with_context(|| format!("bind `{}` on `{}`", from.display(), to.display()))
}

/// Makes `root` the root of this mount namespace. `runc` remounts `/`, so it must be a real mount
/// (`pivot_root`), not a chroot.
fn mounts(root: &Path, folder: &Path, repository: &Path) -> anyhow::Result<()> {
    let docker = folder.join(entries::DOCKER);
    file::make_folder(&Location::ours(folder, &docker))?;
    let make = |path: &Path| file::make_folder(&Location::ours(root, path));
    // All of the host, for `/host`: taken before anything of ours is mounted.
    let top_level: Vec<PathBuf> = fs_err::read_dir("/")?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| {
            !OWN.contains(
                &path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .as_ref(),
            )
        })
        .collect();
    let inside = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    bind(root, root)?;
    bind(Path::new("/"), &root.join("host"))?;
    for name in ["/sys", "/dev"] {
        bind(Path::new(name), &inside(Path::new(name)))?;
    }
    // The host's own folders appear inside under their own names.
    for path in &top_level {
        make(&inside(path))?;
        bind(path, &inside(path))?;
    }
    bind(&docker, &root.join("var/lib/docker"))?;
    // The sandbox's own folder, from which base images are made, and the repository may lie where the
    // root has a folder of its own. (An empty one there is from an earlier start.)
    for path in [folder, repository] {
        let place = inside(path);
        if super::identity(&place) != super::identity(path) {
            make(&place)?;
            bind(path, &place)?;
        }
    }
    let fresh = |kind: &str, path: &str| {
        mount(
            Some(kind),
            &root.join(path),
            Some(kind),
            MsFlags::empty(),
            None::<&str>,
        )
        .with_context(|| format!("mount {kind} on `{path}`"))
    };
    fresh("proc", "proc")?;
    fresh("tmpfs", "run")?;
    pivot_root(root, &root.join("oldroot")).context("pivot_root")?;
    chdir("/")?;
    umount2("/oldroot", MntFlags::MNT_DETACH).context("let go of the host's root")?;
    Ok(())
}

/// A network namespace of its own for the engine, joined to the host's by `pasta`. This process stays
/// in it. Gives pasta's process.
#[expect(
    clippy::disallowed_methods,
    reason = "files of the kernel, and a name in a file system that we have just mounted"
)]
fn network() -> anyhow::Result<u32> {
    let host = fs_err::File::open("/proc/self/ns/net")?;
    unshare(CloneFlags::CLONE_NEWNET).context("make a network namespace")?;
    // Ports that are chosen inside (docker's, kind's) must be among those that pasta carries: it leaves
    // out the host's own range for this.
    fs_err::write("/proc/sys/net/ipv4/ip_local_port_range", "16384 32000")?;
    // pasta drops its rights before it opens the namespace, so a path below /proc would be refused.
    let name = Path::new("/run/engine.net");
    fs_err::File::create(name)?;
    mount(
        Some("/proc/self/ns/net"),
        name,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .context("name the network namespace")?;
    let own = fs_err::File::open(name)?;
    setns(host.file().as_fd(), CloneFlags::CLONE_NEWNET)?;
    let pasta = Cmd::new("/usr/bin/pasta", "connect the engine's network")
        .env("PATH", PATH)
        .args([
            "--foreground",
            "--quiet",
            "--runas",
            "0:0",
            "--netns-only",
            "--no-netns-quit",
            "--config-net",
        ])
        .args(["--dns-forward", RESOLVER])
        // Ports that listen inside: at 127.0.0.1 outside, and to those inside it looks like loopback.
        .args([
            "--host-lo-to-ns-lo",
            "-t",
            "127.0.0.1/auto",
            "-u",
            "none",
            "-T",
            "none",
            "-U",
            "none",
        ])
        .arg("--netns")
        .arg(name);
    let pid = Real::default().detached(&pasta, Path::new("/var/log/pasta.log"))?;
    setns(own.file().as_fd(), CloneFlags::CLONE_NEWNET)?;
    let patience = Instant::now() + Duration::from_secs(10);
    // The engine chooses its subnets by the routes that it finds.
    while fs_err::read_to_string("/proc/self/net/route")?
        .lines()
        .count()
        < 2
        && Instant::now() < patience
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(pid)
}

/// Reaps until one of the two ends or we are told to stop; then lets the engine end in order.
fn wait(dockerd: u32, pasta: u32, stop: &AtomicBool) -> &'static str {
    let engine = Pid::from_raw(i32::try_from(dockerd).unwrap_or_default());
    let mut patience: Option<Instant> = None;
    loop {
        if let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) =
            waitpid(None, Some(WaitPidFlag::WNOHANG))
        {
            let pid = u32::try_from(pid.as_raw()).unwrap_or_default();
            if pid == dockerd {
                return "the engine";
            }
            if pid == pasta && patience.is_none() {
                return "pasta";
            }
            continue;
        }
        match patience {
            None if stop.load(Ordering::SeqCst) => {
                let _gone = kill(engine, Signal::SIGTERM);
                patience = Some(Instant::now() + Duration::from_secs(20));
            }
            Some(end) if Instant::now() > end => return "the engine",
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
