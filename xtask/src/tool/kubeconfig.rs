// SPDX-License-Identifier: Apache-2.0
//! A kubeconfig: which cluster it opens, and what it needs of the machine beside itself. Its fields are those of
//! <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{failure::Failure, yaml};

/// What a context of a kubeconfig names.
#[derive(Clone, Copy, Debug)]
enum Part {
    Cluster,
    User,
}

impl Part {
    /// The field of a context and of an item of the list, and that list.
    fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::Cluster => ("cluster", "clusters"),
            Self::User => ("user", "users"),
        }
    }

    /// The fields that name a file.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Cluster => &["certificate-authority"],
            Self::User => &["client-certificate", "client-key", "tokenFile"],
        }
    }
}

/// A kubeconfig as it is written; None when the text is none.
pub(crate) fn read_config(text: &str) -> Option<Value> {
    let file = yaml::from_text(text)?;
    // A text of comments alone is an empty one.
    (file.is_object() || file.is_null()).then_some(file)
}

/// The certificate authority of the cluster that a kubeconfig's context opens: no two clusters have the
/// same, whatever they are called and at whatever address they are reached. None when the file names none
/// in its own text.
pub(crate) fn authority(kubeconfig: &str, context: Option<&str>) -> Option<String> {
    let file = yaml::from_text(kubeconfig)?;
    authority_of(part(&file, context, Part::Cluster)?)
}

/// The authorities of all clusters in a kubeconfig.
pub(crate) fn authorities(kubeconfig: &str) -> Vec<Option<String>> {
    let file = yaml::from_text(kubeconfig).unwrap_or_default();
    let clusters = file["clusters"].as_array().into_iter().flatten();
    clusters.map(|one| authority_of(&one["cluster"])).collect()
}

fn authority_of(cluster: &Value) -> Option<String> {
    let text = cluster["certificate-authority-data"].as_str()?;
    let text: String = text.split_whitespace().collect();
    (!text.is_empty()).then_some(text)
}

/// The cluster or the user of a context, the current one where none is named.
fn part<'a>(file: &'a Value, context: Option<&str>, part: Part) -> Option<&'a Value> {
    let find = |list: &str, name: &str| {
        let mut items = file[list].as_array()?.iter();
        items.find(|item| item["name"] == name)
    };
    let (field, list) = part.fields();
    let context = context.or(file["current-context"].as_str())?;
    let context = find("contexts", context)?;
    Some(&find(list, context["context"][field].as_str()?)?[field])
}

/// The files of this machine that a context is read from: the kubeconfig at `path`, whose text this is, and what it names.
/// Fails where credentials come from a program, which is on this machine alone.
pub(crate) fn files(
    path: &Path,
    kubeconfig: &str,
    context: Option<&str>,
) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![path.to_owned()];
    let file = yaml::from_text(kubeconfig).unwrap_or_default();
    for kind in [Part::Cluster, Part::User] {
        let Some(of) = part(&file, context, kind) else {
            continue;
        };
        if let Some(program) = program(of) {
            return Err(Failure::unavailable(format!(
                "`{}` gets its credentials from the program `{program}`, which a container does not have",
                path.display()
            )));
        }
        let named = kind.files().iter().filter_map(|field| of[field].as_str());
        // As kubectl takes them: from the kubeconfig's folder on.
        let beside = path.parent().unwrap_or(Path::new(""));
        for name in named.filter(|name| !name.is_empty()) {
            let file = beside.join(name);
            // One file may hold both a certificate and its key.
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// What a user's credentials are asked of: a program, or one of the ways that older kubectls had of their own.
fn program(user: &Value) -> Option<&str> {
    let command = user["exec"]["command"].as_str();
    command.or(user["auth-provider"]["name"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_that_of_the_context() {
        let file = "clusters:\n- name: a\n  cluster: {server: 'https://x', certificate-authority-data: QQ==}\n- name: b\n  cluster: {server: 'https://x'}\n\
            contexts:\n- name: one\n  context: {cluster: a}\n- name: two\n  context: {cluster: b}\n- name: three\n  context: {cluster: c}\ncurrent-context: one\n";
        assert_eq!(authority(file, None).as_deref(), Some("QQ=="));
        assert_eq!(authority(file, Some("one")).as_deref(), Some("QQ=="));
        for context in ["two", "three", "four"] {
            assert_eq!(authority(file, Some(context)), None);
        }
        assert_eq!(authorities(file), [Some("QQ==".to_owned()), None]);
        for text in ["", "no: kubeconfig", "[", "- 1", "clusters: 7"] {
            assert_eq!(authority(text, None), None);
            assert!(authorities(text).is_empty());
        }
    }

    #[test]
    fn what_a_context_is_read_from_is_the_file_and_what_it_names() {
        let file = |user: &str| {
            format!(
                "clusters: [{{name: a, cluster: {{server: 'https://x', certificate-authority: ca.crt}}}}]\n\
                 users: [{{name: u, user: {user}}}, {{name: other, user: {{exec: {{command: elsewhere}}}}}}]\n\
                 contexts: [{{name: one, context: {{cluster: a, user: u}}}}]\ncurrent-context: one\n"
            )
        };
        let of = |user: &str| files(Path::new("/home/u/.kube/config"), &file(user), None);
        let named =
            of("{client-certificate: /certs/u.pem, client-key: /certs/u.pem, tokenFile: token}");
        let wanted = [
            "/home/u/.kube/config",
            "/home/u/.kube/ca.crt",
            "/certs/u.pem",
            "/home/u/.kube/token",
        ];
        assert_eq!(named.unwrap(), wanted.map(PathBuf::from));
        for (user, program) in [
            ("{exec: {command: aws, args: [eks]}}", "`aws`"),
            ("{auth-provider: {name: gcp}}", "`gcp`"),
        ] {
            let failure = of(user).unwrap_err();
            assert!(failure.message.contains(program), "{}", failure.message);
        }
        let none = files(Path::new("k"), "[", None).unwrap();
        assert_eq!(none, [PathBuf::from("k")]);
    }
}
