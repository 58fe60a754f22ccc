// SPDX-License-Identifier: Apache-2.0
//! One round: a command is started and disturbed, and started again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    blow::{Blow, Running},
    processes,
    report::{Finding, Kind, Kindred},
    task::Task,
};

/// How long a command that was told to end may take for it: it ends what runs, and takes back what it
/// has made.
const ENDS: Duration = Duration::from_secs(90);

/// What was drawn for a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    pub(crate) what: Kindred,
    /// When, as a part of the undisturbed time.
    moment: f64,
    /// From the first of two signals to the second.
    pause: Duration,
    /// From the first of two checkouts to the second, as a part of the undisturbed time.
    lag: f64,
}

impl Draw {
    /// The same for the same seed and number, whatever came before.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let task = Task::draw(&mut rng);
        let pair = rng.u32(..6) == 0;
        let blow = Blow::draw(&mut rng);
        // Every second pair is only to wait for each other.
        let blow = (!pair || rng.bool()).then_some(blow);
        Self {
            what: Kindred { task, pair, blow },
            moment: rng.f64(),
            pause: Duration::from_millis(rng.u64(1..2000)),
            lag: rng.f64() * rng.f64(),
        }
    }
}

/// A round as it is done: commands to start, where their output goes, how long they take undisturbed.
pub(crate) struct Round<'a> {
    pub(crate) draw: Draw,
    /// Makes the command for the checkout of that number.
    pub(crate) command: &'a dyn Fn(usize, &str) -> Command,
    /// What all that it starts is known by.
    pub(crate) mark: String,
    pub(crate) logs: &'a Path,
    pub(crate) usual: Duration,
    /// When the blow fell; None when it had ended before.
    pub(crate) at: Option<Duration>,
    pub(crate) findings: Vec<Finding>,
}

impl Round<'_> {
    pub(crate) fn play(&mut self) {
        let Kindred { pair, blow, .. } = self.draw.what;
        let terminal = blow == Some(Blow::Hangup);
        let mut first = self.start(0, terminal, "first");
        let started = Instant::now();
        let second = pair.then(|| {
            thread::sleep(self.usual.mul_f64(self.draw.lag));
            self.start(1, false, "beside")
        });
        if let Some(blow) = blow {
            self.disturb(&mut first, started, blow);
        } else {
            self.must_succeed(&mut first, "first");
        }
        if let Some(mut second) = second {
            self.must_succeed(&mut second, "beside");
        }
        if blow.is_some() {
            let mut again = self.start(0, false, "again");
            self.must_succeed(&mut again, "again");
        }
    }

    fn start(&self, checkout: usize, on_terminal: bool, name: &str) -> Running {
        let mark = format!("{}-{name}", self.mark);
        let command = (self.command)(checkout, &mark);
        Running::start(command, mark, on_terminal, &self.log(name))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    fn disturb(&mut self, running: &mut Running, started: Instant, blow: Blow) {
        let moment = self.usual.mul_f64(self.draw.moment);
        while started.elapsed() < moment {
            if let Some(status) = running.child.try_wait().unwrap() {
                // It was faster than usual: nothing is disturbed, but it must have ended well.
                if !status.success() {
                    self.found(Kind::Stuck, format!("it ended with {status}, undisturbed"));
                }
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.at = Some(started.elapsed());
        running.strike(blow, self.draw.pause);
        let Some(status) = Self::end(running, ENDS) else {
            let text = format!("it does not end after {}", blow.name());
            self.found(Kind::Stuck, text);
            return;
        };
        let well = match blow {
            // The shell has ended, of which its job's status cannot be asked.
            Blow::Kill | Blow::Hangup => true,
            _ => matches!(status.code(), Some(0 | 130)),
        };
        if !well {
            self.found(
                Kind::Stuck,
                format!("after {} it ended with {status}, not with 130", blow.name()),
            );
        }
    }

    fn must_succeed(&mut self, running: &mut Running, name: &str) {
        // What is stuck is stuck for good.
        let patience = self.usual * 8 + Duration::from_secs(300);
        match Self::end(running, patience) {
            Some(status) if status.success() => {}
            Some(status) => {
                let log = fs::read_to_string(self.log(name)).unwrap_or_default();
                let mut errors = log.lines().filter(|line| line.contains("error: "));
                let error = errors.next().unwrap_or_default().trim().to_owned();
                self.found(
                    Kind::Stuck,
                    format!("`{name}` ended with {status}: {error}"),
                );
            }
            None => self.found(Kind::Stuck, format!("`{name}` does not end")),
        }
    }

    /// Waits for its end, and for that of a run that its shell has left behind. What does not end is
    /// killed, so that the next round can be played.
    fn end(running: &mut Running, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        let mark = running.mark.clone();
        let runs = || {
            let all = processes::all().into_iter();
            all.filter(|process| process.is_marked(&mark) && process.is_run())
        };
        loop {
            if let Some(status) = running.child.try_wait().unwrap()
                && runs().next().is_none()
            {
                return Some(status);
            }
            if Instant::now() > end {
                for run in runs() {
                    // One that has just ended is no error.
                    let _gone = kill(Pid::from_raw(run.number), Signal::SIGKILL);
                }
                running.child.wait().unwrap();
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn found(&mut self, kind: Kind, text: String) {
        self.findings.push(Finding { kind, text });
    }
}
