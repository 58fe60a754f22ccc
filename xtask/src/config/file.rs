// SPDX-License-Identifier: Apache-2.0
//! The text of a settings file: what it says of which setting, and in which line.

use toml::de::{DeTable, DeValue};

use super::{
    CERTIFICATES, Config, Elsewhere, Origin, SANDBOX_FOLDER, SETTINGS, Setting,
    settings::{Shape, setting_of},
};
use crate::{
    failure::{Failure, Section, did_you_mean},
    hcl::{Node, Value},
};

/// A settings file while it is read.
struct File<'a> {
    /// In messages.
    name: &'a str,
    text: &'a str,
}

/// The table whose tables are extensions of other repositories.
pub(super) const EXTERNAL: &str = "external";

/// What a file says.
#[derive(Default)]
struct Read {
    settings: Vec<Said>,
    external: Vec<(String, Node)>,
}

/// A setting as a file has it.
struct Said {
    setting: &'static Setting,
    line: usize,
    text: String,
}

impl Config {
    /// Takes what the text of a settings file says. `name` is the file's in messages.
    pub(super) fn take(
        &mut self,
        text: &str,
        name: &str,
        origin: &dyn Fn(usize) -> Origin,
    ) -> Result<(), Failure> {
        let file = File { name, text };
        let Read { settings, external } = file.read()?;
        let external = external.into_iter().map(|(extension, fields)| {
            let file = name.to_owned();
            (extension, Elsewhere { file, fields })
        });
        self.external.extend(external);
        for Said {
            setting,
            line,
            text,
        } in settings
        {
            let origin = origin(line);
            let of_user = OF_USER.iter().find(|(key, ..)| *key == setting.key);
            if let Some((key, why, option)) = of_user
                && matches!(origin, Origin::File(_))
            {
                return Err(Failure::invalid(format!(
                    "`{name}` line {line}: `{key}` is not for a repository to say: {why}"
                ))
                .hint(format!(
                    "take it out, and set `{}`, `{option}`, or the same key in `~/.config/xtask/config.toml`",
                    setting.env
                )));
            }
            self.put(setting, &text, &origin)?;
        }
        Ok(())
    }
}

/// Settings that come with no clone, with why, and the option that says them.
const OF_USER: [(&str, &str, &str); 2] = [
    (
        SANDBOX_FOLDER.setting.key,
        "the folder is made and removed on the machine of whoever works on it",
        "--sandbox-folder",
    ),
    (
        CERTIFICATES.setting.key,
        "the file is of the machine of whoever works on it, and its text is given to builds",
        "--set bake.certificates=FILE",
    ),
];

impl File<'_> {
    fn line_at(&self, at: usize) -> usize {
        1 + self.text[..at.min(self.text.len())].matches('\n').count()
    }

    fn wrong(&self, line: usize, what: &str) -> Failure {
        Failure::invalid(format!("`{}` line {line}: {what}", self.name)).see(Section::Settings)
    }

    fn read(&self) -> Result<Read, Failure> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let line = self.line_at(error.span().map_or(0, |span| span.start));
            self.wrong(line, error.message())
        })?;
        let mut read = Read::default();
        let mut pending = self.members("", table.get_ref());
        while let Some((key, line, value)) = pending.pop() {
            if key == EXTERNAL
                && let DeValue::Table(table) = value
            {
                for (name, line, value) in self.members("", table) {
                    read.external.push((name, self.node(line, value)));
                }
                continue;
            }
            let setting = setting_of(&key);
            let shape = setting.map(|setting| setting.shape);
            let text = match value {
                DeValue::Table(pairs) if shape == Some(Shape::Table) => {
                    let mut texts = Vec::new();
                    flatten(pairs, "", &mut texts);
                    self.joined(&key, line, texts.into_iter())?
                }
                DeValue::Array(items) if shape == Some(Shape::Array) => {
                    let texts = items.iter().map(|item| item.get_ref().as_str());
                    self.joined(&key, line, texts.map(|text| text.map(str::to_owned)))?
                }
                DeValue::Table(table) => {
                    pending.extend(self.members(&format!("{key}."), table));
                    continue;
                }
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                _ => {
                    let what = format!("`{key}` must be a string or a whole number");
                    return Err(self.wrong(line, &what));
                }
            };
            let Some(setting) = setting else {
                let meant = did_you_mean(&key, SETTINGS.iter().map(|setting| setting.key));
                return Err(self
                    .wrong(line, &format!("unknown setting `{key}`{meant}"))
                    .hint("`cargo xtask config` lists every setting"));
            };
            let said = Said {
                setting,
                line,
                text,
            };
            // What is said under the key of today goes before, wherever it stands.
            if setting.key == key {
                read.settings.push(said);
            } else {
                read.settings.insert(0, said);
            }
        }
        Ok(read)
    }

    /// A value as it would be read from HCL.
    fn node(&self, line: usize, value: &DeValue<'_>) -> Node {
        let value = match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Integer(number) => Value::Number(number.to_string()),
            DeValue::Float(number) => Value::Number(number.to_string()),
            DeValue::Datetime(moment) => Value::Number(moment.to_string()),
            DeValue::Array(items) => {
                let items = items.iter();
                let items =
                    items.map(|item| self.node(self.line_at(item.span().start), item.get_ref()));
                Value::List(items.collect())
            }
            DeValue::Table(table) => {
                let members = self.members("", table).into_iter();
                let members = members.map(|(name, line, value)| (name, self.node(line, value)));
                Value::Map(members.collect())
            }
        };
        Node { line, value }
    }

    /// The members of a table: their keys with `prefix` before them, their lines, their values.
    fn members<'v>(
        &self,
        prefix: &str,
        table: &'v DeTable<'v>,
    ) -> Vec<(String, usize, &'v DeValue<'v>)> {
        let mut members = Vec::new();
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            members.push((key, self.line_at(name.span().start), value.get_ref()));
        }
        members
    }

    /// A list or a table as one text; an element that is no text is refused.
    fn joined(
        &self,
        key: &str,
        line: usize,
        elements: impl Iterator<Item = Option<String>>,
    ) -> Result<String, Failure> {
        let texts: Option<Vec<String>> = elements.collect();
        match texts {
            Some(texts) if texts.iter().all(|text| !text.contains(',')) => Ok(texts.join(",")),
            _ => Err(self.wrong(line, &format!("`{key}` holds strings, without commas"))),
        }
    }
}

/// `name=value` for everything in a table. A dot in a name that was not quoted has made a table of its
/// own: `ghcr.io = "…"` means the same as `"ghcr.io" = "…"`.
fn flatten(table: &DeTable<'_>, prefix: &str, pairs: &mut Vec<Option<String>>) {
    for (name, value) in table {
        let name = format!("{prefix}{}", name.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => flatten(inner, &format!("{name}."), pairs),
            value => pairs.push(value.as_str().map(|value| format!("{name}={value}"))),
        }
    }
}
