// SPDX-License-Identifier: Apache-2.0
//! What a Dockerfile of an extension must look like, as far as text can show it.

mod packages;
mod shared;

pub(crate) use shared::Shared;

use crate::{finding::Findings, value::PackageName};

/// An instruction with its continuation lines joined, and the line it starts on.
struct Instruction {
    line: usize,
    name: String,
    text: String,
}

impl Instruction {
    /// What stands behind its name and its options.
    fn arguments(&self) -> &str {
        let mut rest = self.text[self.name.len()..].trim_start();
        while rest.starts_with("--") {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest = rest[end..].trim_start();
        }
        rest
    }
}

/// Checks the text of the Dockerfile that builds all extensions which name their packages.
pub(crate) fn check_shared(text: &str, findings: &mut Findings) {
    check(text, &[], &[], findings);
    if !uses(&instructions(text), "PACKAGES") {
        findings.error(
            None,
            "does not use `PACKAGES`: the packages that metadata.hcl names would have no effect",
        );
    }
}

/// Checks the text of a Dockerfile, which makes an image of the packages that metadata.hcl has `named`. Beside `EXT_VERSION`
/// any of `versions` may stand for the pinned version. What makes a wrong image is an error; what is merely not as it
/// should be is a warning.
pub(crate) fn check(
    text: &str,
    named: &[PackageName],
    versions: &[String],
    findings: &mut Findings,
) {
    let instructions = instructions(text);
    if !instructions
        .iter()
        .any(|instruction| instruction.name == "FROM")
    {
        findings.error(None, "has no `FROM`");
        return;
    }
    packages::check(&instructions, named, findings);
    if let Some(line) = empty(&instructions) {
        findings.error(line, "the last stage copies nothing: the image would be empty; the image of another repository is said in xtask.toml, `[external.NAME]`");
        return;
    }
    let is_used = |name: &String| uses(&instructions, name);
    if !uses(&instructions, packages::VERSION)
        && !versions.iter().any(is_used)
        && !packages::pins_otherwise(&instructions)
    {
        findings.error(
            None,
            "does not use `EXT_VERSION`: the pinned package version would have no effect",
        );
    }
    let stage = last_stage(&instructions);
    let line = stage.line;
    if stage.base != "scratch" {
        findings.warning(line, "the last stage is not `FROM scratch`: an extension image holds the extension's files only");
    }
    match licenses(&instructions, &stage) {
        Licenses::Copied => {}
        Licenses::Unknown => findings.warning(
            line,
            "whether `/licenses` is in the image, nothing here shows: the packages' copyright files must be",
        ),
        Licenses::Lacking => findings.error(
            line,
            "the last stage copies nothing to `/licenses`: the packages' copyright files must be in the image",
        ),
    }
    check_user(&stage, findings);
}

/// The stage that the image is made of.
struct Stage<'a> {
    /// Of its `FROM`.
    line: usize,
    /// The image that it begins with, where the stages before it that it is built on begin.
    base: &'a str,
    /// Those of the stages that it is built on, and its own.
    instructions: Vec<&'a Instruction>,
}

fn last_stage(all: &[Instruction]) -> Stage<'_> {
    let is_from = |one: &Instruction| one.name == "FROM";
    let mut end = all.len();
    let mut at = all.iter().rposition(is_from);
    let mut stage = Stage {
        line: at.map_or(1, |at| all[at].line),
        base: "",
        instructions: Vec::new(),
    };
    while let Some(from) = at {
        let own = all[from + 1..end].iter();
        stage.instructions.splice(0..0, own);
        stage.base = all[from]
            .arguments()
            .split_whitespace()
            .next()
            .unwrap_or_default();
        // A name means the last stage before that has it.
        at = all[..from].iter().rposition(|one| {
            let name = one.arguments().split_whitespace().nth(2);
            is_from(one) && name.is_some_and(|name| name.eq_ignore_ascii_case(stage.base))
        });
        let next = at.map(|at| all[at + 1..].iter().position(is_from));
        end = match (at, next) {
            (Some(at), Some(Some(next))) => at + 1 + next,
            _ => all.len(),
        };
    }
    stage
}

/// As whom a process in the image would run, by what the last stage says.
fn check_user(stage: &Stage<'_>, findings: &mut Findings) {
    let mut users = stage.instructions.iter().rev();
    let user = users.find(|instruction| instruction.name == "USER");
    let line = user.map_or(stage.line, |user| user.line);
    let name = user
        .and_then(|user| user.text.split_whitespace().nth(1))
        .unwrap_or("root")
        .trim_matches(['"', '\'']);
    let name = name.split(':').next().unwrap_or_default();
    if name == "root" || name.parse() == Ok(0_u64) {
        findings.error(line, "the image ends as root; end with `USER 65532:65532`");
    } else if name.contains('$') {
        findings.warning(
            line,
            "whether the image ends as root depends on a variable; end with `USER 65532:65532`",
        );
    }
}

/// The line of the last stage, when that puts nothing into an image that has nothing.
fn empty(instructions: &[Instruction]) -> Option<usize> {
    let last = instructions.iter().rposition(|one| one.name == "FROM")?;
    let (from, stage) = instructions[last..].split_first()?;
    let is_scratch = from.arguments().split_whitespace().next() == Some("scratch");
    let puts = |one: &Instruction| matches!(one.name.as_str(), "ADD" | "COPY" | "RUN");
    (is_scratch && !stage.iter().any(puts)).then_some(from.line)
}

/// Whether a build argument is more than declared: by another one's default, too.
fn uses(instructions: &[Instruction], argument: &str) -> bool {
    let forms = [format!("${argument}"), format!("${{{argument}")];
    instructions.iter().any(|one| match one.name.as_str() {
        "ARG" => forms.iter().any(|form| one.text.contains(form)),
        _ => one.text.contains(argument),
    })
}

/// What becomes of the packages' licences.
enum Licenses {
    Copied,
    /// A whole tree is copied that is made by a script, say.
    Unknown,
    Lacking,
}

/// Whether the last stage copies licences, by name or as part of a whole tree.
fn licenses(all: &[Instruction], stage: &Stage<'_>) -> Licenses {
    let mut before = all.iter().take_while(|one| one.line < stage.line);
    let gathered = before.any(|instruction| instruction.text.contains("licenses"));
    let (mut folder, mut tree) = ("/", false);
    for one in &stage.instructions {
        match one.name.as_str() {
            "WORKDIR" => folder = one.arguments(),
            "COPY" | "ADD" => {
                let into = one.text.split_whitespace().last().unwrap_or_default();
                let is_there = folder.starts_with("/licenses") && !into.starts_with('/');
                if is_there || one.text.contains("/licenses") {
                    return Licenses::Copied;
                }
                tree |= into == "/";
            }
            _ => {}
        }
    }
    match tree {
        true if gathered => Licenses::Copied,
        true => Licenses::Unknown,
        false => Licenses::Lacking,
    }
}

/// The character that continues a line: a directive before all else may name another one.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    let mut named = directives.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let is_it = name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`";
        is_it.then_some('`')
    });
    named.next().unwrap_or('\\')
}

fn instructions(text: &str) -> Vec<Instruction> {
    let mut all: Vec<Instruction> = Vec::new();
    let mut open: Option<Instruction> = None;
    let mut heredoc: Option<String> = None;
    let escape = escape(text);
    for (at, line) in text.lines().enumerate() {
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
                all.extend(open.take());
            } else if let Some(instruction) = &mut open {
                instruction.text += " ; ";
                instruction.text += line.trim();
            }
            continue;
        }
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (body, continued) = match trimmed.strip_suffix(escape) {
            Some(body) => (body.trim_end(), true),
            None => (trimmed, false),
        };
        if let Some(instruction) = &mut open {
            instruction.text.push(' ');
            instruction.text += body;
        } else {
            let name = body
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_uppercase();
            open = Some(Instruction {
                line: at + 1,
                name,
                text: body.to_owned(),
            });
        }
        let marker = body
            .split_once("<<")
            .map(|(_, rest)| rest.trim_start_matches('-'));
        if let Some(word) = marker.and_then(|rest| rest.split_whitespace().next()) {
            let word = word.trim_matches(['"', '\'']);
            if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                heredoc = Some(word.to_owned());
                continue;
            }
        }
        if !continued {
            all.extend(open.take());
        }
    }
    all.extend(open);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let mut findings = Findings::about("Dockerfile");
        let named = ["timescaledb-2-postgresql-18".parse().unwrap()];
        check(text, &named, &["WANTED".to_owned()], &mut findings);
        findings.all.iter().map(ToString::to_string).collect()
    }

    const GOOD: &str = "FROM $BASE AS builder\nUSER 0\nRUN apt-get update && \\\n  # a comment\n  apt-get install -y \\\n  \"postgresql-${PG_MAJOR}-x=${EXT_VERSION}\"\nFROM scratch\nCOPY --from=builder /c /licenses/x/\nUSER 65532:65532\n";

    #[test]
    fn what_bake_puts_the_version_into_stands_for_it() {
        let text = GOOD.replace("postgresql-${PG_MAJOR}-x=${EXT_VERSION}", "$NEEDED");
        let said = "Dockerfile: error: does not use `EXT_VERSION`: the pinned package version would have no effect";
        assert_eq!(check_text(&text), [said]);
        assert!(check_text(&text.replace("NEEDED", "WANTED")).is_empty());
    }

    #[test]
    fn what_the_last_stage_is_built_on_and_where_it_works_counts() {
        let inherited = format!(
            "{}\nFROM base\n",
            GOOD.replace("FROM scratch", "FROM scratch AS Base")
        );
        assert_eq!(check_text(&inherited), Vec::<String>::new());
        let again = format!("{inherited}USER 0\n");
        assert_eq!(
            check_text(&again),
            ["Dockerfile:12: error: the image ends as root; end with `USER 65532:65532`"]
        );
        let other = inherited.replace("FROM base", "FROM other");
        assert_eq!(check_text(&other).len(), 3, "nobody knows what is in it");
        let there = GOOD
            .replace("/c /licenses/x/", "/c .")
            .replace("FROM scratch", "FROM scratch\nWORKDIR /licenses/x");
        assert_eq!(check_text(&there), Vec::<String>::new());
        let elsewhere = there.replace("/licenses/x", "/other");
        assert_eq!(check_text(&elsewhere).len(), 1);
        let given = GOOD
            .replace("\"postgresql-${PG_MAJOR}-x=${EXT_VERSION}\"", "${FULL}")
            .replace("USER 0", "ARG FULL=postgresql-18-x=${EXT_VERSION}\nUSER 0");
        assert_eq!(check_text(&given), Vec::<String>::new());
    }

    #[test]
    fn a_good_file_has_no_findings() {
        assert_eq!(check_text(GOOD), Vec::<String>::new());
    }

    #[test]
    fn a_package_is_pinned_however_that_is_written_and_build_tools_need_not_be() {
        for same in [
            "postgresql-${PG_MAJOR}-x=\"${EXT_VERSION}\"",
            "'postgresql-18-x'=$EXT_VERSION",
            "postgresql-18-x=${EXT_VERSION} postgresql-server-dev-${PG_MAJOR} postgresql-common",
            "timescaledb-2-postgresql-${PG_MAJOR}=${EXT_VERSION}",
        ] {
            let text = GOOD.replace("\"postgresql-${PG_MAJOR}-x=${EXT_VERSION}\"", same);
            assert_eq!(check_text(&text), Vec::<String>::new(), "{same}");
        }
        let other = GOOD.replace("EXT_VERSION", "VERSION");
        assert!(!check_text(&other).is_empty(), "nobody gives it");
        let declared = other.replace("USER 0", "ARG PG_MAJOR VERSION\nUSER 0");
        assert_eq!(check_text(&declared), Vec::<String>::new());
        let fixed = other.replace("USER 0", "ARG VERSION=1.0\nUSER 0");
        assert!(!check_text(&fixed).is_empty(), "it has a value of its own");
    }

    #[test]
    fn what_makes_a_wrong_image_is_found_with_its_line() {
        for (from, to, message) in [
            (
                "-x=${EXT_VERSION}",
                "-x",
                "Dockerfile:3: error: `postgresql-${PG_MAJOR}-x` is not pinned",
            ),
            (
                "-x=${EXT_VERSION}",
                "-x=1.0",
                "Dockerfile:3: error: `postgresql-${PG_MAJOR}-x=1.0` is not pinned",
            ),
            (
                "postgresql-${PG_MAJOR}-x=${EXT_VERSION}",
                "timescaledb-2-postgresql-${PG_MAJOR}",
                "Dockerfile:3: error: `timescaledb-2-postgresql-${PG_MAJOR}` is not pinned; write `timescaledb-2-postgresql-${PG_MAJOR}=${EXT_VERSION}`",
            ),
            (
                "COPY --from=builder /c /licenses/x/\n",
                "",
                "Dockerfile:7: error: the last stage copies nothing: the image would be empty",
            ),
            (
                "/c /licenses/x/",
                "/c /lib/",
                "Dockerfile:7: error: the last stage copies nothing to `/licenses`",
            ),
            (
                "/c /licenses/x/",
                "/out/ /",
                "Dockerfile:7: warning: whether `/licenses` is in the image, nothing here shows",
            ),
            (
                "USER 65532:65532\n",
                "",
                "Dockerfile:7: error: the image ends as root",
            ),
            (
                "USER 65532:65532",
                "USER root",
                "Dockerfile:9: error: the image ends as root",
            ),
            (
                "USER 65532:65532",
                "USER 00:1",
                "Dockerfile:9: error: the image ends as root",
            ),
            (
                "USER 65532:65532",
                "USER ${USER_ID:-0}",
                "Dockerfile:9: warning: whether the image ends as root",
            ),
            (
                "FROM scratch",
                "FROM scratch\nRUN [\"apt-get\",\"install\",\"postgresql-18-y\"]",
                "Dockerfile:8: error: `postgresql-18-y` is not pinned",
            ),
            (
                "FROM scratch",
                "FROM debian",
                "Dockerfile:7: warning: the last stage is not `FROM scratch`",
            ),
        ] {
            let findings = check_text(&GOOD.replace(from, to));
            assert!(
                findings.iter().any(|line| line.starts_with(message)),
                "{message}\n{findings:#?}"
            );
        }
        let other = format!(
            "# escape=`\n{}",
            GOOD.replace('\\', "`").replace("=${EXT_VERSION}", "")
        );
        let found = check_text(&other);
        assert!(
            found
                .iter()
                .any(|line| line.contains("Dockerfile:4: error: `postgresql-")),
            "{found:?}"
        );
        let platform = GOOD.replace("FROM scratch", "FROM --platform=linux/amd64 scratch");
        assert_eq!(check_text(&platform), Vec::<String>::new());
        assert_eq!(check_text(""), ["Dockerfile: error: has no `FROM`"]);
    }

    #[test]
    fn a_shared_file_takes_the_packages_that_it_is_given() {
        let shared = |text: &str| {
            let mut findings = Findings::about("Dockerfile");
            check_shared(text, &mut findings);
            let found = findings.all.iter().map(ToString::to_string);
            found.collect::<Vec<_>>()
        };
        let good = GOOD.replace(
            "\"postgresql-${PG_MAJOR}-x=${EXT_VERSION}\"",
            "${PACKAGES}=${EXT_VERSION}",
        );
        assert_eq!(shared(&good), Vec::<String>::new());
        assert_eq!(
            shared(&good.replace("${PACKAGES}", "x")),
            [
                "Dockerfile: error: does not use `PACKAGES`: the packages that metadata.hcl names would have no effect"
            ]
        );
    }

    #[test]
    fn a_heredoc_belongs_to_its_instruction() {
        let text = GOOD.replace(
            "RUN apt-get update && \\\n  # a comment\n  apt-get install -y \\\n  \"postgresql-${PG_MAJOR}-x=${EXT_VERSION}\"",
            "RUN <<EOF\napt-get update\napt-get download postgresql-18-x\nEOF",
        );
        let findings = check_text(&text);
        assert!(
            findings
                .iter()
                .any(|line| line.contains("`postgresql-18-x` is not pinned")),
            "{findings:?}"
        );
    }
}
