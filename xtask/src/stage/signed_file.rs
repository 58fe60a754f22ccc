// SPDX-License-Identifier: Apache-2.0
//! Signatures of files, in files beside them.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    own::source,
    plan::{Console, Performed, Work},
    tool::cosign::{self, Signer},
};

/// What the media type of a signature's file begins with.
const KIND: &str = "application/vnd.dev.sigstore.bundle";

/// Where the signature of a file is.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let mut bundle = file.as_os_str().to_owned();
    bundle.push(".sigstore.json");
    PathBuf::from(bundle)
}

/// Signs a file, unless it has a signature of the same key.
#[derive(Clone, Debug)]
pub(crate) struct SignFile {
    file: PathBuf,
    bundle: PathBuf,
    signer: Signer,
}

impl SignFile {
    /// With the signature in a file beside it. Refused where something else is in that place.
    pub(crate) fn beside(file: &Path, signer: &Signer) -> Result<Self, Failure> {
        let bundle = beside(file);
        if let Some(text) = source::read_named(&bundle)? {
            let there: Value = serde_json::from_str(&text).unwrap_or_default();
            let is_signature = there["mediaType"]
                .as_str()
                .is_some_and(|kind| kind.starts_with(KIND));
            if !is_signature {
                return Err(Failure::invalid(format!(
                    "`{}` would be written over: it is no signature of cosign",
                    bundle.display()
                ))
                .hint("move it away"));
            }
        }
        Ok(Self {
            file: file.to_owned(),
            bundle,
            signer: signer.clone(),
        })
    }

    /// Whether the signature that is there is of this key, and of the file as it is.
    fn is_done(&self, exec: &dyn Exec) -> Result<bool, Failure> {
        let Signer::Key(key, log) = &self.signer else {
            return Ok(false);
        };
        if !self.bundle.is_file() {
            return Ok(false);
        }
        let public_key = exec.read(&cosign::public_key_cmd(key), Some(cosign::PATIENCE))?;
        let verify = cosign::verify_file_cmd(&self.file, &self.bundle, &public_key, *log);
        Ok(exec.read(&verify, Some(cosign::PATIENCE)).is_ok())
    }
}

impl fmt::Display for SignFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}",
            cosign::sign_file_cmd(&self.file, &self.bundle, &self.signer)
        )
    }
}

impl Work for SignFile {
    fn programs(&self) -> &'static [&'static str] {
        &[cosign::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        if !self.file.is_file() {
            return Ok(Performed::Skipped("it was not written".into()));
        }
        if self.is_done(exec)? {
            return Ok(Performed::Unchanged(Some(
                "it has a signature of this key".into(),
            )));
        }
        let how = Supervision {
            timeout: Some(cosign::PATIENCE),
            ..Supervision::default()
        };
        let sign = cosign::sign_file_cmd(&self.file, &self.bundle, &self.signer);
        exec.run(&sign, how, console.line)?;
        Ok(Performed::Done(Some(self.bundle.display().to_string())))
    }
}
