// SPDX-License-Identifier: Apache-2.0
//! `docker buildx imagetools`: what a registry says of an image.

use serde_json::Value;

use crate::{
    exec::{Exec, Reason},
    failure::{Failure, Kind},
    plan::Cmd,
    value::{Annotations, Digest, ImageRef, Server},
};

/// Reads an image's index or manifest from its registry.
pub(crate) fn manifest_cmd(reference: &ImageRef) -> Cmd {
    Cmd::new("docker", format!("read the manifest of `{reference}`"))
        .args(["buildx", "imagetools", "inspect", "--raw", "--"])
        .arg(reference.to_string())
}

/// Prints what an image in a registry is called by its content. Fact: of fields in a format buildx prints whole descriptors
/// alone, and otherwise all that it prints without a format.
pub(crate) fn descriptor_cmd(reference: &str) -> Cmd {
    Cmd::new("docker", format!("read the digest of `{reference}`"))
        .args(["buildx", "imagetools", "inspect", "--format"])
        .args(["{{json .Manifest}}", "--", reference])
}

/// The digest in what [`descriptor_cmd`] has printed.
pub(crate) fn digest_of(descriptor: &str) -> Option<Digest> {
    let descriptor: Value = serde_json::from_str(descriptor).ok()?;
    descriptor["digest"].as_str()?.parse().ok()
}

/// An image in a registry, as its index or manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// `repository[:tag]@digest`, however it was asked for.
    pub reference: ImageRef,
    /// The index's; of a single manifest its own.
    pub annotations: Annotations,
    /// `linux/amd64`, …; empty when the manifest itself does not say.
    pub platforms: Vec<String>,
}

impl Described {
    /// Asks the registry. An image that is not there is a failure with what the registry said.
    pub(crate) fn read(image: &ImageRef, exec: &dyn Exec) -> Result<Self, Failure> {
        let raw = ask(&manifest_cmd(image), image, exec)?;
        let (mut described, first) = Self::parse(image, &raw)?;
        // An index that was made without annotations: its manifests may have them.
        if let (true, Some(first)) = (described.annotations.is_empty(), first) {
            let manifest = ImageRef {
                tag: None,
                digest: Some(first),
                ..image.clone()
            };
            let raw = ask(&manifest_cmd(&manifest), &manifest, exec)?;
            described.annotations = Self::parse(image, &raw)?.0.annotations;
        }
        Ok(described)
    }

    /// The server that the image is for, as its annotations say.
    pub(crate) fn server(&self) -> Result<Server, Failure> {
        self.annotations.server(&self.reference)
    }

    /// Reads an index or a manifest. Also gives the digest of the first image in an index.
    pub(crate) fn parse(image: &ImageRef, raw: &str) -> Result<(Self, Option<Digest>), Failure> {
        let value: Value = serde_json::from_str(raw).map_err(|error| {
            Failure::failed(format!("`{image}` has a manifest that is no JSON: {error}"))
        })?;
        let text = |value: &Value, pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let manifests = value.get("manifests").and_then(Value::as_array);
        // Attestations stand in an index as images of an unknown platform.
        let images: Vec<(String, Option<String>)> = manifests
            .into_iter()
            .flatten()
            .filter_map(|manifest| {
                let system = text(manifest, "/platform/os")?;
                let architecture = text(manifest, "/platform/architecture")?;
                let platform = format!("{system}/{architecture}");
                (system != "unknown").then(|| (platform, text(manifest, "/digest")))
            })
            .collect();
        let digest = match &image.digest {
            Some(digest) => digest.clone(),
            None => Digest::of(raw.as_bytes()),
        };
        // What is no digest would be asked for as another image, or as an option.
        let first = images
            .first()
            .and_then(|(_, digest)| digest.as_deref()?.parse().ok());
        let described = Self {
            reference: ImageRef {
                digest: Some(digest),
                ..image.clone()
            },
            annotations: Annotations::of(&value["annotations"]),
            platforms: images.into_iter().map(|(platform, _)| platform).collect(),
        };
        Ok((described, first))
    }

    /// The platform of an image without an index, as its configuration says.
    pub(crate) fn platform(&self, exec: &dyn Exec) -> Result<String, Failure> {
        let reference = &self.reference;
        let format = "{{.Image.OS}}/{{.Image.Architecture}}";
        let cmd = Cmd::new("docker", format!("read the platform of `{reference}`"))
            .args(["buildx", "imagetools", "inspect", "--format", format, "--"])
            .arg(reference.to_string());
        Ok(ask(&cmd, reference, exec)?.trim().to_owned())
    }

    /// Refuses an image that has nothing for the platform: containerd mounts a foreign one without a word.
    pub(crate) fn check_platform(&self, wanted: &str, exec: &dyn Exec) -> Result<(), Failure> {
        let mut platforms = self.platforms.clone();
        if platforms.is_empty() {
            platforms.push(self.platform(exec)?);
        }
        if platforms.iter().any(|platform| platform == wanted) {
            return Ok(());
        }
        Err(Failure::invalid(format!(
            "image `{}` is for {}, and the cluster's nodes are {wanted}",
            self.reference,
            platforms.join(" and ")
        ))
        .hint(format!(
            "build it for the nodes: `cargo xtask bake … --push --platform {wanted}`"
        )))
    }
}

/// The same as [`Described::read`], where it may not be there.
pub(crate) fn described_if_there(
    image: &ImageRef,
    exec: &dyn Exec,
) -> Result<Option<Described>, Failure> {
    match Described::read(image, exec) {
        Ok(described) => Ok(Some(described)),
        // Of all that may be wrong with a registry, that alone is so.
        Err(failure) if failure.kind == Kind::Invalid => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Asks a registry about an image; says so when it is not there, cannot be reached or wants a login.
fn ask(cmd: &Cmd, reference: &ImageRef, exec: &dyn Exec) -> Result<String, Failure> {
    let patience = std::time::Duration::from_secs(60);
    exec.read(cmd, Some(patience)).map_err(|failed| {
        let cause = failed
            .cause()
            .unwrap_or_default()
            .trim_start_matches("ERROR: ")
            .to_owned();
        match failed.reason {
            Reason::Status(_) if cause.ends_with("not found") => {
                Failure::invalid(format!("image `{reference}` is not in its registry"))
                    .hint("build and push it: `cargo xtask bake … --push`")
            }
            Reason::Status(_) => Failure {
                message: format!("image `{reference}` cannot be read: {cause}"),
                command: None,
                ..Failure::from(failed).or_unavailable()
            },
            _ => Failure::from(failed),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_a_descriptor_and_from_nothing_else() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let descriptor = format!(
            r#"{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}"}}"#
        );
        assert_eq!(digest_of(&descriptor).unwrap().to_string(), digest);
        for other in ["Name: x\nDigest: sha256:ab", "{}", r#"{"digest":"--x"}"#] {
            assert_eq!(digest_of(other), None);
        }
    }

    #[test]
    fn an_index_and_a_manifest_are_both_read() {
        let image: ImageRef = "localhost:5000/x:1".parse().unwrap();
        let aa = format!("sha256:{}", "aa".repeat(32));
        let index = r#"{"manifests":[{"digest":"sha256:aa","platform":{"os":"linux","architecture":"amd64"}},
            {"digest":"sha256:bb","platform":{"os":"unknown","architecture":"unknown"}}],"annotations":{"a":"b"}}"#;
        let (_, first) = Described::parse(&image, index).unwrap();
        assert_eq!(first, None, "that is no digest");
        let index = index.replace("sha256:aa", &aa);
        let (described, first) = Described::parse(&image, &index).unwrap();
        assert_eq!(described.platforms, ["linux/amd64"]);
        assert_eq!(described.annotations.get("a"), Some("b"));
        assert_eq!(first.as_deref(), Some(aa.as_str()));
        let (described, first) = Described::parse(&image, "{}").unwrap();
        // What `printf '{}' | sha256sum` prints.
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(
            described.reference.to_string(),
            format!("localhost:5000/x:1@sha256:{digest}")
        );
        assert!(first.is_none() && described.platforms.is_empty());
    }
}
