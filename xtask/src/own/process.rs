// SPDX-License-Identifier: Apache-2.0
//! Processes that a run of ours started and could not end itself, because it was killed.
//!
//! Every child carries its run's id in its environment, which only its own user can read. Beside that it
//! must still be in the session of the run: a daemon that a tool has started (a credential helper, the
//! master of an SSH connection) has made one of its own, is meant to stay, and stays.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::RunId;
use crate::failure::Failure;

/// The variable by which our children are known.
pub(crate) const VARIABLE: &str = "XTASK_RUN";

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);
/// How long one that was killed may take: it may be waiting for a disk.
const KILLED: Duration = Duration::from_secs(20);

/// A process, told from a later one with the same number by when it started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub pid: i32,
    /// In clock ticks since boot.
    pub started: u64,
}

/// The session of a process, by its number in its own PID namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Session {
    pub number: i32,
    /// As the kernel names it: `pid:[4026531836]`. Empty where there is no such thing.
    pub namespace: String,
}

impl Session {
    /// Our own.
    pub(crate) fn own() -> Self {
        Self {
            number: nix::unistd::getsid(None).map_or(0, nix::unistd::Pid::as_raw),
            namespace: namespace("self"),
        }
    }

    fn holds(&self, pid: i32) -> bool {
        if self.namespace == namespace("self") {
            return stat(pid).is_some_and(|stat| stat.session == self.number);
        }
        // Another namespace's numbers say nothing here, but a process knows its own.
        let status = fs_err::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let inner = status
            .lines()
            .find_map(|line| line.strip_prefix("NSsid:")?.split_whitespace().last());
        namespace(&pid.to_string()) == self.namespace
            && inner.and_then(|number| number.parse().ok()) == Some(self.number)
    }
}

fn namespace(process: &str) -> String {
    let link = fs_err::read_link(format!("/proc/{process}/ns/pid"));
    link.map_or_else(
        |_| String::new(),
        |name| name.to_string_lossy().into_owned(),
    )
}

impl Process {
    /// The process that has this number now.
    pub(crate) fn find(pid: i32) -> Option<Self> {
        let started = stat(pid)?.started;
        Some(Self { pid, started })
    }

    /// Whether it has not ended.
    pub(crate) fn lives(&self) -> bool {
        Self::find(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal if the process is still this one and `is_ours` says so, at the moment of the
    /// signal. One that has ended is no error.
    pub(crate) fn signal(
        &self,
        signal: Signal,
        is_ours: &dyn Fn(i32) -> bool,
    ) -> Result<(), nix::errno::Errno> {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
            let Some(pid) = Pid::from_raw(self.pid) else {
                return Ok(());
            };
            // What is opened is one process for good, whoever gets its number.
            match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(process) => {
                    if !self.lives() || !is_ours(self.pid) {
                        return Ok(());
                    }
                    let number = rustix::process::Signal::from_named_raw(signal as i32)
                        .ok_or(nix::errno::Errno::EINVAL)?;
                    return gone_is_fine(
                        pidfd_send_signal(process, number)
                            .map_err(|error| nix::errno::Errno::from_raw(error.raw_os_error())),
                    );
                }
                Err(rustix::io::Errno::SRCH) => return Ok(()),
                // A kernel before 5.3, or a container that forbids it.
                Err(_) => {}
            }
        }
        if !self.lives() || !is_ours(self.pid) {
            return Ok(());
        }
        gone_is_fine(nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.pid),
            signal,
        ))
    }
}

/// The numbers of all processes that can be seen. Found by Linux's /proc; elsewhere none.
pub(crate) fn all() -> impl Iterator<Item = i32> {
    let entries = fs_err::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok())
}

/// To whom a process belongs.
pub(crate) fn user(pid: i32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let found = fs_err::metadata(format!("/proc/{pid}")).ok()?;
    Some(found.uid())
}

/// The words of its command line, each with a zero byte behind it.
pub(crate) fn command_line(pid: i32) -> Option<Vec<u8>> {
    fs_err::read(format!("/proc/{pid}/cmdline")).ok()
}

fn gone_is_fine(sent: nix::Result<()>) -> nix::Result<()> {
    match sent {
        Err(nix::errno::Errno::ESRCH) => Ok(()),
        other => other,
    }
}

/// What a run left behind.
#[derive(Clone, Debug)]
pub(crate) struct Remains {
    pub run: RunId,
    pub session: Session,
}

impl Remains {
    /// Its processes, as far as they are of our own user. Found by Linux's /proc; elsewhere none.
    pub(crate) fn processes(&self) -> Vec<Process> {
        all()
            .filter(|pid| self.owns(*pid))
            .filter_map(Process::find)
            .collect()
    }

    fn owns(&self, pid: i32) -> bool {
        use std::os::unix::fs::MetadataExt;
        let own_user = nix::unistd::geteuid().as_raw();
        let entry = format!("/proc/{pid}/environ");
        if fs_err::metadata(&entry).map(|file| file.uid()).ok() != Some(own_user) {
            return false;
        }
        let wanted = format!("{VARIABLE}={}", self.run);
        let environment = fs_err::read(&entry).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|variable| variable == wanted.as_bytes()) && self.session.holds(pid)
    }

    /// Ends them, asked first and then forced, and waits until they are gone. `said` is called once, when
    /// there are any. An interruption ends the wait.
    pub(crate) fn end(
        &self,
        interrupted: &dyn Fn() -> bool,
        said: &mut dyn FnMut(),
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut told: Vec<(Process, Signal)> = Vec::new();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return Ok(());
            }
            if interrupted() {
                return Err(Failure::interrupted());
            }
            if told.is_empty() {
                tracing::debug!(run = %self.run, ?left, "left behind");
                said();
            }
            if begun.elapsed() > GRACE + KILLED {
                let numbers: Vec<String> = left.iter().map(|one| one.pid.to_string()).collect();
                return Err(Failure::failed(format!(
                    "processes of a killed run do not stop: {}",
                    numbers.join(", ")
                )));
            }
            let signal = if begun.elapsed() < GRACE {
                Signal::SIGTERM
            } else {
                Signal::SIGKILL
            };
            for process in left {
                let now = (process, signal);
                if !told.contains(&now) {
                    let sent = now.0.signal(signal, &|pid| self.owns(pid));
                    tracing::debug!(process = ?now.0, ?signal, ?sent, "told to end");
                    told.push(now);
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether we were started to ignore a signal, as by `nohup`. Found by Linux's /proc (`SigIgn` in proc(5));
/// elsewhere none is.
pub(crate) fn ignores(signal: i32) -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}

/// Whether a process group has members beside its leader. Found by Linux's /proc; elsewhere it has none.
pub(crate) fn has_others(group: i32) -> bool {
    all().any(|pid| pid != group && stat(pid).is_some_and(|stat| stat.group == group))
}

/// When a process started, in clock ticks since boot; None when there is no such process, or only its
/// remains.
pub(crate) fn start_time(pid: i32) -> Option<u64> {
    stat(pid).map(|stat| stat.started)
}

/// Fields 5, 6 and 22 of /proc/PID/stat, see proc(5).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    group: i32,
    session: i32,
    started: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    parse(&fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(text: &str) -> Option<Stat> {
    // The name in parentheses may hold blanks and parentheses of its own.
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(Stat {
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_by_its_start_time() {
        let fields = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        let stat = Stat {
            group: 2,
            session: 3,
            started: 4711,
        };
        assert_eq!(parse(&format!("8 (a) b) S {fields}")), Some(stat));
        assert_eq!(parse(&format!("8 (a) Z {fields}")), None);
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(Process::find(own).unwrap().lives());
        assert!(Session::own().holds(own));
    }
}
