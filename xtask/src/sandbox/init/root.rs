// SPDX-License-Identifier: Apache-2.0
//! What processes inside find at `/`: the sandbox's root, and the host's folders where it has none of its own.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{chdir, pivot_root},
};

use super::network::{LOOPBACK, RESOLVER};
use crate::{
    exec::PROXY,
    own::{file, source},
    plan::Location,
    sandbox::{entries, identity},
    tool::{docker, proxy},
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

/// Files of the root that depend on the host's state of today.
pub(super) fn prepare(root: &Path) -> anyhow::Result<()> {
    for name in [
        "host",
        "oldroot",
        entries::DOCKER_SETTINGS,
        "var/lib/docker",
    ] {
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
    name_proxies(root)
}

/// Tells docker inside of the proxies that the engine is started with: as its own, they are for what is built and run.
fn name_proxies(root: &Path) -> anyhow::Result<()> {
    let name = Path::new(entries::DOCKER_SETTINGS).join(docker::CONFIGURATION);
    let before = source::read_own(root, &name)?.unwrap_or_default();
    let variable = |name: &str| {
        let value = std::env::var(name).ok()?;
        let is_proxy = PROXY.iter().flatten().any(|proxy| *proxy == name);
        Some(if is_proxy {
            proxy::seen_from_inside(&value, LOOPBACK)
        } else {
            value
        })
    };
    match proxy::configuration(variable, &before) {
        // A proxy's address may hold a password.
        Some(text) => file::write_private(&Location::ours(root, root.join(name)), &text),
        None => Ok(()),
    }
}

/// Makes `root` the root of this mount namespace. `runc` remounts `/`, so it must be a real mount
/// (`pivot_root`), not a chroot.
pub(super) fn enter(root: &Path, folder: &Path, repository: &Path) -> anyhow::Result<()> {
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
        if identity(&place) != identity(path) {
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
    umount2("/oldroot", MntFlags::MNT_DETACH).context("unmount the host's root")?;
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
