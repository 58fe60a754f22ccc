// SPDX-License-Identifier: Apache-2.0
//! Licences by their names in SPDX, and as expressions of them.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use spdx::{Expression, LicenseReq, ParseMode};

/// Bytes of an expression at most: one that joins the hundred licences of a large library has some thousand.
const LONGEST: usize = 64 * 1024;

/// What is taken: names that SPDX has given up (`GPL-2.0`) too, as labels and SBOMs have them, and none that it never had.
pub(super) const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// Licences as SPDX writes them: `MIT`, `GPL-2.0-or-later AND (MIT OR Zlib)`, `LicenseRef-public-domain`.
#[derive(Clone, Debug)]
pub(crate) struct Licence(Expression);

impl FromStr for Licence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let read = Expression::parse_mode(text, MODE);
        let read = read.map_err(|error| error.reason.to_string())?;
        if read.requirements().any(|one| says_nothing(&one.req)) {
            return Err("it says nothing".into());
        }
        Ok(Self(read))
    }
}

impl Licence {
    pub(super) fn expression(&self) -> &Expression {
        &self.0
    }
}

/// As it was written.
impl fmt::Display for Licence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

impl PartialEq for Licence {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref() == other.0.as_ref()
    }
}

impl Serialize for Licence {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What stands where nobody has said anything.
pub(super) fn says_nothing(licence: &LicenseReq) -> bool {
    let name = licence.license.id().map(|id| id.name);
    name.is_some_and(|name| ["NOASSERTION", "NONE"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spdx_does_not_know_is_no_licence() {
        for text in [
            "",
            "Expat",
            "MIT OR",
            "(MIT",
            "MIT, Zlib",
            "MIT\u{1b}[1m",
            "NOASSERTION",
            "MIT OR NONE",
        ] {
            assert!(text.parse::<Licence>().is_err(), "{text:?}");
        }
        for text in ["MIT", "GPL-2.0", "GPL-2.0+ and (MIT or LicenseRef-x)"] {
            let read: Licence = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
    }
}
