// SPDX-License-Identifier: Apache-2.0
//! Base images that the engine alone has, made here from Debian's packages: a builder that is not the engine's own gets them
//! with what it builds from, as folders in OCI's layout.
//!
//! Fact: a named context with an image's name takes that image's place, <https://docs.docker.com/build/bake/contexts/>.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::Request;
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::ImageRef,
    own::file,
    plan::{Cmd, Console, Location, Performed, Plan, Step, StepId, Work, shell::operand},
    tool::buildx,
};

/// Below the root: a folder for each, with the name of the image's tag.
const FOLDER: &str = "target/xtask/base";

/// Where a base image is found: its name, and the context that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    image: ImageRef,
    folder: PathBuf,
}

impl Base {
    /// Those that the builder of a request does not have.
    pub(super) fn lacking(request: &Request<'_>) -> Vec<Self> {
        if request.builder.is_engines_own() {
            return Vec::new();
        }
        let bases = request.sources.bases.iter();
        bases.map(|image| Self::of(image.clone())).collect()
    }

    fn of(image: ImageRef) -> Self {
        let tag = image.tag.as_deref().unwrap_or("latest");
        Self {
            folder: Path::new(FOLDER).join(tag),
            image,
        }
    }

    /// Adds the step that writes the folder.
    pub(super) fn write(&self, plan: &mut Plan) -> StepId {
        let work = Layout { base: self.clone() };
        plan.add(Step::work(format!("copy {}", self.image), work))
    }

    /// Gives it to a target.
    pub(super) fn give(&self, target: &mut Value) {
        let contexts = target.as_object_mut().map(|target| {
            target
                .entry("contexts")
                .or_insert_with(|| Value::Object(Map::new()))
        });
        if let Some(Value::Object(contexts)) = contexts {
            let layout = format!("oci-layout://{}", self.folder.display());
            contexts.insert(self.image.to_string(), layout.into());
        }
    }
}

/// Writes a base image of the engine's into its folder, in place of what an earlier run has left there.
#[derive(Debug)]
struct Layout {
    base: Base,
}

impl Layout {
    fn cmd(&self) -> Cmd {
        buildx::layout_cmd(&self.base.image, &self.base.folder)
    }
}

impl Work for Layout {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let folder = Location::output(&self.base.folder);
        file::remove_folder(&folder)?;
        exec.run(&self.cmd(), Supervision::default(), console.line)?;
        Ok(Performed::Done(None))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rm -rf -- {} && {}",
            operand(&self.base.folder),
            self.cmd()
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_gets_it_by_the_images_own_name_beside_its_other_contexts() {
        let base = Base::of("ghcr.io/x/postgresql:18-forky".parse().unwrap());
        let mut target = json!({"contexts": {"archive": "target:archive"}});
        base.give(&mut target);
        assert_eq!(
            target["contexts"],
            json!({
                "archive": "target:archive",
                "ghcr.io/x/postgresql:18-forky": "oci-layout://target/xtask/base/18-forky",
            })
        );
        let mut plain = json!({});
        base.give(&mut plain);
        assert_eq!(plain["contexts"].as_object().unwrap().len(), 1);
        let layout = Layout { base };
        assert_eq!(
            layout.to_string(),
            "rm -rf -- target/xtask/base/18-forky && printf 'FROM ghcr.io/x/postgresql:18-forky\\n' | \
             docker buildx build --builder default --provenance false --output type=oci,tar=false,dest=target/xtask/base/18-forky -"
        );
    }
}
