// SPDX-License-Identifier: Apache-2.0
//! A forwarding proxy that says what it was asked for.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

pub(crate) struct Forward {
    /// Where it listens, at this machine's loopback and at its own address.
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Forward {
    /// Listens for as long as the test runs.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || drop(serve(client, &log)));
            }
        });
        Self { port, asked }
    }

    /// What it was asked for since the last time: `GET http://…`, `CONNECT host:443`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// One request for each connection: whoever has more to ask comes again.
fn serve(client: TcpStream, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    log.lock().unwrap().push(format!("{method} {target}"));
    if method == "CONNECT" {
        return tunnel(reader, client, target);
    }
    let rest = target.strip_prefix("http://").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let Ok(mut server) = TcpStream::connect(address) else {
        return refuse(client);
    };
    let headers = lines[1..].iter().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        !["connection", "proxy-connection"].contains(&name.as_str())
    });
    let headers: Vec<&str> = headers.flat_map(|line| [line, "\r\n"]).collect();
    let headers = headers.concat();
    write!(
        server,
        "{method} /{path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
    )?;
    relay(server, client)
}

fn refuse(mut client: TcpStream) -> io::Result<()> {
    client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn tunnel(
    mut from_client: BufReader<TcpStream>,
    mut client: TcpStream,
    target: &str,
) -> io::Result<()> {
    let Ok(server) = TcpStream::connect(target) else {
        return refuse(client);
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let mut to_server = server.try_clone()?;
    thread::spawn(move || {
        let _ended = io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(Shutdown::Write)
    });
    relay(server, client)
}

fn relay(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut piece = vec![0; 65_536];
    loop {
        match from.read(&mut piece)? {
            0 => return to.shutdown(Shutdown::Both),
            count => to.write_all(&piece[..count])?,
        }
    }
}
