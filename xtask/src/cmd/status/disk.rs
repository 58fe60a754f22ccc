// SPDX-License-Identifier: Apache-2.0
//! What of ours lies on the disk, how large it is, and how it is removed. Nothing is.

use std::{os::unix::fs::MetadataExt as _, path::PathBuf};

use serde::Serialize;
use walkdir::WalkDir;

use crate::{
    context::Context,
    sandbox::State,
    ui::{self, bytes},
};

/// A folder of ours.
#[derive(Clone, Debug)]
pub(super) struct Place {
    what: &'static str,
    path: PathBuf,
    remove: String,
}

/// How large it is.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Used {
    pub what: &'static str,
    pub path: PathBuf,
    pub bytes: u64,
    /// Whether there is more in it, which this user may not see.
    pub at_least: bool,
    pub remove: String,
}

/// Those that are there.
pub(super) fn places(context: &Context) -> Vec<Place> {
    let output = PathBuf::from("target/xtask");
    let mut places = vec![Place {
        what: "results, logs, caches",
        path: output,
        remove: "rm -r target/xtask".to_owned(),
    }];
    if let Ok(sandbox) = context.sandbox()
        && matches!(sandbox.state(), State::Stopped | State::Running(_))
    {
        places.push(Place {
            what: "sandbox",
            path: sandbox.folder,
            remove: "cargo xtask sandbox down".to_owned(),
        });
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")));
    let lab = set("XTASK_LAB").map(PathBuf::from);
    if let Some(lab) = lab.or_else(|| Some(cache?.join("xtask-lab")))
        && lab.join("xtask-lab").is_file()
    {
        places.push(Place {
            what: "lab",
            path: lab,
            remove: "test/lab/up --remove".to_owned(),
        });
    }
    places.retain(|place| place.path.is_dir());
    places
}

impl Place {
    /// Of all that is on its own file system; a file of two names counts once for each.
    pub(super) fn used(&self) -> Used {
        let (mut blocks, mut at_least) = (0, false);
        for entry in WalkDir::new(&self.path).same_file_system(true) {
            match entry.map(|entry| entry.metadata()) {
                Ok(Ok(found)) => blocks += found.blocks(),
                _ => at_least = true,
            }
        }
        Used {
            what: self.what,
            path: self.path.clone(),
            // As stat(2) counts them.
            bytes: blocks * 512,
            at_least,
            remove: self.remove.clone(),
        }
    }
}

impl ui::Row for Used {
    const HEADINGS: &'static [&'static str] = &["ON THE DISK", "SIZE", "WHERE", "REMOVED BY"];

    fn cells(&self) -> Vec<String> {
        let before = if self.at_least { "at least " } else { "" };
        vec![
            self.what.to_owned(),
            format!("{before}{}", bytes(self.bytes)),
            self.path.display().to_string(),
            format!("`{}`", self.remove),
        ]
    }
}
