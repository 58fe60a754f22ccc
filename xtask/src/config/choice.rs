// SPDX-License-Identifier: Apache-2.0
//! Settings that are one of a few words.

use clap::ValueEnum;

use super::Value;

/// One of a few words.
pub(crate) trait Choice: Copy + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

macro_rules! choices {
    ($($(#[$about:meta])* $visible:vis enum $choice:ident { $($(#[$of:meta])* $variant:ident $name:literal,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visible enum $choice { $($(#[$of])* $variant,)* }

        impl $choice {
            /// The word for it in settings and flags.
            $visible fn name(self) -> &'static str {
                match self { $($choice::$variant => $name,)* }
            }
        }

        impl Choice for $choice {
            const ALL: &'static [Self] = &[$($choice::$variant,)*];

            fn name(self) -> &'static str {
                self.name()
            }
        }

        impl Value for $choice {
            type Read<'a> = Self;

            fn read(&self) -> Self {
                *self
            }
        }
    )*};
}

choices! {
    /// Which base images the sandbox has.
    #[derive(ValueEnum)]
    pub enum Base {
        /// Published where they can be pulled, else Debian's packages.
        Auto "auto",
        Published "published",
        Debian "debian",
    }
    /// Whether images get an SBOM attestation.
    pub(crate) enum Sbom {
        /// Not in the sandbox.
        Auto "auto",
        Always "always",
        Never "never",
    }
    /// Whether attestations are OCI artifacts, which name the image that they are about.
    pub(crate) enum OciArtifact {
        /// As the bake file says.
        Auto "auto",
        Always "always",
        Never "never",
    }
    /// How smoke puts an extension's files into the server.
    pub(crate) enum SmokeMount {
        /// As an image with Docker 28, else as a copy.
        Auto "auto",
        Image "image",
        Copy "copy",
    }
    /// What looks for known faults in images.
    #[derive(PartialOrd, Ord)]
    pub(crate) enum Scanner {
        Trivy "trivy",
        Grype "grype",
        Dockle "dockle",
        Debsecan "debsecan",
    }
    /// What images are for, which their names show.
    pub(crate) enum Purpose {
        Testing "testing",
        Production "production",
    }
}
