// SPDX-License-Identifier: Apache-2.0
//! What is read of a print, and what of it is marked.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::target::{Between, Expressions};

fn built(groups: &str, targets: &[&str]) -> Vec<String> {
    let targets: Map<String, Value> = targets
        .iter()
        .map(|name| ((*name).to_owned(), Value::Object(Map::new())))
        .collect();
    let targets = Value::Object(targets);
    let printed = format!(r#"{{"group": {groups}, "target": {targets}}}"#);
    let definitions = Definitions::parse(&printed).unwrap();
    definitions.built().map(|one| one.name.to_owned()).collect()
}

#[test]
fn what_is_built_are_the_targets_of_the_default_group() {
    let of_itself = r#"{"default": {"targets": ["default"]}}"#;
    assert_eq!(built(of_itself, &["default"]), ["default"]);
    let nested = r#"{"default": {"targets": ["b", "inner", "b"]}, "inner": {"targets": ["a", "inner", "default"]}}"#;
    assert_eq!(built(nested, &["a", "b", "inner"]), ["b", "a", "inner"]);
    let none = r#"{"other": {"targets": ["a"]}}"#;
    assert!(built(none, &["a"]).is_empty());
}

#[test]
fn what_a_target_says_of_itself_is_checked_where_it_enters() {
    let of = |annotation: &str| {
        let target = serde_json::json!({"annotations": [annotation]});
        let printed = serde_json::json!({"target": {"x": target}});
        Definitions::parse(&printed.to_string()).unwrap()
    };
    let sql = of("index:io.cloudnativepg.image.sql.version=1'); SELECT 1 --");
    let wrong = sql.get("x").unwrap().sql_version().unwrap_err();
    assert!(
        wrong.message.starts_with(
            "target `x` of bake: its `io.cloudnativepg.image.sql.version` is `1'); SELECT 1 --`; it must be an"
        ),
        "{wrong:?}"
    );
    for version in ["1.2\u{1b}[2J", "1\n2", "1 2"] {
        let definitions = of(&format!("org.opencontainers.image.version={version}"));
        definitions.get("x").unwrap().version().unwrap_err();
    }
    for version in ["1.2", "v1_2", "1:1.2+dfsg~rc1-1"] {
        let definitions = of(&format!("org.opencontainers.image.version={version}"));
        let said = definitions.get("x").unwrap().version().unwrap();
        assert_eq!(said.as_deref(), Some(version));
    }
    let base = of("index:io.cloudnativepg.image.base.name=--privileged");
    let wrong = base.get("x").unwrap().base().unwrap_err();
    assert!(
        wrong
            .message
            .starts_with("target `x` of bake: its base image `--privileged` is not an image"),
        "{wrong:?}"
    );
}

#[test]
fn what_no_annotation_says_a_label_does() {
    let both = json!({"target": {"x": {
        "annotations": [
            "org.opencontainers.image.title=x",
            "index:io.cloudnativepg.image.base.pgmajor=18",
            "io.cloudnativepg.image.base.name="
        ],
        "labels": {
            "io.cloudnativepg.image.base.pgmajor": "17",
            "io.cloudnativepg.image.base.os": "trixie",
            "io.cloudnativepg.image.base.name": "ghcr.io/c/postgresql:18-trixie",
            "io.cloudnativepg.image.sql.version": "7",
            "org.opencontainers.image.version": "7.1"
        }
    }}});
    let definitions = Definitions::parse(&both.to_string()).unwrap();
    let x = definitions.get("x").unwrap();
    assert_eq!(x.server().unwrap().to_string(), "18-trixie");
    let base = x.base().unwrap().unwrap().to_string();
    assert_eq!(base, "ghcr.io/c/postgresql:18-trixie");
    assert_eq!(x.sql_version().unwrap().as_deref(), Some("7"));
    assert_eq!(x.version().unwrap().as_deref(), Some("7.1"));
}

#[test]
fn for_which_server_it_is_not_known_what_was_found_and_what_is_missing_is_said() {
    let of = |name: &str, target: Value| {
        let printed = json!({"target": {name: target}}).to_string();
        let definitions = Definitions::parse(&printed).unwrap();
        let failure = definitions.get(name).unwrap().server().unwrap_err();
        let start = format!("target `{name}` of bake: for which PostgreSQL it is, is not known: ");
        failure.message.strip_prefix(&start).unwrap().to_owned()
    };
    let suite = "which is not a Debian suite: lower-case letters, digits and `-`, like `trixie`";
    assert_eq!(of("tests", json!({})), "nothing says");
    assert_eq!(
        of(
            "x-18",
            json!({"args": {"PG_MAJOR": "18", "DISTRO": "trixie"}})
        ),
        "its argument `PG_MAJOR` is `18`; nothing says the Debian suite"
    );
    assert_eq!(
        of(
            "x-18",
            json!({"args": {"PG_MAJOR": "18", "BASE": "c/postgresql:18"}})
        ),
        format!(
            "its argument `PG_MAJOR` is `18`; the tag of its argument `BASE` ends in `18`, {suite}"
        )
    );
    assert_eq!(
        of("x", json!({"args": {"BASE": "c/postgresql"}})),
        format!("its argument `BASE` has no tag: `c/postgresql`, {suite}; nothing says the major")
    );
    let annotated = json!({"annotations": [
        "io.cloudnativepg.image.base.os=Trixie",
        "io.cloudnativepg.image.base.pgmajor=18"
    ]});
    assert_eq!(
        of("x-18-Trixie", annotated),
        format!(
            "its `io.cloudnativepg.image.base.pgmajor` is `18`; its `io.cloudnativepg.image.base.os` is `Trixie`, {suite}; \
             the last word but one of its name is `18`; the last word of its name is `Trixie`, {suite}"
        )
    );
}

const NOW: &str = "2026-11-26T07:05:09Z";

fn moments(layout: &str) -> Moments {
    let text = format!("a = formatdate(\"{layout}\", timestamp())\n");
    let layouts = Expressions::of([&*text]).layouts.unwrap();
    let now = humantime::parse_rfc3339(NOW).unwrap();
    let when = Between::of(now, now, Duration::ZERO).unwrap();
    Moments::of(&layouts, when, &[]).unwrap()
}

#[test]
fn values_are_marked_and_what_is_named_after_the_moment_is_not() {
    let of = |target: Value| {
        let text = json!({"target": {"x": target}}).to_string();
        timeless(&text, &moments("YYYYMMDD"))
    };
    let kept = of(json!({"tags": ["x:20261126"], "args": {"A": "20261125"}})).unwrap();
    let later = SystemTime::UNIX_EPOCH;
    let built = Definitions::parse_marked(&kept)
        .unwrap()
        .with_sources(["x"], later);
    assert_eq!(
        built["x"],
        json!({"tags": ["x:19700101"], "args": {"A": "20261125"}})
    );
    for target in [
        json!({"args": {"A20261126": "1"}}),
        json!({"shm": 20_261_126}),
        json!({"labels": {"a": "\u{f0f0f}YYYY\u{f0f0f}"}}),
    ] {
        assert_eq!(of(target.clone()), None, "{target}");
    }
    let named = json!({"target": {"x-20261126": {}}}).to_string();
    assert_eq!(timeless(&named, &moments("YYYYMMDD")), None);
}

#[test]
fn provenance_that_is_asked_for_names_all_unless_it_is_said_to_name_less() {
    let attests_all = |attestations: &Value| {
        let printed = json!({"target": {"x": {"attest": attestations}}});
        Definitions::parse(&printed.to_string())
            .unwrap()
            .attests_all("x")
    };
    for all in [
        json!(["type=provenance"]),
        json!(["type=sbom", "type=provenance,mode=max"]),
        json!(["type=provenance,mode=full"]),
        json!(["mode=max, Type=provenance"]),
        json!(["\"type=provenance\",version=v1"]),
        // To BuildKit the name of this one is none that it knows.
        json!(["type=provenance, mode=min"]),
        json!(["type=provenance,mode=min,mode=max"]),
        json!(["type=provenance,disabled=false"]),
        json!([{"type": "provenance"}]),
        json!([{"type": "provenance", "mode": "full"}]),
        json!([{"type": "provenance", "disabled": false}]),
    ] {
        assert!(attests_all(&all), "{all}");
    }
    for less in [
        Value::Null,
        json!([]),
        json!(["type=sbom,mode=max"]),
        json!(["type=provenance,mode=min"]),
        json!(["type=provenance,\"mode=min\""]),
        json!(["type=provenance,disabled=true"]),
        json!(["type=provenance,disabled=1"]),
        json!([{"type": "provenance", "mode": "min"}]),
        json!([{"type": "provenance", "disabled": true}]),
    ] {
        assert!(!attests_all(&less), "{less}");
    }
}

#[test]
fn what_is_printed_without_marks_holds_none() {
    let said = json!({"labels": {"a": "\u{f0f0f}YYYY\u{f0f0f}"}});
    let definitions = Definitions::parse(&json!({"target": {"x": said}}).to_string()).unwrap();
    assert_eq!(
        definitions.with_sources(["x"], SystemTime::UNIX_EPOCH)["x"],
        said
    );
}
