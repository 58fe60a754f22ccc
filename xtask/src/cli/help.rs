// SPDX-License-Identifier: Apache-2.0
//! The command line as people read it: options in groups, the common ones first, examples below.
//!
//! The one place that knows the groups. What an option means stands where it is declared.

use clap::{Arg, ArgAction, Command, CommandFactory as _, builder::StyledStr};

use super::{Cli, examples};

/// Options that answer one question, in the order in which they are shown.
struct Group {
    heading: &'static str,
    /// By the names of their fields.
    options: &'static [&'static str],
}

/// Where all that stands in no group belongs: what this command alone does. It comes before what is listed there.
const OWN: &str = "What is done";

const GROUPS: &[Group] = &[
    Group {
        heading: "Which images",
        options: &[
            "all",
            "more",
            "distro",
            "pg",
            "platform",
            "image",
            "metadata_files",
            "rerun_failed",
            "changed_since",
            "os_libs",
            "shard",
        ],
    },
    Group {
        heading: OWN,
        options: &["keep_going", "jobs"],
    },
    Group {
        heading: "Cluster",
        options: &[
            "cnpg_release",
            "kubeconfig",
            "context",
            "registry_port",
            "kubernetes",
            "nodes",
            "mirror",
            "registry_host",
            "registry_username",
            "skip_delete",
            "cleanup",
            "keep",
        ],
    },
    Group {
        heading: "Output",
        options: &[
            "dry_run", "json", "markdown", "pr_body", "verbose", "format", "help", "version",
        ],
    },
    Group {
        heading: "Engine and settings",
        options: &["sandbox", "base", "builder", "sandbox_folder", "set"],
    },
];

/// Options that few calls need: `--help` has them, `-h` has not.
const RARE: &[&str] = &[
    "build_depends",
    "certificate_identity",
    "checksum",
    "context",
    "format",
    "jobs",
    "keep",
    "kubernetes",
    "load",
    "mirror",
    "more",
    "nodes",
    "no_cache",
    "os_libs",
    "registry_host",
    "registry_port",
    "registry_username",
    "sandbox_folder",
    "set",
    "shard",
    "skip_delete",
];

/// Commands for one kind of work: those that most people need with what they do, the others by name.
struct Work {
    heading: &'static str,
    common: &'static [&'static str],
    more: &'static [&'static str],
}

const WORK: &[Work] = &[
    Work {
        heading: "Build and prove",
        common: &["checks", "bake", "smoke", "e2e"],
        more: &["upgrade-paths", "installcheck"],
    },
    Work {
        heading: "Look",
        common: &["status", "targets"],
        more: &[
            "inspect", "report", "runs", "licences", "scan", "manifest", "config",
        ],
    },
    Work {
        heading: "Maintain",
        common: &["create-extension", "versions"],
        more: &["update-os-libs", "init"],
    },
    Work {
        heading: "Release",
        common: &["promote", "sign", "verify"],
        more: &["sbom", "catalogs", "bundle"],
    },
    Work {
        heading: "This machine",
        common: &["prereqs", "sandbox"],
        more: &["completions", "man", "ci"],
    },
];

/// The command line, as it is parsed and as it is shown.
pub fn command() -> Command {
    let help = Arg::new("help").short('h').long("help");
    let help = help
        .action(ArgAction::Help)
        .global(true)
        .help("Print help: with `-h` what is needed most, with `--help` all");
    let version = Arg::new("version").short('V').long("version");
    let version = version.action(ArgAction::Version).help("Print version");
    let command = Cli::command()
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(help)
        .arg(version);
    let (short, long) = (overview(&command, false), overview(&command, true));
    let header = command.get_styles().get_header();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{{before-help}}{header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    arranged(command, "")
        .help_template(template)
        .before_help(short)
        .before_long_help(long)
}

/// The command and those below it, with options in their groups and examples. `path`: how it is called, without `cargo xtask`.
fn arranged(command: Command, path: &str) -> Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = below.iter().fold(grouped(command), |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |sub| arranged(sub, path.trim_start()))
    });
    match examples::of(path) {
        [] => command,
        examples => command.after_help(shown(examples)),
    }
}

/// clap shows groups in the order of their first options, so each option is put behind those of the groups before.
fn grouped(command: Command) -> Command {
    let options = command.get_arguments().filter(|arg| !arg.is_positional());
    let options: Vec<String> = options.map(|arg| arg.get_id().to_string()).collect();
    GROUPS.iter().fold(command, |command, group| {
        let here = options.iter().filter(|id| heading(id) == group.heading);
        here.enumerate().fold(command, |command, (at, id)| {
            let listed = group.options.iter().position(|name| name == id);
            let order = listed.map_or(at, |listed| options.len() + listed);
            command.mut_arg(id, |arg| {
                brief(arg)
                    .help_heading(group.heading)
                    .display_order(order)
                    .hide_short_help(RARE.contains(&id.as_str()))
            })
        })
    })
}

/// The heading of the group that an option belongs to.
fn heading(option: &str) -> &'static str {
    let group = GROUPS.iter().find(|group| group.options.contains(&option));
    group.map_or(OWN, |group| group.heading)
}

/// `-h` has the first sentence of what an option means, `--help` all.
fn brief(arg: Arg) -> Arg {
    let whole = arg.get_help().map(ToString::to_string).unwrap_or_default();
    match first_sentence(&whole) {
        Some(first) if arg.get_long_help().is_none() => arg.help(first).long_help(whole),
        _ => arg,
    }
}

/// None: there is but one.
fn first_sentence(text: &str) -> Option<String> {
    let ends = text.match_indices(". ");
    let starts = |at: usize| text[at + 2..].starts_with(char::is_uppercase);
    let at = ends.map(|(at, _)| at).find(|at| starts(*at))?;
    Some(text[..at].to_owned())
}

/// The commands by what they are for: with `all` of them each with what it does.
fn overview(command: &Command, all: bool) -> StyledStr {
    let header = command.get_styles().get_header();
    let literal = command.get_styles().get_literal();
    let about = |name: &str| {
        let sub = command.find_subcommand(name);
        sub.and_then(Command::get_about)
            .map_or_else(String::new, ToString::to_string)
    };
    let mut text = String::new();
    for work in WORK {
        text += &format!("{header}{}:{header:#}\n", work.heading);
        let more = if all { work.more } else { &[] };
        for name in work.common.iter().chain(more) {
            text += &format!("  {literal}{name:<16}{literal:#}  {}\n", about(name));
        }
        if !all && !work.more.is_empty() {
            text += &format!("  also {}\n", work.more.join(", "));
        }
    }
    StyledStr::from(text.trim_end().to_owned())
}

fn shown(examples: &[examples::Example]) -> StyledStr {
    let header = clap::builder::Styles::styled();
    let header = header.get_header();
    let longest = examples.iter().map(|(command, _)| command.len()).max();
    let longest = longest.unwrap_or_default();
    let mut text = format!("{header}Examples:{header:#}");
    for (command, why) in examples {
        text += &format!("\n  {command:<longest$}  # {why}");
    }
    StyledStr::from(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What a call of this prints, without a terminal: a hundred columns.
    fn printed(path: &str, flag: &str) -> String {
        let words = ["cargo xtask"].into_iter().chain(path.split_whitespace());
        let called = command().try_get_matches_from(words.chain([flag]));
        called.unwrap_err().to_string()
    }

    fn walk(command: &Command, path: &str, seen: &mut dyn FnMut(&str, &Command)) {
        seen(path, command);
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            walk(sub, path.trim_start(), seen);
        }
    }

    #[test]
    fn short_help_is_one_screen() {
        walk(&command(), "", &mut |path, _| {
            let text = printed(path, "-h");
            let lines = text.lines().count();
            assert!(lines <= 40, "`{path} -h` has {lines} lines:\n{text}");
        });
    }

    #[test]
    fn what_short_help_leaves_out_long_help_has() {
        walk(&command(), "", &mut |path, command| {
            let text = printed(path, "--help");
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                if let Some(long) = arg.get_long() {
                    let there = text.contains(&format!("--{long}"));
                    assert!(there, "`{path} --help` lacks --{long}:\n{text}");
                }
            }
        });
    }

    #[test]
    fn groups_come_in_one_order_whatever_the_command() {
        walk(&command(), "", &mut |path, _| {
            for flag in ["-h", "--help"] {
                let text = printed(path, flag);
                let headings = text.lines().filter_map(|line| line.strip_suffix(':'));
                let at = headings
                    .filter_map(|line| GROUPS.iter().position(|group| group.heading == line));
                let at: Vec<usize> = at.collect();
                assert!(at.is_sorted(), "`{path} {flag}`: {text}");
                let without = path.is_empty() || !text.contains("\nOptions:");
                assert!(without, "`{path} {flag}` has options in no group: {text}");
            }
        });
    }

    #[test]
    fn every_command_stands_in_one_place_of_the_overview() {
        let command = command();
        let there = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        let there: BTreeSet<&str> = there.map(Command::get_name).collect();
        let work = WORK
            .iter()
            .flat_map(|work| work.common.iter().chain(work.more));
        let listed: Vec<&str> = work.copied().collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(listed.len(), there.len(), "one of them stands there twice");
    }

    #[test]
    fn groups_and_rare_options_name_what_there_is() {
        let mut there = BTreeSet::new();
        walk(&command(), "", &mut |_, command| {
            there.extend(command.get_arguments().map(|arg| arg.get_id().to_string()));
        });
        let named = GROUPS.iter().flat_map(|group| group.options).chain(RARE);
        for id in named {
            assert!(there.contains(*id), "there is no option `{id}`");
        }
    }

    #[test]
    fn a_sentence_ends_where_another_begins() {
        let first = |text| first_sentence(text);
        assert_eq!(first("One. Two").as_deref(), Some("One"));
        assert_eq!(first("Like 1.30. or so"), None);
        assert_eq!(first("One"), None);
    }
}
