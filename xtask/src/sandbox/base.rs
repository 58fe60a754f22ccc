// SPDX-License-Identifier: Apache-2.0
//! A PostgreSQL base image from Debian's own packages, for where the published one cannot be pulled.

use std::{path::Path, time::Duration};

use super::{
    Sandbox, entries,
    mmdebstrap::Mmdebstrap,
    up::{ROOTS, Ready},
};
use crate::{
    image::ImageRef,
    plan::{Action, Cmd, Plan, Probe, Step, StepId, shell},
    tool::{apt, buildx, docker},
    value::Major,
};

/// Adds the steps that give the engine an image called `reference` with PostgreSQL `major`: the root as
/// a tar, then the image.
pub(crate) fn add(
    plan: &mut Plan,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    major: &Major,
    reference: &ImageRef,
    ready: &Ready,
) {
    let folder = sandbox.folder.join(entries::base(&sandbox.suite, major));
    let root = add_root(plan, sandbox, tools, major, &folder, &ready.tools);
    // Uncompressed, because gzip takes most of a minute for a quarter of a gigabyte that never leaves
    // this machine.
    let output =
        format!("type=image,name={reference},compression=uncompressed,force-compression=true");
    let build = Cmd::new("docker", "make the base image")
        .args(["buildx", "build", "--builder", buildx::DEFAULT])
        .args(["--provenance=false", "--output"])
        .arg(output)
        .arg("--")
        .arg(&folder);
    let has = Probe::Succeeds(docker::has_image_cmd(reference));
    plan.add(
        Step::run(format!("base image {reference}"), build)
            .after([root, ready.engine])
            .skip_if(has, "the engine has it"),
    );
}

/// The image's files, as a tar in `folder` with a Dockerfile beside it. It is there whole or not at all.
fn add_root(
    plan: &mut Plan,
    sandbox: &Sandbox,
    tools: &Mmdebstrap,
    major: &Major,
    folder: &Path,
    after: &[StepId],
) -> StepId {
    let tar = folder.join("root.tar");
    let have = Probe::Exists(tar.clone());
    let setup = folder.join("setup.sh");
    let finish = folder.join("finish.sh");
    let mut before = after.to_vec();
    for (path, contents) in [
        (&setup, include_str!("base-setup.sh")),
        (&finish, include_str!("base-finish.sh")),
        (&folder.join("Dockerfile"), &dockerfile(major)),
    ] {
        let write = Action::Write {
            path: sandbox.location(path),
            contents: contents.to_owned(),
        };
        let write = Step::new(format!("write {}", path.display()), write);
        // The sandbox's folder is ours by then; before, nothing is written to it.
        before.push(plan.add(write.after(after.iter().copied()).quiet()));
    }
    let package = format!("postgresql-{major}");
    let partial = folder.join("root.tar.new");
    let hook = |script: &Path| format!("sh {} \"$1\"", shell::word(script));
    let cmd = apt::Root {
        purpose: "make a base image from Debian's packages",
        format: "tar",
        target: &partial,
        packages: &["ca-certificates", &package],
        hooks: &[("essential", hook(&setup)), ("customize", hook(&finish))],
        slim: true,
        ..tools.template(sandbox)
    }
    .cmd();
    let title = format!("base root for PostgreSQL {major} ({})", sandbox.suite);
    let root = plan.add(
        Step::run(title, cmd)
            .after(before)
            .skip_if(have.clone(), "it is there")
            .pool(ROOTS)
            .timeout(Duration::from_secs(1200)),
    );
    let keep = Action::Rename {
        from: sandbox.location(partial),
        to: sandbox.location(tar),
    };
    plan.add(
        Step::new(format!("keep the base root {major}"), keep)
            .after([root])
            .skip_if(have, "it is there")
            .quiet(),
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
