// SPDX-License-Identifier: Apache-2.0
//! The engine's first process: how it is started, and how it is known from any other.
//!
//! It is known by its command line, which names the sandbox's folder, and by the lock that it holds from
//! before it touches anything until it ends. A number in a file alone is no proof.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{Sandbox, entries};
use crate::{
    failure::Failure,
    own::{
        lock,
        process::{self, Process},
    },
};

/// What makes the namespaces, and leaves its caller's session.
pub(super) const NAMESPACES: &[&str] = &[
    "setsid",
    "--fork",
    "unshare",
    "--mount",
    "--pid",
    "--ipc",
    "--uts",
    "--fork",
    "--propagation",
    "slave",
];
/// Our own command that follows, before the sandbox's folder and the repository.
pub(super) const INIT: &[&str] = &["sandbox", "init"];

/// How long the engine may take to end when it is asked to, and when it is not asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// It is asked again: the first process of a namespace hears nothing before it listens.
const AGAIN: Duration = Duration::from_millis(500);
/// How long the lock may be held by somebody whom we cannot see: one that is just being started.
const UNSEEN: Duration = Duration::from_secs(3);

/// Whether a process is the first one of this sandbox's engine, of our own user.
pub(super) fn is_first(pid: i32, folder: &Path) -> bool {
    words(pid).is_some_and(|words| words.len() == 5 && ends_in_init(&words, folder))
}

/// Whether a process is that, or is about to start it.
fn is_starting(pid: i32, folder: &Path) -> bool {
    let Some(words) = words(pid) else {
        return false;
    };
    if !ends_in_init(&words, folder) {
        return false;
    }
    let before = &words[..words.len() - 5];
    let script = folder.join("bin").join(super::up::START);
    let before = match before {
        [_shell, first, rest @ ..] if first.as_os_str() == script => rest,
        before => before,
    };
    // `setsid` runs `unshare`, and each keeps the rest of the line.
    let line: Vec<&OsStr> = NAMESPACES.iter().map(OsStr::new).collect();
    let before: Vec<&OsStr> = before.iter().map(OsString::as_os_str).collect();
    line.ends_with(&before)
}

/// The program, our command, the folder, the repository.
fn ends_in_init(words: &[OsString], folder: &Path) -> bool {
    let Some(start) = words.len().checked_sub(4) else {
        return false;
    };
    start > 0 && words[start..start + 2] == *INIT && words[start + 2].as_os_str() == folder
}

/// The command line of a process of our own user.
fn words(pid: i32) -> Option<Vec<OsString>> {
    if process::user(pid)? != nix::unistd::geteuid().as_raw() {
        return None;
    }
    let line = process::command_line(pid)?;
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    let words = line.split(|byte| *byte == 0);
    Some(
        words
            .map(|word| OsStr::from_bytes(word).to_owned())
            .collect(),
    )
}

/// Held by the engine's first process as long as it lives, and by who removes what it works on.
#[derive(Debug)]
pub(crate) struct StartLock {
    _file: File,
}

/// Ends the engine and whatever is starting it, and gives the lock that it held: as long as that is kept no
/// engine starts. True when there was an engine.
pub(super) fn end(sandbox: &Sandbox) -> anyhow::Result<(bool, StartLock)> {
    let folder = &sandbox.folder;
    let begun = Instant::now();
    let mut asked: Option<Instant> = None;
    let mut was = false;
    // One that was killed has no command line any more, and goes when all in its namespace has gone.
    let mut there: Vec<Process> = Vec::new();
    loop {
        let found = process::all().filter(|pid| is_starting(*pid, folder));
        there.extend(found.filter_map(Process::find));
        there.sort();
        there.dedup();
        there.retain(Process::lives);
        was |= !there.is_empty();
        if there.is_empty() {
            if let Some(lock) = try_lock(sandbox)? {
                return Ok((was, lock));
            }
            if begun.elapsed() > UNSEEN && (!was || begun.elapsed() > PATIENCE * 2) {
                return Err(unseen(sandbox));
            }
        } else if begun.elapsed() > PATIENCE * 2 {
            let numbers: Vec<String> = there.iter().map(|one| one.pid.to_string()).collect();
            let numbers = numbers.join(", ");
            return Err(Failure::failed(format!(
                "the sandbox's engine does not stop: process {numbers}"
            ))
            .into());
        }
        if asked.is_none_or(|asked| asked.elapsed() > AGAIN) {
            asked = Some(Instant::now());
            let signal = if begun.elapsed() < PATIENCE {
                Signal::SIGTERM
            } else {
                Signal::SIGKILL
            };
            ask(&there, signal, folder)?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ask(processes: &[Process], signal: Signal, folder: &Path) -> Result<(), Failure> {
    for process in processes {
        process
            .signal(signal, &|pid| is_starting(pid, folder))
            .map_err(|error| {
                Failure::unavailable(format!(
                    "the sandbox's process {} cannot be stopped: {error}",
                    process.pid
                ))
                .hint("run this as the user who started the sandbox")
            })?;
    }
    Ok(())
}

/// None when somebody else holds it.
fn try_lock(sandbox: &Sandbox) -> anyhow::Result<Option<StartLock>> {
    let path = sandbox.folder.join(entries::ENGINE_LOCK);
    let file = lock::open(&path)?;
    match lock::attempt(&file) {
        Ok(true) => Ok(Some(StartLock { _file: file })),
        Ok(false) => Ok(None),
        Err(error) => Err(lock::refused(&path, &error).into()),
    }
}

fn unseen(sandbox: &Sandbox) -> anyhow::Error {
    let path = sandbox.folder.join(entries::ENGINE_LOCK);
    Failure::unavailable(format!(
        "an engine of this sandbox starts or runs where it cannot be seen: `{}` is held by another process",
        path.display()
    ))
    .detail("nothing was stopped or removed")
    .hint(format!(
        "end it from where it was started (another container, say), and run this again; who holds it: `fuser -v {}`",
        shell_words::quote(&path.to_string_lossy())
    ))
    .into()
}

/// The lock, for the first process itself. The file must be there: `up` has made it, and where it has gone
/// the sandbox is being removed.
pub(super) fn own_lock(folder: &Path) -> anyhow::Result<StartLock> {
    let path = folder.join(entries::ENGINE_LOCK);
    let file = lock::open_existing(&path)?;
    match lock::attempt(&file) {
        Ok(true) => Ok(StartLock { _file: file }),
        Ok(false) => {
            anyhow::bail!(
                "an engine of this sandbox is already starting or running, or it is being removed"
            )
        }
        Err(error) => Err(lock::refused(&path, &error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_known_by_its_whole_command_line() {
        let words = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
        let is = |text: &str| ends_in_init(&words(text), Path::new("/f"));
        assert!(is("/x/xtask sandbox init /f /repository"));
        for other in [
            "sleep 300",
            "sandbox init /f /repository",
            "/x/xtask sandbox init /other /repository",
            "/x/xtask sandbox init /f",
            "/x/xtask sandbox down /f /repository",
            "vi sandbox init /f /repository more",
        ] {
            assert!(!is(other), "{other}");
        }
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(!is_starting(own, Path::new("/f")));
    }
}
