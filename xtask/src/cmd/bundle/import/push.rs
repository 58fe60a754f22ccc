// SPDX-License-Identifier: Apache-2.0
//! One image of a bundle on its way into a registry: what stands there and would be lost is left, and what has arrived is looked at.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use super::Row;
use crate::{
    exec::Exec,
    failure::Failure,
    image::{ImageRef, listed},
    plan::{Cmd, Console, Location, Performed, Work},
    stage::{
        promotion::{self, Held, Origin},
        pushed::{PATIENCE, find},
    },
    tool::oras,
    value::Digest,
};

/// Pushes an image with all that refers to it, and looks at what the registry has then.
#[derive(Clone, Debug)]
pub(super) struct Push {
    pub image: ImageRef,
    pub digest: Digest,
    pub to: ImageRef,
    /// Where the bundle is unpacked.
    folder: Option<Location>,
    done: Arc<OnceLock<()>>,
}

impl Push {
    pub(super) fn new(image: ImageRef, digest: Digest, to: ImageRef) -> Self {
        Self {
            image,
            digest,
            to,
            folder: None,
            done: Arc::default(),
        }
    }

    /// The same, of a bundle that is unpacked there.
    pub(super) fn unpacked(&self, folder: &Location) -> Self {
        Self {
            folder: Some(folder.clone()),
            ..self.clone()
        }
    }

    /// As it is there from now on.
    pub(super) fn by_digest(&self) -> ImageRef {
        ImageRef {
            digest: Some(self.digest.clone()),
            ..self.to.clone()
        }
    }

    pub(super) fn row(&self) -> Row {
        Row {
            image: self.image.to_string(),
            digest: self.digest.to_string(),
            pushed: self.done.get().map(|()| self.by_digest().to_string()),
        }
    }

    fn commands(&self) -> Option<[Cmd; 2]> {
        let folder = self.folder.as_ref()?;
        Some([
            oras::copy_from_layout_cmd(folder, &self.digest, &self.to),
            oras::resolve_cmd(&self.to),
        ])
    }

    /// Whether its tag is never moved once it names an image.
    fn stays(&self) -> bool {
        let is_one = |tag: &String| promotion::is_stamped(tag) || promotion::is_beside(tag);
        self.to.tag.as_ref().is_some_and(is_one)
    }

    /// Looks at what its name is there before anything is pushed. Gives whether there is nothing left to push.
    fn look(
        &self,
        manifest: &str,
        exec: &dyn Exec,
        console: &mut Console<'_>,
    ) -> Result<bool, Failure> {
        let Some(tag) = &self.to.tag else {
            return Ok(false);
        };
        let found = match find(&self.to, exec)? {
            Some(found) if found != self.digest => found,
            _ => return Ok(false),
        };
        if promotion::is_stamped(tag) {
            return Err(promotion::is_another(&self.to, &found));
        }
        if promotion::is_beside(tag) {
            return match promotion::held(manifest, &self.to, exec)? {
                Held::All => Ok(true),
                Held::Part => Ok(false),
                Held::Other => Err(promotion::apart(&self.to, "the bundle")),
            };
        }
        (console.warning)(format!("`{}` was `{found}` until now", self.to));
        Ok(false)
    }
}

/// As it is run; a tag that is never moved is asked for before.
impl fmt::Display for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some([push, resolve]) = self.commands() else {
            return Ok(());
        };
        let digest = &self.digest;
        let before = if self.stays() {
            format!("[ \"$({resolve} 2> /dev/null || echo {digest})\" = {digest} ] && ")
        } else {
            String::new()
        };
        write!(f, "({before}{push})\n[ \"$({resolve})\" = {digest} ]")
    }
}

impl Work for Push {
    fn programs(&self) -> &'static [&'static str] {
        &[oras::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let (Some([push, resolve]), Some(folder)) = (self.commands(), &self.folder) else {
            return Ok(Performed::Skipped("there is nothing to push".into()));
        };
        let origin = Origin::Layout(folder.clone());
        let manifest = origin.manifest(&self.digest, exec)?;
        if self.look(&manifest, exec, console)? {
            return Ok(Performed::Skipped(
                "the registry has these signatures and more".into(),
            ));
        }
        let mut copied = promotion::run(&push, exec, console)?;
        let seen = oras::parse_digest(&exec.read(&resolve, Some(PATIENCE))?);
        if seen.as_ref() != Some(&self.digest) {
            let seen = seen.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
            return Err(Failure::failed(format!(
                "`{}` was pushed as `{}`, and the registry has `{seen}`",
                self.to, self.digest
            )));
        }
        let to = self.to.by_digest(&self.digest);
        let mut manifests: BTreeSet<Digest> = listed::manifests(&manifest);
        manifests.insert(self.digest.clone());
        copied += promotion::complete(&origin, &to, &manifests, exec, console)?;
        promotion::is_there(&origin, &to, exec)?;
        self.done.get_or_init(|| ());
        Ok(match copied {
            0 => Performed::Skipped("the registry has all of it".into()),
            count => Performed::Done(Some(format!(
                "{count} manifests and blobs; all of it is there"
            ))),
        })
    }
}
