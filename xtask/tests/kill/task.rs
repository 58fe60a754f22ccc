// SPDX-License-Identifier: Apache-2.0
//! The commands that are disturbed, how often, and what is done before each.

use fastrand::Rng;

/// A command in a certain state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Nothing of it is new: only one layer is built again.
    Bake,
    /// All layers.
    BakeAnew,
    Smoke,
    /// The environment is there.
    Setup,
    /// There is none.
    SetupAnew,
    TestFull,
    /// The sandbox's files are there.
    Up,
    /// There is nothing of it.
    UpAnew,
}

/// Each with its weight: cheap ones are frequent.
const ALL: [(Task, u32); 8] = [
    (Task::Bake, 22),
    (Task::BakeAnew, 14),
    (Task::Smoke, 26),
    (Task::Setup, 14),
    (Task::SetupAnew, 4),
    (Task::TestFull, 5),
    (Task::Up, 12),
    (Task::UpAnew, 3),
];

impl Task {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let all: u32 = ALL.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.u32(..all);
        for (task, weight) in ALL {
            if at < weight {
                return task;
            }
            at -= weight;
        }
        Task::Bake
    }

    /// For people, and for the names of files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Task::Bake => "bake --push",
            Task::BakeAnew => "bake --push --no-cache",
            Task::Smoke => "smoke",
            Task::Setup => "e2e setup-env",
            Task::SetupAnew => "e2e setup-env (from nothing)",
            Task::TestFull => "e2e test-full",
            Task::Up => "sandbox up",
            Task::UpAnew => "sandbox up (from nothing)",
        }
    }

    pub(crate) fn args(self) -> &'static [&'static str] {
        match self {
            Task::Bake => &["bake", "wal2json", "--push"],
            Task::BakeAnew => &["bake", "wal2json", "--push", "--no-cache"],
            Task::Smoke => &["smoke", "pgvector"],
            Task::Setup | Task::SetupAnew => &["e2e", "setup-env"],
            Task::TestFull => &["e2e", "test-full", "pgvector"],
            Task::Up | Task::UpAnew => &["sandbox", "up"],
        }
    }

    /// What makes the state in which it is started.
    pub(crate) fn before(self) -> Option<&'static [&'static str]> {
        match self {
            Task::SetupAnew => Some(&["e2e", "cleanup"]),
            Task::Up => Some(&["sandbox", "down", "--keep"]),
            Task::UpAnew => Some(&["sandbox", "down"]),
            _ => None,
        }
    }

    /// Whether it is about a sandbox of its own: the other one is kept up.
    pub(crate) fn is_of_spare_sandbox(self) -> bool {
        matches!(self, Task::Up | Task::UpAnew)
    }
}
