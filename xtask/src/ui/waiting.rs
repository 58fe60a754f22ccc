// SPDX-License-Identifier: Apache-2.0
//! How it is said what a run has waited for longest.

use super::seconds;
use crate::run::waiting::Waiting;

/// So many steps are named: the first and the last ones.
const SHOWN: usize = 6;

/// In a sentence: the step, its part of the whole time, what would be left without it, and what waited for what.
pub(super) fn sentence(waiting: &Waiting) -> String {
    let name = |(name, _): &(String, _)| format!("`{name}`");
    let mut names: Vec<String> = waiting.path.iter().map(name).collect();
    if names.len() > SHOWN {
        names.splice(SHOWN / 2..names.len() - SHOWN / 2, ["…".to_owned()]);
    }
    let (longest, took) = &waiting.path[waiting.longest];
    format!(
        "`{longest}` was waited for longest: {} of {}; without it the steps need {} (the last to end waited for each other: {})",
        seconds(*took),
        seconds(waiting.total),
        seconds(waiting.without),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_said_what_would_be_left() {
        let step = |name: &str, seconds| (name.to_owned(), Duration::from_secs(seconds));
        let waiting = Waiting {
            total: Duration::from_secs(125),
            path: vec![step("bake postgis", 90), step("smoke postgis", 34)],
            longest: 0,
            without: Duration::from_secs(51),
        };
        assert_eq!(
            sentence(&waiting),
            "`bake postgis` was waited for longest: 90.0s of 2m05s; without it the steps need 51.0s \
             (the last to end waited for each other: `bake postgis`, `smoke postgis`)"
        );
    }
}
