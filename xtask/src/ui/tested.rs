// SPDX-License-Identifier: Apache-2.0
//! The row of an image in the suites.

use std::time::Duration;

use super::{Row, seconds};
use crate::{image::ImageRef, stage::results::Tested};

impl Row for Tested {
    const HEADINGS: &'static [&'static str] = &[
        "RESULT",
        "EXTENSION",
        "IMAGE",
        "CNPG",
        "SHARED",
        "OWN",
        "TIME",
    ];

    fn cells(&self) -> Vec<String> {
        let result = self.result.word();
        vec![
            match self.retried {
                None => result.to_owned(),
                Some(_) => format!("{result} (retried)"),
            },
            self.extension.clone(),
            self.image.0.as_ref().map(short).unwrap_or_default(),
            self.cnpg_release.clone(),
            self.shared.word().to_owned(),
            self.own.word().to_owned(),
            seconds(Duration::from_secs_f64(self.seconds)),
        ]
    }
}

/// People tell images apart by name, tag and the digest's first digits.
fn short(image: &ImageRef) -> String {
    let named = ImageRef {
        digest: None,
        ..image.clone()
    };
    let named = named.to_string();
    let name = named.rsplit('/').next().unwrap_or_default();
    let digest = image.digest.as_deref();
    match digest.and_then(|digest| digest.strip_prefix("sha256:")) {
        Some(hex) => format!("{name}@{}", hex.chars().take(8).collect::<String>()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_short_and_says_which_it_is() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (reference, shown) in [
            (
                "registry.pg-extensions:5000/pgvector-testing:1.2",
                "pgvector-testing:1.2",
            ),
            (&format!("ghcr.io/a/b:1@{digest}"), "b:1@abababab"),
            (&format!("b@{digest}"), "b@abababab"),
        ] {
            assert_eq!(short(&reference.parse().unwrap()), shown);
        }
    }
}
