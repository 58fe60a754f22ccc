// SPDX-License-Identifier: Apache-2.0
//! `oras`: images, and what refers to them, in registries and between them. It logs in as docker does, by docker's configuration.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::version::Least;
use crate::{
    failure::CmdFailure,
    plan::Cmd,
    value::{Digest, ImageRef, is_local, is_tag},
};

/// The one whose copies and answers are known here.
pub(crate) const LEAST: Least = Least::of(&[1, 3]);

/// The name on PATH.
pub(crate) const PROGRAM: &str = "oras";

/// What an index is. Fact: OCI's image specification, `media-types.md`.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Reads an image's index or manifest, byte by byte.
pub(crate) fn manifest_cmd(image: &ImageRef) -> Cmd {
    about(
        image,
        format!("read the manifest of `{image}`"),
        &["manifest", "fetch"],
    )
}

/// The same of an image in a folder in OCI's layout.
pub(crate) fn manifest_in_layout_cmd(layout: &Path, digest: &Digest) -> Cmd {
    let purpose = format!("read the manifest of `{digest}`");
    in_layout(layout, digest, purpose, &["manifest", "fetch"])
}

/// Puts an index into a registry under a tag.
pub(crate) fn push_index_cmd(name: &ImageRef, index: &str) -> Cmd {
    let words = ["manifest", "push", "--media-type", INDEX];
    let cmd = about(name, format!("push the index `{name}`"), &words).arg("-");
    cmd.stdin(index)
}

/// Asks whether a registry has a blob, which is named by its digest; the answer is its descriptor.
pub(crate) fn blob_descriptor_cmd(blob: &ImageRef) -> Cmd {
    let purpose = format!("ask for the blob `{blob}`");
    about(blob, purpose, &["blob", "fetch", "--descriptor"])
}

/// Reads a blob of an image's repository, which is named by its digest.
pub(crate) fn blob_cmd(blob: &ImageRef) -> Cmd {
    let purpose = format!("read the blob `{blob}`");
    about(blob, purpose, &["blob", "fetch", "--output", "-"])
}

/// Writes a blob, which is named by its digest, into a file.
pub(crate) fn save_blob_cmd(blob: &ImageRef, file: &str) -> Cmd {
    let purpose = format!("read the blob `{blob}`");
    about(blob, purpose, &["blob", "fetch", "--output", file])
}

/// Pushes a file as the blob with that digest.
pub(crate) fn push_blob_cmd(blob: &ImageRef, file: &str) -> Cmd {
    let purpose = format!("push the blob `{blob}`");
    about(blob, purpose, &["blob", "push"]).arg(file)
}

/// Asks for the digest that an image has; [`parse_digest`] reads the answer.
pub(crate) fn resolve_cmd(image: &ImageRef) -> Cmd {
    about(
        image,
        format!("ask for the digest of `{image}`"),
        &["resolve"],
    )
}

/// Lists the tags of an image's repository; [`parse_tags`] reads them.
pub(crate) fn tags_cmd(repository: &str) -> Cmd {
    Cmd::new(PROGRAM, format!("list the tags of `{repository}`"))
        .args(["repo", "tags"])
        .args(plain(repository, "--plain-http"))
        .args(["--", repository])
}

/// Lists what refers to an image, and to that; [`parse_referrers`] reads it.
pub(crate) fn discover_cmd(image: &ImageRef) -> Cmd {
    let purpose = format!("ask what refers to `{image}`");
    about(image, purpose, &["discover", "--format", "json"])
}

/// The same of an image in a folder in OCI's layout.
pub(crate) fn discover_in_layout_cmd(layout: &Path, digest: &Digest) -> Cmd {
    let purpose = format!("ask what refers to `{digest}`");
    let words = ["discover", "--format", "json"];
    in_layout(layout, digest, purpose, &words)
}

/// Copies an image with all its manifests, blobs and what refers to them. Without a tag nothing names it there but its digest.
pub(crate) fn copy_with_referrers_cmd(from: &ImageRef, to: &ImageRef) -> Cmd {
    copy(from, to, &["--recursive"])
}

/// Copies one image, and nothing that refers to it.
pub(crate) fn copy_cmd(from: &ImageRef, to: &ImageRef) -> Cmd {
    copy(from, to, &[])
}

/// Copies an image, by its digest, with what refers to it into a folder in OCI's layout.
pub(crate) fn copy_to_layout_cmd(from: &ImageRef, layout: &Path) -> Cmd {
    let digest = from.digest.as_deref().unwrap_or_default();
    Cmd::new(PROGRAM, format!("copy `{from}`"))
        .args(["cp", "--no-tty", "--recursive"])
        .args(plain(&from.repository, "--from-plain-http"))
        .args(["--to-oci-layout", "--"])
        .args([from.to_string(), format!("{}@{digest}", layout.display())])
}

/// Pushes an image of such a folder with what refers to it.
pub(crate) fn copy_from_layout_cmd(layout: &Path, digest: &Digest, to: &ImageRef) -> Cmd {
    Cmd::new(PROGRAM, format!("push `{to}`"))
        .args(["cp", "--no-tty", "--recursive", "--from-oci-layout"])
        .args(plain(&to.repository, "--to-plain-http"))
        .args([
            "--".to_owned(),
            format!("{}@{digest}", layout.display()),
            to.to_string(),
        ])
}

fn copy(from: &ImageRef, to: &ImageRef, options: &[&str]) -> Cmd {
    let cmd = copy_between_cmd(&from.repository, &to.repository, options);
    cmd.args([from.to_string(), to.to_string()])
}

/// A copy between two repositories, up to what is copied.
pub(crate) fn copy_between_cmd(from: &str, to: &str, options: &[&str]) -> Cmd {
    Cmd::new(PROGRAM, format!("copy from `{from}` to `{to}`"))
        .args(["cp", "--no-tty"])
        .args(options)
        .args(plain(from, "--from-plain-http"))
        .args(plain(to, "--to-plain-http"))
        .arg("--")
}

/// Gives an image further tags.
pub(crate) fn tag_cmd<'a>(image: &ImageRef, tags: impl IntoIterator<Item = &'a String>) -> Cmd {
    about(image, format!("tag `{image}`"), &["tag"]).args(tags)
}

/// A command about one image.
fn about(image: &ImageRef, purpose: String, words: &[&str]) -> Cmd {
    Cmd::new(PROGRAM, purpose)
        .args(words)
        .args(plain(&image.repository, "--plain-http"))
        .args(["--".to_owned(), image.to_string()])
}

/// A command about one image in a folder in OCI's layout.
fn in_layout(layout: &Path, digest: &Digest, purpose: String, words: &[&str]) -> Cmd {
    let image = format!("{}@{digest}", layout.display());
    let cmd = Cmd::new(PROGRAM, purpose).args(words);
    cmd.args(["--oci-layout".to_owned(), "--".to_owned(), image])
}

/// The flag for a registry on this machine, which speaks no TLS. oras knows `localhost` by itself, not its addresses.
fn plain(repository: &str, flag: &'static str) -> Option<&'static str> {
    is_local(repository).then_some(flag)
}

/// The digest in an answer to [`resolve_cmd`].
pub(crate) fn parse_digest(printed: &str) -> Option<Digest> {
    printed.trim().parse().ok()
}

/// The tags in an answer to [`tags_cmd`]. What is no tag would become a part of a reference.
pub(crate) fn parse_tags(printed: &str) -> Vec<String> {
    let lines = printed.lines().map(str::trim).filter(|line| is_tag(line));
    lines.map(str::to_owned).collect()
}

/// What refers to an image, or to something that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Referrer {
    /// What it refers to.
    pub subject: Digest,
    /// How an index names it. Fact: OCI's image specification, `descriptor.md`.
    pub descriptor: Value,
}

/// What of an answer belongs to a descriptor.
const DESCRIPTOR: [&str; 5] = ["mediaType", "digest", "size", "artifactType", "annotations"];

/// All that refers to an image, directly or not, by its digest, in an answer to [`discover_cmd`]. None: it is no such answer.
pub(crate) fn parse_referrers(printed: &str, image: &Digest) -> Option<BTreeMap<Digest, Referrer>> {
    let answer: Value = serde_json::from_str(printed).ok()?;
    let mut found = BTreeMap::new();
    let mut left = vec![(image.clone(), &answer)];
    while let Some((subject, one)) = left.pop() {
        for said in one["referrers"].as_array().into_iter().flatten() {
            let digest: Digest = said["digest"].as_str()?.parse().ok()?;
            let parts = DESCRIPTOR.into_iter().filter_map(|key| {
                let value = said.get(key).filter(|value| !value.is_null())?;
                Some((key.to_owned(), value.clone()))
            });
            let referrer = Referrer {
                subject: subject.clone(),
                descriptor: Value::Object(parts.collect()),
            };
            left.push((digest.clone(), said));
            found.insert(digest, referrer);
        }
    }
    Some(found)
}

/// Whether a line that a copy prints says that something was carried over: `Copied  c072e40d291f application/…`, and neither what
/// was there already (`Exists`) nor the sum of it (`Copied [registry] …`).
pub(crate) fn is_copied(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_digest = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    words.next() == Some("Copied") && words.next().is_some_and(is_digest)
}

/// Whether a registry has answered that it has no such repository, or none for whoever asks: some say the one for the other.
pub(crate) fn is_no_repository(failed: &CmdFailure) -> bool {
    let answers = ["name unknown", "denied", "unauthorized"];
    failed.mentions("response from registry") && answers.iter().any(|said| failed.mentions(said))
}

/// Whether a registry has said that what was asked for is not there, by whatever it lacks: the tag, the digest, the repository. A
/// shell says of a program that it is `not found`, and does not begin with what oras begins with.
pub(crate) fn is_absent(failed: &CmdFailure) -> bool {
    let absent = [": not found", "name unknown"];
    let says =
        |line: &str| line.starts_with("Error") && absent.iter().any(|end| line.contains(end));
    failed.kept().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Reason;

    fn image(text: &str) -> ImageRef {
        text.parse().unwrap()
    }

    #[test]
    fn a_registry_on_this_machine_is_asked_without_tls_and_no_other() {
        let digest = Digest::of(b"x");
        let (from, to) = (
            image(&format!("127.0.0.1:5000/x@{digest}")),
            image("ghcr.io/o/x"),
        );
        assert_eq!(
            copy_with_referrers_cmd(&from, &to).to_string(),
            format!(
                "oras cp --no-tty --recursive --from-plain-http -- 127.0.0.1:5000/x@{digest} ghcr.io/o/x"
            )
        );
        assert_eq!(
            copy_cmd(&to, &from).to_string(),
            format!("oras cp --no-tty --to-plain-http -- ghcr.io/o/x 127.0.0.1:5000/x@{digest}")
        );
        assert_eq!(
            manifest_cmd(&to).to_string(),
            "oras manifest fetch -- ghcr.io/o/x"
        );
        assert_eq!(
            tags_cmd("localhost:5000/x").to_string(),
            "oras repo tags --plain-http -- localhost:5000/x"
        );
        assert_eq!(
            tag_cmd(&to, &["a".to_owned(), "b".to_owned()]).to_string(),
            "oras tag -- ghcr.io/o/x a b"
        );
    }

    #[test]
    fn answers_are_read_and_what_else_stands_there_is_not() {
        let digest = Digest::of(b"x");
        assert_eq!(parse_digest(&format!("{digest}\n")), Some(digest.clone()));
        assert_eq!(parse_digest("--help"), None);
        assert_eq!(parse_tags("1.0\n--x\n\n a-1 \n"), ["1.0", "a-1"]);
        let other = Digest::of(b"y");
        let said = format!(
            r#"{{"digest": "no matter", "referrers": [{{"digest": "{digest}", "size": 3, "artifactType": "a/b", "annotations": null, "reference": "x", "referrers": [{{"digest": "{other}", "referrers": []}}]}}]}}"#
        );
        let image = Digest::of(b"image");
        let found = parse_referrers(&said, &image).unwrap();
        let subjects: Vec<(&Digest, &Digest)> = found
            .iter()
            .map(|(one, said)| (one, &said.subject))
            .collect();
        let mut wanted = [(&digest, &image), (&other, &digest)];
        wanted.sort();
        assert_eq!(subjects, wanted);
        assert_eq!(
            found[&digest].descriptor,
            serde_json::json!({"digest": digest, "size": 3, "artifactType": "a/b"})
        );
        assert_eq!(
            parse_referrers(r#"{"referrers": []}"#, &image),
            Some(BTreeMap::new())
        );
        for wrong in ["", r#"{"referrers": [{"digest": "x"}]}"#] {
            assert_eq!(parse_referrers(wrong, &image), None, "{wrong}");
        }
    }

    #[test]
    fn an_image_that_is_not_there_is_told_from_a_program_that_is_not() {
        let cmd: Cmd = Cmd::new(PROGRAM, "ask");
        let is = |line: &str| {
            let mut failed = CmdFailure::before_start(&cmd, Reason::Status(1));
            failed.tail.push(line.to_owned());
            is_absent(&failed)
        };
        for line in [
            "Error response from registry: failed to resolve digest: r/x:1: not found",
            "Error: r/x@sha256:0: not found",
            "Error response from registry: name unknown: repository name not known to registry",
        ] {
            assert!(is(line), "{line}");
        }
        for line in [
            "sh: 1: exec: oras: not found",
            "Error response from registry: unauthorized",
            "",
        ] {
            assert!(!is(line), "{line}");
        }
    }

    #[test]
    fn what_was_carried_over_is_told_from_what_was_there() {
        let is = |line| is_copied(line);
        assert!(is(
            "Copied  c072e40d291f application/vnd.dev.sigstore.bundle.v0.3+json"
        ));
        for line in [
            "Copying c072e40d291f application/x",
            "Exists  da539d036f78 application/vnd.oci.image.manifest.v1+json",
            "Copied [registry] localhost:1/x@sha256:0 => [registry] localhost:2/x",
            "",
        ] {
            assert!(!is(line), "{line}");
        }
    }
}
