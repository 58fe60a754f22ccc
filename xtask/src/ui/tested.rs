// SPDX-License-Identifier: Apache-2.0
//! The row of an image in the suites.

use std::time::Duration;

use super::{Row, seconds};
use crate::stage::results::Tested;

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
            short(&self.image),
            self.cnpg_release.clone(),
            self.shared.word().to_owned(),
            self.own.word().to_owned(),
            seconds(Duration::from_secs_f64(self.seconds)),
        ]
    }
}

/// People tell images apart by name, tag and the digest's first digits.
fn short(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@{}", digest.chars().take(8).collect::<String>()),
        None => name.to_owned(),
    }
}
