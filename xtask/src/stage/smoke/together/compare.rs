// SPDX-License-Identifier: Apache-2.0
//! Compares what the images of one server have by the same names.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use super::super::{Runner, SmokeTest, Source, container};
use crate::{
    exec::Exec,
    failure::Failure,
    finding::Severity,
    image::Inventory,
    mount::Mounts,
    plan::{Arg, Cmd, Console, Performed, Plan, Step, StepId, Work},
    stage::{
        clashes::{self, Clash},
        look::{Found, Looking},
    },
};

/// Prints files of the same name that are not the same: what a dry run says in place of reading them here.
const LISTING: &str = r#"cd /extensions; find . -type f \( -name '*.control' -o -name '*.sql' -o -name '*.so*' \) -exec sha256sum {} + |
  awk '{n = split($2, part, "/"); name = part[n]; if (name in of && of[name] != $1) print where[name], $2; of[name] = $1; where[name] = $2}'; exit
"#;

/// Where a step leaves what clashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared(Arc<OnceLock<Vec<Clash>>>);

impl Compared {
    /// None: not all images were read.
    pub(crate) fn get(&self) -> Option<&[Clash]> {
        self.0.get().map(Vec::as_slice)
    }
}

impl Runner {
    /// Adds the steps that read the images of a server and compare them; gives the one that decides.
    pub(crate) fn add_comparison(
        &self,
        plan: &mut Plan,
        all: &SmokeTest,
        opened: &mut usize,
    ) -> (StepId, Compared) {
        let mut looking = Looking::numbered(plan, &self.run, *opened);
        let read = all.mounts.iter().map(|one| {
            let name = &one.extension.name;
            let title = format!("{name} of {}", all.name);
            let (found, step) = looking.files(&one.source.image, &title, all.after.clone());
            (name.clone(), found, step)
        });
        let read: Vec<(String, Found, StepId)> = read.collect();
        *opened += read.len();
        let compared = Compared::default();
        let steps: Vec<StepId> = read.iter().map(|(_, _, step)| *step).collect();
        let compare = Compare {
            listing: container::server_with(all, self, LISTING.to_owned()).0,
            mounts: all.mounts.clone(),
            found: read
                .into_iter()
                .map(|(name, found, _)| (name, found))
                .collect(),
            compared: compared.clone(),
        };
        let step = Step::work(format!("clashes {}", all.name), compare);
        (plan.add(step.after(steps).proof("together")), compared)
    }
}

#[derive(Debug)]
struct Compare {
    listing: Cmd<Arg>,
    mounts: Mounts<Source>,
    found: BTreeMap<String, Found>,
    compared: Compared,
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.listing)
    }
}

impl Work for Compare {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let image = |name: &str| -> Option<&Inventory> { self.found.get(name)?.get() };
        let found = clashes::all(&self.mounts, image);
        let found = self.compared.0.get_or_init(|| found);
        let (errors, warnings): (Vec<&Clash>, Vec<&Clash>) = found
            .iter()
            .partition(|clash| clash.severity == Severity::Error);
        for clash in &warnings {
            (console.warning)(clash.message.clone());
        }
        if errors.is_empty() {
            return Ok(Performed::Done(None));
        }
        let failure = Failure::failed("the images cannot be mounted into one server as they are");
        let failure = errors
            .iter()
            .fold(failure, |failure, clash| failure.detail(&clash.message));
        Err(failure.hint("`cargo xtask inspect NAME` lists what is in an image; its settings are in metadata.hcl"))
    }
}
