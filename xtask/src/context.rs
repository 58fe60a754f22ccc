// SPDX-License-Identifier: Apache-2.0
//! What every command gets: the settings, the repository, a way to run commands and a way to report.

pub(crate) mod choice;
pub(crate) mod images;
mod opener;
mod run;
pub(crate) mod signer;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::{
    cli::{Cli, Command, Global, MetadataFiles},
    config::Config,
    exec::Real,
    failure::Failure,
    own::{RunFolder, RunId, output},
    run::journal::Journal,
    sandbox::Sandbox,
    stage::written::Written,
    ui::Ui,
    workspace::{self, Workspace},
};

pub(crate) struct Context {
    pub global: Global,
    pub config: Config,
    pub root: PathBuf,
    /// Where the user stands: what relative paths in arguments mean.
    pub here: PathBuf,
    /// Starts this machine's own programs; those that work on an engine are for [`crate::engine::Engine::exec`].
    pub exec: Real,
    pub ui: Ui,
    /// Who we are, to those that come after.
    pub run_id: RunId,
    /// What has become of this run so far.
    journal: Journal,
    run_folder: Option<RunFolder>,
}

fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

impl Context {
    /// `command`: what `cli` asks for, without its arguments; `arguments`: the command line, as it was given.
    pub(crate) fn new(cli: &Cli, command: &str, arguments: &[OsString]) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be determined")?;
        let root = match cli.command {
            Command::Init(_) => workspace::root_to_be(&here),
            _ => workspace::find_root(&here)?,
        };
        if root.to_str().is_none() {
            return Err(Failure::invalid(format!(
                "the repository's path `{}` is not UTF-8",
                root.display()
            ))
            .hint("rename the folder, or work in a copy elsewhere: its path is in environment variables and JSON")
            .into());
        }
        // Once, before any thread: plans speak of files relative to the root, and printed lines are for it.
        #[expect(
            clippy::disallowed_methods,
            reason = "the one change of folder, from which all paths follow"
        )]
        std::env::set_current_dir(&root)
            .with_context(|| format!("cannot enter `{}`", root.display()))?;
        let config = cli.settings(Config::load(&root, &env)?, &here)?;
        let global = cli.global.clone();
        let run_id = RunId::draw().context("no random numbers to name this run with")?;
        Ok(Self {
            ui: Ui::new(global.format, global.verbose),
            exec: Real::listening(&run_id)?,
            journal: Journal::begun(&run_id, command, arguments),
            global,
            config,
            root,
            here,
            run_id,
            run_folder: None,
        })
    }

    pub(crate) fn workspace(&self) -> anyhow::Result<Workspace> {
        Workspace::load(&self.root, &self.config)
    }

    pub(crate) fn sandbox(&self) -> Result<Sandbox, Failure> {
        Sandbox::new(&self.config, &env)
    }

    /// What the metadata files on the command line have; None: there are none.
    pub(crate) fn written(&self, args: &MetadataFiles) -> anyhow::Result<Option<Written>> {
        let files = args.metadata_files.iter().map(|file| self.resolve(file));
        Written::read(&files.collect::<Vec<_>>())
    }

    /// A path from the command line, as the children see it, which run in the root.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        let absolute = self.here.join(path);
        absolute
            .strip_prefix(&self.root)
            .map(Path::to_owned)
            .unwrap_or(absolute)
    }
}

/// Under sudo, what the tools have written goes to the repository's owner.
impl Drop for Context {
    fn drop(&mut self) {
        if self.run_folder.is_some()
            && let Err(error) = output::hand_over(&self.root)
        {
            self.ui.warning(&format!(
                "some files in `target/xtask` still belong to root: {error:#}"
            ));
        }
    }
}
