// SPDX-License-Identifier: Apache-2.0
//! A PostgreSQL base image from Debian's own packages, for where the published one cannot be had.

use std::{path::Path, time::Duration};

use super::{Sandbox, entries, up::Mmdebstrap};
use crate::{
    image::ImageRef,
    plan::{Action, Cmd, Plan, Probe, Step, StepId, shell},
    tool::{apt, docker},
    value::Major,
};

/// Adds the steps that give the engine an image called `reference` with PostgreSQL `major`: the root as
/// a tar (`after` the tools are there), then the image (once the engine answers).
pub(crate) fn add(
    plan: &mut Plan,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    major: &Major,
    reference: &ImageRef,
    after: &[StepId],
    engine: StepId,
) -> StepId {
    let folder = sandbox.folder.join(entries::base(&sandbox.suite, major));
    let tar = folder.join("root.tar");
    let setup = folder.join("setup.sh");
    let finish = folder.join("finish.sh");
    let have = Probe::Exists(tar.clone());
    let write = |path: &Path, contents: &str| {
        Step::new(
            format!("write {}", path.display()),
            Action::Write {
                path: sandbox.location(path),
                contents: contents.to_owned(),
            },
        )
        // The sandbox's folder is ours by then; before, nothing is written to it.
        .after(after.iter().copied())
        .quiet()
    };
    let scripts = [
        plan.add(write(&setup, include_str!("base-setup.sh"))),
        plan.add(write(&finish, include_str!("base-finish.sh"))),
        plan.add(write(&folder.join("Dockerfile"), &dockerfile(major))),
    ];
    let package = format!("postgresql-{major}");
    let partial = folder.join("root.tar.new");
    let hook = |script: &Path| format!("sh {} \"$1\"", shell::word(script));
    let hooks = [("essential", hook(&setup)), ("customize", hook(&finish))];
    let packages = ["ca-certificates", package.as_str()];
    let cmd = apt::Root {
        purpose: "make a base image from Debian's packages",
        format: "tar",
        target: &partial,
        packages: &packages,
        hooks: &hooks,
        slim: true,
        ..tools.template(sandbox)
    }
    .cmd();
    let root = plan.add(
        Step::run(
            format!("base root for PostgreSQL {major} ({})", sandbox.suite),
            cmd,
        )
        .after(after.iter().copied().chain(scripts))
        .skip_if(have.clone(), "it is there")
        .timeout(Duration::from_secs(1200)),
    );
    let kept = plan.add(
        Step::new(
            format!("keep the base root {major}"),
            Action::Rename {
                from: sandbox.location(partial),
                to: sandbox.location(tar),
            },
        )
        .after([root])
        .skip_if(have, "it is there")
        .quiet(),
    );
    // Uncompressed, because gzip takes most of a minute for a quarter of a gigabyte that never leaves
    // this machine.
    let output =
        format!("type=image,name={reference},compression=uncompressed,force-compression=true");
    plan.add(
        Step::run(
            format!("base image {reference}"),
            Cmd::new("docker", "make the base image")
                .args(["buildx", "build", "--provenance=false", "--output"])
                .arg(output)
                .arg("--")
                .arg(&folder),
        )
        .after([kept, engine])
        .skip_if(
            Probe::Succeeds(docker::has_image_cmd(reference)),
            "the engine has it",
        ),
    )
}

fn dockerfile(major: &str) -> String {
    format!(
        "FROM scratch\n\
         ADD root.tar /\n\
         ENV PATH=/usr/lib/postgresql/{major}/bin:{}\n\
         USER 26\n",
        super::PATH
    )
}
