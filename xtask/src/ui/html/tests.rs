// SPDX-License-Identifier: Apache-2.0
//! The page of runs of every kind: what is on it, and what cannot be.

use serde_json::{Value, json};

use super::html;
use crate::{
    failure::{CmdFailure, Failure, Reason},
    own::{FoundRun, RUNS},
    run::{
        account::Account,
        kept::KeptRun,
        record::{FILE, RunRecord},
        timeline::tests::run,
    },
    verdict::Verdict,
};

const NAME: &str = "0000000009-0123456789abcdef";

/// The page of a run whose folder has these files.
fn page(run: &RunRecord, files: &[(&str, &str)]) -> String {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(RUNS).join(NAME);
    for (name, text) in files {
        let path = folder.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join(FILE), serde_json::to_string(run).unwrap()).unwrap();
    let found = FoundRun {
        name: NAME.to_owned(),
        is_held: false,
    };
    let kept = KeptRun::read(root.path(), found).unwrap();
    html(&Account::of(root.path(), kept))
}

/// Two steps, of which the second one has failed.
fn failed() -> RunRecord {
    let mut run = run(
        2,
        &[
            ("bake a", &[], 0.0, 2.0),
            ("smoke a 18-trixie", &[0], 2.0, 1.0),
        ],
    );
    let command = CmdFailure {
        purpose: "run `a`".into(),
        command: "docker run --rm -- image".into(),
        program: "docker".into(),
        reason: Reason::Status(3),
        elapsed: std::time::Duration::from_secs(1),
        tail: vec!["the end".into()],
        first_error: Some("ERROR: no".into()),
        lines: 7,
        log: None,
    };
    let failure = Failure {
        cause: Some("a library is missing".into()),
        ..Failure::from(command)
    };
    let step = &mut run.steps[1];
    step.outcome = Some(Verdict::Failed);
    step.failure = Some((&failure.hint("add it")).into());
    step.log = Some("elsewhere/smoke-a-18-trixie.log".into());
    (run.exit_code, run.seconds) = (Some(1), Some(3.0));
    run
}

#[test]
fn what_failed_has_its_cause_its_command_and_the_end_of_its_log() {
    let files = [
        ("smoke-a-18-trixie.log", "$ docker\nERROR: no\nthe end\n"),
        ("smoke-a-18-trixie/pods", "pod/x is pending\n"),
    ];
    let page = page(&failed(), &files);
    for part in [
        "failed to run <code>a</code>",
        "a library is missing",
        "docker run --rm -- image",
        "with status 3 after 1.0s",
        "<code>ERROR: no</code>",
        "add it",
        "<a href=\"./smoke-a-18-trixie.log\">",
        "$ docker\nERROR: no\nthe end",
        "What the cluster said: pods",
        "pod/x is pending",
        "<a href=\"./smoke-a-18-trixie/pods\">",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn without_a_log_there_is_what_the_record_has() {
    let page = page(&failed(), &[]);
    assert!(
        page.contains("Last 1 of 7 lines") && page.contains("the end"),
        "{page}"
    );
}

#[test]
fn results_are_there_one_by_one_and_at_a_glance() {
    let row = |name: &str, major: &str, result: &str| {
        json!({"name": name, "distro": "trixie", "pg_major": major, "result": result, "digest": format!("sha256:{}", "ab".repeat(32)),
            "size": "1.2MB", "proof": "3 rows", "seconds": 1.5, "image": "r/x:1", "shared": "passed"})
    };
    let mut run = run(1, &[]);
    run.result = Some(json!([
        row("a", "17", "passed"),
        row("a", "18", "failed"),
        row("b", "18", "not available")
    ]));
    let shown = page(&run, &[]);
    for part in [
        "Results at a glance",
        "17-trixie",
        "18-trixie",
        "1.2MB",
        "abababababab",
        "3 rows",
        "not available",
        "r/x:1",
        "<dt>shared</dt>",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    run.result = Some(json!({"packages": 7}));
    assert!(page(&run, &[]).contains("&quot;packages&quot;: 7"));
}

#[test]
fn runs_that_were_killed_or_have_nothing_in_them_have_a_page() {
    let empty = run(1, &[]);
    let shown = page(&empty, &[]);
    assert!(
        shown.contains("it was killed") && !shown.contains("<section"),
        "{shown}"
    );
    let mut killed = run(1, &[("a", &[], 0.0, 1.0), ("b", &[], 1.0, 0.0)]);
    (killed.steps[1].outcome, killed.steps[1].seconds) = (None, None);
    let shown = page(&killed, &[("b.log", "so far\n")]);
    for part in ["it was killed", "it had not ended", "so far", "not ended"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let mut interrupted = killed.clone();
    interrupted.exit_code = Some(130);
    interrupted.failure = Some((&Failure::interrupted()).into());
    assert!(page(&interrupted, &[]).contains("<title>interrupted: "));
}

#[test]
fn a_large_run_has_all_its_steps_on_a_page_that_can_be_opened() {
    let names: Vec<String> = (0..1_000)
        .map(|at| format!("smoke ext-{at} 18-trixie"))
        .collect();
    let before: Vec<Vec<usize>> = (0..1_000_usize)
        .map(|at| at.checked_sub(8).into_iter().collect())
        .collect();
    let steps: Vec<(&str, &[usize], f64, f64)> = (0..1_000_u32)
        .map(|at| {
            let place = at as usize;
            (
                names[place].as_str(),
                &before[place][..],
                f64::from(at / 8),
                1.0,
            )
        })
        .collect();
    let page = page(&run(8, &steps), &[]);
    assert_eq!(page.matches(" id=\"step-").count(), 1_000);
    assert!(page.contains("At most 8 steps at once"));
    assert!(page.len() < 2_500_000, "{}", page.len());
}

/// A text that would like to be more than one.
const HOSTILE: &str = "</script></style><img src=x onerror=alert(1)>\" autofocus onfocus='x' \u{0}\u{1b}[31m\u{202e}\u{85}http://user:s3cret@host/";

#[test]
fn whatever_a_run_holds_the_page_is_ours() {
    let mut run = failed();
    run.arguments = vec![HOSTILE.into()];
    run.started = run.started.replace('Z', HOSTILE);
    let started = run.plans[0].began.clone();
    for step in &mut run.steps {
        step.name = HOSTILE.into();
        step.command = format!("{HOSTILE}\n{HOSTILE}");
        step.reason = Some(HOSTILE.into());
        step.retried = Some(HOSTILE.into());
        step.log = Some(format!("../../{HOSTILE}").into());
    }
    let text = serde_json::to_string(&run).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["started"] = json!(started);
    let failure = json!({"kind": "failed", "message": HOSTILE, "cause": HOSTILE, "details": [HOSTILE], "hint": HOSTILE,
        "command": {"purpose": HOSTILE, "command": HOSTILE, "reason": "error", "status": null, "signal": null, "why": HOSTILE,
            "limit": null, "seconds": -1.0, "log": HOSTILE, "lines": 3, "first_error": HOSTILE, "tail": [HOSTILE]}});
    value["failure"] = failure.clone();
    value["steps"][1]["failure"] = failure;
    value["steps"][1]["id"] = json!(999);
    value["result"] = json!([{"name": HOSTILE, "distro": HOSTILE, "cnpg_release": HOSTILE, "result": "failed", "digest": HOSTILE,
        "size": HOSTILE, "proof": HOSTILE, "cause": HOSTILE, "image": HOSTILE, HOSTILE: HOSTILE}]);
    let run: RunRecord = serde_json::from_value(value).unwrap();
    let page = page(&run, &[("x.log", HOSTILE)]);
    assert!(!page.contains("s3cret"), "{page}");
    for tag in [
        "<img",
        "<script",
        "</script",
        "onerror=alert(1)>",
        "href=\"http",
    ] {
        assert!(!page.contains(tag), "{tag} in {page}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(
        !page
            .chars()
            .any(|c| c != '\n' && crate::printable::is_hidden(c)),
        "{page:?}"
    );
}

#[test]
fn nothing_is_fetched_and_no_script_is_allowed() {
    let page = page(&failed(), &[]);
    let policy = page
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(
        policy.starts_with("default-src &#39;none&#39;; style-src &#39;sha256-"),
        "{policy}"
    );
    for fetched in ["src=", "url(", "@import", "<link", "style=", "<script"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
}
