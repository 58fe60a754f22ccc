// SPDX-License-Identifier: Apache-2.0
//! Whether two texts are made of the same letters.

use pgrx::prelude::*;

pgrx::pg_module_magic!(name, version);

/// Whether one text can be made of the letters of the other, blanks and capitals aside.
#[pg_extern(immutable, parallel_safe, strict)]
fn is_anagram(one: &str, other: &str) -> bool {
    letters(one) == letters(other)
}

fn letters(text: &str) -> Vec<char> {
    let lower = text.chars().flat_map(char::to_lowercase);
    let mut letters: Vec<char> = lower.filter(|letter| letter.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters
}
