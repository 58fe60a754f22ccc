// SPDX-License-Identifier: Apache-2.0
//! The part of the page on troubles that is made of the symptoms that the program knows. What stands around it people write.

use std::path::Path;

use super::{TROUBLESHOOTING, cell, code, read, sentence};
use crate::{
    failure::{Failure, Kind, Section},
    symptom::{self, Described},
};

const BEGIN: &str = "<!-- From here on made by `cargo xtask ci docs`: what stands here is changed in xtask/src/symptom/. -->\n";
const END: &str = "<!-- Up to here. -->\n";

/// The page, with its made part as it is to be.
pub(super) fn document(root: &Path) -> Result<String, Failure> {
    let there = read(root, TROUBLESHOOTING)?;
    let parts = there.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| {
        Failure::invalid(format!(
            "`{TROUBLESHOOTING}` lacks the lines between which it is made"
        ))
        .hint(format!("they are `{}` and `{}`", BEGIN.trim(), END.trim()))
    })?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", made()))
}

fn made() -> String {
    let mut text = String::from(
        "\n## What a command says that has failed\n\n\
         The first row that fits counts: what is at the bottom of things stands before what follows from it.\n\n\
         | what is seen | of | exit code | what it means, and what helps |\n|---|---|---|---|\n",
    );
    for symptom in symptom::of_commands() {
        let kind = symptom.kind.map_or(0, Kind::exit_code);
        let of = match symptom.command {
            "" => "any".to_owned(),
            command => code(command),
        };
        text += &format!(
            "| {} | {} | {kind} | {} |\n",
            seen(&symptom),
            cell(&of),
            means(&symptom)
        );
    }
    text += "\n## What a cluster says\n\n\
             Of a suite that fails, and of what does not become ready: looked for in the objects, events and logs of the cluster.\n\n";
    text += &causes(symptom::of_clusters());
    text += "\n## What this machine says when an environment is made\n\n";
    text += &causes(symptom::of_machine());
    text.push('\n');
    text
}

fn causes(symptoms: impl Iterator<Item = Described>) -> String {
    let rows = symptoms.map(|symptom| format!("| {} | {} |\n", seen(&symptom), means(&symptom)));
    "| what is seen | what it means, and what helps |\n|---|---|\n".to_owned()
        + &rows.collect::<String>()
}

fn seen(symptom: &Described) -> String {
    let ways = symptom.seen.iter().map(|way| code(way));
    let more = if symptom.more { " and the like" } else { "" };
    cell(&(ways.collect::<Vec<_>>().join(" or ") + more))
}

fn means(symptom: &Described) -> String {
    let text = sentence(&symptom.text);
    let more = symptom.section.map(link);
    cell(&format!("{text}{}", more.unwrap_or_default()))
}

/// A link to a section, from the folder that the page is in.
fn link(section: Section) -> String {
    let place = section.place();
    let from_here = place.strip_prefix("docs/");
    let from_here = from_here.map_or_else(|| format!("../{place}"), str::to_owned);
    format!(" [More]({from_here})")
}
