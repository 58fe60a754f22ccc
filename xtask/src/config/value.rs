// SPDX-License-Identifier: Apache-2.0
//! What a setting's text becomes: a text of a kind, a number of a range, one of a few words, a list, a map.

use super::{Choice, Kind, Range, settings::Shape};
use crate::value::without_userinfo;

/// The value of a setting, and as what it is read.
pub(crate) trait Value {
    type Read<'a>
    where
        Self: 'a;

    fn read(&self) -> Self::Read<'_>;
}

impl Value for String {
    type Read<'a> = &'a str;

    fn read(&self) -> &str {
        self
    }
}

impl Value for u32 {
    type Read<'a> = u32;

    fn read(&self) -> u32 {
        *self
    }
}

impl<T> Value for Vec<T> {
    type Read<'a>
        = &'a [T]
    where
        T: 'a;

    fn read(&self) -> &[T] {
        self
    }
}

/// What a setting may be, and what it is when nobody has said anything.
pub(super) trait Rule {
    type Value;

    const SHAPE: Shape = Shape::Single;

    /// The default, as it would be written.
    fn text(&self) -> String;

    fn default(&self) -> Self::Value;

    /// The value of a text. The error is what it must be, and reads well after "it must be".
    fn parse(&self, text: &str) -> Result<Self::Value, String>;
}

/// A text. It may be empty where the default is, which means "decide for me".
pub(super) struct Text(pub &'static str, pub Kind);

impl Rule for Text {
    type Value = String;

    fn text(&self) -> String {
        self.0.to_owned()
    }

    fn default(&self) -> String {
        self.0.to_owned()
    }

    fn parse(&self, text: &str) -> Result<String, String> {
        let Self(default, kind) = self;
        let is_open = text.is_empty() && default.is_empty();
        if is_open || kind.takes(text) {
            Ok(text.to_owned())
        } else {
            Err(kind.wanted().to_owned())
        }
    }
}

/// A whole number.
pub(super) struct Number(pub u32, pub Range);

impl Rule for Number {
    type Value = u32;

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn default(&self) -> u32 {
        self.0
    }

    fn parse(&self, text: &str) -> Result<u32, String> {
        let Range { least, most } = self.1;
        let number = text.parse().ok();
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| format!("a whole number from {least} to {most}"))
    }
}

/// One of a few words.
pub(super) struct OneOf<T>(pub T);

impl<T: Choice> Rule for OneOf<T> {
    type Value = T;

    fn text(&self) -> String {
        self.0.name().to_owned()
    }

    fn default(&self) -> T {
        self.0
    }

    fn parse(&self, text: &str) -> Result<T, String> {
        let choice = T::ALL.iter().find(|choice| choice.name() == text);
        choice.copied().ok_or_else(|| {
            let names: Vec<String> = T::ALL
                .iter()
                .map(|choice| format!("`{}`", choice.name()))
                .collect();
            format!("one of {}", names.join(", "))
        })
    }
}

/// Texts, comma-separated; in a settings file an array.
pub(super) struct List(pub &'static str, pub Kind);

impl Rule for List {
    type Value = Vec<String>;

    const SHAPE: Shape = Shape::Array;

    fn text(&self) -> String {
        self.0.to_owned()
    }

    fn default(&self) -> Vec<String> {
        items(self.0).map(str::to_owned).collect()
    }

    fn parse(&self, text: &str) -> Result<Vec<String>, String> {
        let Self(_, kind) = self;
        let taken = |item: &str| {
            if kind.takes(item) {
                return Ok(item.to_owned());
            }
            let item = without_userinfo(item);
            Err(format!("a list; `{item}` in it must be {}", kind.wanted()))
        };
        items(text).map(taken).collect()
    }
}

/// `name=value`, comma-separated; in a settings file a table. Empty when nothing is said.
pub(super) struct Map(pub Kind, pub Kind);

impl Rule for Map {
    type Value = Vec<(String, String)>;

    const SHAPE: Shape = Shape::Table;

    fn text(&self) -> String {
        String::new()
    }

    fn default(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn parse(&self, text: &str) -> Result<Vec<(String, String)>, String> {
        const SHAPE: &str = "`name=value`, comma-separated";
        let Self(names, values) = self;
        let taken = |pair: &str| {
            let (name, value) = pair.split_once('=').ok_or(SHAPE)?;
            for (text, kind) in [(name, names), (value, values)] {
                if text.is_empty() {
                    return Err(SHAPE.to_owned());
                }
                if !kind.takes(text) {
                    let text = without_userinfo(text);
                    return Err(format!("{SHAPE}; `{text}` must be {}", kind.wanted()));
                }
            }
            Ok((name.to_owned(), value.to_owned()))
        };
        items(text).map(taken).collect()
    }
}

/// What is in a comma-separated text.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}
