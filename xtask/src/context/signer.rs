// SPDX-License-Identifier: Apache-2.0
//! With what images and files are signed, as the command line says it.

use super::{Context, images::check_key};
use crate::{
    cli,
    failure::Failure,
    plan::SIGNING_PASSWORD,
    tool::cosign::{Key, Signer},
};

/// With what is signed. Refuses what cosign would ask a person for: which key, a browser, a password.
pub(crate) fn of(context: &Context, args: &cli::Signing, dry_run: bool) -> Result<Signer, Failure> {
    let Some(key) = &args.key else {
        if args.keyless {
            args.log.without_key()?;
            return Ok(Signer::Keyless);
        }
        return Err(Failure::invalid("with what is to be signed?")
            .hint("`--key FILE`, or `--keyless` where a CI system proves who is signing"));
    };
    let key: Key = key.parse()?;
    let key = key.resolved(|path| context.resolve(path));
    check_key(&key, context)?;
    if key.has_password() && !dry_run && std::env::var_os(SIGNING_PASSWORD).is_none() {
        return Err(Failure::invalid(format!(
            "the key's password is not in the environment variable `{SIGNING_PASSWORD}`"
        ))
        .hint(
            "set it, to nothing for a key without one; no argument and no setting takes a password",
        ));
    }
    Ok(Signer::Key(key, args.log.log()))
}
