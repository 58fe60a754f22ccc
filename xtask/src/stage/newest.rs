// SPDX-License-Identifier: Apache-2.0
//! What the archive has in place of pinned versions: asked once for each base image.

mod said;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde::Serialize;

use self::said::Said;
use crate::{
    exec::Exec,
    extension::{Extension, Pin},
    failure::Failure,
    plan::{Cmd, Console, Performed, Work},
    sandbox::default_versions,
    value::{DebianVersion, SqlVersion},
};

/// Says what is newest of packages, and nothing of what is in them: they need not be downloaded.
pub(crate) const NEWEST: &str = include_str!("newest.sh");

/// To be run in a base image, with `package=version` as arguments: says what is newest, and then what the control files of
/// that say.
pub(crate) fn script() -> String {
    format!("{NEWEST}\n{}", default_versions::SCRIPT)
}

/// How long pulling a base image, reading the package index and downloading the packages may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(900);

/// What there is in place of a pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Newest {
    pub package: DebianVersion,
    /// What its control file says. None: nothing is created, or no control file says it.
    pub sql: Option<SqlVersion>,
    /// The versions by which `ALTER EXTENSION … UPDATE` goes from the pinned one to that one, both with them: one where they
    /// are the same, none where no scripts lead there. None: one of the two is not known.
    #[serde(skip)]
    pub update_path: Option<Vec<String>>,
    #[serde(skip)]
    pub sizes: Sizes,
}

/// How large the packages of a pin are. None: the archive does not have it, or no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sizes {
    pub pinned: Option<Size>,
    pub newest: Option<Size>,
}

/// How large a package is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    /// Its files; the archive counts them in KiB.
    pub installed: u64,
    pub download: u64,
}

/// What has come of comparing a pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The archive has no such package.
    Absent,
    Current(Newest),
    /// The package is the newest, and makes another SQL version than the pinned one.
    OtherSql(Newest),
    Outdated(Newest),
    /// The pin is newer than what the archive has.
    Ahead(Newest),
}

impl Compared {
    pub(crate) fn newest(&self) -> Option<&Newest> {
        match self {
            Self::Absent => None,
            Self::Current(newest)
            | Self::OtherSql(newest)
            | Self::Outdated(newest)
            | Self::Ahead(newest) => Some(newest),
        }
    }

    /// What the pin is to be replaced by.
    pub(crate) fn replacement(&self) -> Option<&Newest> {
        match self {
            Self::OtherSql(newest) | Self::Outdated(newest) => Some(newest),
            Self::Absent | Self::Current(_) | Self::Ahead(_) => None,
        }
    }
}

/// What is asked of a pin. None: it is not known of which package it is a version.
pub(crate) fn asked(pin: &Pin) -> Option<String> {
    let name = pin.package_name()?;
    Some(format!("{name}={}", pin.package))
}

/// Where a question leaves its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer(Arc<OnceLock<Said>>);

impl Answer {
    /// None: there is no answer.
    pub(crate) fn compared(&self, extension: &Extension, pin: &Pin) -> Option<Compared> {
        self.0.get().map(|said| said.compared(extension, pin))
    }
}

/// Asks in one base image.
#[derive(Debug)]
pub(crate) struct Ask {
    pub read: Cmd,
    /// `package=version`, which are arguments of the command.
    pub asked: Vec<String>,
    /// How long that may take.
    pub patience: Duration,
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
        let printed = exec.read(&self.read, Some(self.patience))?;
        let said = self
            .answer
            .0
            .get_or_init(|| Said::parse(&self.asked, &printed));
        let (found, all) = (said.count(), self.asked.len());
        Ok(Performed::Done(Some(format!(
            "the archive has {found} of {all} packages"
        ))))
    }
}
