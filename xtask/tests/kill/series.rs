// SPDX-License-Identifier: Apache-2.0
//! A series of rounds in one world.

use std::{
    collections::BTreeMap,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    checkout::Checkout,
    processes,
    report::{Ended, Finding, Kind, Report},
    round::{Draw, Round},
    task::Task,
    world::{Difference, Place, World},
};
use crate::support::repository::{Repository, sandboxed};

/// All rounds of these numbers.
pub(crate) fn run(seed: u64, numbers: RangeInclusive<u64>) -> Report {
    let started = Instant::now();
    println!("seed {seed}");
    let mut series = Series::new(seed);
    let rounds = numbers.map(|number| series.round(number)).collect();
    series.leave();
    Report {
        seed,
        rounds,
        before: series.before,
        usual: series.usual.into_iter().collect(),
        elapsed: started.elapsed(),
    }
}

struct Series {
    seed: u64,
    /// What all marks begin with.
    name: String,
    checkouts: Vec<Checkout>,
    /// The one that is kept up, and the one that is made and stopped; none with an engine of the machine's own.
    sandboxes: Vec<PathBuf>,
    logs: PathBuf,
    world: World,
    /// How long a task takes undisturbed.
    usual: BTreeMap<Task, Duration>,
    /// Which checkouts have done it.
    known: Vec<(Task, usize)>,
    before: Vec<Finding>,
}

impl Series {
    fn new(seed: u64) -> Self {
        let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-{seed}"));
        let _absent = fs::remove_dir_all(&logs);
        let mut sandboxes = Vec::new();
        if sandboxed() {
            let status = Repository::new().xtask(&["sandbox", "status", "--json"]);
            let folder = PathBuf::from(status.json()["folder"].as_str().unwrap());
            let mut spare = folder.clone().into_os_string();
            spare.push("-kill");
            sandboxes = vec![folder, spare.into()];
        }
        let checkout = || Checkout::new(sandboxes.get(1).cloned());
        let mut series = Self {
            seed,
            name: processes::series(seed),
            checkouts: vec![checkout(), checkout()],
            sandboxes,
            logs,
            world: World::default(),
            usual: BTreeMap::new(),
            known: Vec::new(),
            before: Vec::new(),
        };
        // What a series that was itself killed has left.
        series.undisturbed(&["e2e", "cleanup"], false, 0);
        // Images are pushed to the environment's registry.
        series.learn(Task::SetupAnew, 0);
        series.learn(Task::Setup, 1);
        series
    }

    fn place(&self) -> Place<'_> {
        Place {
            checkouts: &self.checkouts,
            sandboxes: &self.sandboxes,
            series: &self.name,
        }
    }

    /// A command that must succeed, and how long it takes.
    fn undisturbed(&self, args: &[&str], of_spare: bool, checkout: usize) -> Duration {
        let started = Instant::now();
        let mut command =
            self.checkouts[checkout].command(args, of_spare, &format!("{}-undisturbed", self.name));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}, undisturbed: {said}");
        started.elapsed()
    }

    fn prepare(&self, task: Task) {
        if let Some(args) = task.before() {
            self.undisturbed(args, task.is_of_spare_sandbox(), 0);
        }
    }

    /// Does it once without a disturbance: how long it takes, and what the world is afterwards.
    fn learn(&mut self, task: Task, checkout: usize) {
        if self.known.contains(&(task, checkout)) {
            return;
        }
        if task == Task::Up {
            // Its files must be there.
            self.learn(Task::UpAnew, checkout);
        }
        self.known.push((task, checkout));
        self.prepare(task);
        let again = || self.undisturbed(task.args(), task.is_of_spare_sandbox(), checkout);
        let mut time = again();
        if task.before().is_none() && !self.usual.contains_key(&task) {
            // The first one fills the caches that all others find.
            time = again();
        }
        self.usual.entry(task).or_insert(time);
        println!("undisturbed: {}: {:.1}s", task.name(), time.as_secs_f64());
        let world = World::settled(&self.place());
        for fault in world.faults() {
            if !self.world.faults().any(|known| known == fault) {
                println!("error: {} undisturbed: {fault}", task.name());
                self.before.push(Finding {
                    kind: kind(fault),
                    text: format!("{}: {fault}", task.name()),
                });
            }
        }
        self.world = world;
    }

    fn round(&mut self, number: u64) -> Ended {
        let draw = Draw::new(self.seed, number);
        let task = draw.what.task;
        if draw.what.pair && !self.known.contains(&(task, 1)) {
            self.learn(task, 1);
            // What the first checkout had was taken away before; every round ends with its command.
            self.known.retain(|known| *known != (task, 0));
        }
        self.learn(task, 0);
        let started = Instant::now();
        self.prepare(task);
        let logs = self.logs.join(format!("round-{number}"));
        fs::create_dir_all(&logs).unwrap();
        let mut round = Round {
            draw,
            command: &|checkout, mark| self.checkouts[checkout].task(task, mark),
            mark: format!("{}-{number}", self.name),
            logs: &logs,
            usual: self.usual[&task],
            at: None,
            findings: Vec::new(),
        };
        round.play();
        let at = round.at;
        let mut findings = round.findings;
        let (difference, now) = self.world.compare(&self.place());
        findings.extend(different(&difference));
        if !difference.is_none() {
            // What was found is not found again in every round that follows.
            self.world = now;
        }
        let ended = Ended {
            number,
            what: draw.what,
            elapsed: started.elapsed(),
            findings,
        };
        let at = at.map_or(String::new(), |at| format!(" at {:.2}s", at.as_secs_f64()));
        println!(
            "round {number}: {}{at}: {:.1}s",
            draw.what,
            ended.elapsed.as_secs_f64()
        );
        for finding in &ended.findings {
            println!(
                "error: round {number}: {}: {}",
                finding.kind.name(),
                finding.text
            );
        }
        if ended.findings.is_empty() {
            fs::remove_dir_all(&logs).unwrap();
        } else {
            println!("logs: {}", logs.display());
        }
        ended
    }

    /// Takes away what was made for the series.
    fn leave(&mut self) {
        self.undisturbed(&["e2e", "cleanup"], false, 0);
        if self.sandboxes.len() > 1 {
            self.undisturbed(&["sandbox", "down"], true, 0);
        }
    }
}

fn different(difference: &Difference) -> Vec<Finding> {
    let more = difference.more.iter().map(|line| (line, "there is"));
    let less = difference
        .less
        .iter()
        .map(|line| (line, "there is no more"));
    more.chain(less)
        .map(|(line, what)| Finding {
            kind: kind(line),
            text: format!("{what} `{line}`"),
        })
        .collect()
}

fn kind(line: &str) -> Kind {
    if line.starts_with("half-written") {
        Kind::HalfWritten
    } else {
        Kind::Leaked
    }
}
