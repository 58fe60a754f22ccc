// SPDX-License-Identifier: Apache-2.0
//! A PostgreSQL base image from Debian's own packages, for where the published one cannot be pulled.

use std::{path::Path, time::Duration};

use super::{
    Sandbox, archive, entries,
    mmdebstrap::Mmdebstrap,
    up::{ROOTS, Ready},
};
use crate::{
    image::ImageRef,
    plan::{Action, Cmd, Plan, Probe, Step, StepId, shell},
    tool::{apt, buildx, docker},
    value::{Major, Suite},
};

/// The scripts beside a root, by when they run: before its packages, for a server that its own suite lacks, and after.
const SETUP: &str = "setup.sh";
const SUITE: &str = "suite.sh";
const FINISH: &str = "finish.sh";

/// Adds a second suite to the sources of a root.
const ADD_SUITE: &str = include_str!("base-suite.sh");

/// What names of a base image on a suite say more where its server is of another: once the suite itself has that server, the
/// image is to be made again.
pub(crate) fn origin(suite: &Suite, server_of: &Suite) -> String {
    match server_of {
        own if own == suite => String::new(),
        other => format!("-from-{other}"),
    }
}

/// A base image to make.
pub(crate) struct Base {
    pub major: Major,
    /// Has the server. Where it is not the sandbox's own, it gives no more than that lacks.
    pub suite: Suite,
    /// How the image is called.
    pub reference: ImageRef,
}

impl Base {
    /// Adds the steps that give the engine the image: the root as a tar, then the image.
    pub(crate) fn add(
        &self,
        plan: &mut Plan,
        sandbox: &Sandbox,
        tools: &Mmdebstrap,
        ready: &Ready,
    ) {
        let folder = sandbox
            .folder
            .join(entries::base(&sandbox.suite, &self.suite, &self.major));
        let root = self.add_root(plan, sandbox, tools, &folder, &ready.tools);
        // Uncompressed, because gzip takes most of a minute for a quarter of a gigabyte that never leaves
        // this machine.
        let output = format!(
            "type=image,name={},compression=uncompressed,force-compression=true",
            self.reference
        );
        let build = Cmd::new("docker", "make the base image")
            .args(["buildx", "build", "--builder", buildx::DEFAULT])
            .args(["--provenance=false", "--output"])
            .arg(output)
            .arg("--")
            .arg(&folder);
        let has = Probe::Succeeds(docker::has_image_cmd(&self.reference));
        plan.add(
            Step::run(format!("base image {}", self.reference), build)
                .after([root, ready.engine])
                .skip_if(has, "the engine has it"),
        );
    }

    /// The scripts that make the root, and the Dockerfile of the image, in `folder`. Gives what the root has to wait for.
    fn add_files(
        &self,
        plan: &mut Plan,
        sandbox: &Sandbox,
        folder: &Path,
        after: &[StepId],
    ) -> Vec<StepId> {
        let mut before = after.to_vec();
        for (name, contents) in [
            (SETUP, include_str!("base-setup.sh")),
            (SUITE, ADD_SUITE),
            (FINISH, include_str!("base-finish.sh")),
            ("Dockerfile", &dockerfile(&self.major)),
        ] {
            let path = folder.join(name);
            let title = format!("write {}", path.display());
            let write = Action::Write {
                path: sandbox.location(path),
                contents: contents.to_owned(),
            };
            // The sandbox's folder is ours by then; before, nothing is written to it.
            let write = Step::new(title, write).after(after.iter().copied());
            before.push(plan.add(write.quiet()));
        }
        before
    }

    /// The image's files, as a tar in `folder` with a Dockerfile beside it. It is there whole or not at all.
    fn add_root(
        &self,
        plan: &mut Plan,
        sandbox: &Sandbox,
        tools: &Mmdebstrap,
        folder: &Path,
        after: &[StepId],
    ) -> StepId {
        let major = &self.major;
        let tar = folder.join("root.tar");
        let have = Probe::Exists(tar.clone());
        let before = self.add_files(plan, sandbox, folder, after);
        let server = archive::server(major);
        let partial = folder.join("root.tar.new");
        let hook = |script| format!("sh {} \"$1\"", shell::word(folder.join(script)));
        let mut hooks = vec![("essential", hook(SETUP)), ("customize", hook(FINISH))];
        let mut suites = sandbox.suite.to_string();
        if self.suite != sandbox.suite {
            let add = format!("{} {suites} {} {server}", hook(SUITE), self.suite);
            hooks.push(("setup", add));
            suites = format!("{suites}, {}", self.suite);
        }
        let cmd = apt::Root {
            purpose: "make a base image from Debian's packages",
            format: "tar",
            target: &partial,
            packages: &["ca-certificates", &server],
            hooks: &hooks,
            slim: true,
            ..tools.template(sandbox)
        }
        .cmd();
        let title = format!("base root for PostgreSQL {major} ({suites})");
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

#[cfg(test)]
mod tests {
    use super::ADD_SUITE;
    use crate::{
        exec::{Exec, Real},
        plan::Cmd,
    };

    #[test]
    fn a_second_suite_gives_what_is_made_of_the_server_and_else_what_no_other_has() {
        let root = tempfile::tempdir().unwrap();
        let apt = root.path().join("etc/apt");
        fs_err::create_dir_all(&apt).unwrap();
        let add = |sources: &str| {
            fs_err::write(apt.join("sources.list"), sources).unwrap();
            let script = Cmd::new("sh", "add a suite").args(["-c", ADD_SUITE, "suite.sh"]);
            let script = script.arg(root.path());
            let script = script.args(["forky", "experimental", "postgresql-19"]);
            Real::default().read(&script, None)
        };
        add("deb [signed-by=/k.gpg] http://one/debian forky main\ndeb http://two/ forky-x main\n")
            .unwrap();
        assert_eq!(
            fs_err::read_to_string(apt.join("sources.list")).unwrap(),
            "deb [signed-by=/k.gpg] http://one/debian forky main\ndeb http://two/ forky-x main\n\
             deb [signed-by=/k.gpg] http://one/debian experimental main\n"
        );
        let by = |by: &str| {
            format!(
                "Package: *\nPin: release {by}=experimental\nPin-Priority: 1\n\n\
                 Package: src:postgresql-19\nPin: release {by}=experimental\nPin-Priority: 990\n\n"
            )
        };
        let pins = fs_err::read_to_string(apt.join("preferences.d/experimental")).unwrap();
        assert_eq!(pins, by("a") + &by("n"));
        // Nowhere to take it from is a failure, not a root without it.
        let failed = add("deb http://one/debian sid main\n").unwrap_err();
        assert!(failed.mentions("is for forky main"), "{failed:?}");
    }
}
