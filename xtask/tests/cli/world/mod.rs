// SPDX-License-Identifier: Apache-2.0
//! A small repository, what is on PATH, and what the fakes there were asked.
//!
//! A test says what the world holds and answers, runs xtask, and looks at the status, the output and the calls:
//!
//! ```ignore
//! let world = World::new();
//! world.docker.bake_fails("alpha", "ERROR: no\n");
//! world.run("bake alpha").status(1).says("failed to bake `alpha`");
//! world.calls.never("docker image rm");
//! ```

pub(crate) mod call;
pub(crate) mod chainsaw;
pub(crate) mod clusters;
pub(crate) mod docker;
pub(crate) mod engine;
pub(crate) mod extension;
pub(crate) mod image;
pub(crate) mod kind;
pub(crate) mod nobody;
mod printed;
pub(crate) mod process;
pub(crate) mod registry;
pub(crate) mod repository;
pub(crate) mod terminal;
pub(crate) mod tools;
pub(crate) mod words;

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use self::{
    call::Calls,
    chainsaw::Chainsaw,
    clusters::Clusters,
    docker::Docker,
    engine::Engine,
    extension::{DOCKERFILE, versions},
    kind::Kind,
    registry::Registry,
    repository::Repository,
    tools::Tools,
    words::Words,
};
pub(crate) use self::{
    call::{BUILD, Call},
    engine::LABEL,
    extension::{GAMMA, metadata},
    kind::{CLUSTER, CONTROL_PLANE},
    process::{end_by, send, wait_for},
    registry::free_port,
};
pub(crate) use crate::support::ended::Ended;
use crate::support::hangup;

pub(crate) struct World {
    pub(crate) tools: Tools,
    pub(crate) calls: Calls,
    pub(crate) docker: Docker,
    pub(crate) engine: Engine,
    /// Before the folder: what listens ends before its files do.
    pub(crate) registry: Registry,
    pub(crate) kind: Kind,
    pub(crate) clusters: Clusters,
    pub(crate) chainsaw: Chainsaw,
    repository: Repository,
}

/// A world is its repository, with what is around it.
impl Deref for World {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.repository
    }
}

impl World {
    /// A repository with `alpha`, `beta` (which needs alpha) and `gamma`, each for trixie and bookworm; a docker.
    pub(crate) fn new() -> Self {
        Self::empty().with_extensions()
    }

    /// The same without extensions.
    pub(crate) fn empty() -> Self {
        hangup::is_heard();
        let repository = Repository::new();
        let fakes = repository.home().join("fakes");
        let tools = Tools::in_folders(repository.home().join("bin"), fakes.clone());
        Self {
            docker: Docker::on_path(&tools, &fakes),
            calls: Calls::in_folder(fakes.clone()),
            engine: Engine::in_fakes(&fakes),
            kind: Kind::in_fakes(&fakes),
            clusters: Clusters::in_fakes(&fakes),
            chainsaw: Chainsaw::in_fakes(&fakes),
            registry: Registry::of_nobody(fakes),
            tools,
            repository,
        }
    }

    /// With all that the end-to-end environment needs: kind, kubectl, chainsaw, suites, and a port for the registry.
    /// Nothing is up. Alpha has a suite of its own.
    pub(crate) fn e2e() -> Self {
        let world = Self::empty_e2e().with_extensions();
        world.write("extensions/alpha/test/chainsaw-test.yaml", "# alpha's\n");
        world
    }

    /// The same without extensions.
    pub(crate) fn empty_e2e() -> Self {
        let mut world = Self::empty();
        Kind::put_on_path(&world.tools);
        Clusters::put_on_path(&world.tools);
        Chainsaw::put_on_path(&world.tools);
        world.registry.listen("registry.pg-extensions");
        world.write(
            "xtask.toml",
            &format!("registry = \"localhost:{}\"\n", world.registry.port),
        );
        world.write("test/chainsaw-test.yaml", "# The shared suite.\n");
        world
    }

    /// The environment is up, with values for these extensions, and nothing was called.
    #[track_caller]
    pub(crate) fn e2e_up(names: &[&str]) -> Self {
        let world = Self::e2e();
        world.set_up();
        for name in names {
            world.put_values(name);
        }
        world
    }

    /// The bakes of `alpha`, `beta` (both for trixie) and `gamma` (see [`GAMMA`]) push images that say what they are.
    /// Nothing is up, and no extension has a suite of its own.
    pub(crate) fn e2e_with_images() -> Self {
        let world = Self::empty_e2e().with_extensions();
        world.put_built("alpha", &[("trixie", "18")], &[]);
        let needs = [("required_extensions", "[\"alpha\"]")];
        world.put_built("beta", &[("trixie", "18")], &needs);
        world.put_built("gamma", &GAMMA, &[]);
        world
    }

    fn with_extensions(self) -> Self {
        let alpha = [
            ("ld_library_path", "[\"system\"]"),
            ("env", "{ \"ALPHA_DATA\" = \"$${image_root}/share/a\" }"),
        ];
        let beta = [
            ("required_extensions", "[\"alpha\"]"),
            ("shared_preload_libraries", "[\"beta\"]"),
        ];
        for (name, more) in [("alpha", &alpha[..]), ("beta", &beta), ("gamma", &[])] {
            self.extension(name, &metadata(name, more));
        }
        self
    }

    /// An extension with all files that it needs; its bakes write digests.
    pub(crate) fn extension(&self, name: &str, metadata: &str) {
        let folder = format!("extensions/{name}");
        self.write(&format!("{folder}/metadata.hcl"), metadata);
        self.write(&format!("{folder}/Dockerfile"), DOCKERFILE);
        self.write(&format!("{folder}/README.md"), "# It\n");
        self.write(&format!("{folder}/smoke.sql"), "SELECT 1;\n");
        let digest = format!("sha256:{}", "ab".repeat(32));
        let target = |distro: &str| (format!("{name}-1_2-18-{distro}"), digest.clone());
        let targets = ["trixie", "bookworm"].map(target);
        self.docker.bake_writes_digests(name, &targets);
    }

    /// An extension whose bakes push images that say what they are; `pairs` are (distro, major).
    pub(crate) fn put_built(&self, name: &str, pairs: &[(&str, &str)], more: &[(&str, &str)]) {
        let versions = versions(pairs);
        let fields = [&[("versions", versions.as_str())], more].concat();
        self.extension(name, &metadata(name, &fields));
        let targets = pairs.iter().map(|(distro, major)| {
            let mut said = image::annotations(distro, major, "1.2");
            // So that no two images have the same digest.
            said["org.opencontainers.image.title"] = format!("{name} 1.2 {major} {distro}").into();
            let path = format!("{name}-testing:1.2-{major}-{distro}");
            let pushed = image::index(&said);
            let digest = self.registry.put_once_baked(name, &path, &pushed);
            (format!("{name}-1_2-{major}-{distro}"), digest)
        });
        let targets: Vec<(String, String)> = targets.collect();
        self.docker.bake_writes_digests(name, &targets);
    }

    /// Puts oras on PATH, which finds the images of [`World::registry`].
    pub(crate) fn with_oras(&self) {
        self.tools.fake("oras", include_str!("fakes/oras.sh"));
    }

    /// A cluster of somebody's own with a kubeconfig in the repository. Gives the file's name.
    pub(crate) fn put_cluster(&self, context: &str) -> String {
        self.write("theirs.kubeconfig", &self.clusters.put(context));
        "theirs.kubeconfig".to_owned()
    }

    /// Sets the environment up, and forgets how.
    #[track_caller]
    pub(crate) fn set_up(&self) {
        self.run("e2e setup-env").success();
        self.calls.forget();
    }

    /// A file by which the rules of a test say something: `$here/NAME` in their lines.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.home().join("fakes").join(name)
    }

    /// `cargo xtask WORDS` in the repository, without anything of this machine's environment.
    pub(crate) fn command(&self, words: impl Words) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(words.words())
            .current_dir(self.root())
            .env_clear()
            .env("PATH", self.tools.path())
            .env("HOME", self.home())
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end. Panics when a fake was asked what it does not know.
    #[track_caller]
    pub(crate) fn run(&self, words: impl Words) -> Ended {
        self.run_with(words, &[])
    }

    /// The same with variables of the environment.
    #[track_caller]
    pub(crate) fn run_with(&self, words: impl Words, variables: &[(&str, &str)]) -> Ended {
        self.end(self.command(words).envs(variables.iter().copied()))
    }

    /// The same in another folder, below the root.
    #[track_caller]
    pub(crate) fn run_in(&self, folder: &str, words: impl Words) -> Ended {
        self.end(self.command(words).current_dir(self.root().join(folder)))
    }

    #[track_caller]
    fn end(&self, command: &mut Command) -> Ended {
        let ended = Ended::from(&command.output().unwrap());
        let refused = fs::read_to_string(self.state("refused")).unwrap_or_default();
        assert!(refused.is_empty(), "unknown to the fakes: {refused}");
        ended
    }

    /// Starts it and waits until a fake has written its number into `hanging`.
    #[track_caller]
    pub(crate) fn started(&self, words: impl Words) -> Child {
        self.started_by(&mut self.command(words))
    }

    #[track_caller]
    pub(crate) fn started_by(&self, command: &mut Command) -> Child {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        wait_for("a fake hangs", || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "it did not come to the call");
            fs::read_to_string(self.state("hanging")).is_ok_and(|pid| pid.ends_with('\n'))
        });
        child
    }

    /// Runs lines in a real shell, with the fakes and a few real programs on PATH.
    pub(crate) fn shell(&self, lines: &str, programs: &[&str]) -> Ended {
        for program in programs {
            self.tools.real(program);
        }
        let output = Command::new("/bin/sh")
            .args(["-c", lines])
            .current_dir(self.root())
            .env_clear()
            .env("PATH", self.tools.path())
            .output();
        Ended::from(&output.unwrap())
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
