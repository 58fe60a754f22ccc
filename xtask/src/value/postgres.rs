// SPDX-License-Identifier: Apache-2.0
//! What of an extension's metadata reaches PostgreSQL and its container.

use super::{is_made_of, is_word, text_type};

text_type!(
    /// A major version: `18`.
    Major,
    |text| is_made_of(text, |byte| (b'1'..=b'9').contains(&byte), |byte| byte.is_ascii_digit(), 3),
    "a PostgreSQL major, a number like \"18\""
);

impl Major {
    /// As a number, by which majors are compared.
    pub(crate) fn number(&self) -> Option<u16> {
        self.parse().ok()
    }
}

text_type!(
    /// The name in `CREATE EXTENSION` or `LOAD`; PostgreSQL keeps 63 bytes of it.
    SqlName,
    |text| is_made_of(text, is_word, |byte| is_word(byte) || b"$-.".contains(&byte), 63),
    "an extension's name in SQL: letters, digits and `_$-.`, at most 63"
);

text_type!(
    /// An extension's version in SQL: it is a part of the names of its scripts.
    SqlVersion,
    |text| is_made_of(text, is_word, |byte| is_word(byte) || b".+~-".contains(&byte), 100),
    "an extension's version in SQL: letters, digits and `._+~-`"
);

text_type!(
    /// A library to preload. A comma would end it.
    Library,
    |text| is_made_of(text, |byte| is_word(byte) || byte == b'$', |byte| is_word(byte) || b"$./-+".contains(&byte), 200),
    "a library's name: letters, digits and `_$./-+`"
);

text_type!(
    /// A parameter of the server: `pgaudit.log`.
    Parameter,
    |text| {
        let head = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        text.split('.').all(|part| is_made_of(part, head, |byte| is_word(byte) || byte == b'$', 100))
    },
    "a parameter of PostgreSQL like `pgaudit.log`"
);

text_type!(
    /// The name of a variable of the environment.
    Variable,
    |text| is_made_of(text, |byte| byte.is_ascii_alphabetic() || byte == b'_', is_word, 200),
    "the name of a variable: letters, digits and `_`, no digit first"
);
