// SPDX-License-Identifier: Apache-2.0
//! A registry with the API for what refers to an image; the one that Debian has knows only the tag that stands for it.

use std::{
    fs,
    net::TcpStream,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::repository::Repository;

const SOURCE: &str = include_str!("referrers.go.txt");
const MODULE: &str =
    "module referrers\n\ngo 1.24\n\nrequire github.com/google/go-containerregistry v0.20.6\n";

/// It ends with this value, and so do its images.
pub(crate) struct Referrers {
    port: u16,
    process: Child,
    /// There once something has arrived.
    arrived: PathBuf,
}

impl Referrers {
    /// The program in a repository, where it is seen from wherever tools run. It is told its address and what to make when
    /// something arrives.
    pub(crate) fn program(repository: &Repository) -> PathBuf {
        let program = repository.path().join("referrers");
        fs::copy(compiled(), &program).unwrap();
        program
    }

    pub(crate) fn start(repository: &Repository, port: u16) -> Self {
        let program = Self::program(repository);
        let arrived = repository.path().join("arrived");
        let address = format!("127.0.0.1:{port}");
        let words = [
            program.to_str().unwrap(),
            &address,
            arrived.to_str().unwrap(),
        ];
        let mut command = repository.tool(&words);
        command.process_group(0).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        until("the registry answers", || {
            TcpStream::connect(&address).is_ok()
        });
        Self {
            port,
            process,
            arrived,
        }
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Waits until something has arrived.
    pub(crate) fn wait_for_arrival(&self) {
        until("something arrives", || self.arrived.exists());
    }
}

impl Drop for Referrers {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ended = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _status = self.process.wait();
    }
}

/// The program, which Go makes once for all tests.
fn compiled() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("referrers");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("main.go"), SOURCE).unwrap();
    fs::write(folder.join("go.mod"), MODULE).unwrap();
    let built = Command::new("go")
        .args(["build", "-mod=mod", "-o", "program", "."])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    folder.join("program")
}

/// Waits for something that comes soon where nothing is broken.
fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: in vain");
}
