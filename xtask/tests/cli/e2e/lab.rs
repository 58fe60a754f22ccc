// SPDX-License-Identifier: Apache-2.0
//! A small repository with suites, fakes of docker, kind, kubectl and chainsaw, and a registry's port.

use std::{
    fs,
    ops::Deref,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    super::fixture::{Ended, Fixture},
    registry::{Registry, free_port},
};

const COMMON: &str = include_str!("common.sh");

const FAKES: [(&str, &str); 4] = [
    ("docker", include_str!("docker.sh")),
    ("kind", include_str!("kind.sh")),
    ("kubectl", include_str!("kubectl.sh")),
    ("chainsaw", include_str!("chainsaw.sh")),
];

/// The cluster, and its control plane, when nothing else is said.
pub(crate) const CLUSTER: &str = "pg-extensions-v1.36.1";
pub(crate) const CONTROL_PLANE: &str = "pg-extensions-v1.36.1-control-plane";

/// What says on a network, a volume or a container that it is ours.
pub(crate) const LABEL: &str = "io.cloudnativepg.xtask.environment=pg-extensions";

pub(crate) struct Lab {
    /// Before the fixture: it ends before its folder does.
    _registry: Registry,
    fixture: Fixture,
    /// Where the local registry is to be.
    pub(crate) port: u16,
}

impl Deref for Lab {
    type Target = Fixture;

    fn deref(&self) -> &Fixture {
        &self.fixture
    }
}

impl Lab {
    /// With `alpha`, `beta` (which needs alpha) and `gamma`, of which alpha has a suite of its own.
    pub(crate) fn new() -> Self {
        let lab = Self::of(Fixture::new());
        lab.write("extensions/alpha/test/chainsaw-test.yaml", "# alpha's\n");
        lab
    }

    /// Without extensions.
    pub(crate) fn empty() -> Self {
        Self::of(Fixture::empty())
    }

    fn of(fixture: Fixture) -> Self {
        let folder = fixture.programs();
        fs::rename(folder.join("docker"), fixture.fake("docker-of-builds")).unwrap();
        for (name, body) in FAKES {
            let path = folder.join(name);
            fs::write(&path, format!("{COMMON}{body}")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for below in [
            "stdin",
            "engine/networks",
            "engine/volumes",
            "engine/containers",
            "engine/images",
            "engine/registries",
            "kube",
        ] {
            fs::create_dir_all(fixture.fake(below)).unwrap();
        }
        fixture.answer("kind.version", "0.32.0\n");
        fixture.answer("chainsaw.seconds", "0\n");
        fixture.answer("architecture", &format!("{}\n", architecture()));
        let port = free_port();
        // Bakes that push at the same time would both make it.
        let local = format!("engine/registries/localhost:{port}");
        fs::create_dir_all(fixture.fake(&local)).unwrap();
        fixture.write("xtask.toml", &format!("registry = \"localhost:{port}\"\n"));
        fixture.write("test/chainsaw-test.yaml", "# The shared suite.\n");
        Self {
            _registry: Registry::watch(&fixture.fake("engine"), "registry.pg-extensions"),
            fixture,
            port,
        }
    }

    /// `xtask e2e …`; panics when a fake was asked what it does not know.
    #[track_caller]
    pub(crate) fn e2e(&self, args: &[&str]) -> Ended {
        self.e2e_with(args, &[])
    }

    #[track_caller]
    pub(crate) fn e2e_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ended {
        self.told(&[&["e2e"], args].concat(), env)
    }

    /// `xtask …` with words as they are.
    #[track_caller]
    pub(crate) fn told(&self, words: &[&str], env: &[(&str, &str)]) -> Ended {
        let ended = self.xtask_with(words, env);
        let refused = fs::read_to_string(self.fake("refused")).unwrap_or_default();
        assert!(refused.is_empty(), "unknown to the fakes: {refused}");
        ended
    }

    /// Interrupts `xtask e2e …` as soon as a fake has written `hanging`.
    #[track_caller]
    pub(crate) fn interrupted(&self, args: &[&str]) -> Ended {
        self.signalled("-INT", Stdio::null(), args)
    }

    /// Sends `xtask e2e …` a signal as soon as a fake has written `hanging`.
    #[track_caller]
    pub(crate) fn signalled(&self, signal: &str, stdin: Stdio, args: &[&str]) -> Ended {
        let mut child = self
            .command(&[&["e2e"], args].concat())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut tries = 0;
        while !self.fake("hanging").exists() {
            tries += 1;
            assert!(tries < 3000 && child.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_millis(10));
        }
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        Ended::from(&child.wait_with_output().unwrap())
    }

    /// Sets the environment up, and forgets how.
    #[track_caller]
    pub(crate) fn up(&self) {
        self.e2e(&["setup-env"]).success();
        self.forget();
    }

    pub(crate) fn without(&self, program: &str) {
        fs::remove_file(self.programs().join(program)).unwrap();
    }

    /// Lines that every fake runs before it does what it is asked; `$program` and `$*` are the call.
    pub(crate) fn rule(&self, pattern: &str, lines: &str) {
        let path = self.fake("rules.sh");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let rule = format!("{before}case \"$program $*\" in\n{pattern}) {lines} ;;\nesac\n");
        fs::write(path, rule).unwrap();
    }

    /// Lets the calls that match `pattern` (of `case`) print `text` and fail.
    pub(crate) fn fails(&self, pattern: &str, status: i32, text: &str) {
        let said = self.said(text);
        let said = said.display();
        self.rule(pattern, &format!("cat {said} >&2; exit {status}"));
    }

    /// Lets the n-th of them fail.
    pub(crate) fn fails_at(&self, n: usize, pattern: &str, status: i32, text: &str) {
        let said = self.said(text);
        let counted = said.with_extension("counted");
        let (said, counted) = (said.display(), counted.display());
        self.rule(
            pattern,
            &format!(
                "echo call >> {counted}; [ \"$(wc -l < {counted})\" -ne {n} ] || {{ cat {said} >&2; exit {status}; }}"
            ),
        );
    }

    /// Lets them wait until another call, which matches `other`, has begun.
    pub(crate) fn waits(&self, pattern: &str, other: &str) {
        let met = self.said("").with_extension("met");
        let met = met.display();
        self.rule(other, &format!(": > {met}"));
        self.rule(
            pattern,
            &format!(
                "tries=0; while [ ! -e {met} ]; do tries=$((tries + 1)); [ $tries -lt 1000 ] || fail \"waited for {other} in vain\" 66; sleep 0.01; done"
            ),
        );
    }

    pub(crate) fn no_rules(&self) {
        fs::remove_file(self.fake("rules.sh")).unwrap();
    }

    fn said(&self, text: &str) -> PathBuf {
        let count = fs::read_dir(self.fake("")).unwrap().count();
        let path = self.fake(&format!("said-{count}"));
        fs::write(&path, text).unwrap();
        path
    }

    /// All text below a folder, whatever the files are called.
    pub(crate) fn texts(&self, folder: impl AsRef<Path>) -> Vec<(PathBuf, String)> {
        let folder = self.root().join(folder);
        let mut all = Vec::new();
        for path in self.files() {
            if path.starts_with(&folder) && path.is_file() {
                let bytes = fs::read(&path).unwrap();
                all.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        all
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

/// This machine's, as Kubernetes calls it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
