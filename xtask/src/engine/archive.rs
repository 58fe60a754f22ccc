// SPDX-License-Identifier: Apache-2.0
//! Asks Debian's archive, by way of the sandbox's apt, what it has of PostgreSQL and the extensions.

use std::{path::Path, sync::Arc};

use super::{Engine, Opener, print};
use crate::{
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

/// What the archive has now of the workspace's extensions for the majors that `filter` asks for. For an engine that is only
/// looked at what it had the last time, which must be known of those that were `chosen` and of all that they need.
pub(super) fn ask(
    opener: &dyn Opener,
    engine: &Engine,
    sandbox: &Sandbox,
    workspace: &Workspace,
    chosen: &[Arc<Extension>],
    filter: &Filter,
) -> anyhow::Result<Archive> {
    let kept = source::read_own(&sandbox.folder, Path::new(entries::ARCHIVE))?;
    let mut archive = Archive::remembered(kept.as_deref(), sandbox.suites());
    if engine.is_looked_at() {
        let wanted = asked(&print::with_needs(workspace, chosen), filter);
        return match archive.unknown(&wanted) {
            None => Ok(archive),
            Some(name) => Err(Failure::unavailable(format!(
                "which version Debian has of `{name}` is not known yet"
            ))
            .hint("run this without `--dry-run` first: a dry run asks nobody")
            .into()),
        };
    }
    let asked = asked(workspace.extensions(), filter);
    let asking = Asking {
        opener,
        engine,
        sandbox,
    };
    archive.forget(&asked);
    asking.servers(&mut archive, asked.clone())?;
    asking.controls(&mut archive, &asked)?;
    file::write_atomically(
        &sandbox.location(sandbox.folder.join(entries::ARCHIVE)),
        &serde_json::to_string(&archive)?,
    )?;
    Ok(archive)
}

struct Asking<'a> {
    opener: &'a dyn Opener,
    engine: &'a Engine,
    sandbox: &'a Sandbox,
}

impl Asking<'_> {
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
        let own = &self.sandbox.suite;
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
        for suite in self.sandbox.suites() {
            if asked.is_empty() {
                break;
            }
            archive.unasked.retain(|other| other != &**suite);
            if suite != own && !self.reads(own, suite)? {
                archive.unasked.push(suite.to_string());
                continue;
            }
            let mut names: Vec<String> = asked.keys().map(archive::server).collect();
            names.extend(asked.values().flatten().map(ToString::to_string));
            let versions = apt::parse_versions(&self.inside(apt::versions_cmd(&names), suite)?);
            archive.take(suite, &asked, &versions);
            asked.retain(|major, _| archive.suite(major).is_none());
        }
        Ok(())
    }

    /// Reads the index of another suite, and says whether there is one: a mirror need not have it.
    fn reads(&self, own: &Suite, other: &Suite) -> Result<bool, Failure> {
        let read = suites::read_cmd(own, other);
        let Err(failed) = self.engine.exec.read(&self.sandbox.inside(read), None) else {
            return Ok(true);
        };
        if self.engine.exec.interrupted() {
            return Err(Failure::interrupted());
        }
        self.opener.warn(&format!(
            "Debian {other}, which the setting `sandbox.suites` names, cannot be asked: {}",
            failed.cause().unwrap_or("apt does not say why")
        ));
        Ok(false)
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
