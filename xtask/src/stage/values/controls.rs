// SPDX-License-Identifier: Apache-2.0
//! What control files say of the extensions to create: those in the images and, when they ask for what no image has, those of
//! the base image. BuildKit copies them out of the images: it mostly has these already, and nothing is run or left behind.

use std::{path::Path, time::Duration};

use super::{
    Values,
    document::{Asked, Source},
};
use crate::{
    environment::FOLDER,
    exec::Exec,
    failure::Failure,
    image::{Controls, annotations::SQL_VERSION},
    mount::{Folders, Mounts, in_order},
    own::{file, source},
    plan::{Console, Location},
    tool::buildx::{self, Copied},
};

/// In a folder of these values alone.
const ARCHIVE: &str = "controls.tar";
/// Reading them downloads an image at most.
const PATIENCE: Duration = Duration::from_secs(300);
/// Where Debian's PostgreSQL has its own.
const OF_BASE: &str = "usr/share/postgresql/*";
/// Created in every database.
const ALWAYS_THERE: &str = "plpgsql";

impl Values {
    /// The images with their control files.
    pub(super) fn asked(
        &self,
        mounts: Mounts<Source>,
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<Asked, Failure> {
        let controls = self.controls(&mounts, exec, console)?;
        Ok(Asked { mounts, controls })
    }

    /// The control files of what is created: of all images, and of the base image if that is asked for something.
    fn controls(
        &self,
        mounts: &Mounts<Source>,
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<Controls, Failure> {
        let created = mounts.iter().filter(|one| one.extension.create_extension);
        let folders = created.map(|one| Copied {
            image: &one.source.described,
            folders: Folders::Control.of(&one.extension),
        });
        let folders: Vec<Copied<'_>> = folders.collect();
        if folders.is_empty() {
            return Ok(Controls::default());
        }
        let read = self.read_controls(&folders, exec);
        let mut controls = self.or_none(read, exec, console)?;
        if ask_for_more(mounts, &controls) {
            let base = Copied {
                image: &mounts.own().source.annotations.base(&self.image)?,
                folders: vec![OF_BASE.to_owned()],
            };
            let read = self.read_controls(&[base], exec);
            controls.extend(self.or_none(read, exec, console)?);
        }
        Ok(controls)
    }

    /// Without a way to read them nothing more is known, and a warning says so.
    fn or_none(
        &self,
        read: Result<Controls, Failure>,
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<Controls, Failure> {
        match read {
            Err(failure) if !exec.interrupted() => {
                (console.warning)(format!(
                    "for `{}` nothing may be created that control files alone require, as they cannot be read: {}",
                    self.extension.name, failure.message
                ));
                Ok(Controls::default())
            }
            other => other,
        }
    }

    fn read_controls(&self, from: &[Copied<'_>], exec: &dyn Exec) -> Result<Controls, Failure> {
        let values = self
            .output
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        let folder = format!("{FOLDER}/controls/{}-{values}", self.extension.name);
        let folder = Location::output(folder);
        file::make_folder(&folder)?;
        let cmd = buildx::copy_cmd(
            &format!("read the control files of `{}`", self.extension.name),
            from,
            "extension/*.control",
            &self.platform,
            self.builder.as_deref(),
            &folder.join(ARCHIVE),
        );
        let copied = exec.read(&cmd, Some(PATIENCE)).map_err(|failed| {
            let why = failed
                .cause()
                .unwrap_or("docker did not say why")
                .to_owned();
            let message = format!("{why} (`docker buildx build`)");
            Failure {
                message,
                ..Failure::from(failed)
            }
        });
        let controls = copied.and_then(|_| {
            let archive = source::open_own(&folder, Path::new(ARCHIVE))?;
            Controls::read(archive).map_err(|error| {
                Failure::failed(format!("what buildx has copied cannot be read: {error}"))
            })
        });
        file::remove_folder(&folder)?;
        controls
    }
}

/// Whether something is to be created that no image has a control file for. Where none has any, nothing is known.
fn ask_for_more(mounts: &Mounts<Source>, controls: &Controls) -> bool {
    let wanted = mounts.wanted(|one| one.source.annotations.get(SQL_VERSION));
    let all = in_order(&wanted, |one| required(controls, one.name, one.version));
    !controls.is_empty() && all.iter().any(|one| !controls.has(one.name))
}

/// What must have been created before an extension, as its control file says.
pub(super) fn required<'a>(
    controls: &'a Controls,
    name: &str,
    version: Option<&str>,
) -> Vec<&'a str> {
    let names = controls.requires(name, version).iter();
    let names = names.filter(|name| *name != ALWAYS_THERE);
    names.map(String::as_str).collect()
}
