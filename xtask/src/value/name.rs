// SPDX-License-Identifier: Apache-2.0
//! Names: of an extension, of an environment and its parts, of a builder, of a user, of a platform.

use super::{is_lower, is_made_of, is_one_line, is_word, text_type};

/// `CREATE EXTENSION` names and CNPG's volume names fit into this.
pub(crate) const LONGEST_NAME: usize = 59;

text_type!(
    /// An extension's directory: `^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`, at most 59 characters.
    Name,
    |text| is_made_of(text, is_lower, |byte| is_lower(byte) || b"-_".contains(&byte), LONGEST_NAME)
        && text.bytes().next_back().is_some_and(is_lower),
    "the name of an extension: it matches `^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$` and has at most 59 characters"
);

text_type!(
    /// An end-to-end environment, and a part of the names of its network, registry and cluster.
    EnvironmentName,
    |text| is_made_of(text, is_lower, |byte| is_lower(byte) || byte == b'-', 30)
        && !text.ends_with('-'),
    "of lower-case letters, digits and `-`, at most 30"
);

text_type!(
    /// A network of docker's: the grammar of <https://github.com/moby/moby/blob/master/daemon/names/names.go>.
    NetworkName,
    |text| is_made_of(text, |byte| byte.is_ascii_alphanumeric(), |byte| is_word(byte) || b".-".contains(&byte), 63),
    "the name of a network: letters, digits and `_.-`, at most 63"
);

text_type!(
    /// A container that others find by its name, so one of DNS.
    HostName,
    |text| text.len() <= 63 && text.split('.').all(|label| {
        is_made_of(label, is_lower, |byte| is_lower(byte) || byte == b'-', 63) && !label.ends_with('-')
    }),
    "a host's name: lower-case letters, digits and `-`, in parts with a `.` between them, at most 63"
);

text_type!(
    /// A kind cluster, which names its nodes: see <https://github.com/kubernetes-sigs/kind/blob/main/pkg/cluster/internal/create/create.go>.
    ClusterName,
    |text| HostName::is(text) && text.len() <= 40,
    "the name of a kind cluster: lower-case letters, digits and `-`, in parts with a `.` between them, at most 40"
);

text_type!(
    /// What most objects of Kubernetes are called: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.
    ObjectName,
    |text| text.len() <= 253 && text.split('.').all(|label| {
        is_made_of(label, is_lower, |byte| is_lower(byte) || byte == b'-', 253) && !label.ends_with('-')
    }),
    "the name of an object of Kubernetes: lower-case letters, digits and `-`, in parts with a `.` between them, at most 253"
);

text_type!(
    /// A builder of buildx, or a context of docker.
    BuilderName,
    |text| is_made_of(text, |byte| byte.is_ascii_alphanumeric(), |byte| is_word(byte) || b".+-".contains(&byte), 128),
    "the name of a builder: letters, digits and `_.+-`"
);

text_type!(
    /// A user of a registry. A colon would end it, see RFC 7617.
    Username,
    |text| !text.is_empty() && !text.contains(':') && is_one_line(text),
    "one line without `:`"
);

text_type!(
    /// `os/architecture[/variant]`, as OCI writes it.
    Platform,
    |text| {
        let parts: Vec<&str> = text.split('/').collect();
        let part = |part: &&str| is_made_of(part, is_lower, |byte| is_lower(byte) || b"._-".contains(&byte), 30);
        (2..=3).contains(&parts.len()) && parts.iter().all(part)
    },
    "a platform like `linux/amd64` or `linux/arm64/v8`"
);

/// Platforms as options take them: `linux/amd64,linux/arm64`.
pub(crate) fn joined(platforms: &[Platform]) -> String {
    let names: Vec<&str> = platforms.iter().map(|platform| &**platform).collect();
    names.join(",")
}
