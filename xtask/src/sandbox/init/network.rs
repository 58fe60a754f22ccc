// SPDX-License-Identifier: Apache-2.0
//! The engine's network: a namespace of its own, joined to the host's by `pasta`.

use std::{
    os::fd::AsFd,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
};

use crate::{exec::Real, plan::Cmd, sandbox::PATH};

/// The address at which `pasta` answers for the host's resolver, wherever that listens.
pub(super) const RESOLVER: &str = "169.254.1.1";

/// The address at which `pasta` answers for this machine's loopback: what listens at its 127.0.0.1.
pub(in crate::sandbox) const LOOPBACK: &str = "169.254.1.2";

/// The address at which it answers for this machine's own one. The namespace has the same, so that is itself.
const MACHINE: &str = "169.254.1.3";

/// A network namespace of its own for the engine, joined to the host's by `pasta`. This process stays
/// in it. Gives pasta's process.
#[expect(
    clippy::disallowed_methods,
    reason = "files of the kernel, and a name in a file system that we have just mounted"
)]
pub(super) fn join() -> anyhow::Result<u32> {
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
        .args(["--map-host-loopback", LOOPBACK])
        .args(["--map-guest-addr", MACHINE])
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
