// SPDX-License-Identifier: Apache-2.0
//! An extension of another repository, as `[external.NAME]` in xtask.toml says it: the fields of its metadata.hcl, or where
//! that is, and the image to mount.

use std::path::{Path, PathBuf};

use super::{
    Extension, Fields, Loaded, Open,
    fields::{Requirement, Said},
    version_of,
};
use crate::{
    config::{self, Config, Elsewhere},
    failure::Failure,
    finding::{Finding, Findings, Severity},
    hcl::{File, Value},
    value::{ImageRef, Name, Server, SqlVersion},
};

/// Where such extensions are said.
pub(crate) const FILE: &str = "xtask.toml";
/// What stands for a version, a major and a distro in the image's name.
const VERSION: &str = "{version}";
const MAJOR: &str = "{pg}";
const DISTRO: &str = "{distro}";

/// The image of an extension that is not built here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
    /// The settings file that says it.
    file: String,
    /// A reference in which `{version}`, `{pg}` and `{distro}` may stand.
    image: String,
    /// None: that of the pin for the server.
    version: Option<String>,
}

impl External {
    /// The image of `extension` for a server, and the version in its name.
    pub(crate) fn image(
        &self,
        extension: &Extension,
        server: &Server,
    ) -> Result<(ImageRef, String), Failure> {
        let pin = extension.pin(server);
        let version = self.version.clone();
        let version = version.or_else(|| version_of(&pin?.package));
        if version.is_none() && self.image.contains(VERSION) {
            let what = if extension.versions.is_empty() {
                "nothing says what `{version}` in `image` stands for".to_owned()
            } else {
                format!("the metadata at `path` has none for {server}")
            };
            let what = format!("`version` is missing: {what}");
            return Err(self.wrong(&extension.name, Failure::invalid(what)));
        }
        let version = version.unwrap_or_default();
        let image = filled(&self.image, &version, server).parse();
        let image = image.map_err(|failure| self.wrong(&extension.name, failure))?;
        Ok((image, version))
    }

    fn wrong(&self, name: &str, failure: Failure) -> Failure {
        let message = format!("`{}`: {}", self.file, about(name, &failure.message));
        Failure { message, ..failure }
    }
}

fn filled(image: &str, version: &str, server: &Server) -> String {
    image
        .replace(VERSION, version)
        .replace(MAJOR, &server.major)
        .replace(DISTRO, &server.distro)
}

/// What is wrong with an image's name in which a version, a major and a distro may stand.
fn fault(image: &str) -> Option<String> {
    let all = [VERSION, MAJOR, DISTRO];
    let bare = all
        .iter()
        .fold(image.to_owned(), |text, name| text.replace(name, "1"));
    if let Some((_, rest)) = bare.split_once('{') {
        let name = rest.split('}').next().unwrap_or_default();
        let known = all.map(|name| format!("`{name}`")).join(", ");
        return Some(format!(
            "`image` has `{{{name}}}`; what is filled in is {known}"
        ));
    }
    let refused = bare.parse::<ImageRef>().err()?;
    Some(format!("`image` is `{image}`: {}", refused.message))
}

/// What is wrong with a version that is to stand in an image's name.
fn no_version(version: &str, image: &str) -> Option<String> {
    if !SqlVersion::is(version) {
        let wanted = SqlVersion::WANTED;
        return Some(format!("`version` is `{version}`; it must be {wanted}"));
    }
    // Which server does not matter: all have names that a tag may have.
    let image = image.replace(MAJOR, "1").replace(DISTRO, "1");
    let refused = image.replace(VERSION, version).parse::<ImageRef>().err()?;
    Some(format!(
        "`version` is `{version}`, with which `image` is none: {}",
        refused.message
    ))
}

impl Extension {
    /// Reads what `[external.NAME]` says. `path` in it is meant from `root`. The error is the first of what is wrong with it.
    pub(crate) fn external(
        name: &str,
        said: &Elsewhere,
        root: &Path,
        config: &Config,
    ) -> Result<Self, Finding> {
        let mut findings = Findings::about(&said.file);
        let reading = Reading { name, said };
        let taken = reading.take(root, config, &mut findings);
        let refused = findings.all.iter();
        let mut refused = refused.filter(|finding| finding.severity == Severity::Error);
        match (refused.next(), taken) {
            (None, Ok(Some(extension))) => Ok(extension),
            (Some(finding), _) => Err(reading.wrong(finding.line, &finding.message)),
            (None, Err(finding)) => Err(finding),
            (None, Ok(None)) => Err(reading.wrong(said.fields.line, "it cannot be read")),
        }
    }
}

/// An entry of a settings file, while it is read.
struct Reading<'a> {
    name: &'a str,
    said: &'a Elsewhere,
}

/// What is wrong with an image's pattern, which holds a version or not.
fn image_fault(image: &str, is_pinned: bool) -> Option<String> {
    let missing = !is_pinned && image.contains(VERSION);
    fault(image).or_else(|| missing.then(|| format!(
        "`version` is missing: nothing says what `{VERSION}` in the image `{image}` stands for; add `version = \"1.0\"`"
    )))
}

impl Reading<'_> {
    fn take(
        &self,
        root: &Path,
        config: &Config,
        findings: &mut Findings,
    ) -> Result<Option<Extension>, Finding> {
        self.check_section()?;
        let (name, line) = (self.name, self.said.fields.line);
        let written = Open {
            file: File::parse("", findings).ok_or_else(|| self.wrong(None, "it cannot be read"))?,
            // No folder of this repository: what is below it is not there.
            folder: root.join(FILE).join(name),
            metadata_file: self.said.file.clone().into(),
        };
        let Some(mut fields) = Fields::said(&self.said.fields, Said::InPart, findings) else {
            return Ok(None);
        };
        let mut own = |field| optional_text(&mut fields, field);
        let (image, version, path) = (own("image"), own("version"), own("path"));
        let taken = if let Some(path) = path {
            let line = fields.lines.get("path").copied();
            let theirs = self.at(&root.join(path), line)?;
            self.refuse_beside_path(&mut fields, &written);
            Some(theirs)
        } else {
            self.refuse_what_it_says_itself(&mut fields);
            Extension::of(&mut fields, &written)
        };
        fields.unknown_as_errors();
        let lines = fields.lines;
        let Some(mut extension) = taken else {
            return Ok(None);
        };
        let image = image.unwrap_or_else(|| {
            let registry = config.get(config::PUBLISHED);
            format!(
                "{registry}/{}:{{version}}-{{pg}}-{{distro}}",
                extension.image_name
            )
        });
        let line = |field: &str| lines.get(field).copied().or(Some(line));
        let is_pinned = version.is_some() || !extension.versions.is_empty();
        let wrong = image_fault(&image, is_pinned).map(|what| ("image", what));
        let wrong = wrong.or_else(|| Some(("version", no_version(version.as_ref()?, &image)?)));
        if let Some((field, what)) = wrong {
            return Err(self.wrong(line(field), &what));
        }
        let file = self.said.file.clone();
        extension.external = Some(External {
            file,
            image,
            version,
        });
        Ok(Some(extension))
    }

    /// What the section itself says in place of two fields of metadata.hcl.
    fn refuse_what_it_says_itself(&self, fields: &mut Fields<'_>) {
        let why = format!(
            "is what the section's own name says, `{}`: take it out",
            self.name
        );
        fields.refuse("name", &why);
        fields.refuse(
            "versions",
            "is metadata.hcl's: here it is `version = \"1.0\"`, for `{version}` in `image`",
        );
        fields.assume("name", Value::String(self.name.to_owned()));
        fields.assume("versions", Value::Map(Vec::new()));
    }

    /// The section's name must be an extension's, and it must be a table.
    fn check_section(&self) -> Result<(), Finding> {
        let (name, fields) = (self.name, &self.said.fields);
        if !Name::is(name) {
            let what = format!(
                "`{name}` is no name that `required_extensions` could have; it must be {}",
                Name::WANTED
            );
            return Err(self.wrong(fields.line, &what));
        }
        if matches!(fields.value, Value::Map(_)) {
            return Ok(());
        }
        let kind = fields.value.kind();
        let what = format!("is {kind}; it must be a table: {}", example(name));
        Err(self.wrong(fields.line, &what))
    }

    /// What a checkout's metadata.hcl says is not said beside the path to it.
    fn refuse_beside_path(&self, fields: &mut Fields<'_>, written: &Open) {
        let mut unsaid = Findings::about(&self.said.file);
        let Some(mut all) = Fields::said(&self.said.fields, Said::InPart, &mut unsaid) else {
            return;
        };
        // For what it asks: these are the fields that metadata.hcl has.
        Extension::of(&mut all, written);
        for name in all.asked {
            fields.refuse(
                name,
                "cannot stand beside `path`: the checkout's metadata.hcl says it",
            );
        }
    }

    /// The extension in a folder of another repository's checkout.
    /// `line` is where the path to it is said.
    fn at(&self, folder: &Path, line: Option<usize>) -> Result<Extension, Finding> {
        let shown: PathBuf = folder.join("metadata.hcl");
        if !shown.exists() {
            let what = format!(
                "`path` leads to `{}`, which does not exist",
                shown.display()
            );
            return Err(self.wrong(line, &what));
        }
        let mut findings = Findings::about(&shown);
        let refused = match Extension::load(folder, folder, &shown, &mut findings) {
            Loaded::Read(extension) if extension.name == self.name => return Ok(*extension),
            Loaded::Read(extension) => format!(
                "`path` leads to `{}`, which is of `{}`: name the folder of `{}`, or call the section `[external.{}]`",
                shown.display(),
                extension.name,
                self.name,
                extension.name
            ),
            Loaded::Open(_) => format!(
                "`{}` holds expressions: say its fields here",
                shown.display()
            ),
            Loaded::Broken => {
                let errors = findings.all.iter();
                let mut errors = errors.filter(|finding| finding.severity == Severity::Error);
                errors.next().map(ToString::to_string).unwrap_or_default()
            }
        };
        Err(self.wrong(line, &refused))
    }

    fn wrong(&self, line: impl Into<Option<usize>>, what: &str) -> Finding {
        Finding {
            file: self.said.file.clone().into(),
            line: line.into(),
            severity: Severity::Error,
            message: about(self.name, what),
        }
    }
}

fn about(name: &str, what: &str) -> String {
    if Name::is(name) {
        format!("`[external.{name}]`: {what}")
    } else {
        format!("`[external.{name:?}]`: {what}")
    }
}

fn optional_text(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let node = fields.take(name, Requirement::Optional)?;
    match node.value {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::String(_) => {
            let message = format!("`{name}` is empty");
            fields.findings.error(node.line, message);
            None
        }
        _ => {
            fields.wrong(name, &node, "a string");
            None
        }
    }
}

/// What says an extension of another repository, for messages.
pub(crate) fn example(name: &str) -> String {
    format!(
        "an image of another repository is said in {FILE}: `[external.{name}]`, `image = \"ghcr.io/cloudnative-pg/{name}:{{version}}-{{pg}}-{{distro}}\"`, `version = \"1.0\"`"
    )
}
