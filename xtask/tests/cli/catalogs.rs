// SPDX-License-Identifier: Apache-2.0
//! `catalogs`: the newest images in what is written for clusters, what of it stays, and what is refused.

use std::fs;

use serde_json::{Value, json};

use crate::cli::world::{World, metadata};

const REGISTRY: &str = "ghcr.io/cloudnative-pg";

/// A registry whose repositories have the tags of the images that a test puts there.
fn world() -> World {
    let world = World::new();
    world.tools.fake(
        "oras",
        r#"case "$*" in
"repo tags "*)
  for repository in "$@"; do :; done
  [ -e "$here/tags/$repository" ] || fail "Error response from registry: name unknown: repository name not known to registry"
  cat "$here/tags/$repository" ;;
*) refuse "$@" ;;
esac
"#,
    );
    world
}

/// Puts an image into the registry. Gives `tag@digest` with its repository.
fn put(world: &World, name: &str, tag: &str, platforms: &[&str]) -> String {
    let repository = format!("{REGISTRY}/{name}");
    let distro = tag.rsplit('-').next().unwrap();
    let manifests = platforms.iter().map(|platform| {
        let (system, architecture) = platform.split_once('/').unwrap();
        json!({
            "digest": format!("sha256:{}", "1a".repeat(32)),
            "platform": {"os": system, "architecture": architecture},
        })
    });
    let index = json!({
        "manifests": manifests.collect::<Vec<_>>(),
        "annotations": {
            "org.opencontainers.image.created": tag,
            "io.cloudnativepg.image.base.os": distro,
        },
    });
    let digest = world.registry.put(&format!("{repository}:{tag}"), &index);
    let tags = world.state(&format!("tags/{repository}"));
    fs::create_dir_all(tags.parent().unwrap()).unwrap();
    let before = fs::read_to_string(&tags).unwrap_or_default();
    fs::write(&tags, format!("{before}{tag}\n")).unwrap();
    format!("{repository}:{tag}@{digest}")
}

const BOTH: &[&str] = &["linux/amd64", "linux/arm64"];

fn states(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.map(|row| {
        let parts = ["state", "name", "distro"].map(|key| text(row, key));
        parts.join(" ")
    })
    .collect()
}

#[test]
fn two_distros_have_the_newest_images_by_digest_and_one_is_missing() {
    let world = world();
    let mut newest = Vec::new();
    for (name, distro) in [
        ("alpha", "trixie"),
        ("gamma", "trixie"),
        ("alpha", "bookworm"),
        ("beta", "bookworm"),
        ("gamma", "bookworm"),
    ] {
        put(&world, name, &format!("1.2-202601010000-18-{distro}"), BOTH);
        newest.push(put(
            &world,
            name,
            &format!("1.2-202602010000-18-{distro}"),
            BOTH,
        ));
        put(&world, name, &format!("1.1-202603010000-18-{distro}"), BOTH);
        put(&world, name, &format!("1.2-18-{distro}"), BOTH);
    }
    let ended = world.run("catalogs --output out --json").success();
    assert_eq!(
        states(&ended.json()),
        [
            "new alpha bookworm",
            "new beta bookworm",
            "new gamma bookworm",
            "new alpha trixie",
            "missing beta trixie",
            "new gamma trixie",
        ]
    );
    let why = "`ghcr.io/cloudnative-pg/beta:1.2-{YYYYMMDDhhmm}-18-trixie` is not there";
    let rows = ended.json();
    let missing = rows[4]["why"].as_str().unwrap();
    assert!(missing.starts_with(why), "{missing}");
    ended.says("of 6 images 5 new, 1 missing");
    let trixie = world.read("out/catalog-minimal-trixie.yaml");
    let wanted = format!(
        "apiVersion: postgresql.cnpg.io/v1\nkind: ClusterImageCatalog\nmetadata:\n  name: postgresql-minimal-trixie\n  labels:\n    \
         images.cnpg.io/type: minimal\n    images.cnpg.io/os: trixie\nspec:\n  images:\n  - major: 18\n    image: \
         ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie\n    extensions:\n    - name: alpha\n      image:\n        reference: {}\n      \
         ld_library_path:\n      - system\n      env:\n      - name: ALPHA_DATA\n        value: ${{image_root}}/share/a\n    - name: gamma\n      \
         image:\n        reference: {}\n",
        newest[0], newest[1]
    );
    assert_eq!(trixie, wanted);
    // Once more: the same files, and nothing is written.
    let again = world.run("catalogs --output out").success();
    // Said once: in its row.
    let rows: Vec<&str> = again
        .stdout
        .lines()
        .filter(|row| row.contains("beta "))
        .collect();
    assert!(
        rows.iter()
            .any(|row| row.starts_with("missing") && row.contains(why)),
        "{rows:?}"
    );
    again
        .says("up to date")
        .says("5 unchanged, 1 missing")
        .says_nothing_of("beta");
    assert_eq!(world.read("out/catalog-minimal-trixie.yaml"), trixie);
}

#[test]
fn with_strict_a_missing_image_fails_and_nothing_is_written() {
    let world = world();
    for name in ["alpha", "gamma"] {
        put(&world, name, "1.2-202601010000-18-trixie", BOTH);
    }
    world
        .run("catalogs --output out --distro trixie --strict")
        .status(1)
        .says("the registry has no `ghcr.io/cloudnative-pg/beta`: name unknown");
    assert!(!world.root().join("out").exists());
    world
        .run("catalogs --output out --distro bookworm")
        .status(1)
        .says("no image of any extension was found")
        .says("`images.published`");
    assert!(
        !world
            .root()
            .join("out/catalog-minimal-bookworm.yaml")
            .exists()
    );
}

#[test]
fn a_registry_that_cannot_be_asked_is_no_missing_image() {
    let world = world();
    put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    world.tools.fails(
        "oras repo tags -- ghcr.io/cloudnative-pg/gamma",
        1,
        "Error: dial tcp: connection refused\n",
    );
    world
        .run("catalogs --output out --distro trixie")
        .status(3)
        .says("connection refused");
    assert!(!world.root().join("out").exists());
}

/// Lets buildx copy two images whose file is of these texts.
fn copies(world: &World, old: &str, new: &str) {
    let mut archive = tar::Builder::new(Vec::new());
    for (folder, text) in [("0", old), ("1", new)] {
        for platform in ["linux_amd64", "linux_arm64"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            let path = format!("{platform}/{folder}/lib/a.so");
            archive
                .append_data(&mut header, path, text.as_bytes())
                .unwrap();
        }
    }
    let file = world.state("pair");
    fs::write(&file, archive.into_inner().unwrap()).unwrap();
    world.tools.rule(
        "docker buildx build --provenance false --platform linux/amd64,linux/arm64",
        &format!("for word in \"$@\"; do case $word in type=tar,dest=*) cp {} \"${{word#type=tar,dest=}}\" ;; esac; done; exit 0", file.display()),
    );
}

#[test]
fn an_image_that_holds_the_same_keeps_its_digest_and_another_does_not() {
    let world = world();
    for name in ["alpha", "beta", "gamma"] {
        put(&world, name, "1.2-202601010000-18-trixie", BOTH);
    }
    let file = "out/catalog-minimal-trixie.yaml";
    world.run("catalogs --output out --distro trixie").success();
    let before = world.read(file);
    let rebuilt = put(&world, "gamma", "1.2-202602010000-18-trixie", BOTH);
    copies(&world, "same", "same");
    let ended = world
        .run("catalogs --output out --distro trixie --json")
        .success();
    let rows = ended.json();
    assert_eq!(states(&rows)[2], "kept gamma trixie");
    assert!(rows[2]["why"].as_str().unwrap().contains(&rebuilt));
    assert_eq!(world.read(file), before);
    assert!(
        !world.root().join("target/xtask/catalogs").exists()
            || fs::read_dir(world.root().join("target/xtask/catalogs"))
                .unwrap()
                .count()
                == 0
    );
    let ended = world.calls.of("docker buildx build");
    assert!(
        ended[0]
            .line()
            .contains("type=tar,dest=target/xtask/catalogs/")
    );

    copies(&world, "old", "new");
    let changed = put(&world, "alpha", "1.2-202602010000-18-trixie", BOTH);
    // Of other platforms: nothing needs to be compared.
    let other = put(
        &world,
        "beta",
        "1.2-202602010000-18-trixie",
        &["linux/amd64"],
    );
    world
        .run("catalogs --output out --distro trixie")
        .success()
        .says("of 3 images 3 updated");
    let after = world.read(file);
    assert!(
        after.contains(&changed) && after.contains(&other) && after.contains(&rebuilt),
        "{after}"
    );
}

const THEIRS: &str = "\
# Published by others.
apiVersion: postgresql.cnpg.io/v1
kind: ClusterImageCatalog
metadata:
  name: theirs
  labels: {images.cnpg.io/type: minimal, images.cnpg.io/os: trixie, date: \"20260101\"}
spec:
  images:
    # One that nothing is built for.
    - major: 17
      image: ghcr.io/x/postgresql:17.6
    - major: 18
      image: ghcr.io/x/postgresql:18.1
      extensions:
        - name: omega # of others
          image:
            reference: ghcr.io/x/omega:1
";

#[test]
fn what_others_say_stays_and_what_is_no_such_catalog_is_left_alone() {
    let world = world();
    let alpha = put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    world.write("from/a.yaml", THEIRS);
    world.write("from/system.yml", &THEIRS.replace("minimal", "system"));
    world.write("from/bullseye.yaml", &THEIRS.replace("trixie", "bullseye"));
    world.write("from/notes.md", "# x");
    let ended = world.run("catalogs --output out --from from").success();
    ended
        .says("`images.cnpg.io/type` is not `minimal`")
        .says("nothing is built for `bullseye`")
        .says("there is no catalog of minimal images for `bookworm`");
    let text = world.read("out/catalog-minimal-trixie.yaml");
    let ours = format!("        - name: alpha\n          image:\n            reference: {alpha}\n");
    let (before, behind) = text.split_once(&ours).unwrap_or_else(|| panic!("{text}"));
    assert!(THEIRS.starts_with(before), "{before}");
    assert!(behind.ends_with("        - name: omega # of others\n          image:\n            reference: ghcr.io/x/omega:1\n"), "{text}");
    // A later release of theirs, without what others have added to ours.
    let newer = THEIRS.replace("18.1", "18.2");
    let (newer, _) = newer.split_once("      extensions:").unwrap();
    world.write("from/a.yaml", newer);
    world.run("catalogs --output out --from from").success();
    let text = world.read("out/catalog-minimal-trixie.yaml");
    assert!(
        text.contains("postgresql:18.2\n")
            && text.contains("ghcr.io/x/omega:1")
            && text.contains(&alpha),
        "{text}"
    );

    world.write("from/b.yaml", newer);
    world
        .run("catalogs --output out --from from")
        .status(2)
        .says("has two catalogs of minimal images for `trixie`");
    world
        .run("catalogs --output out --from nowhere")
        .status(2)
        .says("`--from`")
        .says("nowhere");
    world
        .run("catalogs --output out --from extensions")
        .status(2)
        .says("has no catalog of minimal images");
    assert_eq!(world.read("out/catalog-minimal-trixie.yaml"), text);
}

#[test]
fn a_file_of_somebody_else_is_not_written_over() {
    let world = world();
    put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    let file = "out/catalog-minimal-trixie.yaml";
    for (text, why) in [
        ("my notes\n", "it is no `ClusterImageCatalog`"),
        (
            &THEIRS.replace("os: trixie", "os: bookworm"),
            "it is for `bookworm`",
        ),
        ("a: [\n", "not one document of YAML"),
        (
            &THEIRS.replace("major: 17", "major: 18"),
            "it has PostgreSQL 18 twice",
        ),
    ] {
        world.write(file, text);
        world
            .run("catalogs --output out --distro trixie")
            .status(2)
            .says("would be written over")
            .says(why);
        assert_eq!(world.read(file), text);
    }
    world.calls.never("oras");
}

#[test]
fn what_is_no_folder_gets_no_catalogs() {
    let world = world();
    world.write("out", "mine\n");
    world
        .run("catalogs --output out")
        .status(2)
        .says("`--output out` is no folder");
    assert_eq!(world.read("out"), "mine\n");
    world.calls.never("oras");
}

#[test]
fn catalogs_of_the_web_are_read_for_each_distro() {
    let world = world();
    put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    world.tools.fake(
        "curl",
        "for url in \"$@\"; do :; done\n[ -e \"$here/web/${url##*/}\" ] || fail 'curl: (22) The requested URL returned error: 404' 22\ncat \"$here/web/${url##*/}\"\n",
    );
    let web = world.state("web");
    fs::create_dir_all(&web).unwrap();
    fs::write(web.join("trixie.yaml"), THEIRS).unwrap();
    let from = "--from https://example.org/{distro}.yaml";
    world
        .run(format!("catalogs --output out --distro trixie {from}").as_str())
        .success();
    let call = world.calls.only("curl");
    assert_eq!(
        call.line(),
        "curl --silent --show-error --fail --location --globoff --proto =http,https --proto-redir =https --max-filesize 4194304 --url https://example.org/trixie.yaml"
    );
    assert!(
        world
            .read("out/catalog-minimal-trixie.yaml")
            .starts_with("# Published by others.\n")
    );
    world
        .run(format!("catalogs --output out {from}").as_str())
        .status(3)
        .says("404");
    world
        .run("catalogs --output out --from https://u:secret@example.org/a")
        .status(2)
        .says("without a user or a password");
}

#[test]
fn a_dry_run_asks_no_registry_and_writes_nothing() {
    let world = world();
    let ended = world
        .run("catalogs --output out --distro trixie --dry-run")
        .success();
    assert!(
        ended
            .stdout
            .contains("oras repo tags -- ghcr.io/cloudnative-pg/alpha | LC_ALL=C sort -u")
            && ended
                .stdout
                .contains("cargo xtask catalogs --output out --distro trixie\n"),
        "{}",
        ended.stdout
    );
    world.calls.never("oras");
    assert!(!world.root().join("out").exists());
    let pushed = [("registry", "localhost:5000")];
    let ended = world
        .run_with("catalogs --output out --dry-run", &pushed)
        .success();
    assert!(
        ended
            .stdout
            .contains("oras repo tags --plain-http -- localhost:5000/alpha-testing"),
        "{}",
        ended.stdout
    );
}

/// Extensions are built for a major that the catalog, which was made before, has no server of.
#[test]
fn a_new_major_comes_into_a_catalog_of_our_own_and_is_left_out_of_those_of_others() {
    let world = world();
    let old = put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    let command = "catalogs --output out --distro trixie";
    let file = "out/catalog-minimal-trixie.yaml";
    world.run(command).success();
    world.write(file, &format!("# Ours.\n{}", world.read(file)));
    let versions = "{ trixie = { \"18\" = { package = \"1.2-1\", sql = \"1.2\" }, \"19\" = { package = \"1.2-1\", sql = \"1.2\" } } }";
    world.extension("alpha", &metadata("alpha", &[("versions", versions)]));
    let new = put(&world, "alpha", "1.2-202601010000-19-trixie", BOTH);
    let server = "ghcr.io/cloudnative-pg/postgresql:19-minimal-trixie";
    world.run(command).success().says(&format!(
        "PostgreSQL 19 is new in `{file}`, with `{server}`"
    ));
    let text = world.read(file);
    assert!(
        text.starts_with("# Ours.\n") && text.contains(&old),
        "{text}"
    );
    let added = format!(
        "  - major: 19\n    image: {server}\n    extensions:\n    - name: alpha\n      image:\n        reference: {new}\n"
    );
    assert!(text.contains(&added), "{text}");
    world.run(command).success().says("up to date");
    // The servers' images are somebody else's: what these have no server for is said.
    world.write("theirs/trixie.yaml", THEIRS);
    world
        .run("catalogs --output other --distro trixie --from theirs")
        .success()
        .says("the catalog to start from has no server of PostgreSQL 19 for `trixie`: `alpha 19-trixie` is left out");
    assert!(
        !world
            .read("other/catalog-minimal-trixie.yaml")
            .contains("19-trixie")
    );
}

#[test]
fn a_catalog_does_not_go_back() {
    let world = world();
    let command = "catalogs --output out --distro trixie";
    let newer = put(&world, "alpha", "1.2-202602020000-18-trixie", BOTH);
    world.run(command).success();
    let before = world.read("out/catalog-minimal-trixie.yaml");
    assert!(before.contains(&newer), "{before}");
    // Its tag is gone, and what is left was baked before.
    let tags = world.state(&format!("tags/{REGISTRY}/alpha"));
    fs::write(tags, "").unwrap();
    put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    let ended = world.run(command).success();
    assert_eq!(world.read("out/catalog-minimal-trixie.yaml"), before);
    assert!(ended.stdout.contains("older"), "{}", ended.stdout);
    ended.says("is newer than `1.2-202601010000-18-trixie`, the newest that is there: it stays");
}

#[test]
fn a_catalog_is_signed_beside_it_and_what_is_there_of_somebody_else_stays() {
    let world = world();
    put(&world, "alpha", "1.2-202601010000-18-trixie", BOTH);
    world.tools.fake(
        "cosign",
        "case \"$1\" in\npublic-key) echo KEY ;;\nsign-blob) while [ $# -gt 1 ]; do [ \"$1\" != --bundle ] || echo '{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"}' > \"$2\"; shift; done ;;\nverify-blob) ;;\n*) refuse \"$@\" ;;\nesac\n",
    );
    world.write("cosign.key", "key");
    let command =
        "catalogs --output out --distro trixie --sign --key cosign.key --no-transparency-log";
    let password = [("COSIGN_PASSWORD", "")];
    let bundle = "out/catalog-minimal-trixie.yaml.sigstore.json";
    world.write(bundle, "mine");
    world
        .run_with(command, &password)
        .status(2)
        .says("it is no signature of cosign");
    assert_eq!(world.read(bundle), "mine");
    fs::remove_file(world.root().join(bundle)).unwrap();
    world.run_with(command, &password).success();
    let call = world.calls.only("cosign sign-blob");
    assert!(
        call.line().ends_with(&format!(
            "--tlog-upload=false --bundle {bundle} -- out/catalog-minimal-trixie.yaml"
        )),
        "{}",
        call.line()
    );
    world
        .run_with(command, &password)
        .success()
        .says("it has a signature of this key");
    assert_eq!(world.calls.of("cosign sign-blob").len(), 1);
    // A catalog that is written anew without one has an old one beside it.
    let unsigned = "catalogs --output out --distro trixie";
    let quiet = world.run(unsigned).success();
    assert!(!quiet.stderr.contains("sigstore"), "{}", quiet.stderr);
    put(&world, "gamma", "1.2-202601010000-18-trixie", BOTH);
    world.run(unsigned).success().says(&format!(
        "`{bundle}` is of what `out/catalog-minimal-trixie.yaml` was before"
    ));
    world
        .run("catalogs --output out --key x")
        .status(2)
        .says("nothing is to be signed");
    world
        .run("catalogs --output out --sign")
        .status(2)
        .says("with what is to be signed?");
}
