// SPDX-License-Identifier: Apache-2.0
//! What every command that builds images begins with.

use std::sync::Arc;

use crate::{
    config::Config,
    engine::{Access, Engine, Opener, base::Sources},
    extension::Extension,
    failure::Failure,
    target::{Filter, Targets},
    workspace::Selection,
};

/// What a share of the images says that none has fallen into: there may be more shares than images.
pub(crate) const NONE_IN_SHARE: &str = "no image is in this share";

/// An engine to build with, and the extensions that were chosen as it will build them.
pub(crate) struct Begun {
    pub engine: Engine,
    pub sources: Sources,
    extensions: Vec<Arc<Extension>>,
}

impl Begun {
    /// Refuses extensions that are unknown or whose metadata is wrong, before anything is started. Then opens the
    /// engine, to work or to look, and decides which base images are used.
    pub(crate) fn open(
        opener: &mut dyn Opener,
        selection: &Selection,
        access: Access,
    ) -> anyhow::Result<Self> {
        let workspace = opener.workspace()?;
        workspace.select(selection)?;
        let engine = Engine::open(opener, access)?;
        let sources = Sources::prepare(opener, &engine, workspace)?;
        let extensions = sources.workspace.select(selection)?;
        let left_out = |name: &&String| !extensions.iter().any(|known| &known.name == *name);
        if let Some(name) = selection.names().iter().find(left_out) {
            let text = format!(
                "`{name}` cannot be built from Debian's packages: the archive has none for it"
            );
            return Err(not_in_archive(text).into());
        }
        if extensions.is_empty() {
            let text =
                "no extension can be built from Debian's packages: the archive has none for them";
            return Err(not_in_archive(text).into());
        }
        Ok(Self {
            engine,
            sources,
            extensions,
        })
    }

    /// The images of the chosen extensions that `filter` takes, at least one; of a share there may be none.
    pub(crate) fn targets(&self, filter: &Filter, config: &Config) -> Result<Targets, Failure> {
        let targets = Targets::resolve(&self.extensions, filter, &self.sources.workspace, config)?;
        let mut extensions = self.extensions.iter();
        if extensions.all(|extension| extension.versions.is_empty()) {
            let names = self.extensions.iter();
            let names: Vec<String> = names.map(|one| format!("`{}`", one.name)).collect();
            return Err(Failure::invalid(format!(
                "there is nothing to build: `versions` is empty in the metadata of {}",
                names.join(", ")
            ))
            .hint(
                "name the distros, the majors and their packages in `versions` of metadata.hcl",
            ));
        }
        Ok(targets)
    }
}

fn not_in_archive(text: impl Into<String>) -> Failure {
    Failure::invalid(text)
        .hint("leave out `--base debian` where the published base images can be pulled")
}
