// SPDX-License-Identifier: Apache-2.0
//! The licences that may be used, and what of an expression they do not cover.

use spdx::{
    LicenseReq, Licensee,
    expression::{ExprNode, Operator},
};

use super::licence::{Licence, MODE, says_nothing};

/// A licence that may be used: one name, with an exception perhaps.
#[derive(Clone, Debug)]
struct Allowed {
    text: String,
    licensee: Licensee,
}

/// All that may be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowList(Vec<Allowed>);

impl AllowList {
    /// What each of the list must be: a phrase that reads well after "it must be".
    pub(crate) const WANTED: &str = "a licence by its SPDX name, with an exception perhaps: `MIT`, `GPL-2.0-or-later`, `LicenseRef-public-domain`, `Apache-2.0 WITH LLVM-exception`";

    /// Whether a text is a licence of such a list.
    pub(crate) fn takes(text: &str) -> bool {
        let read = Licensee::parse_mode(text, MODE);
        read.is_ok_and(|read| !says_nothing(read.as_ref()))
    }

    /// What is none is left out: settings hold no such.
    pub(crate) fn of(texts: &[String]) -> Self {
        let read = texts.iter().filter_map(|text| {
            let licensee = Licensee::parse_mode(text, MODE).ok()?;
            let text = text.clone();
            Some(Allowed { text, licensee })
        });
        Self(read.collect())
    }

    /// Whether there is none, which means that there is no rule.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of an expression is not allowed: of what is joined by OR one is enough. Empty: it may be used.
    pub(crate) fn refused(&self, licence: &Licence) -> Vec<String> {
        let mut stack: Vec<Vec<String>> = Vec::new();
        // Operators stand behind what they join.
        for node in licence.expression().iter() {
            let refused = match node {
                ExprNode::Req(wanted) if self.allows(&wanted.req) => Vec::new(),
                ExprNode::Req(wanted) => vec![wanted.req.to_string()],
                ExprNode::Op(operator) => {
                    let (mut one, other) = (
                        stack.pop().unwrap_or_default(),
                        stack.pop().unwrap_or_default(),
                    );
                    let is_enough = one.is_empty() || other.is_empty();
                    if *operator == Operator::Or && is_enough {
                        one.clear();
                    } else {
                        one.splice(0..0, other);
                    }
                    one
                }
            };
            stack.push(refused);
        }
        let mut refused: Vec<String> = Vec::new();
        for name in stack.into_iter().flatten() {
            if !refused.contains(&name) {
                refused.push(name);
            }
        }
        refused
    }

    fn allows(&self, wanted: &LicenseReq) -> bool {
        let text = wanted.to_string();
        let mut all = self.0.iter();
        all.any(|one| {
            one.text == text
                || one.licensee.satisfies(wanted)
                || one.licensee.as_ref().addition == wanted.addition
                    && or_later(one.licensee.as_ref(), wanted)
        })
    }
}

/// Whether one licence of GNU is another in a version of the user's choice: `GPL-3.0-only` and `GPL-2.0-or-later`.
fn or_later(allowed: &LicenseReq, wanted: &LicenseReq) -> bool {
    let (Some(allowed), Some(wanted)) = (allowed.license.id(), wanted.license.id()) else {
        return false;
    };
    let Some(wanted) = wanted.name.strip_suffix("-or-later") else {
        return false;
    };
    let allowed = allowed.name.trim_end_matches("-or-later");
    let allowed = allowed.trim_end_matches("-only");
    match (allowed.rsplit_once('-'), wanted.rsplit_once('-')) {
        (Some((family, version)), Some((other, least))) => family == other && version >= least,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(allowed: &[&str], licence: &str) -> Vec<String> {
        let allowed: Vec<String> = allowed.iter().map(|&text| text.to_owned()).collect();
        assert!(
            allowed.iter().all(|text| AllowList::takes(text)),
            "{allowed:?}"
        );
        AllowList::of(&allowed).refused(&licence.parse().unwrap())
    }

    #[test]
    fn of_what_is_joined_by_or_one_is_enough_and_by_and_all_are_needed() {
        let none = Vec::<String>::new();
        assert_eq!(refused(&["MIT"], "MIT"), none);
        assert_eq!(refused(&["MIT"], "MIT OR GPL-3.0-only"), none);
        assert_eq!(refused(&["MIT"], "MIT AND Zlib"), ["Zlib"]);
        assert_eq!(refused(&["MIT", "Zlib"], "MIT AND Zlib"), none);
        assert_eq!(refused(&["MIT"], "Zlib AND (MIT OR ISC)"), ["Zlib"]);
        assert_eq!(refused(&["MIT"], "Zlib OR ISC"), ["Zlib", "ISC"]);
        assert_eq!(refused(&["Zlib", "ISC"], "MIT OR Zlib AND ISC"), none);
        assert_eq!(refused(&[], "MIT"), ["MIT"]);
    }

    #[test]
    fn or_later_takes_any_later_one_and_an_exception_is_a_matter_of_its_own() {
        let none = Vec::<String>::new();
        assert_eq!(refused(&["GPL-2.0-or-later"], "GPL-2.0-or-later"), none);
        assert_eq!(refused(&["GPL-3.0-only"], "GPL-2.0-or-later"), none);
        assert_eq!(refused(&["GPL-2.0-only"], "GPL-2.0-or-later"), none);
        assert_eq!(
            refused(&["GPL-2.0-only"], "GPL-3.0-or-later"),
            ["GPL-3.0-or-later"]
        );
        assert_eq!(refused(&["GPL-2.0-only"], "GPL-2.0+"), none);
        assert_eq!(
            refused(&["Apache-2.0"], "Apache-2.0 WITH LLVM-exception"),
            ["Apache-2.0 WITH LLVM-exception"]
        );
        let with = "Apache-2.0 WITH LLVM-exception";
        assert_eq!(refused(&[with], with), none);
        let other = "LicenseRef-public-domain";
        assert_eq!(refused(&[other], other), none);
        assert_eq!(refused(&["MIT"], other), [other]);
    }

    #[test]
    fn a_list_holds_names_and_no_expressions() {
        for text in ["", "Expat", "MIT OR Zlib", "NONE", "NOASSERTION"] {
            assert!(!AllowList::takes(text), "{text:?}");
        }
    }
}
