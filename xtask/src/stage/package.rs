// SPDX-License-Identifier: Apache-2.0
//! What a package of the archive, or what was built from source, gives to PostgreSQL: asked in the base image of a server, where
//! it is unpacked, and loaded and created in a throw-away server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    exec::Exec,
    failure::Failure,
    image::Controls,
    own::source,
    plan::{Cmd, Console, Location, Performed, Work, shell},
    printable::{clipped, printable},
    value::{DebianVersion, Digest, Library, PackageName, Parameter, SqlName, Url},
};

/// Says it of a package, in a base image. Its arguments: the major, the extension's name, the packages that it may be in, `--`, and
/// what others create, as `name=package`.
pub(crate) const SCRIPT: &str = concat!(
    include_str!("package/begin.sh"),
    include_str!("package/archive.sh"),
    include_str!("package/contents.sh")
);

/// Says it of what was built. The same arguments, without packages.
pub(crate) const BUILT: &str = concat!(
    include_str!("package/begin.sh"),
    include_str!("package/built.sh"),
    include_str!("package/contents.sh")
);

/// The last line of its whole answer.
const END: &str = "done";

/// How long pulling a base image, installing the packages and trying them may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What tools say of a package, at most this long in characters.
const LONGEST: usize = 300;

/// A package with those of the same source and version that a server reads too, or what was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    /// The one that was asked for first, each with its version.
    pub packages: Vec<(PackageName, DebianVersion)>,
    /// Of what was built: the version that the source gives itself.
    pub release: Option<DebianVersion>,
    /// Of what was built: the checksum of the source's archive.
    pub checksum: Option<Digest>,
    /// Of what was built: its licence, and those of what is linked into it; an empty text is one that is not known.
    pub licences: Vec<String>,
    pub homepage: Option<String>,
    pub summary: Option<String>,
    /// Other packages for the same server that it cannot do without.
    pub depends: Vec<PackageName>,
    /// Those that it recommends, or that are one of several which it can do with.
    pub recommends: Vec<PackageName>,
    /// Relative to the image's root: `lib/…`, `bin/…`, `share/…`.
    pub files: Vec<String>,
    /// Files that an image of the server's own folders leaves out, by their absolute paths.
    pub elsewhere: Vec<String>,
    /// Scripts that name files by where a package would install them: each with such a path.
    pub absolute: Vec<(String, String)>,
    /// What the base image can create.
    pub server: BTreeSet<String>,
    pub controls: Controls,
    /// Shared libraries that its files need and the base image lacks.
    pub lacks: Vec<String>,
    pub modules: Vec<Library>,
    /// The modules among them that are output plugins of logical decoding.
    pub decoders: Vec<Library>,
    /// The server's own parameters that matter here, where it has them.
    pub parameters: BTreeMap<Parameter, String>,
    /// Modules that are taken to want to be preloaded for a text in their files alone, with that text: the server could load
    /// them without.
    pub hints: Vec<(Library, String)>,
    /// The `shared_preload_libraries` with which the server has started, in this order.
    pub preloaded: Vec<Library>,
    /// Parameters without which nothing could be created.
    pub settings: BTreeMap<Parameter, String>,
    /// What was created, all in one database.
    pub created: Vec<SqlName>,
    /// What could be created, but not beside these: the server's words.
    pub beside: Vec<(SqlName, String)>,
    /// What could not be created or loaded: the server's words.
    pub refused: Vec<(SqlName, String)>,
    /// Why the trial could not be made as it was meant.
    pub trial: Vec<String>,
    /// What the build leaves to a person, a sentence each.
    pub doubts: Vec<String>,
    /// The copyright files, one after the other.
    pub copyright: String,
}

/// What the archive has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Package(Box<Package>),
    /// None of the names that were asked for. These have a control file of the extension.
    Owners(Vec<PackageName>),
}

impl Found {
    /// Takes what [`SCRIPT`] has printed. Lines that are none of its are left out. None: it was cut short.
    pub(crate) fn parse(printed: &str) -> Option<Self> {
        let package = Package::parse(printed)?;
        if package.packages.is_empty() {
            let mut owners = Vec::new();
            let lines = printed.lines();
            lines
                .filter_map(|line| line.strip_prefix("owner\t"))
                .for_each(|name| put(&mut owners, name));
            return Some(Self::Owners(owners));
        }
        Some(Self::Package(Box::new(package)))
    }
}

impl Package {
    /// Takes what a script has printed. Lines that are none of its are left out. None: it was cut short.
    pub(crate) fn parse(printed: &str) -> Option<Self> {
        let mut package = Self::default();
        let mut controls: BTreeMap<String, String> = BTreeMap::new();
        if printed.lines().next_back() != Some(END) {
            return None;
        }
        for line in printed.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let first = fields.next().unwrap_or_default();
            let second = fields.next().unwrap_or_default();
            if kind == "control" {
                let text = controls.entry(first.to_owned()).or_default();
                *text += second;
                text.push('\n');
            } else {
                package.take(kind, first, second);
            }
        }
        for (name, text) in controls.iter().filter(|(name, _)| SqlName::is(name)) {
            package.controls.insert(name, text);
        }
        Some(package)
    }

    fn take(&mut self, kind: &str, first: &str, second: &str) {
        match kind {
            "package" => {
                if let (Ok(name), Ok(version)) = (first.parse(), second.parse()) {
                    self.packages.push((name, version));
                }
            }
            "release" => self.release = first.parse().ok(),
            "checksum" => self.checksum = first.parse().ok(),
            "licence" => self.licences.push(first.trim().to_owned()),
            "homepage" => {
                // Whoever reads it follows it: as text it could end the Markdown around it.
                let is_safe = |home: &String| home.starts_with("https://") && Url::is(home);
                self.homepage = said(first).filter(is_safe);
            }
            "summary" => self.summary = said(first),
            "depends" => put(&mut self.depends, first),
            "recommends" => put(&mut self.recommends, first),
            "file" => self.files.extend(said(first)),
            "elsewhere" => self.elsewhere.extend(said(first)),
            "absolute" => self.absolute.extend(said(first).zip(said(second))),
            "server" => self.server.extend(said(first)),
            "lacks" => self.lacks.extend(said(first)),
            "module" => put(&mut self.modules, first),
            "output-plugin" => put(&mut self.decoders, first),
            "parameter" if !second.is_empty() => keep(&mut self.parameters, first, second),
            "hint" => with_words(&mut self.hints, first, second),
            "preloaded" => first
                .split(',')
                .for_each(|name| put(&mut self.preloaded, name)),
            "setting" => keep(&mut self.settings, first, second),
            "created" => put(&mut self.created, first),
            "beside" => with_words(&mut self.beside, first, second),
            "refused" => with_words(&mut self.refused, first, second),
            "trial" => self.trial.extend(said(first)),
            "doubt" => self.doubts.extend(said(first)),
            "copyright" => {
                self.copyright += first;
                self.copyright.push('\n');
            }
            _ => {}
        }
    }
}

/// What a tool has said, in one line of bounded length. None: nothing.
fn said(text: &str) -> Option<String> {
    let text = printable(text.trim());
    let text = clipped(&text, LONGEST);
    (!text.is_empty()).then(|| text.into_owned())
}

fn put<T: FromStr>(all: &mut Vec<T>, text: &str) {
    all.extend(text.parse().ok());
}

fn keep(all: &mut BTreeMap<Parameter, String>, name: &str, value: &str) {
    if let (Ok(name), Some(value)) = (name.parse(), said(value)) {
        all.insert(name, value);
    }
}

fn with_words<T: FromStr>(all: &mut Vec<(T, String)>, name: &str, words: &str) {
    let words = said(words).unwrap_or_else(|| "it says nothing".to_owned());
    all.extend(name.parse().ok().map(|name| (name, words)));
}

/// Where a question leaves its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer(Arc<OnceLock<Found>>);

impl Answer {
    /// None: there is none.
    pub(crate) fn get(&self) -> Option<&Found> {
        self.0.get()
    }
}

/// Asks in one base image.
#[derive(Debug)]
pub(crate) struct Ask {
    pub read: Cmd,
    pub answer: Answer,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.read)
    }
}

impl Work for Ask {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let printed = exec.read(&self.read, Some(PATIENCE))?;
        let found = Found::parse(&printed).ok_or_else(|| {
            Failure::failed("the answer of the archive was cut short: its last line is missing")
                .hint("run it again; with `--verbose` its whole output is shown")
        })?;
        let found = self.answer.0.get_or_init(|| found);
        Ok(Performed::Done(Some(match found {
            Found::Package(package) => {
                let all = package.packages.iter();
                let all: Vec<String> = all
                    .map(|(name, version)| format!("{name} {version}"))
                    .collect();
                all.join(", ")
            }
            Found::Owners(_) => "the archive has no such package".to_owned(),
        })))
    }
}

/// Reads what a build has found out.
#[derive(Debug)]
pub(crate) struct Read {
    pub folder: Location,
    pub file: &'static str,
    pub answer: Answer,
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.folder.join(self.file);
        write!(f, "cat -- {}", shell::word(&*file))
    }
}

impl Work for Read {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let printed = source::read_own(&self.folder, Path::new(self.file))?;
        let package = Package::parse(&printed.unwrap_or_default()).ok_or_else(|| {
            Failure::failed(
                "what was built has not said all of what it is: the last line is missing",
            )
        })?;
        self.answer
            .0
            .get_or_init(|| Found::Package(Box::new(package)));
        Ok(Performed::Done(None))
    }
}

#[cfg(test)]
mod tests;
