// SPDX-License-Identifier: Apache-2.0
//! The name of one run of this program, which its children, containers and namespaces carry.

use std::fmt;

/// Sixteen hexadecimal digits, drawn at random: no two runs share one, on whatever machines they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId(String);

impl RunId {
    /// A new one. Fails only where the system has no source of random numbers.
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("{:016x}", getrandom::u64()?)))
    }

    /// One that was written down; None when it is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        (text.len() == 16 && text.chars().all(digit)).then(|| Self(text.to_owned()))
    }

    /// The first eight digits, for names that have little room.
    pub(crate) fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        let id = RunId::draw().unwrap();
        assert!(id.to_string().starts_with(id.short()));
        assert_eq!(id.to_string().len(), 16);
        assert_ne!(RunId::draw().unwrap(), id);
    }
}
