// SPDX-License-Identifier: Apache-2.0
//! What shows a file on a desktop, in the program that the user has chosen for its kind.

use std::path::Path;

use crate::plan::Cmd;

const PROGRAM: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// `file` is an absolute path.
pub(crate) fn open_cmd(file: &Path) -> Cmd {
    Cmd::new(PROGRAM, "open the page").arg(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_argument() {
        let shown = open_cmd(Path::new("/a b/report.html")).to_string();
        assert_eq!(shown, format!("{PROGRAM} '/a b/report.html'"));
    }
}
