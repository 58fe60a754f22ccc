// SPDX-License-Identifier: Apache-2.0
//! What a target of bake reads and writes of this machine, and what it may do beyond a build: nothing outside of the
//! repository, nothing more than others.
//!
//! Buildx refuses the same, but not with `--progress rawjson`, which we need (seen with 0.29.1).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Definition, Definitions};
use crate::failure::Failure;

/// Lifts buildx's own limits when it is false. Fact: <https://docs.docker.com/build/building/variables/>.
const VARIABLE: &str = "BUILDX_BAKE_ENTITLEMENTS_FS";

/// Fields of a secret, a cache and an output that are paths of this machine.
const PATHS: [&str; 3] = ["src", "source", "dest"];

/// Whether the user has lifted the limits.
pub(crate) fn is_lifted() -> bool {
    let said = std::env::var(VARIABLE);
    said.is_ok_and(|said| matches!(said.as_str(), "0" | "f" | "F" | "false" | "False" | "FALSE"))
}

impl Definitions {
    /// The same, unless one of its targets leaves the repository at `root`, where no link is left, or wants privileges.
    pub(crate) fn staying_in(self, root: &Path) -> Result<Self, Failure> {
        for (name, json) in self.closure(self.built().map(|built| built.name)) {
            Definition { name, json }.stays_in(root)?;
        }
        Ok(self)
    }
}

impl Definition<'_> {
    /// Refuses a target that leaves the repository at `root`, or wants privileges.
    fn stays_in(self, root: &Path) -> Result<(), Failure> {
        let outside = self.paths().into_iter().find(|path| !is_below(root, path));
        if let Some(path) = outside {
            let why = format!("`{}` is outside of the repository", path.display());
            return Err(self.wrong(&why).hint(format!(
                "if that is meant, {VARIABLE}=0 in the environment lets bake read and write there"
            )));
        }
        let wanted = self.texts("entitlements").next();
        let network = self.json["network"].as_str().filter(|mode| *mode == "host");
        match wanted.or(network) {
            Some(wanted) => Err(self.wrong(&format!(
                "it wants the privilege `{wanted}`, which no image of an extension needs"
            ))),
            None => Ok(()),
        }
    }

    fn paths(self) -> Vec<PathBuf> {
        let field = |name: &str| self.json[name].as_str();
        let context = field("context").unwrap_or(".");
        let named = self.json["contexts"].as_object();
        let named = named
            .into_iter()
            .flatten()
            .filter_map(|(_, at)| at.as_str());
        let mut paths: Vec<PathBuf> = named.chain([context]).filter_map(local).collect();
        if let (Some(folder), Some(dockerfile)) = (local(context), field("dockerfile")) {
            paths.extend(local(dockerfile).map(|file| folder.join(file)));
        }
        for name in ["secret", "cache-from", "cache-to", "output"] {
            let items = self.json[name].as_array().into_iter().flatten();
            paths.extend(items.flat_map(paths_of));
        }
        paths
    }
}

/// The path of a context that is a folder of this machine.
pub(super) fn local(context: &str) -> Option<PathBuf> {
    let remote = ["target:", "input:", "git@", "github.com/"];
    if remote.iter().any(|start| context.starts_with(start)) || context == "-" {
        return None;
    }
    match context.split_once("://") {
        Some(("oci-layout", path)) => Some(PathBuf::from(path)),
        Some(_) => None,
        None => Some(PathBuf::from(context)),
    }
}

/// The paths in a secret, a cache or an output: an object, or pairs between commas.
fn paths_of(item: &Value) -> Vec<PathBuf> {
    let found: Vec<&str> = match item {
        Value::Object(fields) => PATHS
            .iter()
            .filter_map(|name| fields.get(*name)?.as_str())
            .collect(),
        Value::String(text) => text
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| PATHS.contains(name))
            .map(|(_, value)| value)
            .collect(),
        _ => Vec::new(),
    };
    let paths = found.into_iter().filter(|path| *path != "-");
    paths.map(PathBuf::from).collect()
}

/// Whether a path leads below the root, where no link is left, by way of all links in it; one that is not there, by its nearest folder.
fn is_below(root: &Path, path: &Path) -> bool {
    let whole = root.join(path);
    let climbs = path.components().any(|part| part.as_os_str() == "..");
    let mut existing = whole.ancestors();
    let found =
        existing.find_map(|folder| fs_err::canonicalize(folder).ok().map(|real| (folder, real)));
    // Behind what is not there, nobody knows where `..` leads.
    found.is_some_and(|(folder, real)| real.starts_with(root) && (!climbs || folder == whole))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use serde_json::json;

    use super::*;

    fn refused(json: &Value) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(folder.path())
            .unwrap()
            .join("repository");
        std::fs::create_dir_all(root.join("docker")).unwrap();
        std::fs::create_dir_all(folder.path().join("other")).unwrap();
        symlink(folder.path().join("other"), root.join("link")).unwrap();
        let definition = Definition { name: "x", json };
        definition
            .stays_in(&root)
            .err()
            .map(|failure| failure.message)
    }

    #[test]
    fn what_is_in_the_repository_or_elsewhere_on_the_net_is_read() {
        for json in [
            json!({"context": "docker", "dockerfile": "Dockerfile"}),
            json!({"context": ".", "dockerfile": "docker/../docker"}),
            json!({"context": "https://github.com/x/y.git", "dockerfile": "../x"}),
            json!({"contexts": {"a": "target:b", "c": "docker-image://scratch", "d": "docker"}}),
            json!({"output": [{"type": "image"}, "type=local,dest=target/out"]}),
        ] {
            assert_eq!(refused(&json), None, "{json}");
        }
    }

    #[test]
    fn what_leaves_the_repository_or_wants_privileges_is_refused() {
        for (json, said) in [
            (json!({"context": "link"}), "`link` is outside"),
            (json!({"context": "/"}), "`/` is outside"),
            (
                json!({"context": "docker", "dockerfile": "../../other/x"}),
                "outside",
            ),
            (
                json!({"contexts": {"a": "../other"}}),
                "`../other` is outside",
            ),
            (
                json!({"secret": [{"id": "a", "src": "/etc/shadow"}]}),
                "`/etc/shadow`",
            ),
            (json!({"secret": ["id=a,src=/etc/shadow"]}), "`/etc/shadow`"),
            (json!({"output": ["type=local,dest=../out"]}), "`../out`"),
            (json!({"network": "host"}), "the privilege `host`"),
            (
                json!({"entitlements": ["security.insecure"]}),
                "`security.insecure`",
            ),
        ] {
            let message = refused(&json).unwrap_or_default();
            assert!(message.contains(said), "{json}: {message}");
        }
    }
}
