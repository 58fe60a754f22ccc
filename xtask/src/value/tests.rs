// SPDX-License-Identifier: Apache-2.0
use super::*;

/// What is taken, and what is refused beside what no type takes.
#[track_caller]
fn table(is: fn(&str) -> bool, taken: &[&str], refused: &[&str]) {
    for text in taken {
        assert!(is(text), "{text:?} is refused");
    }
    let hostile = [
        "",
        " ",
        "-",
        "--option",
        "-o",
        "a b",
        "a\nb",
        "a\u{1b}[1m",
        "\u{202e}a",
        "$(touch x)",
        "`x`",
        "a;b",
        "a|b",
        "a'b",
        "a\"b",
        "../a",
        "ü",
    ];
    for text in hostile.iter().chain(refused) {
        assert!(!is(text), "{text:?} is taken");
    }
}

#[test]
fn names() {
    let long = "a".repeat(60);
    table(
        Name::is,
        &["pgvector", "pg_ivm", "9a", "a", "a-b"],
        &["A", "_a", "a_", "a.b", "a/b", &long],
    );
    table(
        EnvironmentName::is,
        &["pg-extensions", "a"],
        &["a_b", "a-", "A", &long],
    );
    table(NetworkName::is, &["e2e_net-1.2", "A"], &["", "-a", "a/b"]);
    table(
        HostName::is,
        &["registry.pg-extensions", "a", "9.b"],
        &["A.b", "a..b", "a.", "a-.b", "a:5000", "-a"],
    );
    table(ClusterName::is, &["mine-v1.36.1"], &["Mine", &long]);
    table(BuilderName::is, &["default", "my_builder-1.2"], &["a/b"]);
    table(
        Platform::is,
        &["linux/amd64", "linux/arm64/v8"],
        &["linux", "linux/", "a/b/c/d", "linux/AMD64"],
    );
    assert!(Username::is("robot$x+y@z") && !Username::is("a:b") && !Username::is("a\nb"));
}

#[test]
fn paths() {
    let long = "a/".repeat(2048);
    for taken in ["a", "a/b c.yaml", "extensions/ü/$(touch x).yaml"] {
        assert!(InnerPath::is(taken), "{taken:?} is refused");
    }
    for refused in [
        "",
        "/a",
        "..",
        "./a",
        "a/../b",
        "a/..",
        "-a",
        "a\nb",
        "a\u{202e}b",
        &long,
    ] {
        assert!(!InnerPath::is(refused), "{refused:?} is taken");
    }
    let read =
        |json: &str| serde_json::from_str::<InnerPath>(json).map_err(|error| error.to_string());
    assert_eq!(&*read("\"a/b\"").unwrap(), "a/b");
    let why = read("\"../b\"").unwrap_err();
    assert!(why.starts_with("`../b` must be a path below"), "{why}");
    assert!(read("7").is_err());
}

#[test]
fn debian() {
    table(
        Suite::is,
        &["trixie", "forky", "bookworm-backports"],
        &["Trixie", "a/b", "18", "a.b"],
    );
    table(
        PackageName::is,
        &["postgresql-18-pgvector", "g++", "libstdc++6", "0ad"],
        &["a", "A1", "a_b", "a=1", "a/sid", "+a"],
    );
    table(
        DebianVersion::is,
        &[
            "0.8.6-1.pgdg13+1",
            "1:2.0~rc1-1",
            "2024.1",
            "3.6.4+dfsg-2+b1",
            "1:1:2-3",
            "1-2-3",
        ],
        &[
            "latest", "a1", ":1", "x:1", "1:2:a|b", "1:", "1-", "1_2", "-1:1", "1%",
        ],
    );
}

#[test]
fn postgres() {
    table(
        Major::is,
        &["9", "18", "100"],
        &["018", "0", "1a", "18.1", "1000"],
    );
    table(
        SqlName::is,
        &["vector", "uuid-ossp", "_x", "pg_crash"],
        &["a/b", "a,b", &"a".repeat(64)],
    );
    table(
        SqlVersion::is,
        &["0.8.6", "1.0dev", "2.0-beta"],
        &[".1", "a/b"],
    );
    table(Library::is, &["pgaudit", "$libdir/x", "a.so"], &["a,b"]);
    table(
        Parameter::is,
        &["work_mem", "pgaudit.log", "a.b.c"],
        &["a.", ".a", "1a", "a=b", "a-b"],
    );
    table(Variable::is, &["PROJ_DATA", "_x1"], &["1A", "A=B", "A-B"]);
}

#[test]
fn registries() {
    table(
        Domain::is,
        &[
            "ghcr.io",
            "localhost:5000",
            "127.0.0.1:1",
            "[::1]:5000",
            "[::1]",
            "REGISTRY.example",
        ],
        &[
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a_b",
            "a-.b",
            "a/b",
            "u:p@a.example",
            "[::1",
            "[x]",
            "a..b",
        ],
    );
    table(
        RepositoryPath::is,
        &["pgvector", "a/b/c", "a__b", "a---b", "a.b_c"],
        &[
            "A", "a//b", "/a", "a/", "a___b", "a..b", "a._b", "a:1", "_a", "a-",
        ],
    );
    table(
        Registry::is,
        &["localhost:5000", "ghcr.io/cloudnative-pg", "a/b"],
        &[
            "https://a.example",
            "u:p@a.example",
            "a:1/",
            "a/B",
            "a/b:1",
            "a|g;s",
        ],
    );
    assert!(is_tag("0.8.6-18-trixie") && is_tag("_a") && is_tag(&"a".repeat(128)));
    assert!(
        !is_tag("")
            && !is_tag(".a")
            && !is_tag("-a")
            && !is_tag("a+b")
            && !is_tag(&"a".repeat(129))
    );
}

#[test]
fn urls() {
    table(
        Url::is,
        &[
            "http://deb.example/debian",
            "https://a:8443",
            "https://a/b?c=d#e",
            "http://[::1]:80/x",
            "https://a/x@y",
            "https://a/{release}.yaml",
        ],
        &[
            "ftp://a",
            "file:///etc",
            "https://",
            "https:///a",
            "https://u:p@a/b",
            "https://u@a",
            "https://a b",
            "https://a/\"",
            "https://a/'",
            "https://a/\n",
            "a.example",
            "HTTPS://a",
            "https://a/\\",
            "https://a/é",
            "https://-a/b",
        ],
    );
}

#[test]
fn a_login_in_an_address_is_never_shown() {
    for (text, shown) in [
        (
            "https://u:secret@a.example/x",
            "https://<redacted>@a.example/x",
        ),
        ("https://secret@a.example", "https://<redacted>@a.example"),
        ("u:secret@a.example:5000/x", "<redacted>@a.example:5000/x"),
        ("ftp://u:sec@ret@a", "ftp://<redacted>@a"),
        ("http://u:sec/ret@a/b", "http://<redacted>@a/b"),
        (
            "a=https://u:secret@x,b=https://y",
            "a=https://<redacted>@x,b=https://y",
        ),
        ("https://a/b", "https://a/b"),
        ("a/b:1@sha256:00", "a/b:1@sha256:00"),
    ] {
        assert_eq!(without_userinfo(text), shown);
    }
}

#[test]
fn a_message_shows_no_login() {
    let digest = format!("localhost:5000/a:1@sha256:{}", "ab".repeat(32));
    for (text, shown) in [
        (
            "extension `https://u:s3cret@p/alpha` not found",
            "extension `https://<redacted>@p/alpha` not found",
        ),
        (
            "took `user:s3cret@host`\n  x",
            "took `<redacted>@host`\n  x",
        ),
        (
            "https_proxy=http://u:s@p:1 docker",
            "https_proxy=http://<redacted>@p:1 docker",
        ),
        ("git@example.com:a/b and a@b", "git@example.com:a/b and a@b"),
        (digest.as_str(), digest.as_str()),
    ] {
        assert_eq!(without_logins(text), shown);
    }
}

#[test]
fn a_package_for_another_major_is_called_like_the_one_for_its_own() {
    let (own, other) = ("18".parse().unwrap(), "19".parse().unwrap());
    for (name, renamed) in [
        ("postgresql-18-pgvector", Some("postgresql-19-pgvector")),
        (
            "timescaledb-2-postgresql-18",
            Some("timescaledb-2-postgresql-19"),
        ),
        ("postgresql-plpython3-18", None),
        ("postgresql-180-x", None),
        ("pgagent", None),
    ] {
        let name: PackageName = name.parse().unwrap();
        let said = name.for_major(&own, &other);
        assert_eq!(said.as_deref(), renamed, "{name}");
    }
    assert_eq!(
        in_package_names(
            "postgresql-18-a /usr/lib/postgresql/18/lib postgresql-18.1",
            &own,
            &other
        ),
        "postgresql-19-a /usr/lib/postgresql/19/lib postgresql-19.1"
    );
}
