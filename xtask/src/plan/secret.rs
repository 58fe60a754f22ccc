// SPDX-License-Identifier: Apache-2.0
//! A text that nobody may see: it reaches a child's standard input, or docker's own variable for logins, and nothing else.

use std::fmt;

/// The variable of our own environment that holds the private registry's password. No child inherits it.
pub(crate) const PASSWORD: &str = "REGISTRY_PASSWORD";

/// The variable of our own environment that holds the password of the key to sign with. Only cosign inherits it, which reads it there.
pub(crate) const SIGNING_PASSWORD: &str = "COSIGN_PASSWORD";

/// The program that inherits it.
pub(crate) const SIGNER: &str = "cosign";

/// Where docker 28.3 and its plugins look for logins before their own files, see
/// <https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go>.
pub(crate) const DOCKER_LOGINS: &str = "DOCKER_AUTH_CONFIG";

/// Shown, in messages, logs and plans, it is `<redacted>`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who hands it to a child.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
