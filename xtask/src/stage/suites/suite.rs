// SPDX-License-Identifier: Apache-2.0
//! A folder of tests.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use walkdir::WalkDir;

use super::SHARED;
use crate::{own::source, tool::assertion, yaml};

/// On a test: whose cluster it may be run in.
const CLUSTER: &str = "io.cloudnativepg.xtask.cluster";

/// A folder of tests, read once however many images it tests.
pub(crate) struct Suite {
    pub folder: PathBuf,
    /// Another file than `chainsaw-test.yaml`, without its ending.
    pub(super) file: Option<&'static str>,
    /// All its tests say that they may go on in the cluster of the shared suite.
    pub(super) goes_on: bool,
    /// The least time that one of its assertions may take.
    pub(super) shortest: Option<Duration>,
}

impl Suite {
    /// `folder` is below `root`.
    pub(crate) fn read(root: &Path, folder: PathBuf, file: Option<&'static str>) -> Self {
        let texts = texts(root, &folder, file);
        let texts: Option<Vec<&str>> = texts
            .as_ref()
            .map(|texts| texts.iter().map(String::as_str).collect());
        let goes_on = texts.as_ref().is_some_and(|texts| may_go_on(texts));
        let shortest = texts.and_then(assertion::shortest);
        Self {
            folder,
            file,
            goes_on,
            shortest,
        }
    }
}

/// Whether there are tests, and each of them says that it may be run where the shared suite has passed: that what it applies
/// is the same there, and that it asks for nothing new.
fn may_go_on(texts: &[&str]) -> bool {
    let mut found = Vec::new();
    for text in texts {
        let Ok(documents) = yaml::documents(text) else {
            return false;
        };
        found.extend(documents.into_iter().filter(|one| one["kind"] == "Test"));
    }
    let says_so = |test: &Value| test["metadata"]["annotations"][CLUSTER] == SHARED;
    !found.is_empty() && found.iter().all(says_so)
}

/// The texts of a suite's files; None when one cannot be read.
fn texts(root: &Path, folder: &Path, file: Option<&str>) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for entry in WalkDir::new(root.join(folder)).max_depth(3) {
        let entry = entry.ok()?;
        let name = entry.file_name().to_string_lossy();
        let is_test = name.starts_with("chainsaw-test.");
        let is_meant = file.is_none_or(|file| !is_test || name.starts_with(file));
        if entry.file_type().is_file() && name.ends_with(".yaml") && is_meant {
            let path = entry.path().strip_prefix(root).ok()?;
            texts.push(source::read(root, path).ok()??);
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::may_go_on;

    #[test]
    fn a_suite_goes_on_where_each_of_its_tests_says_so() {
        let test = |annotations: &str| {
            format!(
                "apiVersion: chainsaw.kyverno.io/v1alpha1\nkind: Test\nmetadata:\n  name: x\n{annotations}spec: {{}}\n"
            )
        };
        let says = test("  annotations:\n    io.cloudnativepg.xtask.cluster: shared\n");
        let (says_not, template) = (test(""), "kind: StepTemplate\nmetadata: {}\n".to_owned());
        let other = test("  annotations:\n    io.cloudnativepg.xtask.cluster: own\n");
        let two = format!("{says}---\n{says_not}");
        for (texts, wanted) in [
            (vec![&says], true),
            (vec![&says, &template, &says], true),
            (vec![&says_not], false),
            (vec![&says, &says_not], false),
            (vec![&two], false),
            (vec![&other], false),
            (vec![&template], false),
            (vec![], false),
        ] {
            let texts: Vec<&str> = texts.into_iter().map(String::as_str).collect();
            assert_eq!(may_go_on(&texts), wanted, "{texts:?}");
        }
        assert!(!may_go_on(&[&says, "kind: Test\n  annotations: ["]));
    }
}
