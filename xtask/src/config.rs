// SPDX-License-Identifier: Apache-2.0
//! The settings: defaults, then the user's own file, then `xtask.toml`, then the environment, then flags;
//! each value knows where it came from.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

mod kind;
mod settings;

use kind::Kind;
pub(crate) use settings::*;

use crate::{
    failure::{Failure, did_you_mean},
    own::source,
    value::without_userinfo,
};

/// The bake file of the old tooling, at the root, with the extensions beside it.
pub(crate) const OLD_BAKE_FILE: &str = "docker-bake.hcl";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    /// Found out from the files of the repository.
    Layout(&'static str),
    File(usize),
    /// The user's own file, by its path.
    User(String, usize),
    Environment(&'static str),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Layout(file) => write!(f, "layout: {file}"),
            Origin::File(line) => write!(f, "xtask.toml:{line}"),
            Origin::User(file, line) => write!(f, "{file}:{line}"),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Every setting's value.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    values: BTreeMap<&'static str, (String, Origin)>,
}

/// A setting as `config --json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub key: &'static str,
    pub value: String,
    pub origin: String,
    pub env: &'static str,
    pub about: &'static str,
}

impl Config {
    /// Every setting as it is when nobody has said anything.
    pub(crate) fn defaults() -> Self {
        Self {
            values: SETTINGS
                .iter()
                .map(|setting| (setting.key, (setting.default.to_owned(), Origin::Default)))
                .collect(),
        }
    }

    /// Reads `root/xtask.toml` if it is there, then the environment.
    pub(crate) fn load(
        root: &Path,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> anyhow::Result<Self> {
        let path = root.join("xtask.toml");
        let text = source::read(root, &path)?.unwrap_or_default();
        let mut config = Self::defaults();
        // A repository of the old tooling needs no xtask.toml: its bake file shows what it is.
        let default = SETTINGS
            .iter()
            .find(|setting| setting.key == PATHS_BAKE_FILE);
        let own = default.is_some_and(|setting| root.join(setting.default).exists());
        if !own && root.join(OLD_BAKE_FILE).is_file() {
            for (key, value) in [(PATHS_EXTENSIONS, "."), (PATHS_BAKE_FILE, OLD_BAKE_FILE)] {
                config
                    .values
                    .insert(key, (value.to_owned(), Origin::Layout(OLD_BAKE_FILE)));
            }
        }
        if let Some(file) = user_file(env) {
            let said = source::read_named(&file)?.unwrap_or_default();
            let name = file.to_string_lossy().into_owned();
            config.take(&said, &name, &|line| Origin::User(name.clone(), line))?;
        }
        config.read_file(&text)?;
        for setting in SETTINGS {
            if let Some(value) = env(setting.env) {
                let value = value.into_string().map_err(|_| {
                    Failure::invalid(format!(
                        "environment variable `{}` is not UTF-8",
                        setting.env
                    ))
                })?;
                // What a shell leaves behind when a variable is emptied means "not set".
                if !value.is_empty() {
                    config.put(setting, value, Origin::Environment(setting.env))?;
                }
            }
        }
        Ok(config)
    }

    /// Takes what `text`, an `xtask.toml`, says.
    pub(crate) fn read_file(&mut self, text: &str) -> Result<(), Failure> {
        self.take(text, "xtask.toml", &Origin::File)
    }

    /// Takes what the text of a settings file says. `file` is its name in messages.
    fn take(
        &mut self,
        text: &str,
        file: &str,
        origin: &dyn Fn(usize) -> Origin,
    ) -> Result<(), Failure> {
        let line_at = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
        let table = toml::de::DeTable::parse(text).map_err(|error| {
            let line = line_at(error.span().map_or(0, |span| span.start));
            Failure::invalid(format!("`{file}` line {line}: {}", error.message()))
        })?;
        let mut pending: Vec<(String, usize, &toml::de::DeValue)> = table
            .get_ref()
            .iter()
            .map(|(key, value)| {
                (
                    key.get_ref().to_string(),
                    line_at(key.span().start),
                    value.get_ref(),
                )
            })
            .collect();
        while let Some((key, line, value)) = pending.pop() {
            let setting = SETTINGS.iter().find(|setting| setting.key == key);
            let kind = setting.map(|setting| setting.kind);
            let text = match value {
                toml::de::DeValue::Table(table) if matches!(kind, Some(Type::Map(..))) => {
                    let mut pairs = Vec::new();
                    flatten(table, "", &mut pairs);
                    joined(file, &key, line, pairs.into_iter())?
                }
                toml::de::DeValue::Array(items) if matches!(kind, Some(Type::List(_))) => joined(
                    file,
                    &key,
                    line,
                    items
                        .iter()
                        .map(|item| item.get_ref().as_str().map(str::to_owned)),
                )?,
                toml::de::DeValue::Table(table) => {
                    pending.extend(table.iter().map(|(name, value)| {
                        let path = format!("{key}.{}", name.get_ref());
                        (path, line_at(name.span().start), value.get_ref())
                    }));
                    continue;
                }
                toml::de::DeValue::String(text) => text.to_string(),
                toml::de::DeValue::Integer(number) => number.to_string(),
                _ => {
                    return Err(Failure::invalid(format!(
                        "`{file}` line {line}: `{key}` must be a string or a whole number"
                    )));
                }
            };
            let Some(setting) = setting else {
                let meant = did_you_mean(&key, SETTINGS.iter().map(|setting| setting.key));
                return Err(Failure::invalid(format!(
                    "`{file}` line {line}: unknown setting `{key}`{meant}"
                ))
                .hint("`cargo xtask config` lists every setting"));
            };
            let origin = origin(line);
            if setting.key == SANDBOX_FOLDER && matches!(origin, Origin::File(_)) {
                return Err(Failure::invalid(format!(
                    "`{file}` line {line}: `{key}` is not for a repository to say: the folder is made and removed on the machine of whoever works on it"
                ))
                .hint("take it out, and set `XTASK_SANDBOX_FOLDER`, `--sandbox-folder`, or the same key in `~/.config/xtask/config.toml`"));
            }
            self.put(setting, text, origin)?;
        }
        Ok(())
    }

    fn put(&mut self, setting: &Setting, value: String, origin: Origin) -> Result<(), Failure> {
        let wrong = |wanted: String| {
            Failure::invalid(format!(
                "setting `{}` is `{}` ({origin}); it must be {wanted}",
                setting.key,
                without_userinfo(&value)
            ))
        };
        match setting.kind {
            Type::Number(range) => {
                if !range.takes(&value) {
                    let Range { least, most } = range;
                    return Err(wrong(format!("a whole number from {least} to {most}")));
                }
            }
            Type::OneOf(allowed) if !allowed.contains(&value.as_str()) => {
                let names: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
                return Err(wrong(format!("one of {}", names.join(", "))));
            }
            Type::Map(name, kind) => {
                let shape = || wrong("`name=value`, comma-separated".into());
                for pair in items(&value) {
                    let (key, value) = pair.split_once('=').ok_or_else(shape)?;
                    for (text, kind) in [(key, name), (value, kind)] {
                        if text.is_empty() {
                            return Err(shape());
                        }
                        if !kind.takes(text) {
                            let text = without_userinfo(text);
                            return Err(wrong(format!(
                                "`name=value`, comma-separated; `{text}` must be {}",
                                kind.wanted()
                            )));
                        }
                    }
                }
            }
            Type::List(kind) => {
                if let Some(item) = items(&value).find(|item| !kind.takes(item)) {
                    let item = without_userinfo(item);
                    return Err(wrong(format!(
                        "a list; `{item}` in it must be {}",
                        kind.wanted()
                    )));
                }
            }
            // Where the default is empty, that means "decide for me".
            Type::Text(_) if value.is_empty() && setting.default.is_empty() => {}
            Type::Text(kind) if !kind.takes(&value) => return Err(wrong(kind.wanted().into())),
            Type::Text(_) | Type::OneOf(_) => {}
        }
        self.values.insert(setting.key, (value, origin));
        Ok(())
    }

    /// A flag's value wins over everything. `key` is one of this module's constants.
    pub(crate) fn set_flag(
        &mut self,
        key: &str,
        flag: &'static str,
        value: Option<&str>,
    ) -> Result<(), Failure> {
        match (value, SETTINGS.iter().find(|setting| setting.key == key)) {
            (Some(value), Some(setting)) => self.put(setting, value.to_owned(), Origin::Flag(flag)),
            _ => Ok(()),
        }
    }

    /// Refuses a flag's value that the setting does not take.
    pub(crate) fn check_flag(
        &self,
        key: &str,
        flag: &'static str,
        value: &str,
    ) -> Result<(), Failure> {
        self.clone().set_flag(key, flag, Some(value))
    }

    /// The value of a setting; `key` is one of this module's constants.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(value, _)| value)
    }

    /// A number setting; the value was checked when it was put in.
    pub(crate) fn number(&self, key: &str) -> u32 {
        self.get(key).parse().unwrap_or_default()
    }

    /// The texts of a list setting.
    pub(crate) fn list(&self, key: &str) -> Vec<&str> {
        items(self.get(key)).collect()
    }

    /// The pairs of a map setting; they were checked when they were put in.
    pub(crate) fn map(&self, key: &str) -> Vec<(&str, &str)> {
        items(self.get(key))
            .filter_map(|pair| pair.split_once('='))
            .collect()
    }

    pub(crate) fn is_default(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some((_, Origin::Default)))
    }

    /// The flag that has said it, if one has.
    pub(crate) fn flag(&self, key: &str) -> Option<&'static str> {
        match self.values.get(key) {
            Some((_, Origin::Flag(name))) => Some(name),
            _ => None,
        }
    }

    /// The builder to name; None: the one that buildx has selected.
    pub(crate) fn builder(&self) -> Option<&str> {
        Some(self.get(BUILDER)).filter(|name| !name.is_empty())
    }

    /// What bake reads from its environment, where it differs from bake's own defaults.
    pub(crate) fn bake_variables(&self) -> Vec<(&'static str, &str)> {
        let mut variables = vec![("registry", self.get(REGISTRY))];
        for key in [ENVIRONMENT, REVISION, BASE_IMAGE] {
            if let (false, Some(setting)) = (
                self.is_default(key),
                SETTINGS.iter().find(|setting| setting.key == key),
            ) {
                variables.push((setting.env, self.get(key)));
            }
        }
        variables
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        let shown = |setting: &Setting| {
            let (value, origin) = self.values.get(setting.key)?;
            Some(Shown {
                key: setting.key,
                value: value.clone(),
                origin: origin.to_string(),
                env: setting.env,
                about: setting.about,
            })
        };
        SETTINGS.iter().filter_map(shown).collect()
    }
}

/// The user's own settings, for all repositories: see the XDG Base Directory Specification.
fn user_file(env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let folder = env("XDG_CONFIG_HOME").map(PathBuf::from).filter(absolute);
    let home = || env("HOME").map(PathBuf::from).filter(absolute);
    let folder = folder.or_else(|| Some(home()?.join(".config")))?;
    Some(folder.join("xtask/config.toml"))
}

/// What is in a comma-separated text.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// `name=value` for everything in a table. A dot in a name that was not quoted has made a table of its
/// own: `ghcr.io = "…"` means the same as `"ghcr.io" = "…"`.
fn flatten(table: &toml::de::DeTable<'_>, prefix: &str, pairs: &mut Vec<Option<String>>) {
    for (name, value) in table {
        let name = format!("{prefix}{}", name.get_ref());
        match value.get_ref() {
            toml::de::DeValue::Table(inner) => flatten(inner, &format!("{name}."), pairs),
            value => pairs.push(value.as_str().map(|value| format!("{name}={value}"))),
        }
    }
}

/// A list or a table of a settings file as one text; an element that is no text is refused.
fn joined(
    file: &str,
    key: &str,
    line: usize,
    elements: impl Iterator<Item = Option<String>>,
) -> Result<String, Failure> {
    let texts: Option<Vec<String>> = elements.collect();
    match texts {
        Some(texts) if texts.iter().all(|text| !text.contains(',')) => Ok(texts.join(",")),
        _ => Err(Failure::invalid(format!(
            "`{file}` line {line}: `{key}` holds strings, without commas"
        ))),
    }
}

#[cfg(test)]
mod tests;
