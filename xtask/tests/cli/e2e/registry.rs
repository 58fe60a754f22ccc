// SPDX-License-Identifier: Apache-2.0
//! What listens at the registry's port while the fake docker's container runs, as the engine's proxy would.

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
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Serves for the container `name` of the engine whose files lie in `engine`. As long as a file
    /// `registry.busy` lies beside the container it answers with 503, as one that is starting.
    pub(crate) fn watch(engine: &Path, name: &str) -> Self {
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

impl Drop for Registry {
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
