// SPDX-License-Identifier: Apache-2.0
//! Asks Debian's archive, by way of the sandbox's apt, what it has of PostgreSQL and the extensions.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Engine, Opener, print, sources::Freshness};
use crate::{
    config,
    exec::{Exec, Supervision},
    extension::Extension,
    failure::Failure,
    own::{file, source},
    plan::Cmd,
    sandbox::{
        Sandbox,
        archive::{self, Archive, Asked, asked},
        default_versions, entries, suites,
    },
    target::Filter,
    tool::apt,
    value::Suite,
    workspace::Workspace,
};

/// Who asks, and by way of which sandbox.
pub(super) struct Asking<'a> {
    pub opener: &'a dyn Opener,
    pub engine: &'a Engine,
    pub sandbox: &'a Sandbox,
}

impl Asking<'_> {
    /// What the archive has of the workspace's extensions for the majors that `filter` asks for. For an engine that is only
    /// looked at, and where it may be older, what it had the last time; that must be known of those that were `chosen` and of all
    /// that they need.
    pub(super) fn answer(
        &self,
        workspace: &Workspace,
        chosen: &[Arc<Extension>],
        filter: &Filter,
        freshness: Freshness,
    ) -> anyhow::Result<Archive> {
        let kept = source::read_own(&self.sandbox.folder, Path::new(entries::ARCHIVE))?;
        let mut archive = Archive::remembered(kept.as_deref(), self.sandbox.suites());
        let is_looked_at = self.engine.is_looked_at();
        if is_looked_at || freshness == Freshness::Remembered {
            let wanted = asked(&print::with_needs(workspace, chosen), filter);
            match archive.unknown(&wanted) {
                None => return Ok(archive),
                Some(name) if is_looked_at => {
                    return Err(Failure::unavailable(format!(
                        "which version Debian has of `{name}` is not known yet"
                    ))
                    .hint("run this without `--dry-run` first: a dry run asks nobody")
                    .into());
                }
                Some(_) => {}
            }
        }
        let asked = asked(workspace.extensions(), filter);
        archive.forget(&asked);
        self.servers(&mut archive, asked.clone())?;
        self.controls(&mut archive, &asked)?;
        file::write_atomically(
            &self
                .sandbox
                .location(self.sandbox.folder.join(entries::ARCHIVE)),
            &serde_json::to_string(&archive)?,
        )?;
        Ok(archive)
    }

    /// Whether a suite's index was read so lately that the archive need not be asked for another.
    fn is_recent(&self, archive: &Archive, suite: &Suite) -> bool {
        let seconds = self.opener.config().get(config::SANDBOX_INDEX_AGE);
        let age = Duration::from_secs(seconds.into());
        archive.was_read_within(suite, age, SystemTime::now())
    }

    /// What a command prints inside, whose apt knows that suite.
    fn inside(&self, cmd: Cmd, suite: &Suite) -> Result<String, Failure> {
        let cmd = if *suite == self.sandbox.suite {
            cmd
        } else {
            suites::of_suite(cmd, suite)
        };
        let asked = self.engine.exec.read(&self.sandbox.inside(cmd), None);
        asked.map_err(Failure::from)
    }

    /// Finds, for each major, the first suite that has the server, and the versions of its packages there. Other suites than the
    /// sandbox's own are asked for nothing but what that lacks.
    fn servers(&self, archive: &mut Archive, mut asked: Asked) -> Result<(), Failure> {
        for suite in self.sandbox.suites() {
            if asked.is_empty() {
                break;
            }
            archive.unasked.retain(|other| other != &**suite);
            let mut found = BTreeMap::new();
            if self.is_recent(archive, suite) {
                found = self.versions(&asked, suite)?;
            }
            // Where that has nothing, somebody may have removed it.
            if found.is_empty() {
                if !self.reads(suite)? {
                    archive.unasked.push(suite.to_string());
                    continue;
                }
                archive.is_read(suite, SystemTime::now());
                found = self.versions(&asked, suite)?;
            }
            archive.take(suite, &asked, &found);
            asked.retain(|major, _| archive.suite(major).is_none());
        }
        Ok(())
    }

    /// What the index of a suite that was read has of all this: names and versions.
    fn versions(&self, asked: &Asked, suite: &Suite) -> Result<BTreeMap<String, String>, Failure> {
        let mut names: Vec<String> = asked.keys().map(archive::server).collect();
        names.extend(asked.values().flatten().map(ToString::to_string));
        let printed = self.inside(apt::versions_cmd(&names), suite)?;
        Ok(apt::parse_versions(&printed))
    }

    /// Reads the index of a suite, where it has changed, and says whether there is one: a mirror need not have others than the
    /// sandbox's own.
    fn reads(&self, suite: &Suite) -> Result<bool, Failure> {
        let own = &self.sandbox.suite;
        if suite == own {
            return self.update().map(|()| true);
        }
        let read = suites::read_cmd(own, suite);
        let Err(failed) = self.engine.exec.read(&self.sandbox.inside(read), None) else {
            return Ok(true);
        };
        if self.engine.exec.interrupted() {
            return Err(Failure::interrupted());
        }
        self.opener.warn(&format!(
            "Debian {suite}, which the setting `sandbox.suites` names, cannot be asked: {}",
            failed.cause().unwrap_or("apt does not say why")
        ));
        Ok(false)
    }

    /// Reads the index of the sandbox's own suite, where it has changed.
    fn update(&self) -> Result<(), Failure> {
        let update = Cmd::new("apt-get", "read Debian's package index").args([
            "-q",
            "update",
            "--error-on=any",
            "-o",
            apt::UNREAD,
        ]);
        // Why something could not be fetched apt says among what it tells of its progress.
        let (update, exec) = (self.sandbox.inside(update), &self.engine.exec);
        exec.run(&update, Supervision::default(), &mut |_| {})?;
        Ok(())
    }

    /// Reads the control files of packages that have not been read yet.
    fn controls(&self, archive: &mut Archive, asked: &Asked) -> Result<(), Failure> {
        for (major, names) in asked {
            let unread = archive.unread(names, major);
            let Some(suite) = archive.suite(major).filter(|_| !unread.is_empty()) else {
                continue;
            };
            let printed = self.inside(default_versions::command(&unread), &suite)?;
            archive.read_controls(&unread, &printed);
            for package in archive.unread(names, major) {
                self.opener.warn(&format!(
                    "`{package}` cannot be downloaded from Debian's archive: the version for SQL is not known"
                ));
            }
        }
        Ok(())
    }
}
