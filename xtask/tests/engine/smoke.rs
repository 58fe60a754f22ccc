// SPDX-License-Identifier: Apache-2.0
//! Smoke tests: every extension in a real PostgreSQL, and what is said when one does not work.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::support::{
    ended::Ended,
    repository::{Registry, Repository},
};

const EXTENSIONS: [&str; 8] = [
    "pg-crash",
    "pg-ivm",
    "pgaudit",
    "pgrouting",
    "pgvector",
    "postgis",
    "timescaledb-oss",
    "wal2json",
];

#[test]
fn all_eight_work() {
    let repository = Repository::new();
    let results = repository
        .xtask(&["smoke", "--all", "--keep-going", "--json"])
        .success()
        .json();
    for name in EXTENSIONS {
        let own: Vec<_> = results
            .as_array()
            .unwrap()
            .iter()
            .filter(|result| result["name"] == name)
            .collect();
        assert!(!own.is_empty(), "{name} was not tested");
        for result in own {
            assert_eq!(result["result"], "passed", "{result:#}");
            let proof = result["proof"].as_str().unwrap();
            assert!(
                proof.len() > 20 && proof != "created, not used",
                "{name}: {proof}"
            );
        }
    }
    repository.has_no_containers();
}

#[test]
fn copying_the_files_does_what_mounting_does() {
    let repository = Repository::new();
    // pgrouting, because it has another extension beside it.
    let env = [("XTASK_SMOKE_MOUNT", "copy")];
    let result = repository
        .xtask_with(&["smoke", "pgrouting", "--json"], &env)
        .success()
        .json();
    assert_eq!(result[0]["result"], "passed");
    repository.has_no_containers();
}

/// An argument or a variable of a process has room for 128 KiB on Linux.
#[test]
fn a_proof_of_a_mebibyte_is_run_whole() {
    let repository = Repository::new();
    let path = repository.path().join("extensions/pgvector/smoke.sql");
    let own = fs::read_to_string(&path).unwrap();
    let line = format!("-- {}'$(touch /injected)\n", "x".repeat(100));
    let padding = line.repeat((1 << 20) / line.len() + 1);
    let count = "SELECT 1 / (SELECT count(*) FROM pg_extension WHERE extname = 'vector');\n";
    fs::write(&path, format!("{padding}{count}{own}")).unwrap();
    for mount in ["image", "copy"] {
        let environment = [("XTASK_SMOKE_MOUNT", mount)];
        let args = ["smoke", "pgvector", "--json"];
        let results = repository.xtask_with(&args, &environment).success().json();
        for result in results.as_array().unwrap() {
            assert_eq!(result["result"], "passed", "{mount}: {result:#}");
            assert!(
                result["proof"]
                    .as_str()
                    .unwrap()
                    .contains("nearest neighbour"),
                "{result:#}"
            );
        }
    }
    repository.has_no_containers();
}

#[test]
fn a_wrong_expectation_fails_with_the_servers_words() {
    let repository = Repository::new();
    fs::write(
        repository.path().join("extensions/pgvector/smoke.sql"),
        "DO $$ BEGIN RAISE EXCEPTION 'the moon is not made of cheese'; END $$;\n",
    )
    .unwrap();
    repository
        .xtask(&["smoke", "pgvector"])
        .status(1)
        .says("the moon is not made of cheese")
        .says("smoke.sql did not pass");
}

/// Writes what pgvector's metadata has beside the rest, and its proof.
fn with_pgvector(repository: &Repository, fields: &str, smoke: &str) {
    let folder = repository.path().join("extensions/pgvector");
    let path = folder.join("metadata.hcl");
    let text = fs::read_to_string(&path).unwrap();
    let at = "  create_extension ";
    assert!(text.contains(at), "{text}");
    fs::write(&path, text.replace(at, &format!("{fields}\n{at}"))).unwrap();
    fs::write(folder.join("smoke.sql"), smoke).unwrap();
}

/// As CloudNativePG's Database resource does it: what control files require is created first, by our own order and
/// without CASCADE; `cube` is the base image's, and earthdistance's control file alone says that it is needed.
#[test]
fn what_is_needed_is_created_first_in_the_database_of_an_ordinary_user() {
    let repository = Repository::new();
    with_pgvector(
        &repository,
        "  sql_extensions = [{ name = \"fuzzystrmatch\", requires = [\"earthdistance\"] },\n    \
         { name = \"earthdistance\", schema = \"maps\", requires = [\"hstore\"] }]",
        "SELECT current_database() || ' of ' || (SELECT datdba::regrole FROM pg_database WHERE datname = current_database())\n\
         || ' for ' || current_user || ': ' || string_agg(extname || ' in ' || extnamespace::regnamespace, ', ' ORDER BY oid)\n\
         FROM pg_extension WHERE extname <> 'plpgsql';\n",
    );
    let results = repository
        .xtask(&["smoke", "pgvector", "--json"])
        .success()
        .json();
    assert_eq!(
        results[0]["proof"],
        "app of app for postgres: vector in public, hstore in public, cube in public, earthdistance in maps, \
         fuzzystrmatch in public",
        "{results:#}"
    );
}

#[test]
fn a_version_that_is_not_there_is_answered_with_those_that_are() {
    let repository = Repository::new();
    with_pgvector(
        &repository,
        "  sql_extensions = [{ name = \"fuzzystrmatch\", version = \"9.9\" }]",
        "SELECT 1;\n",
    );
    repository.xtask(&["smoke", "pgvector"]).status(1).says(
        "the extension could not be created: the control file of `fuzzystrmatch` says version 1.2, and its scripts make 1.1, 1.2",
    );
    let repository = Repository::new();
    with_pgvector(
        &repository,
        "  sql_extensions = [{ name = \"nobody\" }]",
        "SELECT 1;\n",
    );
    repository.xtask(&["smoke", "pgvector"]).status(1).says(
        "the extension could not be created: `nobody` has no control file; the images have those of `vector`",
    );
    // What only a control file requires, at the end of a chain of them.
    let repository = Repository::new();
    with_image_lines(
        &repository,
        "cd /build/image/share/extension; echo \"requires = 'link'\" >> vector.control; \
         printf '%s\\n' \"default_version = '1'\" \"requires = 'nobody'\" > link.control; touch link--1.sql",
    );
    repository.xtask(&["smoke", "pgvector"]).status(1).says(
        "the extension could not be created: `nobody`, which `link` requires, has no control file; the images have those of `link`, `vector`",
    );
}

/// Adds a step to the shared Dockerfile that changes what goes into the image.
fn with_image_lines(repository: &Repository, lines: &str) {
    let dockerfile = repository.path().join("docker/Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    let end = "\nFROM scratch\n";
    assert!(text.contains(end), "{text}");
    let added = text.replace(end, &format!("RUN {lines}\n{end}"));
    fs::write(&dockerfile, added).unwrap();
}

/// What the suites' values ask for: the same, from the image's control files and those of the base image.
#[test]
fn values_know_what_control_files_require() {
    let repository = Repository::new();
    let registry = Registry::start(&repository);
    let host = registry.host();
    let environment = [("registry", host.as_str())];
    with_pgvector(
        &repository,
        "  sql_extensions = [{ name = \"earthdistance\", schema = \"maps\" }]",
        "SELECT 1;\n",
    );
    let baked = repository
        .xtask_with(&["bake", "pgvector", "--push", "--json"], &environment)
        .success()
        .json();
    let image = baked[0]["image"].as_str().unwrap().to_owned();
    let generate = [
        "e2e",
        "generate-values",
        "pgvector",
        "--extension-image",
        &image,
    ];
    repository.xtask_with(&generate, &environment).success();
    let values = repository.path().join("extensions/pgvector/values.yaml");
    let values = fs::read_to_string(values).unwrap();
    let names = values
        .lines()
        .filter_map(|line| line.strip_prefix("    name: "));
    let names: Vec<&str> = names.filter(|name| *name != "'maps'").collect();
    let order = ["'vector'", "'cube'", "'earthdistance'"];
    // Asked for, and expected.
    assert_eq!(names, [order, order].concat(), "{values}");
    assert!(
        values.contains("    name: 'cube'\n    version: '1."),
        "{values}"
    );
}

#[test]
fn a_library_that_nothing_provides_is_found() {
    let repository = Repository::new();
    // Without its system libraries, postgis cannot be loaded: found before the server is asked.
    let dockerfile = repository.path().join("extensions/postgis/Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !(line.starts_with("COPY") && line.contains("/system")))
        .collect();
    assert_ne!(kept.len(), text.lines().count(), "no line copies /system");
    fs::write(&dockerfile, kept.join("\n") + "\n").unwrap();
    repository
        .xtask(&["smoke", "postgis"])
        .status(1)
        .says("libraries that the image asks for and nothing provides: ")
        .says("libgeos");
}

#[test]
fn a_library_that_is_named_in_the_servers_own_folder_is_said() {
    let repository = Repository::new();
    let dockerfile = repository.path().join("docker/Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    let end = "\nFROM scratch\n";
    assert!(text.contains(end), "{text}");
    let with = |lines: &str| {
        let added = format!("RUN cd /build/image/share/extension; {lines}\n{end}");
        fs::write(&dockerfile, text.replace(end, &added)).unwrap();
        repository.xtask(&["smoke", "pgvector"])
    };
    // An update that nothing here runs; what is a comment, the server's own or of no image is no fault.
    let ended = with(
        r#"mkdir ../../lib/sub; cp ../../lib/vector.so ../../lib/sub/inner.so; \
        printf '%s\n' "-- LOAD '\$libdir/vector';" "LOAD '\$libdir/plpgsql';" "LOAD '\$libdir/nobody';" \
        "CREATE FUNCTION f() RETURNS int AS '\$libdir/vector' LANGUAGE C;" \
        "CREATE FUNCTION g() RETURNS int AS '\$libdir/sub/inner' LANGUAGE C;" \
        "load  '\$libdir/vector.so';" > vector--9.8--9.9.sql"#,
    );
    let ended = ended
        .success()
        .says("line 5 of vector--9.8--9.9.sql cannot find `$libdir/sub/inner`")
        .says("line 6 of vector--9.8--9.9.sql cannot find `$libdir/vector`");
    assert_eq!(ended.stderr.matches("warning: ").count(), 2, "{ended:#?}");
    // One that PostgreSQL runs: the cause stands beside what it says.
    with(
        r#"for script in vector--?.?.?.sql; do echo "LOAD '\$libdir/vector';" >> "$script"; done"#,
    )
    .status(1)
    .says("cannot find `$libdir/vector`, which here is the server's own folder")
    .says("could not access file");
}

#[test]
fn an_interruption_leaves_no_container() {
    let repository = Repository::new();
    repository.xtask(&["bake", "pgvector"]).success();
    fs::write(
        repository.path().join("extensions/pgvector/smoke.sql"),
        "\\! echo sleeping\nSELECT pg_sleep(600);\n",
    )
    .unwrap();
    let mut child = repository
        .command(&["smoke", "pgvector", "--no-bake", "--verbose"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    for line in stderr.lines() {
        let line = line.unwrap();
        said += &line;
        said.push('\n');
        // The step has begun; whatever docker has made of it until now must go.
        if line.contains("… smoke") {
            let killed = Command::new("kill")
                .args(["-INT", &child.id().to_string()])
                .status()
                .unwrap();
            assert!(killed.success());
        }
    }
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    repository.has_no_containers();
}

#[test]
fn a_repository_of_the_old_layout_is_driven_as_it_is() {
    let repository = Repository::new();
    let read = |file: &str| fs::read_to_string(repository.path().join(file)).unwrap();
    let without = |text: &str, start: &str| {
        let lines = text.lines().filter(|line| !line.starts_with(start));
        let kept: Vec<&str> = lines.collect();
        assert_ne!(kept.len(), text.lines().count(), "no line `{start}`");
        kept.join("\n") + "\n"
    };
    // Every directory has its own Dockerfile, and the bake file nothing to share.
    let bake = without(&read("docker/bake.hcl"), "  contexts ");
    assert!(bake.contains("extensions/${metadata.name}"));
    fs::write(
        repository.path().join("docker-bake.hcl"),
        bake.replace("extensions/${metadata.name}", "${metadata.name}/"),
    )
    .unwrap();
    let dockerfile = without(&read("docker/Dockerfile"), "ARG PACKAGES");
    for name in ["pgvector", "wal2json"] {
        let folder = repository.path().join("extensions").join(name);
        let metadata = without(
            &read(&format!("extensions/{name}/metadata.hcl")),
            "  packages ",
        );
        fs::write(folder.join("metadata.hcl"), metadata).unwrap();
        let package = format!("postgresql-$PG_MAJOR-{name}");
        let dockerfile = dockerfile.replace("$PACKAGES", &package);
        fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
        fs::write(folder.join("libraries.pl"), read("docker/libraries.pl")).unwrap();
        fs::rename(folder, repository.path().join(name)).unwrap();
    }
    for name in ["extensions", "docker"] {
        fs::remove_dir_all(repository.path().join(name)).unwrap();
    }
    fs::remove_file(repository.path().join("xtask.toml")).unwrap();
    let results = repository
        .xtask(&["smoke", "--all", "--json"])
        .success()
        .json();
    assert!(
        results
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["result"] == "passed"),
        "{results:#}"
    );
    fs::write(
        repository.path().join("xtask.toml"),
        "[paths]\nextensions = \".\"\nbake-file = \"docker-bake.hcl\"\n",
    )
    .unwrap();
    let ended = repository.xtask(&["bake", "--all", "--json"]).success();
    assert!(ended.json().as_array().unwrap().len() >= 2);
}

/// A name of the base image that is this test's alone, and what is kept for it.
struct Kept<'a> {
    repository: &'a Repository,
    base: String,
}

impl Kept<'_> {
    const BASE: &'static str = "localhost:1/xtask-kept:{pg}-minimal-{distro}";

    fn smoke(&self) -> Ended {
        let env = [("base_image", Self::BASE)];
        self.repository
            .xtask_with(&["smoke", "pgvector", "--no-bake"], &env)
    }

    /// The images, each with the identity of the base image that it was made of.
    fn images(&self) -> Vec<(String, String)> {
        let label = format!("label=io.cloudnativepg.xtask.data={}", self.base);
        let list = ["image", "ls", "--quiet", "--no-trunc", "--filter", &label];
        let listed = self.repository.docker(&list).success().stdout;
        let of = "{{index .Config.Labels \"io.cloudnativepg.xtask.data.of\"}}";
        let images = listed.lines().map(|image| {
            let inspect = ["image", "inspect", "--format", of, image];
            let of = self.repository.docker(&inspect).success().stdout;
            let (of, _) = of.split_once(' ').unwrap();
            (image.to_owned(), of.to_owned())
        });
        images.collect()
    }

    fn identity(&self) -> String {
        let inspect = ["image", "inspect", "--format", "{{.Id}}", &self.base];
        let printed = self.repository.docker(&inspect).success().stdout;
        printed.trim().to_owned()
    }

    /// Gives the name to another image, which is as the base image is.
    fn changes(&self, label: &str) {
        let docker = |args: &[&str]| self.repository.docker(args).success();
        docker(&[
            "create",
            "--name",
            "kept-base",
            "--label",
            label,
            &self.base,
            "x",
        ]);
        docker(&["commit", "kept-base", &self.base]);
        docker(&["rm", "kept-base"]);
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let images = self.images().into_iter().map(|(image, _)| image);
        for image in images.chain([self.base.clone()]) {
            self.repository.docker(&["image", "rm", "--force", &image]);
        }
    }
}

#[test]
fn a_data_directory_is_kept_until_its_base_image_changes_and_no_test_sees_another() {
    let repository = Repository::new();
    let docker = |args: &[&str]| repository.docker(args).success();
    let smoke_sql = repository.path().join("extensions/pgvector/smoke.sql");
    // What one test leaves, the next one does not find, whatever it starts from.
    let alone =
        "CREATE TABLE left_behind ();\nSELECT 'alone in ' || current_setting('data_directory');\n";
    fs::write(smoke_sql, alone).unwrap();
    repository.xtask(&["smoke", "pgvector"]).success();
    let all = [
        "image",
        "ls",
        "--filter",
        "label=io.cloudnativepg.xtask.data",
        "--format",
    ];
    let names = docker(&[&all[..], &["{{.Repository}}:{{.Tag}}"]].concat()).stdout;
    let label = "{{index .Config.Labels \"io.cloudnativepg.xtask.data\"}}";
    let of = |name: &str| docker(&["image", "inspect", "--format", label, name]).stdout;
    // Others than that of this server may be there.
    let ours = names
        .lines()
        .filter(|name| name.starts_with("localhost/xtask-data:"));
    let base = ours.map(of).find(|base| base.contains(":18-")).unwrap();
    let base = base.trim();
    let (_, tag) = base.rsplit_once(':').unwrap();
    let kept = Kept {
        repository: &repository,
        base: format!("localhost:1/xtask-kept:{tag}"),
    };
    docker(&["tag", base, &kept.base]);

    // Killed while it makes one: there is none, or a whole one.
    let mut child = repository.command(&["smoke", "pgvector", "--no-bake", "--verbose"]);
    child.env("base_image", Kept::BASE).stdout(Stdio::null());
    let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let begins = |line: &std::io::Result<String>| {
        line.as_ref()
            .is_ok_and(|line| line.contains("… data directory"))
    };
    assert!(stderr.lines().any(|line| begins(&line)));
    child.kill().unwrap();
    child.wait().unwrap();
    kept.smoke().success().says("1 of 1 passed");
    repository.has_no_containers();
    let first = kept.images();
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0].1, kept.identity());
    kept.smoke().success().says("the engine has it");
    assert_eq!(kept.images(), first);

    // What somebody uses stays, which is said.
    let names = [
        "image",
        "inspect",
        "--format",
        "{{index .RepoTags 0}}",
        &first[0].0,
    ];
    let name = docker(&names).stdout;
    docker(&["create", "--name", "kept-used", name.trim(), "x"]);
    kept.changes("changed=1");
    let said = "a superseded data directory of `localhost:1/xtask-kept:";
    kept.smoke().success().says(said);
    let of_now = |images: &[(String, String)]| {
        let now = kept.identity();
        let mut images = images.iter();
        images.find(|(_, of)| *of == now).unwrap().0.clone()
    };
    let images = kept.images();
    assert_eq!(images.len(), 2, "{images:?}");
    let second = of_now(&images);

    // So does what somebody has made of it, which has its labels.
    docker(&["commit", "kept-used", "localhost:1/xtask-kept-derived"]);
    docker(&["rm", "kept-used"]);
    kept.changes("changed=2");
    kept.smoke().success();
    let images = kept.images();
    let third = of_now(&images);
    assert_eq!(images.len(), 2, "{images:?}");
    assert!(third != second && images.iter().all(|(image, _)| *image != second));
    docker(&["image", "rm", "localhost:1/xtask-kept-derived"]);
}
