// SPDX-License-Identifier: Apache-2.0
//! What a run has found of each image, read again from what its command said for scripts, whichever command that was.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::record::RunRecord;
use crate::verdict::Verdict;

/// An image with what became of it; of `ci` a lane. Texts that a command does not have are empty.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub(crate) struct ImageResult {
    #[serde(alias = "extension", alias = "lane")]
    pub name: String,
    /// None: the command has no word for it.
    pub result: Option<Verdict>,
    pub distro: String,
    pub pg_major: String,
    pub cnpg_release: String,
    pub version: String,
    pub image: String,
    pub digest: Option<String>,
    pub size: Option<String>,
    pub seconds: Option<f64>,
    #[serde(alias = "said")]
    pub proof: String,
    /// Of a failure, or why nothing was tried.
    #[serde(alias = "reason")]
    pub cause: Option<String>,
    /// What else is said of it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ImageResult {
    /// Of all images. None: what the run said is no list of such.
    pub(crate) fn all(run: &RunRecord) -> Option<Vec<Self>> {
        let rows = run.result.as_ref()?.as_array()?;
        let read = rows.iter().map(|row| Self::read(row.clone()));
        read.collect::<Option<Vec<_>>>()
            .filter(|all| !all.is_empty())
    }

    fn read(row: Value) -> Option<Self> {
        let mut one: Self = serde_json::from_value(row).ok()?;
        if let (true, Some(Value::Array(all))) = (one.name.is_empty(), one.rest.get("extensions")) {
            // Of several images in one server.
            let names: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            one.name = names.join(", ");
            one.rest.remove("extensions");
        }
        if one.name.is_empty() || one.result.is_none() {
            return None;
        }
        if one.digest.is_none() {
            let digest = one
                .image
                .split_once('@')
                .map(|(_, digest)| digest.to_owned());
            one.digest = digest;
        }
        Some(one)
    }

    /// What tells it from others of the same extension: `18-trixie`, `18-trixie, CNPG 1.30`. Empty where nothing does.
    pub(crate) fn place(&self) -> String {
        let server = match (self.pg_major.as_str(), self.distro.as_str()) {
            ("", distro) => distro.to_owned(),
            (major, "") => major.to_owned(),
            (major, distro) => format!("{major}-{distro}"),
        };
        match (server.as_str(), self.cnpg_release.as_str()) {
            (_, "") => server,
            ("", release) => format!("CNPG {release}"),
            (_, release) => format!("{server}, CNPG {release}"),
        }
    }

    /// What it is called: `pgvector 18-trixie`.
    pub(crate) fn title(&self) -> String {
        let from = self.rest.get("from").and_then(Value::as_str);
        let from = from.map_or_else(String::new, |from| format!(" from {from}"));
        let title = format!("{} {}", self.name, self.place());
        format!("{}{from}", title.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::timeline::tests::run;

    #[test]
    fn rows_of_any_command_are_read_and_nothing_of_them_is_lost() {
        let mut run = run(1, &[]);
        run.result = Some(json!([
            {"name": "a", "distro": "trixie", "pg_major": "18", "result": "passed", "digest": null, "proof": "x", "seconds": 1.5},
            {"extension": "b", "image": "r/b:1@sha256:ab", "cnpg_release": "1.30", "result": "not available", "cause": null, "shared": "passed"},
            {"lane": "unit", "result": "failed", "said": "no"},
            {"extensions": ["a", "b"], "result": "passed", "pg_major": "18"},
        ]));
        let all = ImageResult::all(&run).unwrap();
        let titles: Vec<String> = all.iter().map(ImageResult::title).collect();
        assert_eq!(titles, ["a 18-trixie", "b CNPG 1.30", "unit", "a, b 18"]);
        assert_eq!(all[1].digest.as_deref(), Some("sha256:ab"));
        assert_eq!(all[1].rest["shared"], "passed");
        assert_eq!((all[0].seconds, all[2].proof.as_str()), (Some(1.5), "no"));
    }

    #[test]
    fn what_is_no_list_of_results_is_none() {
        let mut run = run(1, &[]);
        for result in [
            json!(null),
            json!([]),
            json!({"name": "a"}),
            json!([{"name": "a"}]),
            json!([{"name": "a", "result": "well"}]),
            json!([{"name": {}, "result": "passed"}]),
            json!(["a", 1]),
        ] {
            run.result = Some(result);
            assert_eq!(ImageResult::all(&run), None);
        }
    }
}
