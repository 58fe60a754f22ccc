// SPDX-License-Identifier: Apache-2.0
//! Signatures of images in a registry, by their digests: made, and looked at.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::ImageRef,
    plan::{Console, Performed, Step, Work},
    tool::cosign::{self, Signer, Trusted},
};

/// A step that signs an image, unless it has a signature of the same key.
pub(crate) fn sign(title: &str, image: &ImageRef, signer: &Signer) -> Step {
    let sign = Sign {
        image: image.clone(),
        signer: signer.clone(),
    };
    Step::work(format!("sign {title}"), sign)
}

/// A step that verifies an image, and where it leaves how many signatures have passed.
pub(crate) fn verify(title: &str, image: &ImageRef, trusted: &Trusted) -> (Step, Verified) {
    let verified = Verified::default();
    let verify = Verify {
        image: image.clone(),
        trusted: trusted.clone(),
        verified: verified.clone(),
    };
    (Step::work(format!("verify {title}"), verify), verified)
}

/// How many signatures of an image have passed. None: it was not verified.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verified(Arc<OnceLock<usize>>);

impl Verified {
    pub(crate) fn count(&self) -> Option<usize> {
        self.0.get().copied()
    }
}

#[derive(Debug)]
struct Sign {
    image: ImageRef,
    signer: Signer,
}

impl Sign {
    /// Whether it has a signature of this key already, as far as that can be told: each further one would be one more.
    fn is_done(&self, exec: &dyn Exec) -> Result<bool, Failure> {
        let (Signer::Key(key, log), Some(digest)) = (&self.signer, &self.image.digest) else {
            return Ok(false);
        };
        let public_key = exec.read(&cosign::public_key_cmd(key), Some(cosign::PATIENCE))?;
        let verify = cosign::verify_with_cmd(&self.image, &public_key, *log);
        let printed = exec.read(&verify, Some(cosign::PATIENCE));
        Ok(printed.is_ok_and(|printed| cosign::parse_verified(&printed, digest) > 0))
    }
}

impl Work for Sign {
    fn programs(&self) -> &'static [&'static str] {
        &[cosign::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        if self.is_done(exec)? {
            return Ok(Performed::Unchanged(Some(
                "it has a signature of this key".into(),
            )));
        }
        let how = Supervision {
            timeout: Some(cosign::PATIENCE),
            ..Supervision::default()
        };
        exec.run(
            &cosign::sign_cmd(&self.image, &self.signer),
            how,
            console.line,
        )?;
        let digest = self.image.digest.as_ref();
        Ok(Performed::Done(
            digest.map(|digest| digest.short().to_owned()),
        ))
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Signer::Key(key, log) = &self.signer {
            let done = cosign::verify_with_shell(&self.image, key, *log);
            write!(f, "{done} > /dev/null 2>&1 || ")?;
        }
        write!(f, "{}", cosign::sign_cmd(&self.image, &self.signer))
    }
}

#[derive(Debug)]
struct Verify {
    image: ImageRef,
    trusted: Trusted,
    verified: Verified,
}

impl Work for Verify {
    fn programs(&self) -> &'static [&'static str] {
        &[cosign::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let cmd = cosign::verify_cmd(&self.image, &self.trusted);
        let printed = exec.read(&cmd, Some(cosign::PATIENCE))?;
        let count = match &self.image.digest {
            Some(digest) => cosign::parse_verified(&printed, digest),
            None => 0,
        };
        if count == 0 {
            return Err(Failure::failed(format!(
                "cosign has verified nothing that is about `{}`",
                self.image
            )));
        }
        self.verified.0.get_or_init(|| count);
        Ok(Performed::Done(Some(match count {
            1 => "1 signature".to_owned(),
            count => format!("{count} signatures"),
        })))
    }
}

impl fmt::Display for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", cosign::verify_cmd(&self.image, &self.trusted))
    }
}
