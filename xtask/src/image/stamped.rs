// SPDX-License-Identifier: Apache-2.0
//! The tags with the moment of the bake in them, of which each bake of a target leaves one behind.

/// The timestamped tags of one target: of one version, for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    /// `registry/name`, without a tag.
    pub repository: String,
    /// What stands before the digits of the time: `0.8.6-`.
    pub prefix: String,
    /// How many digits the time has.
    pub digits: usize,
    /// What stands behind them: `-18-trixie`.
    pub suffix: String,
}

impl Stamped {
    /// What they all look like.
    pub(crate) fn pattern(&self) -> String {
        format!("{}:{}", self.repository, self.tag_pattern())
    }

    /// The same, without the repository.
    pub(crate) fn tag_pattern(&self) -> String {
        format!("{}{{YYYYMMDDhhmm}}{}", self.prefix, self.suffix)
    }

    /// Those of a repository's tags that are such, oldest first, each once.
    pub(crate) fn of<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut own: Vec<&str> = tags.into_iter().filter(|tag| self.covers(tag)).collect();
        own.sort_unstable();
        own.dedup();
        own
    }

    /// Whether `tag` is one of these.
    pub(crate) fn covers(&self, tag: &str) -> bool {
        tag.strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_suffix(&self.suffix))
            .is_some_and(|time| {
                time.len() == self.digits && time.bytes().all(|byte| byte.is_ascii_digit())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_by_their_moment_and_others_are_left_out() {
        let stamped = Stamped {
            repository: "localhost:5000/pgvector-testing".into(),
            prefix: "0.8.6-".into(),
            digits: 12,
            suffix: "-18-trixie".into(),
        };
        let tags = [
            "0.8.6-18-trixie",
            "0.8.6-202611220300-18-trixie",
            "0.8.6-202611220200-18-trixie",
            "0.8.6-202611220300-18-trixie",
            "0.8.6-202611220200-18-bookworm",
            "0.8.5-202611220200-18-trixie",
            "10.8.6-202611220200-18-trixie",
            "0.8.6-20261122020x-18-trixie",
            "0.8.6-2026112202001-18-trixie",
        ];
        assert_eq!(
            stamped.of(tags),
            [
                "0.8.6-202611220200-18-trixie",
                "0.8.6-202611220300-18-trixie"
            ]
        );
    }
}
