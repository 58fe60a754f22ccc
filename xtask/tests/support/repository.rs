// SPDX-License-Identifier: Apache-2.0
//! A copy of this repository to work in, and the binary under test.

use std::{
    fs,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use super::{ended::Ended, hangup};

/// Whether tests run in the sandbox: there is no Docker engine of the machine's own.
pub(crate) fn sandboxed() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let docker = Command::new("docker")
            .args(["info", "--format", "{{.ServerVersion}}"])
            .output();
        !docker.is_ok_and(|output| output.status.success())
    })
}

pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// Copies of `extensions/`, `docker/`, `test/` and `xtask.toml`.
    pub(crate) fn new() -> Self {
        hangup::is_heard();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for name in ["extensions", "docker", "test", "xtask.toml"] {
            copy(&source.join(name), &folder.path().join(name));
        }
        Self { folder }
    }

    /// A copy of one of `xtask/tests/repositories`.
    pub(crate) fn foreign(name: &str) -> Self {
        hangup::is_heard();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        copy(&source.join(name), folder.path());
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {file}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(args)
            .current_dir(self.path())
            .stdin(Stdio::null());
        for name in [
            "registry",
            "environment",
            "revision",
            "base_image",
            "GITHUB_ACTIONS",
            "BUILDX_BUILDER",
        ] {
            command.env_remove(name);
        }
        if sandboxed() {
            command.env("XTASK_SANDBOX", "1");
        }
        command
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Ended {
        self.xtask_with(args, &[])
    }

    pub(crate) fn xtask_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ended {
        let output = self
            .command(args)
            .envs(env.iter().copied())
            .output()
            .unwrap();
        Ended::from(&output)
    }

    /// Asks the engine that xtask uses.
    pub(crate) fn docker(&self, args: &[&str]) -> Ended {
        let mut command = self.tool(&[&["docker"], args].concat());
        Ended::from(&command.output().unwrap())
    }

    /// A program where xtask's own children find it.
    pub(crate) fn tool(&self, words: &[&str]) -> Command {
        if sandboxed() {
            return self.command(&[&["sandbox", "exec", "--"], words].concat());
        }
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.path());
        command
    }
}

impl Repository {
    /// No test leaves a container behind, however it ended.
    #[track_caller]
    pub(crate) fn has_no_containers(&self) {
        // Those of smoke, inspect, update-os-libs and versions; the registry and nodes have names of their own.
        let args = [
            "ps",
            "--all",
            "--quiet",
            "--filter",
            "name=^xtask-(smoke|data|inspect|libraries|versions)-",
        ];
        assert_eq!(
            self.docker(&args).success().stdout,
            "",
            "containers stay behind"
        );
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        copy(&path, &to.join(path.file_name().unwrap()));
    }
}

/// A port that was free a moment ago, below the range from which systems give ports by themselves.
pub(crate) fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..first + 1_000).find(free).unwrap()
}

/// A registry on a port of its own; it ends with this value.
pub(crate) struct Registry {
    pub port: u16,
    process: Option<Child>,
    container: Option<String>,
    data: PathBuf,
}

impl Registry {
    pub(crate) fn start(repository: &Repository) -> Self {
        let port = free_port();
        Self::start_at(repository, port)
    }

    pub(crate) fn start_at(repository: &Repository, port: u16) -> Self {
        let data = repository.path().join("registry-data");
        fs::create_dir_all(&data).unwrap();
        let address = format!("127.0.0.1:{port}");
        let mut registry = Self {
            port,
            process: None,
            container: None,
            data: data.clone(),
        };
        if sandboxed() {
            let config = repository.path().join("registry.yml");
            let text = format!(
                "version: 0.1\nlog: {{accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"}}\n",
                data.display()
            );
            fs::write(&config, text).unwrap();
            let mut command =
                repository.command(&["sandbox", "exec", "--", "docker-registry", "serve"]);
            command
                .arg(&config)
                .env("OTEL_TRACES_EXPORTER", "none")
                .process_group(0);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            registry.process = Some(command.spawn().unwrap());
        } else {
            let name = format!("xtask-test-registry-{port}");
            let publish = format!("{address}:5000");
            repository
                .docker(&[
                    "run",
                    "--detach",
                    "--name",
                    &name,
                    "--publish",
                    &publish,
                    "registry:3.1.1",
                ])
                .success();
            registry.container = Some(name);
        }
        // Answers when it is up; asked from inside, where the engine asks from.
        for _ in 0..200 {
            let name = format!("localhost:{port}/nothing:1");
            let asked = repository.docker(&["buildx", "imagetools", "inspect", "--raw", &name]);
            if asked.stderr.contains("not found") {
                return registry;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the registry at {address} does not answer");
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Loses what it has of a blob, as a disk does.
    pub(crate) fn lose(&self, digest: &str) {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let path = format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        let Some(name) = &self.container else {
            return fs::remove_file(self.data.join(path)).unwrap();
        };
        let file = format!("/var/lib/registry/{path}");
        let removed = Command::new("docker")
            .args(["exec", name, "rm", &file])
            .status();
        assert!(removed.unwrap().success());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let group = format!("-{}", process.id());
            // xtask ends what it runs inside, which leads a group of its own.
            let _ended = Command::new("kill").args(["-TERM", "--", &group]).status();
            let _status = process.wait();
        }
        if let Some(name) = self.container.take() {
            let _removed = Command::new("docker")
                .args(["rm", "--force", "--volumes", &name])
                .output();
        }
    }
}
