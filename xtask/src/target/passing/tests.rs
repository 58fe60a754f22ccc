// SPDX-License-Identifier: Apache-2.0
//! Bake files, and whether the moment can be followed through them.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::target::{Between, Definitions, Expressions, Moments, timeless};

const METADATA: &str = "metadata = { name = \"x\", versions = { trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\" } } } }\n";

/// How often the moment becomes text, in whatever layout. None: it cannot be followed.
fn layouts(text: &str) -> Option<usize> {
    Expressions::of([text]).layouts.map(|all| all.len())
}

#[test]
fn a_moment_is_followed_through_names_templates_and_layouts() {
    let text = "now = timestamp()\nat = formatdate(\"YYYYMMDDhhmmss\", now)\nvariable \"v\" { default = timestamp() }\n\
                target \"x\" {\n  tags = [\"a:${formatdate(\"YYYYMMDDhhmm\", now)}\", join(\"-\", [at, \"b\"])]\n  \
                labels = merge({ created = now, other = \"${v}\" }, { at = now != \"\" ? 1 : 2 })\n}\n";
    assert_eq!(layouts(&text.replace("now != \"\"", "true")), Some(4));
    assert_eq!(layouts(text), None);
    for elsewhere in [
        "upper(\"x\")",
        "timeadd(\"1970-01-01T00:00:00Z\", \"${v}s\")",
    ] {
        assert_eq!(layouts(&format!("a = {elsewhere}\n")), Some(0));
    }
}

#[test]
fn where_it_cannot_be_followed_nothing_is_kept() {
    let format = "t = formatdate(\"YYYYMMDDhhmm\", ";
    for text in [
        "a = sha256(timestamp())\n",
        "now = timestamp()\na = split(\"-\", now)\n",
        "a = formatdate(\"DD MMM YYYY\", timestamp())\n",
        "f = \"YYYY\"\na = formatdate(f, timestamp())\n",
        "a = uuidv4()\n",
        "a = timeadd(timestamp(), \"1h\")\n",
        "a = {\n",
        // Through a name that is no more than a way to it.
        &format!(
            "function \"now\" {{\n  params = []\n  result = timestamp()\n}}\n{format} now())\n"
        ),
        &format!("a = timestamp()\nb = a\n{format} b)\n"),
        &format!("a = \"${{timestamp()}}\"\n{format} a)\n"),
        &format!("stamp = \"\"\na = stamp != \"\" ? stamp : timestamp()\n{format} a)\n"),
        "t = [for t in [timestamp()] : formatdate(\"YYYYMMDDhhmm\", t)]\n",
        "t = [for t in { a = timestamp() } : upper(t)]\n",
        "a = timestamp()\nb = \"${a}\"\nc = \"${b}\"\nd = sha256(c)\n",
        "a = formatdate(\"YYYYMMDDhhmm\", timestamp())\nb = sha256(a)\n",
        "function f {\n  params = [x]\n  result = sha256(x)\n}\na = f(timestamp())\n",
        "function f {\n  params = []\n  result = { a = timestamp() }\n}\na = upper(f().a)\n",
        // What it is the environment may say.
        &format!("variable v {{\n  default = timestamp()\n}}\n{format} v)\n"),
        &format!("{format} \"2026-11-26T00:00:00Z\")\n"),
        // A name with two meanings.
        &format!(
            "now = timestamp()\nfunction f {{\n  params = [now]\n  result = now\n}}\n{format} now)\n"
        ),
        &format!("now = timestamp()\na = [for now in [1] : now]\n{format} now)\n"),
        "function formatdate {\n  params = [a]\n  result = a\n}\n",
        // It decides, or names.
        "a = timestamp() == \"\" ? 1 : 2\n",
        "a = \"%{ if timestamp() == \"\" }x%{ endif }\"\n",
        "a = \"%{ for t in [timestamp()] }${t}%{ endfor }\"\n",
        "target x {\n  name = \"x-${timestamp()}\"\n}\n",
        "target x {\n  matrix = { t = [timestamp()] }\n}\n",
        "a = { (timestamp()) = 1 }\n",
        "a = { \"${timestamp()}\" = 1 }\n",
        "a = { for x in [timestamp()] : x => 1 }\n",
        "m = {}\na = m[timestamp()]\n",
        "target x {\n  args = { a = timestamp() }\n}\na = sha256(target.x.args.a)\n",
        // A day of the month is in many a number.
        "a = formatdate(\"DD\", timestamp())\n",
        "a = formatdate(\"YY.MM.DD\", timestamp())\n",
        "a = formatdate(\"'20261126'hh\", timestamp())\n",
    ] {
        assert_eq!(layouts(text), None, "{text}");
    }
}

/// What bake prints of one target in a file of this kind is kept, and is that of any other moment.
#[track_caller]
fn is_kept(bake_file: &str) {
    let layouts = Expressions::of([bake_file, METADATA]).layouts.unwrap();
    let moment = humantime::parse_rfc3339("2026-11-26T07:05:09Z").unwrap();
    let printed = |stamp: &str, second: &str, created: &str| {
        json!({
            "group": {"default": {"targets": ["x-1_2-18-trixie"]}},
            "target": {"x-1_2-18-trixie": {
                "args": {"ASKED_AT": second},
                "tags": ["r/x:1.2-18-trixie", format!("r/x:1.2-{stamp}-18-trixie")],
                "labels": {"org.opencontainers.image.created": created},
                "annotations": [format!("index,manifest:org.opencontainers.image.created={created}")],
            }},
        })
    };
    let is_to_the_second = bake_file.contains("hhmmss");
    let second = |text: &'static str| if is_to_the_second { text } else { "" };
    let answer = printed(
        "202611260705",
        second("20261126070509"),
        "2026-11-26T07:05:09Z",
    );
    let when = Between::of(moment, moment, Duration::ZERO).unwrap();
    let moments = Moments::of(&layouts, when, &[bake_file, METADATA]).unwrap();
    let kept = timeless(&answer.to_string(), &moments).unwrap();
    let later: SystemTime = moment + Duration::from_secs(86_400 + 61);
    let built = Definitions::parse_marked(&kept)
        .unwrap()
        .with_sources(["x-1_2-18-trixie"], later);
    let expected = printed(
        "202611270706",
        second("20261127070610"),
        "2026-11-27T07:06:10Z",
    );
    assert_eq!(serde_json::Value::Object(built), expected["target"]);
}

#[test]
fn what_the_bake_file_of_this_repository_gives_is_kept() {
    is_kept(include_str!("../../../../docker/bake.hcl"));
}

#[test]
fn what_the_bake_file_of_the_upstream_repository_gives_is_kept() {
    is_kept(include_str!("upstream.hcl"));
}
