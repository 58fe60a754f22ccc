// SPDX-License-Identifier: Apache-2.0
//! Addresses of the web, without a login in them.

use super::{Domain, text_type};

text_type!(
    /// `http://…` or `https://…`, made of what RFC 3986 allows, without quotes. A user and a password would
    /// be in arguments and logs: programs have files for them.
    Url,
    is_url,
    "a URL like `https://mirror.example/debian`, without blanks and quotes, and without a user or a password in it: \
     apt reads those from a file in `/etc/apt/auth.conf.d`, curl and kubectl's kind from `~/.netrc`, containerd from its login"
);

fn is_url(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%{}".contains(&byte);
    text.len() <= 2_000 && Domain::is(authority) && path.bytes().all(allowed)
}

/// The text as it may be shown: what stands before an `@` of an address is left out, whatever else is wrong
/// with the text.
pub(crate) fn without_userinfo(text: &str) -> String {
    let mut shown = String::new();
    for (at, word) in text.split(',').enumerate() {
        if at > 0 {
            shown.push(',');
        }
        let (scheme, rest) = match word.find("://") {
            None => ("", word),
            Some(at) => word.split_at(at + 3),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // A password may hold a slash, too.
        let user = rest[..end].rfind('@').or_else(|| {
            rest.rfind('@')
                .filter(|_| !scheme.is_empty() && rest[..end].contains(':'))
        });
        let digest = |at: usize| rest[at + 1..].starts_with("sha256:");
        match user.filter(|at| !digest(*at)) {
            None => shown += word,
            Some(at) => shown += &format!("{scheme}<redacted>{}", &rest[at..]),
        }
    }
    shown
}

/// A message as it may be shown: of every word in it that has a login, `https://user:password@host` or
/// `user:password@host`, the login is left out.
pub(crate) fn without_logins(text: &str) -> String {
    let has_login = |word: &str| {
        word.rsplit_once('@').is_some_and(|(before, after)| {
            (before.contains("://") || before.contains(':')) && !after.starts_with("sha256:")
        })
    };
    let mut shown = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        if !has_login(word) {
            shown += word;
            continue;
        }
        // What stands around a word stays.
        let start = word.find(|c: char| !"`'\"(".contains(c)).unwrap_or(0);
        let (around, word) = word.split_at(start);
        shown += around;
        shown += &without_userinfo(word);
    }
    shown
}
