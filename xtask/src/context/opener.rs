// SPDX-License-Identifier: Apache-2.0
//! What the context lends for opening an engine.

use std::path::{Path, PathBuf};

use super::Context;
use crate::{
    config::Config, engine::Opener, exec::Real, failure::Failure, own::RunId, plan::Plan,
    sandbox::Sandbox, workspace::Workspace,
};

impl Opener for Context {
    fn config(&self) -> &Config {
        &self.config
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn run_id(&self) -> &RunId {
        &self.run_id
    }

    fn exec(&self) -> &Real {
        &self.exec
    }

    fn workspace(&self) -> anyhow::Result<Workspace> {
        self.workspace()
    }

    fn wants_sandbox(&self) -> bool {
        self.global.sandbox
    }

    fn sandbox(&self) -> Result<Sandbox, Failure> {
        self.sandbox()
    }

    fn note(&self, text: &str) {
        self.ui.note(text);
    }

    fn warn(&self, text: &str) {
        self.ui.warning(text);
    }

    fn conclude(&self, text: &str) {
        self.ui.conclusion(text);
    }

    fn run_folder(&mut self) -> anyhow::Result<PathBuf> {
        self.run_folder()
    }

    fn carry_out(&mut self, exec: &Real, plan: &Plan, what: &str) -> anyhow::Result<()> {
        let report = self.run(exec, plan)?;
        Ok(self.verdict(&report, what)?)
    }
}
