// SPDX-License-Identifier: Apache-2.0
//! From what a cluster says to a paragraph that names the probable cause.

pub(crate) mod now;

use regex_lite::Regex;

/// What comes right by itself at times.
const NEVER: u32 = 0;
/// A quarter of a minute: what tools repeat has been repeated.
const SOON: u32 = 4;
/// Something that is still to be made may make it right.
const LATE: u32 = 12;

/// What PostgreSQL itself brings: the extensions and modules of its `contrib` folder, with `_int` and `pgxml`, which are
/// the libraries of intarray and xml2, and its languages with their transforms. Compared with what Debian's
/// postgresql-18 18.6-3 holds; what is for Perl and Python is in packages beside it.
const CONTRIB: &str = "_int|amcheck|auth_delay|auto_explain|autoinc|basebackup_to_shell|basic_archive|bloom|bool_plperlu?|btree_gin|btree_gist|citext|cube|dblink|dict_int|dict_xsyn|earthdistance|file_fdw|fuzzystrmatch|hstore|hstore_plperlu?|hstore_plpython3u|insert_username|intagg|intarray|isn|jsonb_plperlu?|jsonb_plpython3u|lo|ltree|ltree_plpython3u|moddatetime|pageinspect|passwordcheck|pg_buffercache|pg_freespacemap|pg_logicalinspect|pg_overexplain|pg_prewarm|pg_stat_statements|pg_surgery|pg_trgm|pg_visibility|pg_walinspect|pgcrypto|pgrowlocks|pgstattuple|pgxml|plperlu?|plpgsql|plpython3u?|pltclu?|postgres_fdw|refint|seg|sepgsql|sslinfo|tablefunc|tcn|test_decoding|tsm_system_rows|tsm_system_time|unaccent|uuid-ossp|xml2";

/// What a person would look for, and what it means. `$1` and so on are parts of what was found.
struct Symptom {
    /// Found within one line, whatever stands around it.
    pattern: &'static str,
    cause: &'static str,
    /// It does not get better by itself: after so many looks there is no point in waiting. Never: 0.
    looks: u32,
}

/// The first that is found counts: what is at the bottom of things stands before what follows from it.
/// The texts are those that the tools were seen to print.
const SYMPTOMS: &[Symptom] = &[
    Symptom {
        pattern: r"no space left on device|No space left on device|DiskPressure",
        cause: "a disk is full, the node's or the engine's. `docker system df` shows what takes the room.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"proxyconnect [^\n]*?(?:lookup ([^\s:]+)|dial tcp ([^\s]+): )[^\n]*",
        cause: "the proxy `$1$2`, which the engine or the node is told to use, cannot be reached; the registry was not even asked. Look at HTTPS_PROXY, \
                HTTP_PROXY and NO_PROXY in the engine's environment: kind hands them to its nodes when it makes them.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"InvalidImageName[^\n]*?"([^"\n]+)""#,
        cause: "`$1` is not a reference of an image. Compare the references in the values.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"ErrImageNeverPull[^\n]*?"([^"\n]+)""#,
        cause: "the image `$1` is not on the node, and its pull policy is `Never`.",
        looks: SOON,
    },
    Symptom {
        pattern: r"CreateContainerConfigError: ([^\n]+)",
        cause: "a pod's container cannot be made: $1",
        looks: LATE,
    },
    Symptom {
        pattern: r#"failed to (?:resolve|pull)[^\n]*"([^"\n]+)"[^\n]*(?:401|403|[Uu]nauthorized|authorization failed|insufficient_scope|pull access denied)"#,
        cause: "the registry does not let the node have the image `$1`: the login is missing or wrong. Set REGISTRY_HOST, REGISTRY_USERNAME and \
                REGISTRY_PASSWORD, and run `cargo xtask e2e setup-env` once more.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"failed to (?:resolve reference|resolve image|pull image|pull and unpack image)[^\n]*?"([^"\n]+)"[^\n]*: not found"#,
        cause: "the image `$1` cannot be pulled: its registry does not have it. Compare the reference with what was pushed: an extension's image is \
                pushed by `cargo xtask bake TARGET --push`; the operator's follows from `--cnpg-release` and the setting `images.operator`.",
        looks: SOON,
    },
    Symptom {
        pattern: r"failed to (?:pull|resolve|do request)[^\n]*lookup ([^\s:]+)[^\n]*: no such host",
        cause: "an image cannot be pulled: the node does not know the registry's host `$1`. Compare the reference in the values with the registry's \
                name in the cluster (`cargo xtask e2e status`), or send the host elsewhere with `[mirrors]` in xtask.toml.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"failed to do request: (?:Head|Get) "https?://([^/"\\]+)[^\n]*(?:connection refused|i/o timeout|network is unreachable|no route to host|context deadline exceeded)"#,
        cause: "an image cannot be pulled: nothing answers at `$1`, as the node sees it. `cargo xtask e2e setup-env` mends a local registry and tells \
                every node where it is; a registry that cannot be reached from here needs an entry in `[mirrors]` of xtask.toml.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"failed to (?:resolve|pull)[^\n]*(x509: [^"\n]+)"#,
        cause: "an image cannot be pulled: the node does not trust the registry ($1).",
        looks: NEVER,
    },
    Symptom {
        pattern: r"failed to (?:pull|resolve|do request)[^\n]*server gave HTTP response to HTTPS client",
        cause: "an image cannot be pulled: the registry speaks HTTP, and the node was not told so. `cargo xtask e2e setup-env` tells it for a local \
                registry; for another one write its URL with `http://` into `[mirrors]` of xtask.toml.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"(?:ErrImagePull|ImagePullBackOff|Failed to pull image)[^\n]*?"([^"\s]+)""#,
        cause: "the image `$1` cannot be pulled; events.txt says more.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"exec format error",
        cause: "an image is for another processor than the node's. Build it for the node: `cargo xtask bake TARGET --push --platform linux/amd64`, say.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"could not load library "([^"\n\\]+)[^\n]*?: ([^:\s]+\.so[^:\s]*): cannot open shared object file"#,
        cause: "the library `$1` needs `$2`, which is neither in the extension's image nor in the PostgreSQL image. Add it to the image and name its \
                folder in `ld_library_path` of metadata.hcl.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"could not load library "([^"\n\\]+)[^\n]*?: undefined symbol: (\w+)"#,
        cause: "the library `$1` lacks the symbol `$2`: it was built for another PostgreSQL, or a library that it needs is not preloaded.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"(?:could not access file "(?:\$libdir/)?({contrib})": No such file or directory|extension "({contrib})" is not available)"#,
        cause: "`$1$2` is PostgreSQL's own (contrib, or a language), which the server's image brings, and this server's image does not have it. No extension \
                image can mend that: use a PostgreSQL image that has it (`images.base`).",
        looks: SOON,
    },
    Symptom {
        pattern: r#"could not access file "\$libdir/([^"/\n\\]+)": No such file or directory"#,
        cause: "a statement loads `$libdir/$1`, and `$libdir/` forces the server's own folder, where an extension image's library never is. The mounted \
                image's library is found by its plain name, through `dynamic_library_path`: let the script say `LOAD '$1'`.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"could not access file "\$libdir/([^"\n\\]*/)([^"/\n\\]+)": No such file or directory"#,
        cause: "a script names `$libdir/$1$2`, and `$libdir/` with a folder in it forces the server's own folder, where an extension image's library never \
                is. The mounted image's library is found by its plain name, through `dynamic_library_path`: let the script say `'$2'`, and name the \
                library's folder in `dynamic_library_path` of metadata.hcl.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"could not access file "([^"\n\\]+)": No such file or directory"#,
        cause: "the server cannot find the library `$1`: no mounted image has it in its `dynamic_library_path`. Either `shared_preload_libraries` in \
                metadata.hcl names what does not exist, or the image lacks it, or an extension that this one needs is not in `required_extensions`.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"(?:extension ")?(\w+)"? must be (?:pre)?loaded(?: via| in)? "?shared_preload_libraries"#,
        cause: "`$1` works only when the server loads it at its start: add its library to `shared_preload_libraries` in metadata.hcl.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"extension "(\w+)" must be preloaded"#,
        cause: "`$1` works only when the server loads it at its start: add its library to `shared_preload_libraries` in metadata.hcl.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"extension "([^"\n\\]+)" has no installation script nor update path for version "([^"\n\\]+)""#,
        cause: "the version differs: the image does not hold version `$2` of `$1`. Compare `sql` in metadata.hcl, which becomes the image's annotation \
                `io.cloudnativepg.image.sql.version`, with the `.control` and `.sql` files in the image.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"(?:extension "([^"\n\\]+)" is not available|could not open extension control file[^\n]*/([^/"\n]+)\.control)"#,
        cause: "the control file of `$1$2` was not found: no mounted image has it in `share/extension` (or in the `extension_control_path` of \
                metadata.hcl). Compare `sql_name` with the name of the `.control` file in the image.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"required extension "({contrib})" is not installed"#,
        cause: "the extension needs `$1`, which was not created before it. `$1` is PostgreSQL's own (contrib, or a language): the server brings it, so no \
                directory and no image is missing; it has to be created first (`CREATE EXTENSION \"$1\"`, or `CASCADE`; in a Database, an entry before it).",
        looks: SOON,
    },
    Symptom {
        pattern: r#"required extension "([^"\n\\]+)" is not installed"#,
        cause: "the extension needs `$1`, which was not created before it: add the directory that holds `$1` to `required_extensions` in metadata.hcl.",
        looks: SOON,
    },
    Symptom {
        pattern: r"extension (\S+): wanted (\S+), found (\S+)",
        cause: "the version differs: `$1` should be $2, and the database has $3. Compare `sql` in metadata.hcl with what the package installs.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"(unrecognized configuration parameter [^\n]+|invalid value for parameter [^\n]+)",
        cause: "the server refuses a setting ($1): look at `postgresql_parameters` in metadata.hcl.",
        looks: SOON,
    },
    Symptom {
        pattern: r#"\w+\.postgresql\.cnpg\.io "([^"\n]+)" is invalid: ([^\n]+)"#,
        cause: "the cluster refuses `$1` as it was applied: $2",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"admission webhook "[^"]+" denied the request: ([^\n]+)"#,
        cause: "the operator refuses what was applied: $1",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"failed calling webhook "([^"]+)"[^\n]*"#,
        cause: "the operator is not ready: its webhook `$1` does not answer. operator.txt and operator.log say why; `cargo xtask e2e setup-env` waits for it.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"no matches for kind "([^"\n]+)" in version "([^"\n]+)""#,
        cause: "the cluster does not know `$1` ($2): the operator is not installed, or of an older release. `cargo xtask e2e setup-env` installs it.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"could not find the requested resource",
        cause: "the cluster does not know a kind of resource that the suite uses: the operator is not installed, or of an older release. `cargo xtask e2e \
                setup-env` installs it.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"0/\d+ nodes are available: ([^\n]+)",
        cause: "no node takes the pod: $1",
        looks: NEVER,
    },
    Symptom {
        pattern: r"OOMKilled",
        cause: "a container was killed because it used more memory than it may.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"(?:CrashLoopBackOff|Back-off restarting failed container)[^\n]*cnpg-controller-manager",
        cause: "the operator is not ready: it ends again and again. operator.log says why.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"ERROR:\s+([^\n]+?)(?:"[,}]|\n|$)"#,
        cause: "PostgreSQL refuses a statement of the suite: $1",
        looks: NEVER,
    },
];

/// A line of JSON is no sentence.
const LONGEST_PART: usize = 200;

/// What stands in the output of a tool that works on this machine, where no node is: kind's and docker's.
const HOST: &[Symptom] = &[
    Symptom {
        pattern: r"proxyconnect [^\n]*?(?:lookup ([^\s:]+)|dial tcp ([^\s]+): )[^\n]*",
        cause: "the proxy `$1$2`, which this machine's engine is told to use, cannot be reached; the registry was not even asked. Look at HTTPS_PROXY, \
                HTTP_PROXY and NO_PROXY in the engine's environment.",
        looks: NEVER,
    },
    Symptom {
        pattern: r"no space left on device|No space left on device",
        cause: "a disk of this machine is full. `docker system df` shows what takes the room.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"failed to pull image "([^"\n]+)""#,
        cause: "this machine's engine does not have the image `$1` and cannot pull it. The settings `images.node` and `images.registry` name others; \
                `[mirrors]` is for the cluster's nodes and does not help here.",
        looks: NEVER,
    },
    Symptom {
        pattern: r#"(?:failed to resolve reference|Unable to find image) ["']([^"'\n]+)["']"#,
        cause: "this machine's engine does not have the image `$1` and cannot pull it. The settings `images.node` and `images.registry` name others.",
        looks: NEVER,
    },
];

/// A symptom with the parts that its pattern found.
#[derive(Clone, PartialEq, Eq)]
struct Found {
    cause: &'static str,
    looks: u32,
    parts: Vec<String>,
}

impl Found {
    /// In how many looks in a row it must stand to be hopeless; 0: it never is.
    fn looks(&self) -> u32 {
        self.looks
    }

    /// The paragraph. A `$` that no digit follows is itself.
    fn cause(&self) -> String {
        let mut cause = String::new();
        let mut rest = self.cause;
        while let Some((before, after)) = rest.split_once('$') {
            cause += before;
            rest = after;
            let Some(digit) = after.chars().next().and_then(|digit| digit.to_digit(10)) else {
                cause.push('$');
                continue;
            };
            let part = self
                .parts
                .get(digit as usize)
                .map_or("", |part| part.trim());
            cause.extend(part.chars().take(LONGEST_PART));
            rest = &after[1..];
        }
        cause + rest
    }
}

/// The probable cause that a cluster's texts show, as a paragraph; None when they show none that is known.
pub(crate) fn probable_cause(texts: &[String]) -> Option<String> {
    find(texts).map(|found| found.cause())
}

/// The same of what a tool has said that works on this machine's engine.
pub(crate) fn cause_on_host(texts: &[String]) -> Option<String> {
    find_in(HOST, texts).map(|found| found.cause())
}

fn find(texts: &[String]) -> Option<Found> {
    find_in(SYMPTOMS, texts)
}

/// The first symptom that the texts show.
fn find_in(symptoms: &'static [Symptom], texts: &[String]) -> Option<Found> {
    // Logs are JSON, in which a quote is escaped.
    let texts: Vec<String> = texts
        .iter()
        .map(|text| text.replace("\\\"", "\""))
        .collect();
    symptoms.iter().find_map(|symptom| {
        // A pattern that does not compile fails the unit test, not the user.
        let pattern = Regex::new(&whole(symptom.pattern)).ok()?;
        let found = texts.iter().find_map(|text| pattern.captures(text))?;
        let part = |part: Option<regex_lite::Match<'_>>| {
            part.map_or(String::new(), |part| part.as_str().to_owned())
        };
        Some(Found {
            cause: symptom.cause,
            looks: symptom.looks,
            // All of the match differs from look to look, its parts do not.
            parts: std::iter::once(String::new())
                .chain(found.iter().skip(1).map(part))
                .collect(),
        })
    })
}

fn whole(pattern: &str) -> String {
    pattern.replace("{contrib}", CONTRIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts that each way through a pattern finds, by number, up to the end of the pattern or of the group.
    fn ways(
        pattern: &mut std::iter::Peekable<std::str::Chars<'_>>,
        parts: &mut u8,
    ) -> Vec<Vec<u8>> {
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
    fn every_way_through_a_pattern_fills_all_places_of_its_cause() {
        assert_eq!(
            ways(&mut r"a(?:(b)|[)|](c)\()|d".chars().peekable(), &mut 0),
            [vec![1], vec![2], vec![]]
        );
        assert_eq!(places("a $1$2 ($3) $x"), [vec![1, 2], vec![3]]);
        for symptom in SYMPTOMS.iter().chain(HOST) {
            let pattern = whole(symptom.pattern);
            Regex::new(&pattern).unwrap();
            for way in ways(&mut pattern.chars().peekable(), &mut 0) {
                for place in places(symptom.cause) {
                    assert!(
                        place.iter().any(|part| way.contains(part)),
                        "{place:?} of {}: {}",
                        symptom.pattern,
                        symptom.cause
                    );
                }
            }
        }
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
                "the operator is not ready: it ends again and again",
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
            let found = probable_cause(&[text.to_owned()]).unwrap_or_default();
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
            let found = probable_cause(&[text.to_owned()]).unwrap_or_default();
            assert!(found.contains(cause), "{text}\n{found}");
        }
        for other in [
            "all is well",
            r#"Get "https://cluster.example:6443/api": dial tcp: lookup cluster.example on 127.0.0.1:53: no such host"#,
            r#"Get "https://127.0.0.1:80/api": http: server gave HTTP response to HTTPS client"#,
        ] {
            assert_eq!(probable_cause(&[other.to_owned()]), None, "{other}");
        }
    }

    #[test]
    fn what_fails_on_this_machine_is_no_fault_of_a_node() {
        let kind = r#"ERROR: failed to create cluster: failed to pull image "kindest/node:v1.36.1": command "docker pull kindest/node:v1.36.1" failed with error: exit status 1: failed to resolve reference "docker.io/kindest/node:v1.36.1": failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 127.0.0.1:53: no such host"#;
        let cause = cause_on_host(&[kind.to_owned()]).unwrap();
        assert!(
            cause.contains("this machine's engine does not have the image `kindest/node:v1.36.1`"),
            "{cause}"
        );
        assert!(!cause.contains("the node"), "{cause}");
        let proxy = kind.replace(
            "dial tcp: lookup registry-1.docker.io",
            "proxyconnect tcp: dial tcp: lookup proxy.corp",
        );
        let cause = cause_on_host(&[proxy]).unwrap();
        assert!(cause.starts_with("the proxy `proxy.corp`"), "{cause}");
    }
}
