// SPDX-License-Identifier: Apache-2.0
//! Who holds a lock, as its file says it: for whom others wait, and what is left of a run that was killed.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::own::{
    RunId,
    process::{self, Remains, Session},
};

/// Who holds a lock, as its file says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Holder {
    pub run: String,
    pid: u32,
    started: u64,
    session: i32,
    namespace: String,
    command: String,
    folder: PathBuf,
    /// Seconds since 1970.
    since: u64,
    /// Runs that were killed, of which something may still be there.
    #[serde(default)]
    pub before: Vec<Holder>,
}

impl Holder {
    /// This run, from a checkout, after those that were killed.
    pub(super) fn own(run: &RunId, checkout: &Path, before: Vec<Self>) -> Self {
        let words: Vec<String> = std::env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let pid = std::process::id();
        let session = Session::own();
        Self {
            run: run.to_string(),
            pid,
            started: i32::try_from(pid)
                .ok()
                .and_then(process::start_time)
                .unwrap_or_default(),
            session: session.number,
            namespace: session.namespace,
            command: shown(&words),
            folder: checkout.to_owned(),
            since: now(),
            before,
        }
    }

    /// What stands first in a lock's text: behind it there may be the end of an earlier one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut records = serde_json::Deserializer::from_str(text).into_iter();
        records.next()?.ok()
    }

    pub(super) fn remains(&self) -> Option<Remains> {
        Some(Remains {
            run: RunId::parse(&self.run)?,
            session: Session {
                number: self.session,
                namespace: self.namespace.clone(),
            },
        })
    }

    /// This one and those that came before it, each alone.
    pub(super) fn all(mut self) -> Vec<Self> {
        let mut all = std::mem::take(&mut self.before);
        all.push(self);
        all
    }
}

/// `for whom, in which folder, since when`, for a note.
impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of_day = self.since % 86400;
        write!(
            f,
            "`{}` in `{}`, process {}, since {:02}:{:02}:{:02} UTC ({}s)",
            self.command,
            self.folder.display(),
            self.pid,
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60,
            now().saturating_sub(self.since)
        )
    }
}

/// The words of a command as far as others may read them: neither long, nor with somebody's login.
fn shown(words: &[String]) -> String {
    let words = words.iter().map(|word| {
        if word.contains("://") && word.contains('@') {
            "…"
        } else {
            word
        }
    });
    let line: String = words.collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named_without_logins_and_without_end() {
        let words = ["bake".to_owned(), "https://me:secret@mirror".to_owned()];
        assert_eq!(shown(&words), "bake …");
        assert_eq!(shown(&["x".repeat(400)]).chars().count(), 101);
        assert_eq!(shown(&["a\u{1b}[2Jb\nc".to_owned()]), "a[2Jbc");
    }

    #[test]
    fn a_holder_reads_itself_and_no_other_text() {
        let holder = Holder {
            run: "0123456789abcdef".into(),
            pid: 1,
            started: 2,
            session: 3,
            namespace: "pid:[4]".into(),
            command: "bake x".into(),
            folder: "/r".into(),
            since: 3723,
            before: Vec::new(),
        };
        let text = serde_json::to_string(&holder).unwrap();
        let read = Holder::read(&text).unwrap();
        assert!(
            read.to_string()
                .starts_with("`bake x` in `/r`, process 1, since 01:02:03 UTC ("),
            "{read}"
        );
        assert!(read.remains().is_some());
        // Killed while it wrote over a longer one.
        let torn = Holder::read(&format!("{text}\"since\":1,\"before\":[]}}")).unwrap();
        assert_eq!(torn.run, holder.run);
        assert!(Holder::read("4711 12").is_none());
        let foreign = Holder {
            run: "x,y".into(),
            ..holder
        };
        assert!(foreign.remains().is_none());
    }
}
