// SPDX-License-Identifier: Apache-2.0
//! `checks`: all findings at once, with file, line and severity.

use std::fs;

use super::fixture::{Fixture, metadata};

#[test]
fn a_sound_repository_passes_and_bake_is_asked_for_each_extension() {
    let fixture = Fixture::new();
    fixture
        .xtask(&["checks:all"])
        .success()
        .says("3 extensions checked: nothing to mend");
    let calls = fixture.calls_of("[bake]");
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert!(
            call.contains("[--set] [*.output=type=cacheonly]") && call.ends_with("[--check]"),
            "{call}"
        );
    }
    fixture.without_docker();
    fixture.xtask(&["checks", "alpha", "--no-bake"]).success();
    fixture
        .xtask(&["checks", "alpha"])
        .status(3)
        .says("bake's own check was not made");
}

#[test]
fn findings_have_file_line_and_severity_in_every_form() {
    let fixture = Fixture::new();
    fixture.extension("gamma", &metadata("gamma", &[("licenses", "[]")]));
    fixture.write(
        "extensions/gamma/Dockerfile",
        "FROM x\nRUN apt-get install postgresql-18-x\nFROM scratch\nCOPY --from=0 /l /licenses/\n",
    );
    fs::remove_file(fixture.root().join("extensions/gamma/smoke.sql")).unwrap();
    let expected = [
        (
            "extensions/gamma/Dockerfile",
            2,
            "error",
            "`postgresql-18-x` is not pinned",
        ),
        (
            "extensions/gamma/Dockerfile",
            3,
            "error",
            "the image ends as root",
        ),
        (
            "extensions/gamma/metadata.hcl",
            5,
            "error",
            "`licenses` is empty",
        ),
    ];
    let ended = fixture.xtask(&["checks", "--all", "--no-bake"]).status(2);
    for (file, line, severity, message) in expected {
        assert!(
            ended
                .stderr
                .contains(&format!("{file}:{line}: {severity}: {message}")),
            "{}",
            ended.stderr
        );
    }
    assert!(
        ended
            .stderr
            .contains("extensions/gamma/smoke.sql: warning: missing"),
        "{}",
        ended.stderr
    );
    let findings = fixture
        .xtask(&["checks", "--all", "--no-bake", "--json"])
        .status(2)
        .json();
    for (file, line, severity, _) in expected {
        let found = findings.as_array().unwrap().iter().any(|finding| {
            finding["file"] == file && finding["line"] == line && finding["severity"] == severity
        });
        assert!(found, "{file}:{line}: {findings:#}");
    }
    fixture
        .xtask_with(
            &["checks", "--all", "--no-bake"],
            &[("GITHUB_ACTIONS", "true")],
        )
        .status(2)
        .says("::error file=extensions/gamma/Dockerfile,line=2::`postgresql-18-x` is not pinned")
        .says("::warning file=extensions/gamma/smoke.sql::missing");
    fixture.xtask(&["checks", "alpha", "--no-bake"]).success();
}

#[test]
fn warnings_alone_do_not_fail() {
    let fixture = Fixture::new();
    for file in ["smoke.sql", "README.md"] {
        fs::remove_file(fixture.root().join("extensions/gamma").join(file)).unwrap();
    }
    fixture
        .xtask(&["checks", "gamma", "--no-bake"])
        .success()
        .says("1 extension checked: 2 warnings");
}

#[test]
fn what_bake_refuses_is_a_finding() {
    let fixture = Fixture::new();
    fixture.answer(
        "fail.gamma",
        "ERROR: failed to solve: dockerfile parse error on line 6: unknown instruction: foo\n",
    );
    fixture
        .xtask(&["checks", "gamma"])
        .status(1)
        .says("extensions/gamma/metadata.hcl: error: bake refuses it: ")
        .says("unknown instruction: foo");
}

#[test]
fn a_smoke_sql_that_does_nothing_is_found() {
    let fixture = Fixture::new();
    for (text, said) in [
        ("\n", "smoke.sql: warning: empty"),
        (
            "/* a /* b */ c */ ;\n-- d\n",
            "smoke.sql: warning: holds no statement",
        ),
    ] {
        fixture.write("extensions/gamma/smoke.sql", text);
        fixture
            .xtask(&["checks", "gamma", "--no-bake"])
            .success()
            .says(said);
    }
}
