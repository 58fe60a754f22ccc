// SPDX-License-Identifier: Apache-2.0
//! One extension: its `metadata.hcl`, validated. Knows nothing of Docker.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(crate) use self::external::{External, FILE, example};
pub(crate) use self::repin::{NewPin, repinned};
pub(crate) use self::sql::SqlExtension;
use self::{
    fields::{Fields, Requirement},
    pins::Beside,
};
use crate::{
    finding::{Finding, Findings},
    hcl::{File, Value},
    own::source,
    value::{PackageName, PackagePattern, Server, placeholder::IMAGE_ROOT},
};

/// The attribute that says what an extension is.
const METADATA: &str = "metadata";

/// What an extension is pinned to for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// The full Debian version.
    pub package: String,
    /// The extension's SQL version. None: it is not created, or in the version that its control file says.
    pub sql: Option<String>,
    pub origin: Origin,
    /// Where `package` stands in metadata.hcl, from 1.
    pub line: usize,
}

impl Pin {
    /// The Debian package that `package` is a version of. None: it is not known, or of none.
    pub(crate) fn package_name(&self) -> Option<&PackageName> {
        match &self.origin {
            Origin::Archive(name) => Some(name),
            Origin::Elsewhere | Origin::Unsaid => None,
        }
    }
}

/// What a pinned version is a version of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This package of Debian's: the first of the extension's `packages`, or else the one that the renovate comment's `depName`
    /// names.
    Archive(PackageName),
    /// No package of Debian's: the renovate comment names another datasource, or `packages` is an empty list and no comment names
    /// a package.
    Elsewhere,
    /// Nothing says it.
    Unsaid,
}

/// What an extension is built for, and the pin of each: distros in alphabetical order.
pub(crate) type Versions = BTreeMap<Server, Pin>;

/// A validated `metadata.hcl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    pub name: String,
    pub sql_name: String,
    pub image_name: String,
    /// The Debian packages that the image is made of, all at the pinned version. Empty: the extension has a Dockerfile
    /// of its own.
    pub packages: Vec<PackagePattern>,
    pub licenses: Vec<String>,
    pub shared_preload_libraries: Vec<String>,
    pub postgresql_parameters: BTreeMap<String, String>,
    pub extension_control_path: Vec<String>,
    pub dynamic_library_path: Vec<String>,
    pub ld_library_path: Vec<String>,
    pub bin_path: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub auto_update_os_libs: bool,
    /// The directories of extensions whose images are mounted beside this one.
    pub required_extensions: Vec<String>,
    /// What is created before it and is in no other extension's image, but in the base image or its own: names in SQL.
    pub created_first: Vec<String>,
    /// What is created beside `sql_name`, or more of how that is.
    pub sql_extensions: Vec<SqlExtension>,
    pub create_extension: bool,
    /// Regression tests of its own whose difference is known, each with the reason.
    pub known_differences: BTreeMap<String, String>,
    pub versions: Versions,
    /// It is of another repository, which builds it. None: it is built here.
    pub external: Option<External>,
    /// What CloudNativePG would not take, as errors: the image can be built, but no server can be configured with it.
    pub refused: Vec<Finding>,
    /// The extension's folder, absolute.
    pub folder: PathBuf,
    /// What bake reads, relative to the root where it lies inside.
    pub metadata_file: PathBuf,
}

/// What came of reading a `metadata.hcl`.
#[derive(Debug)]
pub(crate) enum Loaded {
    Read(Box<Extension>),
    /// It holds expressions, which bake must evaluate first.
    Open(Open),
    /// It has errors.
    Broken,
}

/// A `metadata.hcl` with expressions that are no literals: calls of functions of the bake file, say.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    file: File,
    folder: PathBuf,
    /// What bake reads, relative to the root where it lies inside.
    pub metadata_file: PathBuf,
}

impl Open {
    /// Its folder's name, which an extension's own is to be.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The line where `${image_root}` is written as an expression, of which HCL takes the variable of that name: meant is
    /// the text, CloudNativePG's placeholder.
    pub(crate) fn unescaped(&self) -> Option<usize> {
        let declared = self.file.has_block("variable", IMAGE_ROOT);
        self.file.variable_at(IMAGE_ROOT).filter(|_| !declared)
    }

    /// The extension, when bake has evaluated its metadata to `values`. None when an error was found.
    pub(crate) fn evaluated(
        &self,
        values: &serde_json::Value,
        findings: &mut Findings,
    ) -> Option<Extension> {
        let metadata = self.file.attribute(METADATA)?.evaluated(values);
        Extension::of(&mut Fields::of(&metadata, findings)?, self)
    }
}

impl Extension {
    /// Reads and validates `folder/metadata.hcl` of the repository at `root`. `shown` is the file's name in messages.
    pub(crate) fn load(
        root: &Path,
        folder: &Path,
        shown: &Path,
        findings: &mut Findings,
    ) -> Loaded {
        let text = match source::read(root, &folder.join("metadata.hcl")) {
            Ok(Some(text)) => text,
            Ok(None) => {
                findings.error(None, "does not exist");
                return Loaded::Broken;
            }
            Err(failure) => {
                findings.error(None, failure.message);
                return Loaded::Broken;
            }
        };
        match File::parse(&text, findings) {
            Some(file) => Self::from_file(file, folder, shown, findings),
            None => Loaded::Broken,
        }
    }

    pub(crate) fn from_file(
        file: File,
        folder: &Path,
        shown: &Path,
        findings: &mut Findings,
    ) -> Loaded {
        let Some(metadata) = file.attribute(METADATA) else {
            findings.error(None, "has no attribute `metadata`");
            return Loaded::Broken;
        };
        let open = Open {
            file,
            folder: folder.to_owned(),
            metadata_file: shown.to_owned(),
        };
        if matches!(metadata.value, Value::Expression) {
            return Loaded::Open(open);
        }
        let before = findings.all.len();
        let Some(mut fields) = Fields::of(&metadata, findings) else {
            return Loaded::Broken;
        };
        let taken = Self::of(&mut fields, &open);
        if fields.open {
            findings.all.truncate(before);
            return Loaded::Open(open);
        }
        taken.map_or(Loaded::Broken, |taken| Loaded::Read(Box::new(taken)))
    }

    /// Takes it out of its metadata. None when an error was found; warnings alone leave it usable.
    fn of(fields: &mut Fields<'_>, written: &Open) -> Option<Self> {
        let Open { file, folder, .. } = written;
        let before = errors(fields.findings);
        let directory = written.name();
        let create_extension = fields
            .flag("create_extension", Requirement::Optional)
            .unwrap_or(true);
        let packages = fields.packages();
        let said = packages.as_deref();
        let required = fields.required();
        let name = fields.text("name");
        for line in file.heredocs(METADATA) {
            let message = "a heredoc, taken without its last line end, which bake keeps: write the text in quotes";
            fields.findings.warning(line, message);
        }
        let mut extension = Self {
            sql_name: fields.text_or("sql_name", &name),
            image_name: fields.image_name(&name),
            name,
            licenses: fields.list("licenses", Requirement::Expected),
            shared_preload_libraries: fields.libraries(),
            postgresql_parameters: fields.map("postgresql_parameters"),
            extension_control_path: fields.paths("extension_control_path"),
            dynamic_library_path: fields.paths("dynamic_library_path"),
            ld_library_path: fields.paths("ld_library_path"),
            bin_path: fields.paths("bin_path"),
            env: fields.map("env"),
            auto_update_os_libs: fields
                .flag("auto_update_os_libs", Requirement::Expected)
                .unwrap_or(false),
            required_extensions: required.directories,
            created_first: required.created_first,
            sql_extensions: fields.sql_extensions(create_extension),
            create_extension,
            known_differences: fields.optional_map("known_differences"),
            versions: fields.versions(&Beside {
                file,
                create_extension,
                packages: said,
            }),
            packages: packages.clone().unwrap_or_default(),
            external: None,
            refused: Vec::new(),
            folder: folder.clone(),
            metadata_file: written.metadata_file.clone(),
        };
        if fields.is_in_full() {
            fields.say_missing();
            fields.unknown();
        }
        let lines = &fields.lines;
        extension.check(&directory, lines, fields.findings);
        let mut refused = Findings::about(&written.metadata_file);
        extension.check_for_operator(&|name| lines.get(name).copied(), &mut refused);
        extension.refused = refused.all;
        (errors(fields.findings) == before).then_some(extension)
    }

    /// The pin for a server, if this extension is built for it.
    pub(crate) fn pin(&self, server: &Server) -> Option<&Pin> {
        self.versions.get(server)
    }
}

fn errors(findings: &Findings) -> usize {
    let errors = findings
        .all
        .iter()
        .filter(|finding| finding.severity == crate::finding::Severity::Error);
    errors.count()
}

/// The version that names and tags carry: the leading `[epoch:]digits(.digits)*` of a Debian version,
/// with `-` for the colon. None when it does not start with a digit.
pub(crate) fn version_of(package: &str) -> Option<String> {
    let number = |text: &str| {
        let mut end = 0;
        loop {
            let digits = text[end..].bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                // A dot without digits behind it is not part of the version.
                break text[..end].trim_end_matches('.').len();
            }
            end += digits;
            if !text[end..].starts_with('.') {
                break end;
            }
            end += 1;
        }
    };
    if let Some((epoch, rest)) = package.split_once(':')
        && !epoch.is_empty()
        && epoch.bytes().all(|byte| byte.is_ascii_digit())
    {
        let end = number(rest);
        if end > 0 {
            return Some(format!("{epoch}-{}", &rest[..end]));
        }
        // As bake's own expression does: without a number behind it, the epoch is the version.
        return Some(epoch.to_owned());
    }
    let end = number(package);
    (end > 0).then(|| package[..end].to_owned())
}

mod check;
mod external;
mod fields;
mod libraries;
mod majors;
mod operator;
mod pins;
mod renovate;
mod repin;
mod sql;
#[cfg(test)]
mod tests;
mod texts;
