// SPDX-License-Identifier: Apache-2.0
//! Where the source of an extension is that no archive of Debian packages has: addresses of archives, and crates.

use super::{Url, is_made_of, text_type};

text_type!(
    /// The address of an archive of source code, which stands in a Dockerfile as it is: BuildKit would take `$` for a variable, `#`
    /// and `.git` for a repository of git, and `{}` nobody has in an address.
    SourceUrl,
    is_source,
    "the address of an archive, like `https://example.org/x-1.0.tar.gz`: not of a repository (`.git`), without a login, blanks, \
     quotes, `$`, `#`, brackets and braces"
);

fn is_source(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?@&+,;=%".contains(&byte);
    let Some((_, path)) = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
    else {
        return false;
    };
    let path = path.split('?').next().unwrap_or_default();
    Url::is(text)
        && text.bytes().all(is_plain)
        && !path.is_empty()
        && !path.ends_with('/')
        && path.rsplit('.').next() != Some("git")
}

impl SourceUrl {
    /// Whether nobody on the way can change what it leads to.
    pub(crate) fn is_safe(&self) -> bool {
        self.starts_with("https://")
    }
}

text_type!(
    /// A crate with its version, `pg_example@1.0.0`. Fact: <https://doc.rust-lang.org/cargo/reference/manifest.html>, `name`; the
    /// registry wants letters, digits, `-` and `_`.
    Crate,
    is_crate,
    "a crate with its version, like `pg_example@1.0.0`"
);

fn is_crate(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        is_made_of(name, |byte| byte.is_ascii_alphabetic(), is_part, 64)
    };
    let is_version = |version: &str| {
        let core = version.split(['-', '+']).next().unwrap_or_default();
        let parts: Vec<&str> = core.split('.').collect();
        let is_number = |part: &&str| {
            !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
        parts.len() == 3
            && parts.iter().all(is_number)
            && is_made_of(version, |byte| byte.is_ascii_digit(), is_part, 100)
    };
    text.split_once('@')
        .is_some_and(|(name, version)| is_name(name) && is_version(version))
}

impl Crate {
    /// Where the registry has it. Fact: `dl` of <https://index.crates.io/config.json>, and
    /// <https://doc.rust-lang.org/cargo/reference/registry-index.html>.
    pub(crate) fn url(&self) -> Option<SourceUrl> {
        let (name, version) = self.split_once('@')?;
        format!("https://static.crates.io/crates/{name}/{name}-{version}.crate")
            .parse()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_word_of_a_dockerfile_that_leads_to_a_file() {
        for good in [
            "https://github.com/o/r/archive/refs/tags/v1.2.tar.gz",
            "http://127.0.0.1:8080/x.zip",
            "https://x.example/download?file=x-1.0.tar.gz&raw=1",
        ] {
            assert!(SourceUrl::is(good), "{good}");
        }
        for bad in [
            "",
            "x.tar.gz",
            "file:///etc/passwd",
            "git://x.example/y",
            "--output=/etc/x",
            "https://x.example",
            "https://x.example/",
            "https://x.example/a/",
            "https://github.com/o/r.git",
            "https://github.com/o/r.git?ref=main",
            "https://github.com/o/r#main",
            "https://x.example/${HOME}.tar.gz",
            "https://x.example/$(id).tar.gz",
            "https://x.example/a b.tar.gz",
            "https://x.example/a\nRUN id",
            "https://x.example/[a].tar.gz",
            "https://x.example/{version}.tar.gz",
            "https://user:secret@x.example/a.tar.gz",
            "https://x.example/a\\.tar.gz",
            "https://x.example/\"a.tar.gz",
        ] {
            assert!(!SourceUrl::is(bad), "{bad}");
        }
    }

    #[test]
    fn a_crate_has_a_name_and_a_whole_version() {
        let parsed: Crate = "pg_example@1.0.0-rc.1+x".parse().unwrap();
        assert_eq!(
            &*parsed.url().unwrap(),
            "https://static.crates.io/crates/pg_example/pg_example-1.0.0-rc.1+x.crate"
        );
        for bad in [
            "",
            "x",
            "x@",
            "x@1",
            "x@1.0",
            "@1.0.0",
            "x@^1.0.0",
            "-x@1.0.0",
            "x/y@1.0.0",
            "x@1.0.0;id",
            "x@1..0",
            "x@a.b.c",
        ] {
            assert!(!Crate::is(bad), "{bad}");
        }
    }
}
