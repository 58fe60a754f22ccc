// SPDX-License-Identifier: Apache-2.0
//! What the runs whose records are still there have said of images and of files.

use std::path::Path;

use serde_json::Value;

use crate::{
    own::run_names,
    run::{kept, record::RunRecord},
    value::{Digest, Server},
    verdict::Verdict,
};

/// A run that has come to its end.
pub(crate) struct Told {
    /// The name of its folder.
    pub run: String,
    pub record: RunRecord,
}

/// The newest first. What cannot be read says nothing.
pub(crate) fn read(root: &Path) -> Vec<Told> {
    let told = run_names(root).into_iter().filter_map(|run| {
        let record = kept::record(root, &run).ok()?;
        record.exit_code.is_some().then_some(Told { run, record })
    });
    let mut told: Vec<Told> = told.collect();
    // A folder's name says the second alone.
    told.sort_by(|one, other| other.record.started.cmp(&one.record.started));
    told
}

impl Told {
    /// Whether it was a run of this command, in either spelling.
    pub(crate) fn is(&self, command: &str) -> bool {
        self.record.command.as_deref() == Some(command)
    }

    /// What it has said of each image.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let rows = self.record.result.as_ref().and_then(Value::as_array);
        rows.into_iter().flatten().map(Row)
    }
}

/// What a run has said of one image.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(&'a Value);

impl<'a> Row<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0[name].as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn name(self) -> Option<&'a str> {
        self.text("name").or_else(|| self.text("extension"))
    }

    /// Bake's name for what it has built.
    pub(crate) fn target(self) -> Option<&'a str> {
        self.text("target")
    }

    /// The image by its name and tag.
    pub(crate) fn image(self) -> Option<&'a str> {
        self.text("image")?.split('@').next()
    }

    /// The server that it is for, which it says, or the end of its target's or tag's name.
    pub(crate) fn server(self) -> Option<Server> {
        if let (Some(distro), Some(major)) = (self.text("distro"), self.text("pg_major")) {
            return Server::parse(distro, major);
        }
        server_of(self.target().or_else(|| self.image())?)
    }

    pub(crate) fn digest(self) -> Option<Digest> {
        let named = || {
            self.text("image")?
                .split_once('@')
                .map(|(_, digest)| digest)
        };
        self.text("digest").or_else(named)?.parse().ok()
    }

    pub(crate) fn result(self) -> Option<Verdict> {
        serde_json::from_value(self.0["result"].clone()).ok()
    }

    /// Of a finding of `checks`: the file, and whether it is an error.
    pub(crate) fn error_in(self) -> Option<&'a str> {
        self.text("file")
            .filter(|_| self.text("severity") == Some("error"))
    }
}

/// The server in a name that ends in `-18-trixie`.
pub(crate) fn server_of(name: &str) -> Option<Server> {
    let mut parts = name.rsplitn(3, '-');
    let (distro, major) = (parts.next()?, parts.next()?);
    Server::parse(distro, major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commands_row_says_of_which_image_it_is() {
        let digest = Digest::of(b"x");
        let tested = format!("localhost:5000/a-testing:1-18-trixie@{digest}");
        let rows = [
            serde_json::json!({"name": "a", "target": "a-1_0-18-trixie", "image": "h:5/a-testing:1-18-trixie", "digest": digest, "result": "passed"}),
            serde_json::json!({"extension": "a", "image": tested, "result": "passed"}),
            serde_json::json!({"name": "a", "distro": "trixie", "pg_major": "18", "image": "", "digest": digest, "result": "passed"}),
        ];
        for row in &rows {
            let row = Row(row);
            assert_eq!(row.name(), Some("a"));
            assert_eq!(row.server(), Server::parse("trixie", "18"));
            assert_eq!(row.digest().as_ref(), Some(&digest));
            assert_eq!(row.result(), Some(Verdict::Passed));
        }
        let odd = serde_json::json!({"name": 1, "image": "x", "digest": "no", "result": "odd"});
        let row = Row(&odd);
        assert!(row.name().is_none() && row.server().is_none() && row.digest().is_none());
    }
}
