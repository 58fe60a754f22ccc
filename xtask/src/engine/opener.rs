// SPDX-License-Identifier: Apache-2.0
//! What an engine, and what works on it, needs of the run on whose behalf it is opened.

use std::path::{Path, PathBuf};

use crate::{
    config::Config, exec::Real, failure::Failure, own::RunId, plan::Plan, sandbox::Sandbox,
    workspace::Workspace,
};

/// A run that opens an engine.
pub(crate) trait Opener {
    fn config(&self) -> &Config;

    /// The repository.
    fn root(&self) -> &Path;

    fn run_id(&self) -> &RunId;

    /// Starts this machine's own programs.
    fn exec(&self) -> &Real;

    fn workspace(&self) -> anyhow::Result<Workspace>;

    /// Whether the user has chosen the sandbox.
    fn wants_sandbox(&self) -> bool;

    /// Where the sandbox is, or would be.
    fn sandbox(&self) -> Result<Sandbox, Failure>;

    /// Tells the user something.
    fn note(&self, text: &str);

    fn warn(&self, text: &str);

    /// Says how it ended.
    fn conclude(&self, text: &str);

    /// This run's folder, where logs go, relative to the root. It is made when it is first asked for.
    fn run_folder(&mut self) -> anyhow::Result<PathBuf>;

    /// Runs a plan to its end, with processes that `exec` starts; when it does not succeed, `what` has failed.
    fn carry_out(&mut self, exec: &Real, plan: &Plan, what: &str) -> anyhow::Result<()>;
}
