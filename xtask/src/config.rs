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

mod at_once;
mod choice;
mod file;
mod kind;
mod settings;
mod value;

pub(crate) use at_once::AtOnce;
pub use choice::Base;
pub(crate) use choice::{Choice, OciArtifact, Purpose, Sbom, Scanner, SmokeMount};
use file::EXTERNAL;
use kind::Kind;
pub(crate) use kind::PLACES;
use settings::FORMER;
pub(crate) use settings::*;
use value::Value;

use crate::{
    failure::{Failure, Section, did_you_mean},
    hcl::{self, Node},
    own::source,
    value::without_userinfo,
};

/// The bake file of the old tooling, at the root, with the extensions beside it.
pub(crate) const OLD_BAKE_FILE: &str = "docker-bake.hcl";

/// The option that gives any setting another value.
pub(crate) const SET: &str = "--set";

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

/// What was said of a setting, and what it means.
#[derive(Clone, Debug)]
struct Entry<T> {
    text: String,
    value: T,
    origin: Origin,
}

/// Every setting's value.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    values: Values,
    /// What the files say of extensions of other repositories, by name.
    external: BTreeMap<String, Elsewhere>,
}

/// What a settings file says of an extension of another repository.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere {
    /// The file's name, as messages show it.
    pub file: String,
    /// The fields, as metadata.hcl has them.
    pub fields: Node,
}

/// A setting as `config --json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub key: String,
    pub value: String,
    pub origin: String,
    /// Empty: it has none.
    pub env: &'static str,
    pub about: &'static str,
}

impl Config {
    /// Every setting as it is when nobody has said anything.
    pub(crate) fn defaults() -> Self {
        Self {
            values: Values::defaults(),
            external: BTreeMap::new(),
        }
    }

    /// What the settings files say of extensions of other repositories, by their names.
    pub(crate) fn external(&self) -> impl Iterator<Item = (&str, &Elsewhere)> {
        self.external.iter().map(|(name, said)| (&**name, said))
    }

    /// Reads `root/xtask.toml` if it is there, then the environment.
    pub(crate) fn load(
        root: &Path,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> anyhow::Result<Self> {
        let path = root.join("xtask.toml");
        let text = source::read(root, &path)?.unwrap_or_default();
        let mut config = Self::defaults();
        config.read_layout(root)?;
        if let Some(file) = user_file(env) {
            let said = source::read_named(&file)?.unwrap_or_default();
            let name = file.to_string_lossy().into_owned();
            config.take(&said, &name, &|line| Origin::User(name.clone(), line))?;
        }
        config.read_file(&text)?;
        let former = FORMER.iter().map(|former| (former.env, former.setting));
        for (name, setting) in former.chain(SETTINGS.iter().map(|setting| (setting.env, *setting)))
        {
            if let Some(value) = env(name) {
                let value = value.into_string().map_err(|_| {
                    Failure::invalid(format!("environment variable `{name}` is not UTF-8"))
                })?;
                // What a shell leaves behind when a variable is emptied means "not set".
                if !value.is_empty() {
                    config.put(setting, &value, &Origin::Environment(name))?;
                }
            }
        }
        Ok(config)
    }

    /// Takes what `text`, an `xtask.toml`, says.
    pub(crate) fn read_file(&mut self, text: &str) -> Result<(), Failure> {
        self.take(text, "xtask.toml", &Origin::File)
    }

    /// A repository of the old tooling needs no `xtask.toml`: its bake file shows what it is.
    fn read_layout(&mut self, root: &Path) -> Result<(), Failure> {
        let own = root.join(self.get(PATHS_BAKE_FILE)).exists();
        if own || !root.join(OLD_BAKE_FILE).is_file() {
            return Ok(());
        }
        let origin = Origin::Layout(OLD_BAKE_FILE);
        self.put(PATHS_EXTENSIONS.setting, ".", &origin)?;
        self.put(PATHS_BAKE_FILE.setting, OLD_BAKE_FILE, &origin)
    }

    /// Takes a text from `origin` for a setting, in place of what was said before. Refuses one that the setting
    /// may not be.
    pub(crate) fn put(
        &mut self,
        setting: &Setting,
        text: &str,
        origin: &Origin,
    ) -> Result<(), Failure> {
        (setting.put)(&mut self.values, text, origin).map_err(|wanted| {
            Failure::invalid(format!(
                "setting `{}` is `{}` ({origin}); it must be {wanted}",
                setting.key,
                without_userinfo(text)
            ))
            .see(Section::Settings)
        })
    }

    /// The settings with a flag's value over what everything else says; None leaves the setting as it is.
    pub(crate) fn with_flag<T>(
        mut self,
        key: Key<T>,
        flag: &'static str,
        text: Option<&str>,
    ) -> Result<Self, Failure> {
        if let Some(text) = text {
            self.put(key.setting, text, &Origin::Flag(flag))?;
        }
        Ok(self)
    }

    /// The settings with what `--set` says, each `key=value`, over what everything else says.
    pub(crate) fn with_said(mut self, said: &[String]) -> Result<Self, Failure> {
        for text in said {
            let (key, value) = text.split_once('=').ok_or_else(|| {
                Failure::invalid(format!("`{SET} {}` has no `=`", without_userinfo(text)))
                    .hint("write the setting and its value: `--set registry=localhost:5001`")
            })?;
            let known = || SETTINGS.iter().map(|setting| setting.key);
            let setting = settings::setting_of(key).ok_or_else(|| {
                let meant = did_you_mean(key, known());
                let shown = without_userinfo(key);
                Failure::invalid(format!("`{SET}`: unknown setting `{shown}`{meant}"))
                    .hint("`cargo xtask config` lists the settings")
                    .see(Section::Settings)
            })?;
            self.put(setting, value, &Origin::Flag(SET))?;
        }
        Ok(self)
    }

    /// What the setting of that key must be, where `text` is not that.
    pub(crate) fn objection(key: &str, text: &str) -> Option<String> {
        let setting = settings::setting_of(key)?;
        (setting.put)(&mut Values::defaults(), text, &Origin::Flag(SET)).err()
    }

    /// What `--set` has said, by key.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let said = SETTINGS
            .iter()
            .map(|setting| (setting.key, (setting.said)(&self.values)));
        said.filter(|(_, (_, origin))| **origin == Origin::Flag(SET))
            .map(|(key, (text, _))| (key, text))
    }

    /// Refuses a flag's value that the setting does not take.
    pub(crate) fn check_flag<T>(
        &self,
        key: Key<T>,
        flag: &'static str,
        value: &str,
    ) -> Result<(), Failure> {
        self.clone().with_flag(key, flag, Some(value)).map(|_| ())
    }

    /// The value of a setting.
    pub(crate) fn get<T: Value>(&self, key: Key<T>) -> T::Read<'_> {
        (key.entry)(&self.values).value.read()
    }

    pub(crate) fn is_default<T>(&self, key: Key<T>) -> bool {
        (key.entry)(&self.values).origin == Origin::Default
    }

    /// The flag that has said it, and what it has said.
    pub(crate) fn flag<T>(&self, key: Key<T>) -> Option<(&'static str, &str)> {
        let entry = (key.entry)(&self.values);
        match entry.origin {
            Origin::Flag(flag) => Some((flag, &entry.text)),
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
        for setting in [ENVIRONMENT.setting, REVISION.setting, BASE_IMAGE.setting] {
            let (text, origin) = (setting.said)(&self.values);
            if *origin != Origin::Default {
                variables.push((setting.env, text));
            }
        }
        variables
    }

    /// All settings, and what is said of extensions of other repositories.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let shown = |setting: &&Setting| {
            let (text, origin) = (setting.said)(&self.values);
            Shown {
                key: setting.key.to_owned(),
                value: text.to_owned(),
                origin: origin.to_string(),
                env: setting.env,
                about: setting.about,
            }
        };
        let external = self.external();
        let external = external.flat_map(|(name, said)| said.shown(name));
        SETTINGS.iter().map(shown).chain(external).collect()
    }
}

impl Elsewhere {
    /// A row for each field that is said.
    fn shown(&self, name: &str) -> Vec<Shown> {
        let row = |key: &str, node: &Node| Shown {
            key: format!("{EXTERNAL}.{name}{key}"),
            value: node.value.to_string(),
            origin: format!("{}:{}", self.file, node.line),
            env: "",
            about: "an extension of another repository",
        };
        match &self.fields.value {
            hcl::Value::Map(fields) => {
                let fields = fields.iter();
                fields
                    .map(|(field, node)| row(&format!(".{field}"), node))
                    .collect()
            }
            _ => vec![row("", &self.fields)],
        }
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

#[cfg(test)]
mod tests;
