// SPDX-License-Identifier: Apache-2.0
//! Hosts of registries, and repositories in them. Facts: the grammar of
//! <https://github.com/distribution/reference/blob/main/reference.go>.

use std::{
    io::{self, Read},
    net::Ipv4Addr,
};

use sha2::{Digest as _, Sha256};

use super::{hex, is_lower, is_made_of, is_word, text_type};

/// Of a repository with its host.
const LONGEST: usize = 255;

text_type!(
    /// The host of a registry, with a port perhaps: `ghcr.io`, `localhost:5000`, `[::1]:5000`.
    Domain,
    is_domain,
    "a host, with a port perhaps: `ghcr.io`, `localhost:5000`; without a scheme, a user or a path"
);

text_type!(
    /// A repository below a host: `cloudnative-pg/pgvector`.
    RepositoryPath,
    |text| text.len() <= LONGEST && text.split('/').all(is_component),
    "a repository's name: lower-case letters and digits with one of `.`, `_`, `__`, `-` between them, and `/`"
);

text_type!(
    /// Where images are: a host with a port and a path perhaps, `localhost:5000`, `ghcr.io/cloudnative-pg`.
    Registry,
    is_registry,
    "the host of a registry, with a port and a path perhaps: `localhost:5000`, `ghcr.io/cloudnative-pg`; without a scheme and a user (`docker login` keeps those)"
);

text_type!(
    /// What a bake has made, or a registry has: as go-digest writes it, `sha256:` and 64 hexadecimal digits.
    Digest,
    |text| text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }),
    "`sha256:` and 64 hexadecimal digits"
);

impl Digest {
    /// As people tell them apart: the first of its digits.
    pub(crate) fn short(&self) -> &str {
        &self.0[..19]
    }

    /// The digest of some bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(bytes))))
    }

    /// The digest of all that a reader gives, and how many bytes that is.
    pub(crate) fn of_all(mut from: impl Read) -> io::Result<(Self, u64)> {
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok((Self(format!("sha256:{}", hex(&hash.finalize()))), size)),
                read => {
                    hash.update(&buffer[..read]);
                    size += read as u64;
                }
            }
        }
    }
}

fn is_registry(text: &str) -> bool {
    let (first, path) = match text.split_once('/') {
        None => (text, None),
        Some((first, path)) => (first, Some(path)),
    };
    text.len() <= LONGEST && is_domain(first) && path.is_none_or(RepositoryPath::is)
}

fn is_domain(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    if !port.is_none_or(|port| {
        port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with('+')
    }) {
        return false;
    }
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = inner {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.split('.').all(|label| {
        is_made_of(
            label,
            |byte| byte.is_ascii_alphanumeric(),
            |byte| byte.is_ascii_alphanumeric() || byte == b'-',
            63,
        ) && !label.ends_with('-')
    })
}

/// Letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        let word = rest.iter().take_while(|byte| is_lower(**byte)).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        let between = rest.iter().take_while(|byte| !is_lower(**byte)).count();
        match &rest[..between] {
            [] => return true,
            b"." | b"_" | b"__" => {}
            dashes if dashes.iter().all(|byte| *byte == b'-') => {}
            _ => return false,
        }
        rest = &rest[between..];
    }
}

/// `[\w][\w.-]{0,127}`.
pub(crate) fn is_tag(text: &str) -> bool {
    is_made_of(
        text,
        is_word,
        |byte| is_word(byte) || b".-".contains(&byte),
        128,
    )
}

/// Whether a registry, or a repository in it, is on this machine: what is pushed there is for this machine.
pub(crate) fn is_local(registry: &str) -> bool {
    let host = registry.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_loopback = |address: Ipv4Addr| address.is_loopback();
    matches!(host, "localhost" | "[::1]") || host.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn this_machine_is_known_by_its_own_names_alone() {
        for host in [
            "localhost:5000/x",
            "127.0.0.1",
            "127.1.2.3:5000",
            "[::1]:5000/x",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "127.evil.example.com/x",
            "127.0.0.1.nip.io:5000",
            "127.1",
            "ghcr.io/localhost",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
