// SPDX-License-Identifier: Apache-2.0
use super::*;

const HOSTILE: &str = "#6 0.1 \u{1b}[2J\u{1b}]0;title\u{7}gone\rover\nnext\u{202e}";

/// Three steps, the first for two minutes, one of which says something hostile.
fn running(now: Instant) -> Running {
    let mut running = Running::default();
    running.begin(20, now);
    let steps = [
        (
            "bake postgis",
            0,
            "#6 0.43 Get:5 http://x.example forky/main amd64 libgdal36 amd64 3.11.4 [8,392 kB]",
        ),
        (
            "shared suite of an-extension-with-a-long-name",
            61,
            "sink.go:56: | 17:23:30 | shared | cluster | ASSERT | RUN | v1/Pod @ x/alpha-1",
        ),
        ("smoke 漢字", 118, HOSTILE),
    ];
    for (at, (name, after, line)) in steps.into_iter().enumerate() {
        let then = now + Duration::from_secs(after);
        running.start(StepId(at), name, then);
        running.say(StepId(at), line, false, then);
        running.say(StepId(at), "#6 DONE 0.1s", false, then);
    }
    running.end(StepId(7), true, true);
    running.end(StepId(8), true, false);
    running
}

fn shown(running: &Running, columns: usize, rows: usize, now: Instant) -> Vec<String> {
    let lines = running.lines(Size { columns, rows }, now);
    let plain = |line: &Line| anstream::adapter::strip_str(&line.render(false)).to_string();
    lines.iter().map(plain).collect()
}

#[test]
fn each_step_has_a_line_with_what_it_says_last() {
    let now = Instant::now();
    let running = running(now);
    let late = now + Duration::from_secs(123);
    assert_eq!(
        shown(&running, 100, 24, late),
        [
            "… bake postgis                             2m03s  download libgdal36 3.11.4 (8,392 kB)",
            "… shared suite of an-extension-with-a-lo…    62s  cluster: wait for Pod alpha-1",
            "… smoke 漢字                                  5s  gone\\rover\\nnext\\u{202e}",
            "1 of 20 done, 1 failed, 3 running, 2m03s",
        ]
    );
}

#[test]
fn on_a_narrow_terminal_it_is_less_and_still_a_line_of_each() {
    let now = Instant::now();
    let running = running(now);
    let late = now + Duration::from_secs(123);
    assert_eq!(
        shown(&running, 40, 24, late),
        [
            "… bake postgis     2m03s  download lib…",
            "… shared suite o…    62s  cluster: wai…",
            "… smoke 漢字          5s  gone\\rover\\n…",
            "1 of 20 done, 1 failed, 3 running",
        ]
    );
    for size in 1..60 {
        for line in shown(&running, size, 24, late) {
            assert!(columns(&line) < size.max(2), "{size}: {line}");
        }
    }
}

#[test]
fn a_low_terminal_has_room_for_what_stays() {
    let now = Instant::now();
    let mut running = running(now);
    for at in 10..30 {
        running.start(StepId(at), "another", now);
    }
    for rows in 1..60 {
        let lines = shown(&running, 80, rows, now);
        assert!(lines.len() <= (rows / 2).max(1), "{rows}: {lines:?}");
        assert!(lines.last().unwrap().contains("23 running"), "{lines:?}");
        let left = lines.iter().find_map(|line| line.strip_suffix(" more"));
        let left = left.map_or(0, |line| line[4..].parse().unwrap());
        let steps = lines.len() - 1 - usize::from(left > 0);
        // Where there is no room but for the summary, that has the number.
        assert!(lines.len() == 1 || steps + left == 23, "{rows}: {lines:?}");
    }
}

#[test]
fn without_a_terminal_it_is_said_what_a_step_does_and_for_how_long() {
    let now = Instant::now();
    let mut running = running(now);
    let at = |seconds| now + Duration::from_secs(seconds);
    let mut said = |seconds| -> Vec<String> {
        let lines = running.heartbeat(at(seconds));
        let plain = |line: &Line| anstream::adapter::strip_str(&line.render(false)).to_string();
        lines.iter().map(plain).collect()
    };
    assert_eq!(said(29), [""; 0]);
    assert_eq!(
        said(30),
        [
            "… bake postgis 30.0s: download libgdal36 3.11.4 (8,392 kB) (for 30s) [2 of 20 steps done]"
        ]
    );
    assert_eq!(said(59), [""; 0]);
    assert_eq!(said(91).len(), 2);
}
