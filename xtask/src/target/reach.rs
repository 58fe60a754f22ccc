// SPDX-License-Identifier: Apache-2.0
//! What a target of bake reads and writes of this machine, and what it may do beyond a build: nothing outside of the
//! repository, nothing more than others.
//!
//! Buildx refuses the same, but not with `--progress rawjson`, which we need (seen with 0.29.1).

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::{
    Definition, Definitions,
    pairs::{is_named, pairs},
    place,
};
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

impl<'a> Definition<'a> {
    /// Refuses a target that leaves the repository at `root`, or wants privileges.
    fn stays_in(self, root: &Path) -> Result<(), Failure> {
        let lifted = |what: &str| {
            format!("if that is meant, {VARIABLE}=0 in the environment lets bake {what}")
        };
        let outside = self.paths().into_iter().find(|path| !is_below(root, path));
        if let Some(path) = outside {
            let why = format!("`{}` is outside of the repository", path.display());
            return Err(self.wrong(&why).hint(lifted("read and write there")));
        }
        if self.wants_agent() {
            let why = "it wants the keys of your SSH agent";
            return Err(self.wrong(why).hint(lifted("use them")));
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

    fn context(self) -> &'a str {
        self.json["context"].as_str().unwrap_or(".")
    }

    fn items(self, field: &str) -> impl Iterator<Item = &'a Value> {
        self.json[field].as_array().into_iter().flatten()
    }

    fn paths(self) -> Vec<PathBuf> {
        let named = self.json["contexts"].as_object().into_iter().flatten();
        let named = named.filter_map(|(_, context)| context.as_str());
        let mut paths: Vec<PathBuf> = named.flat_map(place::named_candidates).collect();
        let dockerfile = self.json["dockerfile"].as_str();
        paths.extend(place::candidates(self.context(), dockerfile));
        for name in ["secret", "cache-from", "cache-to", "output"] {
            paths.extend(self.items(name).flat_map(paths_of));
        }
        paths.extend(self.items("secret").filter_map(file_by_id));
        // A text that is no pair is the folder that is written.
        let outputs = self.items("output").flat_map(pairs);
        let folders = outputs.filter(|(name, folder)| name.is_empty() && folder != "-");
        paths.extend(folders.map(|(_, folder)| folder.into()));
        paths.extend(self.items("ssh").flat_map(keys_of));
        paths
    }

    /// Whether its build may ask the user's agent: buildx also lets one that downloads its context by SSH, where no `ssh` is said.
    fn wants_agent(self) -> bool {
        let mut ssh = self.items("ssh").peekable();
        let is_unsaid = ssh.peek().is_none();
        ssh.any(|one| keys_of(one).is_empty()) || is_unsaid && place::is_by_ssh(self.context())
    }
}

/// The paths in a secret, a cache or an output.
fn paths_of(item: &Value) -> Vec<PathBuf> {
    let named = pairs(item).into_iter();
    let paths = named
        .filter(|(name, path)| path != "-" && PATHS.iter().any(|wanted| is_named(name, wanted)));
    paths.map(|(_, path)| path.into()).collect()
}

/// A secret that is neither said to be a file nor a variable is the variable of its name, or else the file. Fact: BuildKit's
/// `session/secrets/secretsprovider/store.go`.
fn file_by_id(secret: &Value) -> Option<PathBuf> {
    let pairs = pairs(secret);
    let is_said = pairs
        .iter()
        .any(|(name, value)| !value.is_empty() && is_source(name));
    let id = pairs.iter().rfind(|(name, _)| is_named(name, "id"));
    id.filter(|_| !is_said).map(|(_, id)| id.into())
}

fn is_source(name: &str) -> bool {
    ["src", "source", "env"]
        .iter()
        .any(|wanted| is_named(name, wanted))
}

/// The keys and sockets of an entry of `ssh`, as an object or as `id=path,path`; none: it is the agent. Fact: BuildKit's
/// `session/sshforward/sshprovider/agentprovider.go`.
fn keys_of(ssh: &Value) -> Vec<PathBuf> {
    let keys: Vec<&str> = if let Value::String(text) = ssh {
        let keys = text.split_once('=').map(|(_, keys)| keys.split(','));
        keys.into_iter().flatten().collect()
    } else {
        let keys = ssh["paths"].as_array().into_iter().flatten();
        keys.filter_map(Value::as_str).collect()
    };
    let keys = keys.into_iter().filter(|key| !key.is_empty());
    keys.map(PathBuf::from).collect()
}

/// Whether a path is below the root, where no link is left, to the system and to buildx, which takes `..` out of contexts before
/// it follows a link.
fn is_below(root: &Path, path: &Path) -> bool {
    leads_below(root, path) && leads_below(root, &cleaned(path))
}

/// Whether a path leads below the root, where no link is left, by way of all links in it; one that is not there, by its nearest folder.
fn leads_below(root: &Path, path: &Path) -> bool {
    let whole = root.join(path);
    let climbs = path.components().any(|part| part.as_os_str() == "..");
    let mut existing = whole.ancestors();
    let found =
        existing.find_map(|folder| fs_err::canonicalize(folder).ok().map(|real| (folder, real)));
    // Behind what is not there, nobody knows where `..` leads.
    found.is_some_and(|(folder, real)| real.starts_with(root) && (!climbs || folder == whole))
}

/// The path as Go's `path.Clean` makes it: each `..` takes the name before it away.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            Component::ParentDir if clean.has_root() => {}
            part => clean.push(part),
        }
    }
    clean
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
        std::fs::create_dir_all(root.join("https:")).unwrap();
        symlink(folder.path().join("other"), root.join("https:/example.org")).unwrap();
        for deep in ["deep/a/b", "deep/other"] {
            std::fs::create_dir_all(root.join(deep)).unwrap();
        }
        symlink("deep/a/b", root.join("inner")).unwrap();
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
            json!({"context": "https://github.com/x/y.git#main:a", "dockerfile": "x"}),
            json!({"context": "git://example.org/x", "contexts": {"a": "git@example.org:x/y.git"}}),
            json!({"context": "cwd://docker", "dockerfile": "cwd://docker/Dockerfile"}),
            json!({"contexts": {"a": "cwd://docker", "b": "oci-layout://target/image:18"}}),
            json!({"secret": ["id=a,env=A", {"id": "b", "env": "B"}, "id=token"]}),
            json!({"ssh": ["a=docker/key", {"id": "b", "paths": ["docker/key"]}]}),
            json!({"context": "git@example.org:x.git", "ssh": ["default=docker/key"]}),
            json!({"cache-from": ["user/app:cache", "type=registry,ref=x"]}),
            json!({"contexts": {"a": "target:b", "c": "docker-image://scratch", "d": "docker"}}),
            json!({"output": [{"type": "image"}, "type=local,dest=target/out"]}),
        ] {
            assert_eq!(refused(&json), None, "{json}");
        }
    }

    #[test]
    fn what_looks_like_an_address_and_is_a_folder_is_none() {
        for (json, said) in [
            (
                json!({"contexts": {"a": "cwd:///root/.ssh"}}),
                "`/root/.ssh`",
            ),
            (
                json!({"contexts": {"a": "cwd://../other"}}),
                "`../other` is outside",
            ),
            (json!({"context": "cwd://link"}), "`link` is outside"),
            (
                json!({"dockerfile": "cwd:///etc/shadow"}),
                "`/etc/shadow` is outside",
            ),
            (
                json!({"context": "https://x/y.git", "dockerfile": "/etc/shadow"}),
                "`/etc/shadow` is outside",
            ),
            (
                json!({"context": "x://../../../root/.ssh"}),
                "`x://../../../root/.ssh`",
            ),
            (
                json!({"context": "docker-image://../../other"}),
                "`docker-image://../../other`",
            ),
            (
                json!({"contexts": {"a": "git@/../../other"}}),
                "`git@/../../other`",
            ),
            (
                json!({"contexts": {"a": "input:/../../other"}}),
                "`input:/../../other`",
            ),
            (
                json!({"dockerfile": "x://../../../other/x"}),
                "`./x://../../../other/x`",
            ),
            (
                json!({"contexts": {"a": "oci-layout:///var/lib/x:18"}}),
                "/var/lib/x",
            ),
            (
                json!({"contexts": {"a": "oci-layout://link:18"}}),
                "`link` is outside",
            ),
            // A folder of the repository may have the name of an address.
            (
                json!({"context": "https://example.org"}),
                "`https://example.org`",
            ),
            // To buildx this is `../other`, to the system it is in the repository.
            (
                json!({"context": "inner/../../other"}),
                "`inner/../../other`",
            ),
        ] {
            let message = refused(&json).unwrap_or_default();
            assert!(message.contains(said), "{json}: {message}");
        }
    }

    #[test]
    fn the_users_keys_and_agent_are_out_of_reach() {
        for (json, said) in [
            (json!({"ssh": ["default"]}), "your SSH agent"),
            (json!({"ssh": ["a=docker/key", "b="]}), "your SSH agent"),
            (json!({"ssh": [{"id": "default"}]}), "your SSH agent"),
            (
                json!({"context": "git@example.org:x.git"}),
                "your SSH agent",
            ),
            (
                json!({"ssh": ["k=docker/key,/root/.ssh/id_ed25519"]}),
                "`/root/.ssh/id_ed25519` is outside",
            ),
            (
                json!({"ssh": [{"id": "k", "paths": ["../other/key"]}]}),
                "`../other/key` is outside",
            ),
        ] {
            let message = refused(&json).unwrap_or_default();
            assert!(message.contains(said), "{json}: {message}");
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
            (json!({"secret": ["id=/etc/shadow"]}), "`/etc/shadow`"),
            (json!({"secret": [{"id": "../x"}]}), "`../x`"),
            (
                json!({"secret": ["id=a,\" SRC=/etc/shadow\""]}),
                "`/etc/shadow`",
            ),
            (json!({"output": ["../out"]}), "`../out`"),
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
