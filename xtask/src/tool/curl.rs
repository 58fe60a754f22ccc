// SPDX-License-Identifier: Apache-2.0
//! `curl`: files of the web.

use crate::{plan::Cmd, value::Url};

/// More than any text that people write for us has, in bytes.
const LARGEST: &str = "4194304";

/// Prints what is at an address.
pub(crate) fn read_cmd(url: &Url) -> Cmd {
    Cmd::new("curl", format!("read `{url}`"))
        .args(["--silent", "--show-error", "--fail", "--location"])
        // The address is taken as it is, and leads nowhere but to the web, from there on with TLS.
        .args(["--globoff", "--proto", "=http,https"])
        .args(["--proto-redir", "=https", "--max-filesize", LARGEST])
        .args(["--url", url])
}
