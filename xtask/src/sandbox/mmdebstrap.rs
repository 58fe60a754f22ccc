// SPDX-License-Identifier: Apache-2.0
//! Mmdebstrap, which makes roots from Debian's packages: found on the machine, or fetched into the sandbox's folder.

use std::path::{Path, PathBuf};

use super::{Sandbox, entries, work::Extract};
use crate::{
    exec::{Exec, Real},
    failure::Failure,
    plan::{Action, Plan, Probe, Step, StepId},
    tool::{
        NeededFor, apt,
        table::{self, Tool},
    },
    value::Url,
};

/// How to call mmdebstrap: the machine's, or the one that is fetched into the sandbox's folder.
#[derive(Clone, Debug)]
pub(crate) struct Mmdebstrap {
    program: PathBuf,
    mirror: Option<Url>,
    pub(super) temporary: PathBuf,
    /// Where it is extracted to when we fetch it; there are steps for that.
    pub(super) extracted: Option<PathBuf>,
}

impl Mmdebstrap {
    /// Finds mmdebstrap and the mirror. Reads only.
    pub(crate) fn survey(sandbox: &Sandbox, exec: &Real) -> Result<Self, Failure> {
        let missing: Vec<&Tool> = table::only_for(NeededFor::Sandbox)
            .filter(|tool| exec.finds(tool.name).is_none())
            .collect();
        if let Some(first) = missing.first() {
            let names: Vec<&str> = missing.iter().map(|tool| tool.name).collect();
            let message = format!("the sandbox needs {} on PATH", names.join(", "));
            return Err(Failure::unavailable(message).hint(first.install()));
        }
        let mirror = match &sandbox.mirror {
            Some(mirror) => Some(mirror.clone()),
            None => apt::parse_mirror(
                &exec
                    .read(&apt::sources_cmd(), None)
                    .map_err(Failure::from)?,
            ),
        };
        let own = exec.finds("mmdebstrap");
        let tools = sandbox.folder.join(entries::TOOLS);
        Ok(Self {
            program: own
                .clone()
                .unwrap_or_else(|| tools.join("usr/bin/mmdebstrap")),
            extracted: own.is_none().then_some(tools),
            mirror,
            temporary: sandbox.folder.join(entries::TEMPORARY),
        })
    }

    /// The parts of a call that every root shares.
    pub(crate) fn template<'a>(&'a self, sandbox: &'a Sandbox) -> apt::Root<'a> {
        apt::Root {
            purpose: "",
            mmdebstrap: &self.program,
            extracted: self.extracted.as_deref(),
            temporary: &self.temporary,
            format: "directory",
            suite: &sandbox.suite,
            target: Path::new(""),
            mirror: self.mirror.as_ref(),
            packages: &[],
            hooks: &[],
            slim: false,
        }
    }
}

/// Fetches mmdebstrap and what it needs from this machine's own distribution, installing nothing.
pub(super) fn fetch(
    plan: &mut Plan,
    sandbox: &Sandbox,
    extracted: &Path,
    marker: StepId,
) -> StepId {
    let apt = sandbox.folder.join(entries::APT);
    let partial = sandbox.location(sandbox.folder.join(entries::TOOLS_NEW));
    let have = || Probe::Exists(extracted.to_owned());
    let packages = apt.join("cache/archives");
    let mut last = marker;
    let mut add = |step: Step| {
        last = plan.add(
            step.after([last])
                .skip_if(have(), "mmdebstrap was extracted before"),
        );
    };
    let quiet = |name: &str, action: Action| Step::new(name, action).quiet();
    add(quiet(
        "folder for packages",
        Action::Folder(sandbox.location(packages.join("partial"))),
    ));
    add(quiet(
        "folder for the index",
        Action::Folder(sandbox.location(apt.join("lists/partial"))),
    ));
    add(Step::run("package index", apt::update_cmd(&apt)));
    add(Step::run(
        "download mmdebstrap",
        apt::download_cmd(&apt, &["mmdebstrap"]),
    ));
    add(quiet(
        "remove partly extracted tools",
        Action::RemoveFolder(partial.clone()),
    ));
    let extract = Extract {
        from: packages,
        into: partial.clone(),
    };
    add(Step::work("extract mmdebstrap", extract).quiet());
    add(quiet(
        "keep mmdebstrap",
        Action::Rename {
            from: partial,
            to: sandbox.location(extracted),
        },
    ));
    last
}
