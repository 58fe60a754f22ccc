// SPDX-License-Identifier: Apache-2.0
//! A question to bake: all that its answer depends on, and when it was asked.

use std::{
    path::PathBuf,
    time::{Instant, SystemTime},
};

use crate::{
    engine::Engine,
    sandbox::Sandbox,
    target::{Between, Expressions, Inputs, Moments},
    tool::buildx,
};

/// What is asked of an extension.
pub(super) struct Question {
    pub inputs: Inputs,
    pub expressions: Expressions,
    /// Where the answer is kept, told from the root.
    pub place: PathBuf,
}

impl Question {
    /// What the moment of its answer may be in it. None where that is not certain.
    pub(super) fn moments(&self, watch: Watch) -> Option<Moments> {
        let inputs = &self.inputs;
        let said = inputs.files.values().chain(inputs.variables.values());
        let said: Vec<&str> = said.map(String::as_str).collect();
        Moments::of(self.expressions.layouts.as_ref()?, watch.stop()?, &said)
    }
}

/// Looks at both clocks: one may be set while bake answers.
pub(super) struct Watch {
    at: SystemTime,
    since: Instant,
}

impl Watch {
    pub(super) fn start() -> Self {
        Self {
            at: SystemTime::now(),
            since: Instant::now(),
        }
    }

    fn stop(self) -> Option<Between> {
        Between::of(self.at, SystemTime::now(), self.since.elapsed())
    }
}

/// Which program answers: another one, or another version of it, is another file. None: there is none.
pub(super) fn program(engine: &Engine) -> Option<String> {
    let docker = engine.exec.finds("docker")?;
    let root = engine.sandbox.as_ref().map(Sandbox::root);
    let plugins = buildx::plugin_files(root.as_deref());
    let identity = std::iter::once(docker).chain(plugins).filter_map(|path| {
        let found = fs_err::metadata(&path).ok()?;
        let at = found.modified().ok()?;
        let at = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(format!(
            "{} {} {}",
            path.display(),
            found.len(),
            at.as_nanos()
        ))
    });
    let identity: Vec<String> = identity
        .chain([std::env::consts::ARCH.to_owned()])
        .collect();
    Some(identity.join("; "))
}
