// SPDX-License-Identifier: Apache-2.0
//! Where the source of an extension is that no archive of Debian packages has: addresses of archives.

use super::{Url, text_type};

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
}
