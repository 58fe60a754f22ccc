// SPDX-License-Identifier: Apache-2.0
//! Lines as the tools print them.

use super::of;

#[track_caller]
fn reads(cases: &[(&str, &str)]) {
    for (line, words) in cases {
        let words = Some(*words).filter(|words| !words.is_empty());
        assert_eq!(of(line).as_deref(), words, "{line}");
    }
}

#[test]
fn chainsaws_table_is_read_by_what_it_waits_for() {
    reads(&[
        ("=== RUN   chainsaw", ""),
        ("=== RUN   chainsaw/shared", "test shared"),
        ("=== PAUSE chainsaw/shared", ""),
        (
            "    | 22:25:42 | shared | create-cluster | TRY | BEGIN |",
            "create-cluster",
        ),
        (
            "    | 22:25:42 | shared | cluster | CREATE | OK    | postgresql.cnpg.io/v1/Cluster @ ns/alpha",
            "cluster: create Cluster alpha: done",
        ),
        (
            "    | 22:25:42 | shared | cluster | ASSERT | RUN | postgresql.cnpg.io/v1/Cluster @ ns/alpha",
            "cluster: wait for Cluster alpha",
        ),
        // As version 0.2.14 prints it where nothing reads its backspaces.
        (
            "    sink.go:56: | 17:23:30 | shared | cluster | ASSERT | DONE | v1/Pod @ ns/alpha-1",
            "cluster: wait for Pod alpha-1: done",
        ),
        (
            "    sink.go:56: | 22:09:06 | shared | a | ASSERT | ERROR | v1/ConfigMap @ x/nothere",
            "a: wait for ConfigMap nothere: error",
        ),
        (
            "    | 22:09:06 | shared | smoke | SCRIPT | RUN |",
            "smoke: run a script",
        ),
        ("    | 22:09:06 | shared | a | CMD | LOG |", ""),
        ("    | 22:09:06 | shared | a | CATCH | BEGIN |", "a: catch"),
        ("    | 22:09:06 | shared | a | TRY | END |", ""),
        (
            "    | 23:00:10 | shared | @chainsaw | CLEANUP                 | SKIP                |",
            "",
        ),
        ("--- PASS: chainsaw (0.03s)", ""),
        (
            "    --- PASS: chainsaw/pgvector (1.18s)",
            "test pgvector passed",
        ),
        ("=== ERROR", ""),
        ("--- FAIL: chainsaw/shared (41.20s)", "test shared failed"),
        ("--------", ""),
    ]);
}

#[test]
fn what_buildkit_passes_on_is_read_as_what_it_is() {
    let run = "#7 [builder 2/3] RUN --mount=from=archive,source=/archive,target=/archive set -eu; for package in x";
    reads(&[
        (
            "#1 [internal] load build definition from Dockerfile",
            "load build definition from Dockerfile",
        ),
        (
            "#2 [internal] load metadata for ghcr.io/a/b:18",
            "look up ghcr.io/a/b:18",
        ),
        (run, "builder 2/3: for package in x"),
        (
            "#6 0.43 Get:5 http://x.example/debian forky/main amd64 libgdal36 amd64 3.11.4-1+b2 [8,392 kB]",
            "download libgdal36 3.11.4-1+b2 (8,392 kB)",
        ),
        (
            "#6 12.1 Setting up libgdal36:amd64 (3.11.4-1+b2) ...",
            "set up libgdal36 3.11.4-1+b2",
        ),
        ("#6 1.5 cc -O2 -c vector.c", "cc -O2 -c vector.c"),
        ("#6 DONE 12.4s", ""),
        ("#6 CACHED", ""),
        (
            "#6 sha256:0123 12.58MB / 30.10MB 1.2s",
            "download a layer: 12.58MB of 30.10MB",
        ),
        (
            "#6 sha256:0123 30.10MB / 30.10MB 1.2s done",
            "download a layer: 30.10MB of 30.10MB",
        ),
        ("#3 transferring context: 2B done", ""),
        ("#9 exporting to image", "exporting to image"),
        (
            &format!("#9 exporting config sha256:{} done", "ab".repeat(32)),
            "exporting config",
        ),
        ("#9 pushing layers", "pushing layers"),
        (
            "#9 ERROR: process \"/bin/sh -c x\" did not complete successfully: exit code: 1",
            "process \"/bin/sh -c x\" did not complete successfully: exit code: 1",
        ),
    ]);
}

#[test]
fn packages_have_their_names_and_sizes() {
    reads(&[
        (
            "Get:1 http://x.example/debian forky InRelease [147 kB]",
            "download forky InRelease (147 kB)",
        ),
        (
            "Get:2 http://x.example/debian forky/main amd64 Packages [9,512 kB]",
            "download forky/main amd64 Packages (9,512 kB)",
        ),
        ("Hit:1 http://x.example/debian forky InRelease", ""),
        (
            "Err:3 http://x.example/debian forky/main amd64 x amd64 1",
            "cannot download x 1",
        ),
        (
            "Fetched 71.2 MB in 3s (23.1 MB/s)",
            "Fetched 71.2 MB in 3s (23.1 MB/s)",
        ),
        ("Reading package lists... Done", "Reading package lists"),
        ("(Reading database ... 45%", "read dpkg's database"),
        ("Selecting previously unselected package libx:amd64.", ""),
        ("Preparing to unpack .../libx_1_amd64.deb ...", ""),
        (
            "Unpacking libx:amd64 (1:2.0-1) over (1:1.0-1) ...",
            "unpack libx 1:2.0-1",
        ),
        ("I: running apt-get update...", "running apt-get update"),
        ("Get:", "Get:"),
        ("Setting up", "Setting up"),
    ]);
}

#[test]
fn json_is_read_by_what_it_says_and_its_pieces_say_nothing() {
    reads(&[
        (
            r#"{"level":"info","ts":"2026-11-26T17:23:30Z","logger":"instance-manager","msg":"Starting up"}"#,
            "Starting up",
        ),
        (
            r#"{"level":"error","msg":"no","error":"dial tcp"}"#,
            "no: dial tcp",
        ),
        (
            r#"{"level":"info","logger":"postgres","msg":"record","record":{"error_severity":"FATAL","message":"could not access file \"nolib\""}}"#,
            "FATAL: could not access file \"nolib\"",
        ),
        (
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"alpha-1"},"status":{"phase":"Pending"}}"#,
            "Pod alpha-1: Pending",
        ),
        (r#"{"a":1}"#, ""),
        ("{", ""),
        ("    \"apiVersion\": \"v1\",", ""),
        ("    \"metadata\": {", ""),
        ("    \"items\": [", ""),
        ("        \"x\"", ""),
        ("    },", ""),
        ("[]", ""),
        ("\"quoted\" is not JSON", "\"quoted\" is not JSON"),
        ("{not json", "{not json"),
    ]);
}

#[test]
fn clusters_and_servers_say_what_they_do() {
    reads(&[
        (" • Preparing nodes 📦 📦  ...", "Preparing nodes"),
        (
            " ✓ Ensuring node image (kindest/node:v1.36.3) 🖼",
            "Ensuring node image (kindest/node:v1.36.3): done",
        ),
        (
            " ✗ Starting control-plane 🕹️",
            "Starting control-plane: failed",
        ),
        (
            "2026-11-26 22:00:00.123 UTC [45] LOG:  database system is ready",
            "LOG: database system is ready",
        ),
        (
            "I1126 22:00:00.000000   123 reflector.go:146] watch of Pod ended",
            "watch of Pod ended",
        ),
        ("2026-11-26T22:00:00.1Z started", "started"),
        (
            "time=\"2026-11-26T22:00:00Z\" level=info msg=\"pulled\"",
            "pulled",
        ),
        (
            "namespace/cnpg-system serverside-applied",
            "namespace/cnpg-system serverside-applied",
        ),
    ]);
}

#[test]
fn of_layers_it_is_said_how_far_they_are() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    reads(&[
        (
            "18: Pulling from library/postgres",
            "pull library/postgres:18",
        ),
        (&"ab".repeat(32), ""),
        ("a1b2c3d4e5f6: Pulling fs layer", ""),
        (
            "a1b2c3d4e5f6: Downloading [==>      ]  5.3MB/30MB",
            "downloading layer a1b2c3d4e5f6: 5.3MB/30MB",
        ),
        ("a1b2c3d4e5f6: Pull complete", "pulled layer a1b2c3d4e5f6"),
        ("a1b2c3d4e5f6: Layer already exists", ""),
        (&format!("Digest: {digest}"), ""),
        (
            "Status: Downloaded newer image for postgres:18",
            "Status: Downloaded newer image for postgres:18",
        ),
        ("Getting image source signatures", ""),
        (
            &format!("Copying blob {digest} done"),
            "copy layer sha256:abababab",
        ),
        (
            &format!("2026/11/26 17:00:00 pushed blob: {digest}"),
            "pushed layer sha256:abababab",
        ),
        (
            &format!("Copied [registry] x@{digest}"),
            "Copied [registry] x@sha256:abababab",
        ),
    ]);
}

#[test]
fn what_is_hostile_is_one_line_and_ends() {
    reads(&[
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("a\u{1b}]0;title", "a\\u{1b}]0;title"),
        ("\u{1b}[2J", ""),
        ("", ""),
        ("#", ""),
        ("# 1", "# 1"),
        ("#99999999999999999999999 x", "x"),
        ("|||||", ""),
        ("| 1:2:3 | é", ""),
    ]);
    let deep = "2026-11-26T22:00:00Z ".repeat(1_000);
    assert_eq!(of(&deep), None);
}
