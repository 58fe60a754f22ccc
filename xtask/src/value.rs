// SPDX-License-Identifier: Apache-2.0
//! Text from outside as values that cannot hold anything else: what has one of these types is no option, no
//! path to elsewhere, and no command, whoever it is handed to.

mod allow_list;
pub(crate) mod annotations;
mod debian;
mod image;
mod licence;
mod name;
mod path;
pub(crate) mod placeholder;
mod postgres;
mod registry;
mod server;
mod source;
mod url;

pub(crate) use allow_list::AllowList;
pub(crate) use annotations::Annotations;
pub(crate) use debian::{DebianVersion, PackageName, PackagePattern, Suite, in_package_names};
pub(crate) use image::{ImageRef, split_host};
pub(crate) use licence::Licence;
pub(crate) use name::{
    BuilderName, ClusterName, EnvironmentName, HostName, LONGEST_NAME, Name, NetworkName,
    ObjectName, Platform, Username, joined,
};
pub(crate) use path::InnerPath;
pub(crate) use postgres::{Library, Major, Parameter, SqlName, SqlVersion, Variable};
pub(crate) use registry::{Digest, Domain, Registry, RepositoryPath, is_local, is_tag};
pub(crate) use server::Server;
pub(crate) use source::{Crate, SourceUrl};
pub(crate) use url::{Url, without_logins, without_userinfo};

use crate::printable::is_hidden;

/// A type of text, its test, and what it must be: a phrase that reads well after "it must be".
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $is:expr, $wanted:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        pub(crate) struct $name(String);

        impl $name {
            pub(crate) const WANTED: &'static str = $wanted;

            /// Whether a text is one.
            pub(crate) fn is(text: &str) -> bool {
                let is: fn(&str) -> bool = $is;
                is(text)
            }
        }

        impl std::str::FromStr for $name {
            /// What it must be.
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if Self::is(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Self::WANTED)
                }
            }
        }

        /// As it is read again from JSON that we have written and that somebody may have edited.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let wrong = |wanted| serde::de::Error::custom(format!("`{text}` must be {wanted}"));
                text.parse().map_err(wrong)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<std::ffi::OsStr> for $name {
            fn as_ref(&self) -> &std::ffi::OsStr {
                self.0.as_ref()
            }
        }
    };
}
use text_type;

/// Whether a text is one line of visible characters: no control characters, no turned direction.
pub(crate) fn is_one_line(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// Whether a text begins with one of `first` and goes on with `others`, at most `most` bytes in all.
fn is_made_of(text: &str, first: fn(u8) -> bool, others: fn(u8) -> bool, most: usize) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= most
        && bytes
            .split_first()
            .is_some_and(|(head, rest)| first(*head) && rest.iter().all(|byte| others(*byte)))
}

/// Bytes as hexadecimal digits, as digests are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests;
