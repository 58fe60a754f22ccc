// SPDX-License-Identifier: Apache-2.0
//! What this repository's own bake file makes of the metadata, for where bake itself cannot be asked: extension × server,
//! exactly the pairs that the metadata names. `checks` compares it with what bake says.

use std::sync::Arc;

use super::{Target, base_of};
use crate::{
    config::{self, Config, Purpose},
    extension::{Extension, version_of},
    failure::Failure,
    image::Stamped,
    value::{Platform, Server},
};

/// `platforms` of the bake file.
pub(crate) const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// The targets of an extension. One whose package has no version to name an image after is left out.
pub(super) fn targets(extension: &Arc<Extension>, config: &Config) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for server in extension.versions.keys() {
        targets.extend(target(extension, server, config)?);
    }
    Ok(targets)
}

fn target(
    extension: &Arc<Extension>,
    server: &Server,
    config: &Config,
) -> Result<Option<Target>, Failure> {
    let Some((pin, version)) = extension
        .pin(server)
        .and_then(|pin| Some((pin, version_of(&pin.package)?)))
    else {
        return Ok(None);
    };
    let suffix = match config.get(config::ENVIRONMENT) {
        Purpose::Testing => "-testing",
        Purpose::Production => "",
    };
    let safe = |c: char| match c {
        '-' | '_' => c,
        c if c.is_ascii_alphanumeric() => c,
        _ => '_',
    };
    let version_in_name: String = version.chars().map(safe).collect();
    let repository = format!(
        "{}/{}{suffix}",
        config.get(config::REGISTRY),
        extension.image_name
    )
    .to_lowercase();
    Ok(Some(Target {
        extension: Arc::clone(extension),
        server: server.clone(),
        package: Some(pin.package.clone()),
        sql_version: pin.sql.clone(),
        name: format!("{}-{version_in_name}-{server}", extension.name),
        tag: format!("{repository}:{version}-{server}").parse()?,
        stamped: Some(Stamped {
            repository,
            prefix: format!("{version}-"),
            digits: "YYYYMMDDhhmm".len(),
            suffix: format!("-{server}"),
        }),
        base: base_of(server, config)?,
        platforms: PLATFORMS
            .iter()
            .filter_map(|text| text.parse::<Platform>().ok())
            .collect(),
        has_twin: false,
        definitions: None,
        version: Some(version),
    }))
}
