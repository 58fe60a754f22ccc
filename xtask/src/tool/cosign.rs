// SPDX-License-Identifier: Apache-2.0
//! `cosign`: signatures of images. It logs in as docker does, and asks a registry on this machine without TLS by itself. Facts: the
//! flags and answers of cosign 3.1.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde_json::Value;

use super::version::Least;
use crate::{
    failure::Failure,
    plan::{Cmd, SIGNER},
    value::{Digest, ImageRef, is_one_line, without_userinfo},
};

/// The one whose signatures are bundles, attached to the image as referrers.
pub(crate) const LEAST: Least = Least::of(&[3]);

/// The name on PATH.
pub(crate) const PROGRAM: &str = SIGNER;

/// How long it may take, which may wait for a registry, a key service and a log.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// The variable in which a key's public half is handed to cosign.
const PUBLIC_KEY: &str = "XTASK_PUBLIC_KEY";

/// Where keys may be that are no files, as cosign names it.
const SERVICES: [&str; 6] = [
    "awskms",
    "azurekms",
    "gcpkms",
    "hashivault",
    "k8s",
    "gitlab",
];

/// A key, by where it is; never by what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    File(PathBuf),
    /// The variable of the environment that holds it.
    Variable(String),
    /// The URI of a service that keeps it.
    Service(String),
}

impl FromStr for Key {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::invalid(why).hint(format!(
                "name a file, `env://VARIABLE`, or a key that a service keeps: `{}://…`",
                SERVICES.join("://…`, `")
            ))
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            if text.is_empty() {
                return Err(wrong("the key is empty".into()));
            }
            return Ok(Self::File(PathBuf::from(text)));
        };
        let is_name = |name: &str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !name.is_empty() && name.bytes().all(is_part)
        };
        match scheme {
            "env" if is_name(rest) => Ok(Self::Variable(rest.to_owned())),
            "env" => Err(wrong(format!(
                "`{text}` names no variable of the environment"
            ))),
            _ if SERVICES.contains(&scheme) && is_one_line(text) => {
                Ok(Self::Service(text.to_owned()))
            }
            _ => Err(wrong(format!("`{}` is no key", without_userinfo(text)))),
        }
    }
}

impl Key {
    /// The same, with a file's path as children see it.
    pub(crate) fn resolved(self, resolve: impl Fn(&Path) -> PathBuf) -> Self {
        match self {
            Self::File(path) => Self::File(resolve(&path)),
            other => other,
        }
    }

    /// Whether cosign asks for a password to use it.
    pub(crate) fn has_password(&self) -> bool {
        !matches!(self, Self::Service(_))
    }

    /// The option with it: in one word, so that no name can be an option.
    fn option(&self) -> String {
        format!("--key={self}")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "env://{name}"),
            Self::Service(uri) => f.write_str(uri),
        }
    }
}

/// Whether signatures stand in the public transparency log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Public,
    /// Nothing is sent there, and nothing is wanted from there.
    None,
}

/// With what images are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Key(Key, Log),
    /// A certificate for the identity that the environment can prove, as CI systems give one.
    Keyless,
}

/// Whose signature is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    Key(Key, Log),
    Identity { identity: Pattern, issuer: String },
}

/// An identity, or a regular expression that it must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exactly(String),
    Like(String),
}

/// Signs an image, which is named by its digest.
pub(crate) fn sign_cmd(image: &ImageRef, signer: &Signer) -> Cmd {
    let cmd = Cmd::new(PROGRAM, format!("sign `{image}`")).args(["sign", "--yes"]);
    let cmd = signed_with(cmd, signer);
    cmd.args(["--".to_owned(), image.to_string()])
}

fn signed_with(cmd: Cmd, signer: &Signer) -> Cmd {
    match signer {
        Signer::Keyless => cmd,
        Signer::Key(key, log) => {
            let cmd = cmd.arg(key.option());
            match log {
                Log::Public => cmd,
                // A signing configuration without a log would do as well, and asks the services all the same.
                Log::None => cmd.args(["--use-signing-config=false", "--tlog-upload=false"]),
            }
        }
    }
}

/// Signs a file, and leaves all that is needed to verify it in `bundle`.
pub(crate) fn sign_file_cmd(file: &Path, bundle: &Path, signer: &Signer) -> Cmd {
    let cmd = Cmd::new(PROGRAM, format!("sign `{}`", file.display())).args(["sign-blob", "--yes"]);
    let cmd = signed_with(cmd, signer);
    cmd.arg("--bundle").arg(bundle).arg("--").arg(file)
}

/// Checks the signature of a file with a public key that is handed over in the environment.
pub(crate) fn verify_file_cmd(file: &Path, bundle: &Path, public_key: &str, log: Log) -> Cmd {
    let key = Key::Variable(PUBLIC_KEY.to_owned());
    let cmd = Cmd::new(PROGRAM, format!("verify `{}`", file.display()))
        .args(["verify-blob".to_owned(), key.option()]);
    let cmd = match log {
        Log::Public => cmd,
        Log::None => cmd.arg("--insecure-ignore-tlog=true"),
    };
    let cmd = cmd.arg("--bundle").arg(bundle).arg("--").arg(file);
    cmd.env(PUBLIC_KEY, public_key)
}

/// Prints the public half of a key.
pub(crate) fn public_key_cmd(key: &Key) -> Cmd {
    Cmd::new(PROGRAM, "read the public half of the key")
        .args(["public-key".to_owned(), key.option()])
}

/// Checks the signatures of an image; [`parse_verified`] reads what it prints.
pub(crate) fn verify_cmd(image: &ImageRef, trusted: &Trusted) -> Cmd {
    let cmd = Cmd::new(PROGRAM, format!("verify `{image}`")).args(["verify", "--output", "json"]);
    let cmd = match trusted {
        Trusted::Key(key, log) => {
            let cmd = cmd.arg(key.option());
            match log {
                Log::Public => cmd,
                Log::None => cmd.arg("--insecure-ignore-tlog=true"),
            }
        }
        Trusted::Identity { identity, issuer } => cmd
            .arg(match identity {
                Pattern::Exactly(identity) => format!("--certificate-identity={identity}"),
                Pattern::Like(pattern) => format!("--certificate-identity-regexp={pattern}"),
            })
            .arg(format!("--certificate-oidc-issuer={issuer}")),
    };
    cmd.args(["--".to_owned(), image.to_string()])
}

/// The same with a public key that is handed over in the environment.
pub(crate) fn verify_with_cmd(image: &ImageRef, public_key: &str, log: Log) -> Cmd {
    let key = Key::Variable(PUBLIC_KEY.to_owned());
    verify_cmd(image, &Trusted::Key(key, log)).env(PUBLIC_KEY, public_key)
}

/// As a line for a shell: whether the image has a signature of this key.
pub(crate) fn verify_with_shell(image: &ImageRef, key: &Key, log: Log) -> String {
    let public = Key::Variable(PUBLIC_KEY.to_owned());
    let verify = verify_cmd(image, &Trusted::Key(public, log));
    format!("{PUBLIC_KEY}=\"$({})\" {verify}", public_key_cmd(key))
}

/// How many signatures of the image with this digest cosign has verified, by what it prints then.
pub(crate) fn parse_verified(printed: &str, digest: &Digest) -> usize {
    let claims: Vec<Value> = serde_json::from_str(printed).unwrap_or_default();
    let is_of_it = |claim: &&Value| {
        claim["critical"]["image"]["docker-manifest-digest"].as_str() == Some(digest)
    };
    claims.iter().filter(is_of_it).count()
}

/// The version in what `cosign version --json` prints; None where it was built without one, as Debian's was (`devel`): the
/// only other version in its answer is Go's.
pub(crate) fn version(printed: &str) -> Option<String> {
    let said: Value = serde_json::from_str(printed).ok()?;
    let version = said["gitVersion"].as_str()?.trim_start_matches('v');
    let is_version = version.starts_with(|c: char| c.is_ascii_digit());
    is_version.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_its_own_and_not_that_of_go() {
        let said =
            |version: &str| format!(r#"{{"gitVersion": "{version}", "goVersion": "go1.27.3"}}"#);
        assert_eq!(version(&said("v3.1.1")).as_deref(), Some("3.1.1"));
        for printed in [&said("devel"), "{}", "no JSON"] {
            assert_eq!(version(printed), None, "{printed}");
        }
    }

    #[test]
    fn a_key_is_a_file_a_variable_or_a_service_and_never_an_option() {
        for text in [
            "a b.key",
            "env://MY_KEY",
            "awskms:///alias/x",
            "k8s://ns/key",
            "-x",
        ] {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
            assert_eq!(key.has_password(), !text.contains("s://"), "{text}");
            assert!(key.option().starts_with("--key="), "{text}");
        }
        for text in [
            "",
            "env://",
            "env://A B",
            "https://u:s3cret@host/key",
            "awskms://\u{1b}x",
        ] {
            let failure = Key::from_str(text).unwrap_err();
            assert!(!failure.message.contains("s3cret"), "{failure}");
        }
    }

    #[test]
    fn with_a_key_and_without_the_log_nobody_else_is_asked() {
        let image: ImageRef = format!("localhost:5000/x@{}", Digest::of(b"x"))
            .parse()
            .unwrap();
        let key = Key::from_str("my.key").unwrap();
        let lines = [
            (
                sign_cmd(&image, &Signer::Key(key.clone(), Log::None)),
                "cosign sign --yes --key=my.key --use-signing-config=false --tlog-upload=false -- IT",
            ),
            (
                sign_cmd(&image, &Signer::Key(key.clone(), Log::Public)),
                "cosign sign --yes --key=my.key -- IT",
            ),
            (
                sign_cmd(&image, &Signer::Keyless),
                "cosign sign --yes -- IT",
            ),
            (
                verify_cmd(&image, &Trusted::Key(key, Log::None)),
                "cosign verify --output json --key=my.key --insecure-ignore-tlog=true -- IT",
            ),
            (
                verify_cmd(
                    &image,
                    &Trusted::Identity {
                        identity: Pattern::Like("^https://x/".into()),
                        issuer: "https://y".into(),
                    },
                ),
                "cosign verify --output json '--certificate-identity-regexp=^https://x/' --certificate-oidc-issuer=https://y -- IT",
            ),
        ];
        for (cmd, line) in lines {
            assert_eq!(cmd.to_string(), line.replace("IT", &image.to_string()));
        }
    }

    #[test]
    fn what_was_verified_is_counted_for_the_image_alone() {
        let (digest, other) = (Digest::of(b"x"), Digest::of(b"y"));
        let claim = |digest: &Digest| {
            format!(
                r#"{{"critical":{{"image":{{"docker-manifest-digest":"{digest}"}}}},"optional":{{}}}}"#
            )
        };
        let printed = format!("[{},{}]\n", claim(&digest), claim(&other));
        assert_eq!(parse_verified(&printed, &digest), 1);
        for printed in ["", "[]", "{}", "WARNING"] {
            assert_eq!(parse_verified(printed, &digest), 0, "{printed}");
        }
    }
}
