// SPDX-License-Identifier: Apache-2.0
//! The files of a new extension, and the places that name it: written as a whole directory or not at all.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    draft::Draft,
    mentions::{FILES, Mention, Place},
    metadata::Layout,
    own_templates,
};
use crate::{
    config::{self, Config},
    dockerfile::Shared,
    extension::Extension,
    failure::Failure,
    own::source,
    plan::{Action, Location, Plan, Step},
    stage::left_open,
    target::base_of,
    workspace::Workspace,
};

/// Where the directory is put together, below `target/xtask`.
const PLACE: &str = "target/xtask/create-extension";

/// What is written.
pub(crate) struct Files {
    /// The extension's directory, relative to the root.
    pub folder: PathBuf,
    /// Relative to the directory, with their texts.
    pub own: Vec<(PathBuf, String)>,
    /// Relative to the root: what they become, or what is to be done by hand.
    pub mentions: Vec<(PathBuf, Mention)>,
}

impl Files {
    pub(crate) fn of(
        draft: &mut Draft,
        workspace: &Workspace,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let folder = workspace.shown(&draft.name);
        let shared = Shared::beside(&workspace.root, &workspace.bake_file);
        let layout = match (&shared.dockerfile, &draft.source) {
            (Some(_), None) => Layout::Shared,
            (None, _) | (Some(_), Some(_)) => Layout::Own,
        };
        let mut own = own_templates::filled(draft, &workspace.root)?;
        let is_made =
            |own: &[(PathBuf, String)], name: &str| own.iter().any(|(path, _)| *path == *name);
        if !is_made(&own, "metadata.hcl") {
            own.push(("metadata.hcl".into(), draft.metadata(layout)));
        }
        if layout == Layout::Own {
            // A template that copies nothing is a sketch: what is in the package makes a whole one.
            own.retain(|(path, text)| *path != *"Dockerfile" || !draft.is_known() || copies(text));
            if !is_made(&own, "Dockerfile") {
                let base = draft.example().map(|(server, _)| base_of(server, config));
                let base = base.transpose()?.map(|base| base.to_string());
                let base = base.unwrap_or_default();
                let text = match &draft.source {
                    Some(source) => source.dockerfile(&draft.name, &base),
                    None => draft.dockerfile(&base),
                };
                own.push(("Dockerfile".into(), text));
            }
        } else {
            // It would not be read.
            own.retain(|(path, _)| *path != *"Dockerfile");
        }
        if !is_made(&own, "README.md") {
            let needed = needed(draft, workspace);
            own.push(("README.md".into(), draft.readme(&needed, config)?));
        }
        if !is_made(&own, "smoke.sql") {
            own.push(("smoke.sql".into(), draft.proof()));
        }
        let steps = Path::new(config.get(config::PATHS_SUITE)).join("steps");
        if workspace.root.join(&steps).is_dir() {
            let up = "../".repeat(folder.components().count() + 1);
            let suite = draft.suite(&format!("{up}{}", steps.display()));
            own.push(("test/chainsaw-test.yaml".into(), suite));
        }
        let mentions = mentions(draft, workspace, &folder)?;
        Ok(Self {
            folder,
            own,
            mentions,
        })
    }

    /// What a person must decide, a sentence each: what the draft leaves open, what the files do, and what is to be done by hand.
    pub(crate) fn left_to_do(&self, draft: &Draft) -> Vec<String> {
        let mut all = draft.undecided.clone();
        let own = self
            .own
            .iter()
            .map(|(path, text)| (self.folder.join(path), text.as_str()));
        let elsewhere = self.mentions.iter().map(|(path, mention)| match mention {
            Mention::Written { added, .. } => (path.clone(), added.as_str()),
            Mention::Left(_) => (path.clone(), ""),
        });
        for (path, text) in own.chain(elsewhere) {
            let open = left_open::anywhere(text).into_iter();
            // What is undecided stands in the metadata too.
            for open in open.filter(|open| !draft.undecided.contains(&open.what)) {
                let sentence = format!("{}: {}", path.display(), open.what);
                if !all.contains(&sentence) {
                    all.push(sentence);
                }
            }
        }
        all.extend(
            self.mentions
                .iter()
                .filter_map(|(path, mention)| match mention {
                    Mention::Left(what) => Some(format!("{}: {what}", path.display())),
                    Mention::Written { .. } => None,
                }),
        );
        all
    }

    /// The directory appears when all of it is written.
    pub(crate) fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let name = self.folder.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let place = Path::new(PLACE).join(&*name);
        let location = Location::output(&place);
        let cleared = Step::new("clear", Action::RemoveFolder(location.clone())).quiet();
        let mut after = vec![plan.add(cleared)];
        let mut folders: Vec<PathBuf> = self
            .own
            .iter()
            .filter_map(|(path, _)| path.parent().map(|above| place.join(above)))
            .collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            let step = Step::new(
                format!("folder {}", folder.display()),
                Action::Folder(Location::output(folder)),
            );
            after.push(plan.add(step.quiet().after(after.clone())));
        }
        let mut written = Vec::new();
        for (path, contents) in &self.own {
            let action = Action::Write {
                path: Location::output(place.join(path)),
                contents: contents.clone(),
            };
            let step = Step::new(format!("write {}", path.display()), action);
            written.push(plan.add(step.quiet().after(after.clone())));
        }
        if let Some(above) = self
            .folder
            .parent()
            .filter(|above| !above.as_os_str().is_empty())
        {
            let above = Location::Repository(above.to_owned());
            let step = Step::new("folder of the extensions", Action::Folder(above));
            written.push(plan.add(step.quiet()));
        }
        let action = Action::Rename {
            from: location,
            to: Location::Repository(self.folder.clone()),
        };
        let step = Step::new(format!("create {}", self.folder.display()), action);
        let created = plan.add(step.after(written));
        for (path, mention) in &self.mentions {
            if let Mention::Written { text, .. } = mention {
                let action = Action::Write {
                    path: Location::Repository(path.clone()),
                    contents: text.clone(),
                };
                let step = Step::new(format!("edit {}", path.display()), action);
                plan.add(step.after([created]));
            }
        }
        plan
    }
}

/// What the files that name each extension become.
fn mentions(
    draft: &Draft,
    workspace: &Workspace,
    folder: &Path,
) -> Result<Vec<(PathBuf, Mention)>, Failure> {
    let shown = folder.display().to_string();
    let extensions: Vec<&str> = workspace.names().collect();
    let here = Place {
        folder: &shown,
        extensions: &extensions,
    };
    let mut mentions = Vec::new();
    for (places, write) in FILES {
        for place in *places {
            let Some(text) = source::read(&workspace.root, Path::new(place))? else {
                continue;
            };
            let mention = write(&text, draft, &here);
            mentions.extend(mention.map(|mention| (PathBuf::from(place), mention)));
            break;
        }
    }
    Ok(mentions)
}

/// The extensions that it needs, direct or not, in mounting order.
fn needed(draft: &Draft, workspace: &Workspace) -> Vec<Arc<Extension>> {
    let mut all: Vec<Arc<Extension>> = Vec::new();
    let direct = draft.required.iter().filter_map(|name| workspace.get(name));
    for one in direct {
        let both = std::iter::once(Arc::clone(one)).chain(workspace.dependencies(one));
        for one in both {
            if all.iter().all(|known| known.name != one.name) {
                all.push(one);
            }
        }
    }
    all
}

/// Whether a Dockerfile copies something into its image.
fn copies(dockerfile: &str) -> bool {
    let mut words = dockerfile
        .lines()
        .map(|line| line.trim_start().to_lowercase());
    words.any(|line| line.starts_with("copy "))
}
