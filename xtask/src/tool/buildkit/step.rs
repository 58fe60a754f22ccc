// SPDX-License-Identifier: Apache-2.0
//! The command of a build's step in a line of progress. `BuildKit` quotes it whole, and it may be a script of many lines.

use std::borrow::Cow;

use crate::printable::clipped;

/// Columns of a step, with its command, that are enough to know it by.
const LONGEST: usize = 90;

/// The name of a step, or a text that begins with one.
pub(crate) fn named(name: &str) -> Cow<'_, str> {
    clipped(name, LONGEST)
}

/// A line in which the step's command is as short; any other stays as it is. Fact: what buildx prints of a step is
/// `#7 [builder 2/2] RUN …`, and of one that has failed `#7 ERROR: process "/bin/sh -c …" did not complete successfully`.
pub(crate) fn in_short(line: &str) -> Cow<'_, str> {
    const BEFORE: &str = "process \"";
    if let Some((before, rest)) = line.split_once(BEFORE)
        && let Some((command, after)) = rest.rsplit_once("\" did not complete ")
    {
        let command = named(command);
        return format!("{before}{BEFORE}{command}\" did not complete {after}").into();
    }
    let numbered = line.strip_prefix('#');
    let numbered = numbered.map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let is_step =
        numbered.is_some_and(|rest| rest.starts_with(" [")) || line.trim_start().starts_with("> [");
    if is_step {
        named(line)
    } else {
        Cow::Borrowed(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_does_not_make_a_line_long() {
        let script = "set -eux; ".repeat(100);
        let process =
            format!("process \"/bin/sh -c {script}\" did not complete successfully: exit code: 1");
        for line in [
            format!("#7 [builder 2/2] RUN {script}"),
            format!(" > [builder 2/2] RUN {script}:"),
            format!("#7 ERROR: {process}"),
            format!("first error: ERROR: target x: failed to solve: {process}"),
        ] {
            let short = in_short(&line);
            assert!(short.len() < 200, "{short}");
            let start = line.split("set").next().unwrap();
            assert!(
                short.starts_with(&format!("{start}set -eux; set")),
                "{short}"
            );
            let end = "…\" did not complete successfully: exit code: 1";
            assert_eq!(short.ends_with(end), line.contains("process"), "{short}");
        }
        for line in [
            format!("#7 0.123 {script}"),
            script,
            "#7 [builder 1/2] FROM x".to_owned(),
            "process \"a\" did not complete successfully: exit code: 1".to_owned(),
        ] {
            assert_eq!(in_short(&line), line);
        }
    }
}
