// SPDX-License-Identifier: Apache-2.0
//! What is remembered of a step that has ended well, so that it need not be run again as long as all that it depends on is the same.

use std::{fmt, time::SystemTime};

use serde::{Deserialize, Serialize};

use crate::own::RunId;

/// What a step that has ended well has shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    /// The last line that it printed.
    pub last_line: Option<String>,
    /// What it was run to find out.
    pub found: Option<String>,
    /// The run that has seen it.
    pub run: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

impl Shown {
    /// What has been shown just now, in a run.
    pub(crate) fn now(last_line: Option<&str>, found: Option<&str>, run: &RunId) -> Self {
        Self {
            last_line: last_line.map(str::to_owned),
            found: found.map(str::to_owned),
            run: run.to_string(),
            at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }
    }
}

/// Remembers one step. Who knows what the step depends on makes it.
pub(crate) trait Memory: fmt::Debug + Send + Sync {
    /// What the step has shown when all was as it is now; None: it is not known, or something has changed. Asked when the steps
    /// before have ended.
    fn recall(&self) -> Option<Shown>;

    /// Remembers what it has shown now.
    fn keep(&self, last_line: Option<&str>, found: Option<&str>) -> anyhow::Result<()>;
}
