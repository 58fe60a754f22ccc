// SPDX-License-Identifier: Apache-2.0
use super::*;

fn package(printed: &str) -> Package {
    match Found::parse(printed) {
        Some(Found::Package(package)) => *package,
        other => panic!("{other:?}"),
    }
}

#[test]
fn facts_are_read_and_what_is_none_is_left_out() {
    let found = package(
        "package\tpostgresql-18-x\t1.0-1\tamd64\nowner\tpostgresql-18-y\nmodule\tx\nmodule\t-x y\nlacks\tliba.so.1\n\
         control\tx\tdefault_version = '1.0'\ncontrol\tx\trequires = 'cube'\ncontrol\t../y\tdefault_version = '1'\n\
         hint\tx\tX needs shared_preload_libraries\ndepends\tpostgresql-18-z\nrecommends\tpostgresql-18-w\npreloaded\tpg_stat_statements,x,;y\nsetting\tx.a\tb\nsetting\tx a\tb\n\
         created\tx\nbeside\tx_core\tERROR: exists\nhomepage\tjavascript:x\nnonsense\tx\nlacks\t\u{1b}[2J\ndone\n",
    );
    assert_eq!(found.packages.len(), 1);
    assert_eq!(found.modules.len(), 1);
    assert_eq!(found.controls.default_version("x"), Some("1.0"));
    assert_eq!(found.controls.requires("x", None), ["cube"]);
    assert_eq!(found.controls.names().collect::<Vec<_>>(), ["x"]);
    let preloaded: Vec<&str> = found.preloaded.iter().map(|one| &**one).collect();
    assert_eq!(preloaded, ["pg_stat_statements", "x"]);
    assert_eq!(found.settings.len(), 1);
    assert_eq!(found.homepage, None);
    assert!(found.lacks.iter().all(|text| !text.contains('\u{1b}')));
    assert_eq!(found.beside[0].1, "ERROR: exists");
    assert_eq!(found.hints[0].1, "X needs shared_preload_libraries");
    assert_eq!(*found.depends[0], *"postgresql-18-z");
    assert_eq!(*found.recommends[0], *"postgresql-18-w");
}

#[test]
fn a_package_that_is_not_there_has_owners_of_its_control_file() {
    let owners = Found::parse("owner\tpostgresql-18-y\nowner\t-o\nnoise\ndone\n");
    let expected = Found::Owners(vec!["postgresql-18-y".parse().unwrap()]);
    assert_eq!(owners, Some(expected));
    assert_eq!(Found::parse("done\n"), Some(Found::Owners(Vec::new())));
}

#[test]
fn a_home_is_an_address_and_nothing_else() {
    let home = |text: &str| {
        package(&format!(
            "package\tpostgresql-18-x\t1.0-1\nhomepage\t{text}\ndone\n"
        ))
        .homepage
    };
    assert_eq!(
        home("https://x.example/(a)"),
        Some("https://x.example/(a)".to_owned())
    );
    for hostile in [
        "https://x.example/|a",
        "https://x.example/> **b**",
        "https://u:p@x.example/",
        "ftp://x.example",
        "https://",
    ] {
        assert_eq!(home(hostile), None, "{hostile}");
    }
}

#[test]
fn an_answer_that_was_cut_short_is_none() {
    for printed in [
        "",
        "garbage\n",
        "package\tpostgresql-18-x\t1.0-1\n",
        "done\nfile\tlib/x.so\n",
    ] {
        assert_eq!(Found::parse(printed), None, "{printed}");
    }
}

/// Whatever ends the script early, it says what was not tried, and that the answer is whole.
#[test]
fn the_script_has_one_way_to_end_well() {
    let ends = SCRIPT.lines().filter(|line| line.contains("exit 0"));
    assert_eq!(ends.collect::<Vec<_>>(), ["finish() { say done; exit 0; }"]);
    assert!(SCRIPT.trim_end().ends_with("\nfinish"));
}
