// SPDX-License-Identifier: Apache-2.0
//! The registries of the fakes: the images in them, and what listens at the port of the environment's own while its
//! container runs, as the engine's proxy would.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::image::{annotations, index};

/// Below the ports that the kernel gives to whoever asks for any.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nothing listens at, and that no other test of this process gets.
pub(crate) fn free_port() -> u16 {
    let first = 10_000 + u16::try_from(std::process::id() % 200).unwrap() * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::SeqCst);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub(crate) struct Registry {
    /// Where the environment's own is to be.
    pub(crate) port: u16,
    /// Where the fakes are.
    fakes: PathBuf,
    listener: Option<Listener>,
}

impl Registry {
    /// One that is nowhere.
    pub(super) fn of_nobody(fakes: PathBuf) -> Self {
        Self {
            port: 5000,
            fakes,
            listener: None,
        }
    }

    /// One at a port of its own, for the container `name` of the engine.
    pub(super) fn listen(&mut self, name: &str) {
        self.port = free_port();
        // Bakes that push at the same time would both make it.
        let local = format!("engine/registries/localhost:{}", self.port);
        fs::create_dir_all(self.fakes.join(local)).unwrap();
        // From now on the fakes look who listens before they push.
        fs::write(self.fakes.join("docker/registry"), "").unwrap();
        self.listener = Some(Listener::watch(&self.fakes.join("engine"), name));
    }

    /// The environment's container has another name.
    pub(crate) fn is_called(&mut self, name: &str) {
        self.listener = Some(Listener::watch(&self.fakes.join("engine"), name));
    }

    /// As long as this file is there it answers with 503, as one that is starting.
    pub(crate) fn busy(&self) -> PathBuf {
        self.fakes.join("engine/registry.busy")
    }

    /// An image of the environment's registry, as it is named outside of the cluster.
    pub(crate) fn local(&self, path: &str) -> String {
        format!("localhost:{}/{path}", self.port)
    }

    /// An image that its registry has. Gives its digest.
    pub(crate) fn put(&self, reference: &str, described: &Value) -> String {
        put(&self.fakes.join("engine/registries"), reference, described)
    }

    /// An image that the local registry has, for PostgreSQL 18. Gives its digest.
    pub(crate) fn put_local(&self, path: &str, distro: &str, sql: &str) -> String {
        self.put(&self.local(path), &index(&annotations(distro, "18", sql)))
    }

    /// What the registry says of the platform of an image without an index.
    pub(crate) fn put_platform(&self, reference: &str, platform: &str) {
        let path = self
            .fakes
            .join("engine/registries")
            .join(format!("{reference}.platform"));
        fs::write(path, format!("{platform}\n")).unwrap();
    }

    /// An image that the local registry has as soon as a bake of `extension` has pushed it. Gives its digest.
    pub(crate) fn put_once_baked(&self, extension: &str, path: &str, described: &Value) -> String {
        let folder = self.fakes.join(format!("docker/bake.pushes.{extension}"));
        put(&folder, &self.local(path), described)
    }
}

/// Writes an image below a folder, by its tag and by its digest. Gives the digest.
fn put(folder: &Path, reference: &str, described: &Value) -> String {
    let raw = described.to_string();
    let digits = Sha256::digest(raw.as_bytes());
    let digits = digits
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let digest = format!("sha256:{digits}");
    let repository = reference.rsplit_once(':').unwrap().0;
    for name in [reference.to_owned(), format!("{repository}@{digest}")] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &raw).unwrap();
    }
    digest
}

struct Listener {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Serves for the container `name` of the engine whose files lie in `engine`.
    fn watch(engine: &Path, name: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, container) = (Arc::clone(&stop), engine.join("containers").join(name));
        let busy = engine.join("registry.busy");
        let thread = thread::spawn(move || {
            let mut listener: Option<(u16, TcpListener)> = None;
            while !flag.load(Ordering::SeqCst) {
                let wanted = published(&container);
                if listener.as_ref().map(|(port, _)| *port) != wanted {
                    listener = wanted.and_then(|port| {
                        let listener = TcpListener::bind(("127.0.0.1", port)).ok()?;
                        listener.set_nonblocking(true).unwrap();
                        Some((port, listener))
                    });
                }
                if let Some((_, listener)) = &listener {
                    while let Ok((stream, _)) = listener.accept() {
                        answer(stream, if busy.exists() { 503 } else { 200 });
                    }
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// The port of this machine at which a running container is published.
fn published(container: &Path) -> Option<u16> {
    let read = |file: PathBuf| fs::read_to_string(file).ok();
    let running = read(container.join("state"))?.trim() == "running";
    let ports = read(container.join("ports")).filter(|_| running)?;
    let (outside, _) = ports.split_once("->")?;
    outside.rsplit(':').next()?.parse().ok()
}

/// A client that has left is of no interest.
fn answer(mut stream: TcpStream, status: u16) {
    stream.set_nonblocking(false).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let mut request = [0; 1024];
    let Ok(length) = stream.read(&mut request) else {
        return;
    };
    let request = String::from_utf8_lossy(&request[..length]);
    let status = if request.starts_with("GET /v2/ HTTP/1.") {
        status
    } else {
        404
    };
    let _left = write!(
        stream,
        "HTTP/1.1 {status} it\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
}
