// SPDX-License-Identifier: Apache-2.0
//! What every command that builds images begins with.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    engine::{
        Access, Engine, Opener, print,
        sources::{Freshness, Sources, Unavailable},
    },
    extension::Extension,
    failure::Failure,
    stage::written::{Entry, Written},
    target::{Filter, Targets, Unmatched},
    verdict::Verdict,
    workspace::{Aim, Chosen, Selection, Unread, Workspace},
};

/// What a share of the images says that none has fallen into: there may be more shares than images.
pub(crate) const NONE_IN_SHARE: &str = "no image is in this share";

/// The repository, for commands that want no engine yet: where bake must evaluate metadata, the engine is looked at.
pub(crate) fn workspace(opener: &mut dyn Opener) -> anyhow::Result<Workspace> {
    let workspace = opener.workspace()?;
    if !workspace.is_open() {
        return Ok(workspace);
    }
    let engine = Engine::open(opener, Access::Look)?;
    Ok(print::evaluated(opener, &engine, workspace)?)
}

/// An engine to build with, and the extensions that were chosen as it will build them.
pub(crate) struct Begun {
    pub engine: Engine,
    pub sources: Sources,
    /// Those that were chosen with all others and cannot be read.
    pub unread: Vec<Unread>,
    extensions: Vec<Arc<Extension>>,
    /// They were named: each is to be built.
    named: bool,
}

impl Begun {
    /// Refuses extensions that are unknown or whose metadata is wrong, before anything is started. Then opens the
    /// engine, to work or to look, and decides which base images are used, for what `filter` asks for.
    pub(crate) fn open(
        opener: &mut dyn Opener,
        selection: &Selection,
        aim: Aim,
        filter: &Filter,
        access: Access,
    ) -> anyhow::Result<Self> {
        Self::open_as_of(opener, selection, aim, filter, (access, Freshness::Now))
    }

    /// The same for what was built before: Debian's archive need not be asked what it has now.
    pub(crate) fn open_as_of(
        opener: &mut dyn Opener,
        selection: &Selection,
        aim: Aim,
        filter: &Filter,
        (access, freshness): (Access, Freshness),
    ) -> anyhow::Result<Self> {
        let workspace = opener.workspace()?;
        if workspace.is_open() {
            workspace.check(selection)?;
        } else {
            workspace.choose(selection, aim)?;
        }
        let engine = Engine::open(opener, access)?;
        let workspace = print::evaluated(opener, &engine, workspace)?;
        let Chosen {
            mut extensions,
            mut unread,
        } = workspace.choose(selection, aim)?;
        let sources = Sources::prepare(opener, &engine, workspace, &extensions, filter, freshness)?;
        sources.leave_out_unread(selection, aim, &mut extensions, &mut unread)?;
        if *selection != Selection::Written {
            warn_unread(opener, &unread);
        }
        Ok(Self {
            engine,
            sources,
            unread,
            extensions,
            named: selection.is_named(),
        })
    }

    /// Of all extensions those that metadata files have images of, and for the filter these images alone. Says what the files
    /// have that nothing here builds; refused where that is all. An extension that cannot be read matters then only.
    pub(crate) fn keep_written(
        &mut self,
        written: &Written,
        filter: &mut Filter,
        opener: &dyn Opener,
    ) -> Result<(), Failure> {
        let mut left: BTreeSet<Entry> = written.entries().collect();
        if left.is_empty() {
            return Err(written.nothing());
        }
        let mut among = BTreeSet::new();
        for extension in &self.extensions {
            for target in self.sources.matrix.of(extension)? {
                if let Some(entry) = written.entry(target) {
                    left.remove(&entry);
                    among.insert((extension.name.clone(), target.name.clone()));
                }
            }
        }
        let unknown = left.iter().map(Entry::unknown);
        let unknown: Vec<String> = unknown.collect();
        if among.is_empty() {
            return Err(written.none(unknown));
        }
        if unknown.is_empty() {
            self.unread.clear();
        }
        // What could not be built was built elsewhere, or is not meant.
        self.sources.unavailable.clear();
        warn_unread(opener, &self.unread);
        for text in &unknown {
            opener.warn(text);
        }
        self.extensions
            .retain(|extension| among.iter().any(|(name, _)| *name == extension.name));
        filter.among = Some(among);
        Ok(())
    }

    /// Fails when an extension was left out because it cannot be read.
    pub(crate) fn check_read(&self) -> Result<(), Failure> {
        check_read(&self.unread, self.extensions.len())
    }

    /// The images of the chosen extensions that `filter` takes, at least one; of a share there may be none.
    pub(crate) fn targets(&self, filter: &Filter, opener: &dyn Opener) -> Result<Targets, Failure> {
        let sources = &self.sources;
        let targets = Targets::resolve(
            &self.extensions,
            filter,
            &sources.workspace,
            &sources.matrix,
        )?;
        let is_built = |one: &&Arc<Extension>| {
            let of = sources.matrix.of(one);
            of.is_ok_and(|targets| !targets.is_empty())
        };
        let (built, empty): (Vec<&Arc<Extension>>, _) = self.extensions.iter().partition(is_built);
        let is_unavailable = |one: &&Arc<Extension>| {
            let mut unavailable = sources.unavailable.iter();
            unavailable.any(|other| other.name == one.name)
        };
        if built.is_empty() || self.named && !empty.iter().all(is_unavailable) {
            return Err(self.nothing_of(&empty));
        }
        warn_unmatched(opener, &targets, &sources.unavailable);
        Ok(targets)
    }

    /// The same where each image is used with those that it needs. Those of which one is not built for the same server are
    /// left out, which is said.
    pub(crate) fn targets_with_needs(
        &self,
        filter: &Filter,
        opener: &dyn Opener,
    ) -> Result<Targets, Failure> {
        let mut targets = self.targets(filter, opener)?;
        for left_out in targets.leave_out_incomplete()? {
            opener.warn(&left_out);
        }
        Ok(targets)
    }

    /// Why of these extensions there is no target.
    fn nothing_of(&self, empty: &[&Arc<Extension>]) -> Failure {
        let names: Vec<String> = empty.iter().map(|one| format!("`{}`", one.name)).collect();
        let names = names.join(", ");
        if empty.iter().all(|one| one.versions.is_empty()) {
            return Failure::invalid(format!(
                "there is nothing to build: `versions` is empty in the metadata of {names}"
            ))
            .hint("name the distros, the majors and their packages in `versions` of metadata.hcl");
        }
        let lacking = self.sources.unavailable.iter();
        let lacking = lacking.filter(|one| empty.iter().any(|other| other.name == one.name));
        let lacking: Vec<String> = lacking
            .map(|one| format!("`{}` is not available: {}", one.title(), one.why))
            .collect();
        if !lacking.is_empty() {
            let failure = Failure::invalid(format!(
                "there is nothing to build: Debian's archive lacks what {names} would be made of"
            ));
            return lacking.into_iter().fold(failure, Failure::detail).hint(
                "`--pg` names other majors, and the setting `sandbox.suites` other suites; or leave out `--base debian` where the published base images can be pulled",
            );
        }
        Failure::invalid(format!(
            "there is nothing to build: the group `default` of bake has no target of {names}"
        ))
        .hint("`docker buildx bake -f … --print`, with the bake file and the metadata.hcl, shows the group")
    }
}

/// Says what of the filter fits nothing: it may be a slip. What the archive lacks is said elsewhere.
pub(crate) fn warn_unmatched(opener: &dyn Opener, targets: &Targets, unavailable: &[Unavailable]) {
    for Unmatched { flag, value } in targets.unmatched() {
        let is_lacking = |one: &Unavailable| *one.server.major == **value;
        if *flag != "--pg" || !unavailable.iter().any(is_lacking) {
            opener.warn(&format!("`{flag} {value}`: no image matches"));
        }
    }
}

/// Says which extensions are left out, and why.
pub(crate) fn warn_unread(opener: &dyn Opener, unread: &[Unread]) {
    for one in unread {
        opener.warn(&format!("`{}` is left out: {}", one.name, one.reason()));
    }
}

/// Fails when there are extensions that cannot be read, besides those that were `read`.
pub(crate) fn check_read(unread: &[Unread], read: usize) -> Result<(), Failure> {
    let all = read + unread.len();
    let names: Vec<String> = unread.iter().map(|one| format!("`{}`", one.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let are_read = unread.iter().any(|one| one.verdict != Verdict::NotRead);
    let how = if are_read {
        "are left out"
    } else {
        "cannot be read"
    };
    let failure = Failure::failed(format!(
        "{} of {all} extensions {how}: {}",
        names.len(),
        names.join(", ")
    ));
    let failure = unread
        .iter()
        .flat_map(reasons)
        .fold(failure, Failure::detail);
    Err(failure.hint("`cargo xtask checks` says all that is wrong with them"))
}

/// All that is known of why an extension cannot be read.
fn reasons(unread: &Unread) -> Vec<String> {
    if unread.why.details.is_empty() {
        return vec![format!("`{}`: {}", unread.name, unread.reason())];
    }
    unread.why.details.clone()
}
