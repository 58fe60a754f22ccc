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
    config::{self, Config},
    failure::Failure,
    finding::{Findings, Severity},
    hcl::{File, Node, Value},
    value::{ImageRef, Server, SqlVersion},
};

/// Where such extensions are said.
pub(crate) const FILE: &str = "xtask.toml";
/// What stands for a version, a major and a distro in the image's name.
const VERSION: &str = "{version}";

/// The image of an extension that is not built here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
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
            return Err(wrong(
                &extension.name,
                None,
                "`version` is missing: nothing says what `{version}` in `image` stands for",
            ));
        }
        let version = version.unwrap_or_default();
        let image = self.image.replace(VERSION, &version);
        let image = image.replace("{pg}", &server.major);
        let image = image.replace("{distro}", &server.distro).parse()?;
        Ok((image, version))
    }
}

impl Extension {
    /// Reads what `[external.NAME]` says. `path` in it is meant from `root`.
    pub(crate) fn external(
        name: &str,
        said: &Node,
        root: &Path,
        config: &Config,
    ) -> Result<Self, Failure> {
        let mut findings = Findings::about(FILE);
        let taken = take(name, said, root, config, &mut findings);
        let refused = findings.all.iter();
        let mut refused = refused.filter(|finding| finding.severity == Severity::Error);
        match (refused.next(), taken) {
            (None, Ok(Some(extension))) => Ok(extension),
            (_, Err(failure)) => Err(failure),
            (Some(finding), _) => Err(wrong(name, finding.line, &finding.message)),
            (None, Ok(None)) => Err(wrong(name, Some(said.line), "it cannot be read")),
        }
    }
}

fn take(
    name: &str,
    said: &Node,
    root: &Path,
    config: &Config,
    findings: &mut Findings,
) -> Result<Option<Extension>, Failure> {
    let written = Open {
        file: File::parse("", findings).ok_or_else(|| wrong(name, None, "it cannot be read"))?,
        // No folder of this repository: what is below it is not there.
        folder: root.join(FILE).join(name),
        metadata_file: FILE.into(),
    };
    let Some(mut fields) = Fields::said(said, Said::InPart, findings) else {
        return Ok(None);
    };
    let mut own = |field| optional_text(&mut fields, field);
    let (image, version, path) = (own("image"), own("version"), own("path"));
    let taken = if let Some(path) = path {
        Some(at(name, &root.join(path))?)
    } else {
        fields.assume("name", Value::String(name.to_owned()));
        fields.assume("versions", Value::Map(Vec::new()));
        Extension::of(&mut fields, &written)
    };
    fields.unknown_as_errors();
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
    if let Some(version) = &version
        && !SqlVersion::is(version)
    {
        let what = format!(
            "`version` is `{version}`; it must be {}",
            SqlVersion::WANTED
        );
        return Err(wrong(name, Some(said.line), &what));
    }
    extension.external = Some(External { image, version });
    Ok(Some(extension))
}

/// The extension in a folder of another repository's checkout.
fn at(name: &str, folder: &Path) -> Result<Extension, Failure> {
    let shown: PathBuf = folder.join("metadata.hcl");
    let mut findings = Findings::about(&shown);
    let refused = match Extension::load(folder, folder, &shown, &mut findings) {
        Loaded::Read(extension) if extension.name == name => return Ok(*extension),
        Loaded::Read(extension) => format!("`{}` is `{}`", shown.display(), extension.name),
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
    Err(wrong(name, None, &refused))
}

fn optional_text(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let node = fields.take(name, Requirement::Optional)?;
    match node.value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => {
            fields.wrong(name, &node, "a string");
            None
        }
    }
}

fn wrong(name: &str, line: Option<usize>, what: &str) -> Failure {
    let line = line.map(|line| format!(" line {line}")).unwrap_or_default();
    Failure::invalid(format!("`{FILE}`{line}: `[external.{name}]`: {what}"))
}

/// What says an extension of another repository, for messages.
pub(crate) fn example(name: &str) -> String {
    format!(
        "an image of another repository is said in {FILE}: `[external.{name}]`, `image = \"ghcr.io/cloudnative-pg/{name}:{{version}}-{{pg}}-{{distro}}\"`, `version = \"1.0\"`"
    )
}
