// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::value::Name;

#[test]
fn versions_are_the_leading_number_with_its_epoch() {
    for (package, version) in [
        ("0.8.6-1.pgdg13+1", "0.8.6"),
        ("1:6.1.0-2.pgdg130+1", "1-6.1.0"),
        ("3.6.4+dfsg-2.pgdg12+1", "3.6.4"),
        ("0.3-2.pgdg12+1", "0.3"),
        ("18.0-3", "18.0"),
        ("7", "7"),
        ("2.", "2"),
        ("1:beta", "1"),
    ] {
        assert_eq!(version_of(package).as_deref(), Some(version), "{package}");
    }
    for package in ["", "beta-1", ":1", "v1.0"] {
        assert_eq!(version_of(package), None, "{package}");
    }
}

#[test]
fn names_follow_the_rule() {
    for name in ["a", "pg-ivm", "pg_crash", "3d"] {
        assert!(Name::is(name), "{name}");
    }
    for name in ["", "-a", "a-", "A", "a b", "ä", &"a".repeat(60)] {
        assert!(!Name::is(name), "{name}");
    }
}

const GOOD: &str = r#"metadata = {
  name = "x"
  sql_name = "x"
  image_name = "x"
  packages = ["postgresql-{pg}-x"]
  licenses = ["MIT"]
  shared_preload_libraries = []
  postgresql_parameters = {}
  extension_control_path = []
  dynamic_library_path = []
  ld_library_path = ["system"]
  bin_path = []
  env = { "A" = "$${image_root}/a" }
  auto_update_os_libs = false
  required_extensions = []
  create_extension = true
  versions = {
    trixie = {
      "18" = {
        // renovate: suite=trixie-pgdg depName=postgresql-18-x
        package = "1.2-1.pgdg13+1"
        // renovate: extractVersion
        sql = "1.2"
      }
    }
  }
}
"#;

fn load(text: &str) -> (Option<Extension>, Vec<String>) {
    let mut findings = Findings::about("x/metadata.hcl");
    let file = File::parse(text, &mut findings);
    let folder = Path::new("/repository/x");
    let shown = Path::new("x/metadata.hcl");
    let loaded = file.map(|file| Extension::from_file(file, folder, shown, &mut findings));
    let extension = match loaded {
        Some(Loaded::Read(extension)) => Some(*extension),
        _ => None,
    };
    (
        extension,
        findings.all.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn a_good_file_has_no_findings() {
    let (extension, findings) = load(GOOD);
    assert!(findings.is_empty(), "{findings:?}");
    let extension = extension.unwrap();
    assert_eq!(extension.env["A"], "${image_root}/a");
    let pin = extension
        .pin(&Server::parse("trixie", "18").unwrap())
        .unwrap();
    assert_eq!(
        pin.package_name().map(|name| &**name),
        Some("postgresql-18-x")
    );
    assert_eq!(pin.sql.as_deref(), Some("1.2"));
}

#[test]
fn a_pin_is_of_the_first_package_or_else_of_the_one_in_the_comment() {
    let two = "[\"postgresql-{pg}-y\", \"postgresql-{pg}-x\"]";
    let packages = "  packages = [\"postgresql-{pg}-x\"]\n";
    let comment = "depName=postgresql-18-x";
    let uncommented = GOOD.replace(comment, "");
    for (text, named) in [
        (
            GOOD.replace("[\"postgresql-{pg}-x\"]", two),
            Some("postgresql-18-y"),
        ),
        (GOOD.replace(packages, ""), Some("postgresql-18-x")),
        (
            GOOD.replace(packages, "  packages = []\n"),
            Some("postgresql-18-x"),
        ),
        (uncommented.clone(), Some("postgresql-18-x")),
        (uncommented.replace(packages, ""), None),
    ] {
        let (extension, findings) = load(&text);
        let extension = extension.unwrap_or_else(|| panic!("{findings:?}"));
        let server = Server::parse("trixie", "18").unwrap();
        let pin = extension.pin(&server).unwrap();
        assert_eq!(pin.package_name().map(|name| &**name), named, "{text}");
    }
}

#[test]
fn what_is_built_from_source_is_a_version_of_no_package() {
    let packages = "  packages = [\"postgresql-{pg}-x\"]\n";
    let comment = "suite=trixie-pgdg depName=postgresql-18-x";
    assert!(GOOD.contains(comment), "{GOOD}");
    let none = GOOD.replace(packages, "  packages = []\n");
    let unsaid = GOOD.replace(packages, "");
    let of_crate = "datasource=crate depName=x";
    for (text, expected) in [
        (none.replace(comment, ""), Origin::Elsewhere),
        (none.replace(comment, of_crate), Origin::Elsewhere),
        (unsaid.replace(comment, of_crate), Origin::Elsewhere),
        (unsaid.replace(comment, ""), Origin::Unsaid),
    ] {
        let (extension, findings) = load(&text);
        let extension = extension.unwrap_or_else(|| panic!("{findings:?}"));
        let server = Server::parse("trixie", "18").unwrap();
        assert_eq!(extension.pin(&server).unwrap().origin, expected, "{text}");
    }
    // Its version is whatever it calls itself, as long as an image can be named after it.
    let of_source = none.replace(comment, "");
    let (_, findings) = load(&of_source.replace("1.2-1.pgdg13+1", "1.2-rc1.pgdg12"));
    assert!(findings.is_empty(), "{findings:?}");
    let (_, findings) = load(&of_source.replace("1.2-1.pgdg13+1", "v1.2"));
    let said = "`versions.trixie.\"18\".package` is `v1.2`; a version starts with a number";
    assert!(findings[0].contains(said), "{findings:?}");
}

#[test]
fn each_mistake_has_its_message_and_line() {
    let cases = [
        (
            r#"  sql_name = "x""#,
            "",
            "x/metadata.hcl:1: warning: missing field `sql_name`, taken as `x`",
        ),
        (
            r#"  sql_name = "x""#,
            r#"  sqlname = "x""#,
            "x/metadata.hcl:3: warning: unknown field `sqlname`; did you mean `sql_name`?",
        ),
        (
            r#"  name = "x""#,
            r#"  name = "y""#,
            "x/metadata.hcl:2: error: `name` is `y`, but the directory is `x`",
        ),
        (
            r#"  name = "x""#,
            r#"  name = "X""#,
            "x/metadata.hcl:2: error: `name` is `X`; it must match",
        ),
        (
            r#"["MIT"]"#,
            "[]",
            "x/metadata.hcl:6: warning: `licenses` is empty",
        ),
        (
            r#"["system"]"#,
            r#"["../x"]"#,
            "x/metadata.hcl:11: error: `ld_library_path` has `../x`",
        ),
        (
            r#"["system"]"#,
            r#""system""#,
            "x/metadata.hcl:11: warning: `ld_library_path` is a string, taken as a list of it: `[\"system\"]`",
        ),
        (
            r#"["system"]"#,
            r#"{ a = "system" }"#,
            "x/metadata.hcl:11: error: `ld_library_path` is a map; it must be a list of strings",
        ),
        (
            r#"sql = "1.2""#,
            "sql = 1.20",
            "x/metadata.hcl:23: error: `versions.trixie.\"18\".sql` is a number; it must be a string (quote it)",
        ),
        (
            r#"        sql = "1.2""#,
            "",
            "x/metadata.hcl:19: warning: missing field `versions.trixie.\"18\".sql`",
        ),
        (
            "create_extension = true",
            "create_extension = false",
            "x/metadata.hcl:23: warning: `versions.trixie.\"18\".sql` is set, but `create_extension` is false",
        ),
        (
            "1.2-1.pgdg13+1",
            "beta",
            "x/metadata.hcl:21: warning: `versions.trixie.\"18\".package` is `beta`",
        ),
        (
            "1.2-1.pgdg13+1",
            "1.2-1.pgdg12+1",
            "x/metadata.hcl:21: warning: `versions.trixie.\"18\".package` is `1.2-1.pgdg12+1`, which is not a package for trixie",
        ),
        (
            "1.2-1.pgdg13+1",
            "<package-version-here>",
            "x/metadata.hcl:21: error: `versions.trixie.18.package` still holds the placeholder",
        ),
        (
            "        package =",
            "        pakage =",
            "x/metadata.hcl:21: warning: unknown field `versions.trixie.\"18\".pakage`; did you mean `package`?",
        ),
        (
            "  bin_path = []",
            "",
            "x/metadata.hcl:1: warning: missing field `bin_path`, taken as empty",
        ),
    ];
    have_findings(&cases);
}

#[test]
fn what_is_written_in_another_way_has_its_message() {
    let cases = [
        (
            r#"sql = "1.2""#,
            "sql = 1.2",
            "x/metadata.hcl:23: warning: `versions.trixie.\"18\".sql` is a number, taken as `\"1.2\"`",
        ),
        (
            r#"sql = "1.2""#,
            "sql = null",
            "x/metadata.hcl:23: error: `versions.trixie.\"18\".sql` is null; it must be a string (quote it)",
        ),
        (
            "  bin_path = []",
            "  bin_path = null",
            "x/metadata.hcl:1: warning: missing field `bin_path`, taken as empty",
        ),
        (
            r#"["MIT"]"#,
            "[<<-E\n    MIT\n  E\n]",
            "x/metadata.hcl:6: warning: a heredoc, taken without its last line end",
        ),
        (
            "  bin_path = []",
            "  bin_path = []\n  name = \"x\"",
            "x/metadata.hcl:13: error: a key stands twice in one object: keep one of the two",
        ),
    ];
    have_findings(&cases);
}

#[test]
fn what_bake_accepts_is_accepted() {
    let pin = "{\n        // renovate: suite=trixie-pgdg depName=postgresql-18-x\n        package = \"1.2-1.pgdg13+1\"\n        // renovate: extractVersion\n        sql = \"1.2\"\n      }";
    for (from, to) in [
        (pin, "\"1.5.2-1.pgdg13+1\""),
        ("  create_extension = true\n", ""),
        ("  licenses = [\"MIT\"]\n", ""),
        ("  env = { \"A\" = \"$${image_root}/a\" }\n", ""),
        ("  bin_path = []\n", "  bin_path = [\"/bin\"]\n"),
        ("  bin_path = []\n", "  owner = \"us\"\n"),
        ("metadata = {", "\u{feff}metadata = {"),
        ("\"1.2-1.pgdg13+1\"", "8.6"),
        ("[\"MIT\"]", "null"),
        ("{ \"A\" = \"$${image_root}/a\" }", "{ A = null }"),
        ("1.2-1.pgdg13+1", "1:1.2~rc1-1.pgdg130+1"),
        ("1.2-1.pgdg13+1", "13.2.0.citus-1"),
        ("1.2-1.pgdg13+1", "1.2+ds-1"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let (extension, findings) = load(&GOOD.replacen(from, to, 1));
        assert!(extension.is_some(), "{to}: {findings:?}");
        assert!(
            !findings.iter().any(|line| line.contains(": error: ")),
            "{to}: {findings:?}"
        );
    }
    let (extension, _) = load(&GOOD.replacen("[\"system\"]", "[\"/system\"]", 1));
    assert_eq!(extension.unwrap().ld_library_path, ["system"]);
    let (extension, _) = load(&GOOD.replacen("[\"MIT\"]", "[<<-E\n    MIT\n  E\n]", 1));
    assert_eq!(extension.unwrap().licenses, ["MIT"]);
    let (extension, _) = load(&GOOD.replacen(pin, "\"1.5.2-1.pgdg13+1\"", 1));
    let pin = extension.unwrap().versions.into_values().next().unwrap();
    assert_eq!((&*pin.package, pin.sql), ("1.5.2-1.pgdg13+1", None));
}

#[test]
fn packages_are_debians_and_the_comments_agree_with_them() {
    let cases = [
        (
            "[\"postgresql-{pg}-x\"]",
            "7",
            "x/metadata.hcl:5: error: `packages` is a number; it must be a list of strings",
        ),
        (
            "postgresql-{pg}-x",
            "--{pg}",
            "x/metadata.hcl:5: error: `packages` has `--{pg}`; it must be the name of a Debian package, with `{pg}` for",
        ),
        (
            "postgresql-{pg}-x\"",
            "postgresql-{pg}-y\", \"zz\"",
            "x/metadata.hcl:21: error: the comment above `versions.trixie.\"18\".package` has `depName=postgresql-18-x`, but `packages` has `postgresql-18-y`, `zz`",
        ),
        (
            "extractVersion",
            "depName=postgresql-17-x",
            "x/metadata.hcl:23: error: the comment above `versions.trixie.\"18\".sql` has `depName=postgresql-17-x`, but",
        ),
    ];
    have_findings(&cases);
}

#[test]
fn what_renovate_would_write_is_compared_with_the_sql_version() {
    let comment = "// renovate: extractVersion\n";
    let with = |words: &str| format!("// renovate: depName=postgresql-18-x {words}\n");
    let found = |words: &str, sql: &str| {
        let text = GOOD.replacen(comment, &with(words), 1);
        let text = text.replacen("sql = \"1.2\"", &format!("sql = \"{sql}\""), 1);
        let (_, findings) = load(&text);
        let mut findings = findings.into_iter();
        findings.find(|line| line.contains("Renovate"))
    };
    let expression = r"extractVersion=^(?<version>\d+\.\d+)";
    assert_eq!(found(expression, "1.2"), None);
    // What another tool's expressions may hold and ours may not is not judged; neither is what Renovate does not follow.
    assert_eq!(
        found(r"extractVersion=(?<version>\p{Nd}+)(?=\.)", "1.2"),
        None
    );
    assert_eq!(found("datasource=github-tags", "1.3"), None);
    for (words, sql, made) in [
        (expression, "1.1", "`1.2`"),
        ("extractVersion=^v(?<version>.*)", "1.2", "nothing"),
        ("", "1.2", "`1.2-1.pgdg13+1`"),
    ] {
        let message = format!(
            "x/metadata.hcl:23: warning: `versions.trixie.\"18\".sql` is `{sql}`, but of package `1.2-1.pgdg13+1` the comment above has Renovate make {made}; "
        );
        let said = found(words, sql).unwrap();
        assert!(said.starts_with(&message), "{said}");
    }
}

/// Each replacement in a good file is found.
#[track_caller]
fn have_findings(cases: &[(&str, &str, &str)]) {
    for (from, to, message) in cases {
        assert!(GOOD.contains(from), "{from}");
        let (_, findings) = load(&GOOD.replacen(from, to, 1));
        assert!(
            findings.iter().any(|line| line.starts_with(message)),
            "{message}\n{findings:#?}"
        );
    }
}
