// SPDX-License-Identifier: Apache-2.0
//! Carries an image over with all that belongs to it: what refers to it, by the registry's API or by the tag that stands for that,
//! and what older cosign has put beside it.

use std::fmt;

use super::{
    beside::{Held, apart, beside, held},
    compare::whole,
    origin::Origin,
    referrers,
};
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::{ImageRef, listed},
    plan::{Cmd, Console, Performed, Work, shell},
    stage::pushed::{LIMIT, PATIENCE},
    tool::oras,
};

/// Copies an image, both by digest.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub from: ImageRef,
    pub to: ImageRef,
}

/// Runs a copy, within its limit. Gives how many manifests and blobs it has carried over.
pub(crate) fn run(cmd: &Cmd, exec: &dyn Exec, console: &mut Console<'_>) -> Result<usize, Failure> {
    let how = Supervision {
        timeout: Some(LIMIT),
        ..Supervision::default()
    };
    let mut copied = 0;
    exec.run(cmd, how, &mut |line| {
        copied += usize::from(oras::is_copied(line));
        (console.line)(line);
    })?;
    Ok(copied)
}

impl Copy {
    /// Without a reference nothing names it before it is whole.
    fn whole(&self) -> Cmd {
        let to = ImageRef {
            digest: None,
            ..self.to.clone()
        };
        oras::copy_with_referrers_cmd(&self.from, &to)
    }

    /// Lets the other side list what a copy that was killed has left unlisted.
    fn complete(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<usize, Failure> {
        let text = exec.read(&oras::manifest_cmd(&self.from), Some(PATIENCE))?;
        let mut manifests = listed::manifests(&text);
        manifests.extend(self.from.digest.clone());
        let origin = Origin::Registry(self.from.clone());
        let completed = referrers::complete(&origin, &self.to, &manifests, exec, console);
        // Of a manifest that is lost nobody can say what refers to it: what brings it back is said instead.
        completed.map_err(|failure| {
            let whole = whole(&self.to, self.to.digest.clone(), &origin, exec);
            whole.err().unwrap_or(failure)
        })
    }
}

impl Work for Copy {
    fn programs(&self) -> &'static [&'static str] {
        &[oras::PROGRAM]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let mut copied = run(&self.whole(), exec, console)?;
        copied += self.complete(exec, console)?;
        for tag in beside(&self.from, exec)? {
            let (from, to) = (self.from.by_tag(&tag), self.to.by_tag(&tag));
            let ours = exec.read(&oras::manifest_cmd(&from), Some(PATIENCE))?;
            match held(&ours, &to, exec)? {
                Held::All => {}
                Held::Part => copied += run(&oras::copy_cmd(&from, &to), exec, console)?,
                Held::Other => return Err(apart(&to, &self.from.repository)),
            }
        }
        Ok(match copied {
            0 => Performed::Unchanged(Some("all of it is there".into())),
            1 => Performed::Done(Some("copied 1 manifest or blob".into())),
            count => Performed::Done(Some(format!("copied {count} manifests and blobs"))),
        })
    }
}

/// The copy as it is run, and for signatures under tags of their own a loop that ends where the other side has others. What is
/// pasted goes on after a failure: each line of an image asks whether the one before has ended well.
impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (&self.from.repository, &self.to.repository);
        let digest = self.from.digest.as_deref().unwrap_or_default();
        let tags = oras::tags_cmd(from);
        let manifest = oras::manifest_cmd(&self.from);
        let copy = oras::copy_between_cmd(from, to, &[]);
        let repository = |image: &ImageRef| ImageRef {
            digest: None,
            ..image.clone()
        };
        let (ours, theirs) = (
            oras::resolve_cmd(&repository(&self.from)),
            oras::resolve_cmd(&repository(&self.to)),
        );
        let (from, to) = (shell::word(from), shell::word(to));
        let signed = format!(
            "$({{ {manifest} < /dev/null | grep -Eo 'sha256:[0-9a-f]{{64}}'; echo {digest}; }} | tr ':\\n' '-|')"
        );
        write!(
            f,
            "({whole} && {tags} | grep -E \"^({signed})[.](sig|att|sbom)\\$\" | while IFS= read -r tag; \
             do there=\"$({theirs}:\"$tag\" < /dev/null 2> /dev/null)\" || there=; \
             if [ -z \"$there\" ]; then {copy} {from}:\"$tag\" {to}:\"$tag\" < /dev/null || exit 1; \
             elif [ \"$there\" != \"$({ours}:\"$tag\" < /dev/null)\" ]; then echo \"$tag has other signatures there\" >&2; exit 1; fi; done) && copied={it}",
            whole = self.whole(),
            it = shell::word(self.to.to_string()),
        )
    }
}
