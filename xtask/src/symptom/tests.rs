// SPDX-License-Identifier: Apache-2.0
use super::*;

/// The parts that each way through a pattern finds, by number, up to the end of the pattern or of the group.
fn ways(pattern: &mut std::iter::Peekable<std::str::Chars<'_>>, parts: &mut u8) -> Vec<Vec<u8>> {
    let mut done = Vec::new();
    let mut now: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(c) = pattern.next() {
        match c {
            '\\' => drop(pattern.next()),
            '[' => {
                while pattern.next().is_some_and(|c| {
                    if c == '\\' {
                        pattern.next();
                    }
                    c != ']'
                }) {}
            }
            '|' => done.append(&mut std::mem::replace(&mut now, vec![Vec::new()])),
            ')' => break,
            '(' => {
                let own = (pattern.peek() != Some(&'?')).then(|| {
                    *parts += 1;
                    *parts
                });
                let inner = ways(pattern, parts);
                now = now
                    .iter()
                    .flat_map(|way| {
                        inner
                            .iter()
                            .map(move |more| [&way[..], &Vec::from_iter(own), more].concat())
                    })
                    .collect();
                now.sort();
                now.dedup();
            }
            _ => {}
        }
    }
    done.append(&mut now);
    done
}

/// The places of a cause that parts fill: parts that stand side by side fill one.
fn places(cause: &str) -> Vec<Vec<u8>> {
    let mut places: Vec<Vec<u8>> = Vec::new();
    let mut end = usize::MAX;
    for (at, _) in cause.match_indices('$') {
        let Some(digit) = cause[at + 1..].chars().next().and_then(|c| c.to_digit(10)) else {
            continue;
        };
        let digit = u8::try_from(digit).unwrap();
        match places.last_mut().filter(|_| at == end) {
            Some(place) => place.push(digit),
            None => places.push(vec![digit]),
        }
        end = at + 2;
    }
    places
}

#[test]
fn every_pattern_compiles() {
    assert_eq!(ADVICE.0.len(), hint::TABLE.len());
    assert_eq!(CLUSTER.0.len(), cause::CLUSTER.len());
    assert_eq!(MACHINE.0.len(), cause::MACHINE.len());
}

#[test]
fn every_way_through_a_pattern_fills_all_places_of_its_cause() {
    assert_eq!(
        ways(&mut r"a(?:(b)|[)|](c)\()|d".chars().peekable(), &mut 0),
        [vec![1], vec![2], vec![]]
    );
    assert_eq!(places("a $1$2 ($3) $x"), [vec![1, 2], vec![3]]);
    for symptom in cause::CLUSTER.iter().chain(cause::MACHINE) {
        let pattern = whole(symptom.pattern);
        Regex::new(&pattern).unwrap();
        for way in ways(&mut pattern.chars().peekable(), &mut 0) {
            for place in places(symptom.means.text) {
                assert!(
                    place.iter().any(|part| way.contains(part)),
                    "{place:?} of {}: {}",
                    symptom.pattern,
                    symptom.means.text
                );
            }
        }
    }
}

#[test]
fn what_a_job_would_say_is_not_what_it_has_said() {
    let object = "echo \"extension $NAME: wanted $VERSION, found ${found:-none}\"\nERROR:  function f(integer) does not exist";
    let found = cause_in_cluster(&[object.to_owned()]).unwrap_or_default();
    let cause = "refuses a statement of the suite: function f(integer) does not exist";
    assert!(found.contains(cause), "{found}");
}

#[test]
fn what_clusters_were_seen_to_say_has_its_cause() {
    for (text, cause) in [
        (
            r#"Failed to pull image "registry.pg-extensions:5000/nope:1": failed to pull and unpack image "registry.pg-extensions:5000/nope:1": failed to resolve reference "registry.pg-extensions:5000/nope:1": registry.pg-extensions:5000/nope:1: not found"#,
            "the image `registry.pg-extensions:5000/nope:1` cannot be pulled: its registry does not have it",
        ),
        (
            r#"failed to resolve reference "x:5000/a:1": failed to do request: Head "https://x:5000/v2/a/manifests/1": dial tcp 172.18.0.2:5000: connect: connection refused"#,
            "nothing answers at `x:5000`",
        ),
        (
            r#"failed to do request: Head "https://nosuchhost/v2/": dial tcp: lookup nosuchhost on 127.0.0.11:53: no such host"#,
            "does not know the registry's host `nosuchhost`",
        ),
        (
            r#"{"level":"info","msg":"FATAL:  could not access file \"nolib\": No such file or directory"}"#,
            "cannot find the library `nolib`",
        ),
        (
            r#"message: extension "vector" has no installation script nor update path for version "9.9.9" (SQLSTATE 22023)"#,
            "does not hold version `9.9.9` of `vector`",
        ),
        (
            r#"{"message":"ERROR: extension \"vector\" has no installation script nor update path for version \"9.9.9\" (SQLSTATE 22023)","name":"vector"}"#,
            "does not hold version `9.9.9` of `vector`",
        ),
        (
            r#"{"message":"ERROR: something else (SQLSTATE 22023)","name":"vector"}"#,
            "refuses a statement of the suite: something else (SQLSTATE 22023)",
        ),
        (
            r#"extension "nosuchext" is not available (SQLSTATE 0A000)"#,
            "the control file of `nosuchext` was not found",
        ),
        (
            r"ERROR: pgaudit must be loaded via shared_preload_libraries",
            "`pgaudit` works only when the server loads it",
        ),
        (
            r#"ERROR:  could not load library "/extensions/postgis/lib/postgis-3.so": libgeos_c.so.1: cannot open shared object file: No such file"#,
            "needs `libgeos_c.so.1`",
        ),
        (
            "Warning  BackOff  65s (x22 over 4m)  kubelet  spec.containers{manager}: Back-off restarting failed container manager in pod cnpg-controller-manager-9f5cd66db-bw56x_cnpg-system(800b)",
            "the operator is not ready: it crashes repeatedly",
        ),
        (
            r#"failed to do request: Head "https://ghcr.io/v2/": proxyconnect tcp: dial tcp: lookup proxy.corp on 127.0.0.11:53: no such host"#,
            "the proxy `proxy.corp`",
        ),
        (
            r#"ERROR:  could not access file "$libdir/vector": No such file or directory"#,
            "a statement loads `$libdir/vector`, and `$libdir/` forces the server's own folder",
        ),
        (
            r#"ERROR: required extension "pg_stat_statements" is not installed (SQLSTATE 42704)"#,
            "the server brings it, so no directory and no image is missing",
        ),
        (
            r#"ERROR: required extension "postgis" is not installed (SQLSTATE 42704)"#,
            "add the directory that holds `postgis`",
        ),
        (
            r#"FATAL:  could not access file "pg_stat_statements": No such file or directory"#,
            "`pg_stat_statements` is PostgreSQL's own",
        ),
        (
            r#"ERROR:  could not access file "$libdir/pgxml": No such file or directory"#,
            "`pgxml` is PostgreSQL's own",
        ),
        (
            r#"ERROR: required extension "plpython3u" is not installed (SQLSTATE 42704)"#,
            "`plpython3u` is PostgreSQL's own",
        ),
        (
            r#"ERROR:  could not access file "$libdir/sub/vector": No such file or directory"#,
            "a script names `$libdir/sub/vector`",
        ),
        (
            r#"admission webhook "vcluster.cnpg.io" denied the request: Cluster.cluster.cnpg.io "x" is invalid: path must not escape"#,
            "the operator refuses what was applied: Cluster.cluster.cnpg.io \"x\" is invalid: path must not escape",
        ),
        (
            r#"Cluster.postgresql.cnpg.io "denied" is invalid: spec.postgresql.extensions[1]: Duplicate value: {"name":"a"}"#,
            "the cluster refuses `denied` as it was applied: spec.postgresql.extensions[1]: Duplicate value",
        ),
        (
            r"extension vector: wanted 0.8.6, found 0.8.5",
            "`vector` should be 0.8.6, and the database has 0.8.5",
        ),
        (
            r#"ERROR:  relation "thing" does not exist"#,
            r#"refuses a statement of the suite: relation "thing" does not exist"#,
        ),
    ] {
        let found = cause_in_cluster(&[text.to_owned()]).unwrap_or_default();
        assert!(found.contains(cause), "{text}\n{found}");
    }
}

#[test]
fn a_host_that_cannot_be_looked_up_is_a_registry_where_an_image_is_pulled() {
    for (text, cause) in [
        (
            r#"failed calling webhook "m.cnpg.io": failed to call webhook: Post "https://cnpg-webhook-service.cnpg-system.svc:443/": dial tcp: lookup cnpg-webhook-service.cnpg-system.svc: no such host"#,
            "its webhook `m.cnpg.io` does not answer",
        ),
        (
            r#"failed to pull image "x:5000/a:1": failed to do request: Head "https://x:5000/v2/": http: server gave HTTP response to HTTPS client"#,
            "the registry speaks HTTP",
        ),
        (
            r#"no matches for kind "Database" in version "postgresql.cnpg.io/v1""#,
            "does not know `Database` (postgresql.cnpg.io/v1)",
        ),
        (
            "the server could not find the requested resource",
            "does not know a kind of resource that the suite uses",
        ),
    ] {
        let found = cause_in_cluster(&[text.to_owned()]).unwrap_or_default();
        assert!(found.contains(cause), "{text}\n{found}");
    }
    for other in [
        "all is well",
        r#"Get "https://cluster.example:6443/api": dial tcp: lookup cluster.example on 127.0.0.1:53: no such host"#,
        r#"Get "https://127.0.0.1:80/api": http: server gave HTTP response to HTTPS client"#,
    ] {
        assert_eq!(cause_in_cluster(&[other.to_owned()]), None, "{other}");
    }
}

#[test]
fn what_fails_on_this_machine_is_no_fault_of_a_node() {
    let kind = r#"ERROR: failed to create cluster: failed to pull image "kindest/node:v1.36.1": command "docker pull kindest/node:v1.36.1" failed with error: exit status 1: failed to resolve reference "docker.io/kindest/node:v1.36.1": failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 127.0.0.1:53: no such host"#;
    let cause = cause_on_machine(&[kind.to_owned()]).unwrap();
    assert!(
        cause.contains("this machine's engine does not have the image `kindest/node:v1.36.1`"),
        "{cause}"
    );
    assert!(!cause.contains("the node"), "{cause}");
    let proxy = kind.replace(
        "dial tcp: lookup registry-1.docker.io",
        "proxyconnect tcp: dial tcp: lookup proxy.corp",
    );
    let cause = cause_on_machine(&[proxy]).unwrap();
    assert!(cause.starts_with("the proxy `proxy.corp`"), "{cause}");
}

fn failed(command: &str, reason: Reason, lines: &[&str]) -> CmdFailure {
    CmdFailure {
        purpose: "try".into(),
        command: command.into(),
        program: command.split(' ').next().unwrap_or_default().into(),
        reason,
        elapsed: std::time::Duration::ZERO,
        tail: lines.iter().map(|line| (*line).to_owned()).collect(),
        first_error: None,
        lines: lines.len(),
        log: None,
    }
}

fn advice(failed: &CmdFailure) -> Option<(Kind, String)> {
    super::advice(failed).map(|known| (known.kind, known.hint))
}

fn bake(lines: &[&str]) -> Option<(Kind, String)> {
    advice(&failed("docker buildx bake", Reason::Status(1), lines))
}

#[test]
fn the_cause_is_named_and_not_what_follows_from_it() {
    for (line, said) in [
        (
            r#"ERROR: failed to push x:5000/a:1: failed to do request: Head "https://x/v2/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused"#,
            "the proxy cannot be reached",
        ),
        (
            r#"ERROR: failed to do request: Head "https://ghcr.io/v2/": proxyconnect tcp: dial tcp: lookup proxy.corp on 127.0.0.1:53: no such host"#,
            "the proxy cannot be reached",
        ),
        (
            r#"ERROR: failed to solve: ghcr.io/a:1: failed to resolve source metadata for ghcr.io/a:1: failed to do request: Head "https://ghcr.io/v2/": dial tcp 1.2.3.4:443: connect: connection refused"#,
            "the base image cannot be pulled",
        ),
        (
            r#"ERROR: failed to push localhost:5000/a:1: failed to do request: Head "http://localhost:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused"#,
            "nothing answers at the registry",
        ),
        (
            r#"ERROR: failed to do request: Head "https://nosuch/v2/": dial tcp: lookup nosuch: no such host"#,
            "the registry's name does not resolve here",
        ),
        (
            "ERROR: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "add yourself to the group",
        ),
        (
            "fatal: detected dubious ownership in repository at '/__w/images/images'",
            "Git takes no repository of another user's",
        ),
    ] {
        let (kind, hint) = bake(&[line]).unwrap();
        assert!(hint.starts_with(said), "{line}\n{hint}");
        assert_eq!(kind, Kind::Unavailable, "{line}");
    }
}

#[test]
fn what_helps_with_signatures_and_registries_is_said() {
    for (command, line, kind, said) in [
        (
            "cosign sign --yes -- x",
            r#"Error: error getting signing config from TUF: error getting signing config from TUF: failed to load metadata: tuf refresh failed: Get "https://tuf-repo-cdn.sigstore.dev/15.root.json": dial tcp: lookup tuf-repo-cdn.sigstore.dev on 169.254.1.1:53: no such host"#,
            Kind::Unavailable,
            "sigstore's services do not answer",
        ),
        (
            "cosign verify --output json -- x",
            "Error: setting trusted material: getting trusted root from TUF for new bundle verification: error getting live trusted root: failed to create TUF client",
            Kind::Unavailable,
            "sigstore's services do not answer",
        ),
        (
            "cosign public-key --key=k",
            "Error: decrypt: encrypted: decryption failed",
            Kind::Invalid,
            "the environment variable `COSIGN_PASSWORD`",
        ),
        (
            "cosign verify --output json -- x",
            "Error: loading verifier from key opts: loading public key: pem to public key: unknown Public key PEM file type: ENCRYPTED SIGSTORE PRIVATE KEY. Are you passing the correct public key?",
            Kind::Invalid,
            "verify with the public half",
        ),
        (
            "cosign verify --output json -- x",
            "Error: no signatures found",
            Kind::Failed,
            "nobody has signed this image",
        ),
        (
            "cosign verify --output json -- x",
            "Error: no matching attestations: failed to verify signature: could not verify envelope: accepted signatures do not match threshold, Found: 0, Expected 1",
            Kind::Failed,
            "it is signed, but not with this key",
        ),
        (
            "cosign verify --output json -- x",
            "Error: no matching signatures: invalid signature when validating ASN.1 encoded signature",
            Kind::Failed,
            "it is signed, but not with this key",
        ),
        (
            "oras resolve --plain-http -- localhost:5999/t/x:b",
            r#"Error: failed to resolve digest: Head "http://localhost:5999/v2/t/x/manifests/b": dial tcp 127.0.0.1:5999: connect: connection refused"#,
            Kind::Unavailable,
            "nothing answers at `localhost:5999`",
        ),
        (
            "oras cp -- a b",
            r#"Error from destination registry for "ghcr.io/o/x": response status code 403: denied: requested access to the resource is denied"#,
            Kind::Unavailable,
            "log in to the registry with `docker login`",
        ),
    ] {
        let (found, hint) = advice(&failed(command, Reason::Status(1), &[line])).unwrap();
        assert!(hint.starts_with(said), "{line}\n{hint}");
        assert_eq!(found, kind, "{line}");
    }
}

#[test]
fn a_bake_file_that_reads_another_schema_is_known() {
    let line = r#"ERROR: docker-bake.hcl:49,39-59: Error in function call; Call to function "getVersion" failed: docker-bake.hcl:111,48-59: Invalid index; This value does not have any indices."#;
    let (kind, hint) = bake(&[line]).unwrap();
    assert!(
        hint.contains("it may want a version as `{ package"),
        "{hint}"
    );
    assert_eq!(kind, Kind::Failed);
}

#[test]
fn a_placeholder_that_bake_takes_for_a_variable_is_known() {
    let line = r#"ERROR: extensions/x/metadata.hcl:14,39-49: Unknown variable; There is no variable named "image_root"."#;
    let (kind, hint) = bake(&[line]).unwrap();
    assert!(hint.starts_with("write `$${image_root}` in"), "{hint}");
    assert_eq!(kind, Kind::Invalid);
}

#[test]
fn a_registry_that_wants_a_login_is_known_where_it_is_asked() {
    let refused = "ERROR: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials";
    let asked = "docker buildx imagetools inspect --raw -- r.example/x:1";
    let (kind, hint) = advice(&failed(asked, Reason::Status(1), &[refused])).unwrap();
    assert!(hint.starts_with("log in to the registry"), "{hint}");
    assert_eq!(kind, Kind::Unavailable);
    assert_eq!(bake(&[refused]), None);
}

#[test]
fn parts_on_different_lines_are_no_symptom() {
    assert_eq!(bake(&["permission denied: /x", "see docker.sock"]), None);
    assert_eq!(bake(&["failed to push", "connection refused"]), None);
    let taken = "docker: Error response from daemon: Conflict. The container name \"/a\" is already in use by container \"b\"";
    let kind = failed("kind create cluster", Reason::Status(1), &[taken]);
    assert_eq!(advice(&kind).unwrap().1, hint::TAKEN);
    assert_eq!(bake(&[taken]), None);
}

#[test]
fn what_a_build_a_container_or_a_suite_prints_is_not_what_the_tool_says() {
    let daemon = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
    for line in [
        format!("#9 0.123 {daemon}"),
        format!("#12 103.4 FAIL: {daemon}"),
        format!("0.123 {daemon}"),
        format!("  12 | >>> RUN echo '{daemon}'"),
        format!(" > [build 3/5] RUN echo '{daemon}':"),
        format!("#9 [build 3/5] RUN echo '{daemon}'"),
        format!(
            "ERROR: failed to solve: process \"/bin/sh -c echo '{daemon}'\" did not complete successfully: exit code: 1"
        ),
    ] {
        assert_eq!(bake(&[&line]), None, "{line}");
    }
    for own in [format!("ERROR: {daemon}"), format!("#9 ERROR: {daemon}")] {
        assert_eq!(bake(&[&own]).unwrap().0, Kind::Unavailable, "{own}");
    }
    let run = |code| {
        advice(&failed(
            "docker run --rm x",
            Reason::Status(code),
            &[daemon],
        ))
    };
    assert_eq!(run(1), None);
    assert_eq!(run(125).unwrap().0, Kind::Unavailable);
    assert_eq!(
        advice(&failed("chainsaw test", Reason::Status(1), &[daemon])),
        None
    );
}

#[test]
fn a_full_disk_and_what_apt_says_count_in_a_build_too() {
    for (line, said) in [
        ("#9 1.2 tar: x: No space left on device", "free some disk"),
        ("#9 1.2 write /x: no space left on device", "free some disk"),
        (
            "#9 1.2 E: Version '1-1' for 'a' was not found",
            "the archive no longer has",
        ),
        (
            "ERROR: digest mismatch sha256:fd3d2b86ca2816eb9f0c31548296968c2b97ccfbb41b1955f36ba7a65b1fdaaa: sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "what is at that address has the checksum sha256:fd3d",
        ),
        (
            "#13 0.240   [60] SSL peer certificate or SSH remote key was not OK (SSL certificate OpenSSL verify result: self-signed certificate in certificate chain (19))",
            "cargo cannot read the registry of crates",
        ),
        (
            "#13 0.240 error: failed to get `no-panic` as a dependency of package `ryu v1.0.20 (/build/source)`",
            "cargo cannot read the registry of crates",
        ),
        (
            "#13 0.571 commonmark.c:4:10: fatal error: cmark.h: No such file or directory",
            "no package that it is compiled with has `cmark.h`",
        ),
        (
            "1.2 E: Unable to locate package a",
            "the archive has no such package for this distro",
        ),
        (
            "#9 1.2   Temporary failure resolving 'archive.example'",
            "names do not resolve",
        ),
        (
            "#9 7.3   Could not connect to 172.17.0.1:3128 (172.17.0.1). - connect (111: Connection refused)",
            "nothing answers at `172.17.0.1:3128`",
        ),
        (
            "E: Failed to fetch http://deb.example/debian/dists/forky/InRelease  Unable to connect to 172.17.0.1:3128:",
            "nothing answers at `172.17.0.1:3128`",
        ),
    ] {
        let (_, hint) = bake(&[line]).unwrap();
        assert!(hint.starts_with(said), "{line}\n{hint}");
    }
}

#[test]
fn a_line_of_any_length_is_looked_through_at_its_beginning() {
    let long = "ä".repeat(1 << 20);
    let known = format!("no space left on device {long}");
    assert!(bake(&[&known]).is_some());
    let lines = vec![long.as_str(); 40];
    assert_eq!(bake(&lines), None);
}
