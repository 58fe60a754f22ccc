// SPDX-License-Identifier: Apache-2.0
//! What `checks` says of the examples in a README: what a user copies must work.

use serde_json::Value;

use crate::cli::world::{World, metadata};

const README: &str = r#"# Beta

```yaml
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata:
  name: demo
spec:
  imageName: ghcr.io/x/postgresql:18.1-minimal-trixie
  postgresql:
    shared_preload_libraries: [other, first, beta]
    parameters:
      beta.on: "on" # as people want it
    extensions:
      - name: beta
        image:
          reference: ghcr.io/x/beta:1.2-18-trixie
        bin_path: [bin]
      - name: my-alpha
        image:
          reference: ghcr.io/x/alpha:1.2-202601010000-18-trixie
        ld_library_path:
          - system
        env:
          - name: ALPHA_DATA
            value: ${image_root}/share/a
---
apiVersion: postgresql.cnpg.io/v1
kind: Database
metadata:
  name: demo-app
spec:
  name: app
  owner: app
  cluster:
    name: demo
  extensions:
    - name: cube
    - name: alpha
    - name: beta_sql
      version: '1.2'
```

```bash
kind: Cluster
```
"#;

fn world() -> World {
    let world = World::new();
    let beta = [
        ("sql_name", "\"beta_sql\""),
        ("required_extensions", "[\"alpha\"]"),
        ("shared_preload_libraries", "[\"first\", \"beta\"]"),
        ("bin_path", "[\"bin\"]"),
    ];
    world.extension("beta", &metadata("beta", &beta));
    world
}

/// What is said of the README, with lines.
fn said(world: &World, readme: &str) -> Vec<String> {
    world.write("extensions/beta/README.md", readme);
    let ended = world.run("checks beta --no-bake --json");
    let findings = ended.json();
    let findings = findings.as_array().unwrap().iter();
    let own = findings.filter(|one| one["file"].as_str().unwrap().ends_with("README.md"));
    let text = |one: &Value| {
        let (line, severity) = (&one["line"], one["severity"].as_str().unwrap());
        format!("{line} {severity}: {}", one["message"].as_str().unwrap())
    };
    own.map(text).collect()
}

#[test]
fn an_example_that_works_has_no_findings_whatever_it_leaves_out() {
    let world = world();
    assert_eq!(said(&world, README), Vec::<String>::new());
    for (from, to) in [
        // The cluster alone.
        ("kind: Database", "kind: Pooler"),
        // A catalog's.
        (
            "  imageName: ghcr.io/x/postgresql:18.1-minimal-trixie\n",
            "  imageCatalogRef: {major: 18}\n",
        ),
        (
            "      - name: my-alpha\n",
            "      - name: gamma\n        image: {reference: x}\n      - name: alpha\n",
        ),
        ("      version: '1.2'\n", ""),
        ("ghcr.io/x/beta:1.2-18-trixie", "<your registry>/beta"),
        ("18.1-minimal-trixie", "18-standard"),
        (
            "    parameters:\n      beta.on: \"on\" # as people want it\n",
            "",
        ),
        ("```bash\nkind: Cluster", "```yaml\nkind: ConfigMap"),
    ] {
        assert!(README.contains(from), "{from}");
        let found = said(&world, &README.replace(from, to));
        assert_eq!(found, Vec::<String>::new(), "{to}");
    }
}

/// What is changed in the example, and what is said of that.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "[other, first, beta]",
        "[beta]",
        "11 error: `shared_preload_libraries` lacks `first`",
    ),
    (
        "[other, first, beta]",
        "[beta, first]",
        "11 error: `shared_preload_libraries` is `beta`, `first`; in this order they can be loaded: `first`, `beta`",
    ),
    (
        "        bin_path: [bin]\n",
        "",
        "15 error: `bin_path` of `beta` is not there; metadata.hcl has `bin`",
    ),
    (
        "          - system",
        "          - lib",
        "19 error: `ld_library_path` of `alpha` is `lib`; metadata.hcl has `system`",
    ),
    (
        "bin_path: [bin]",
        "bin_paths: [bin]",
        "18 error: `bin_paths` is no field of an extension",
    ),
    (
        "${image_root}/share/a",
        "/share/a",
        "26 error: `ALPHA_DATA` of `alpha` is `/share/a`; metadata.hcl has `${image_root}/share/a`",
    ),
    (
        "- name: ALPHA_DATA",
        "- name: OTHER",
        "19 error: `env` of `alpha` lacks `ALPHA_DATA`",
    ),
    (
        "x/beta:1.2-18-trixie",
        "x/betas:1.2-18-trixie",
        "17 error: `betas` is not the image of `beta`, which is called `beta`",
    ),
    (
        "x/beta:1.2-18-trixie",
        "x/beta:1.1-18-trixie",
        "17 warning: `1.1-18-trixie` is not the version in metadata.hcl, `1.2-18-trixie`",
    ),
    (
        "x/beta:1.2-18-trixie",
        "x/beta:1.2-17-trixie",
        "17 warning: no image of `beta` is tagged `1.2-17-trixie`: it is built for 18-bookworm, 18-trixie",
    ),
    (
        "18.1-minimal-trixie",
        "18.1-minimal-bookworm",
        "9 error: the server is `18.1-minimal-bookworm`, and the image of `beta` is for 18-trixie",
    ),
    (
        "18.1-minimal-trixie",
        "17-minimal-trixie",
        "9 error: the server is `17-minimal-trixie`",
    ),
    (
        "beta.on: \"on\"",
        "beta.on: off",
        "13 error: `beta.on` must be a text: quote it, `\"off\"`",
    ),
    (
        "beta.on: \"on\"",
        "beta.on: 18.0",
        "13 error: `beta.on` must be a text: quote it, `\"18.0\"`",
    ),
    ("- name: beta\n", "- name: gamma\n", "15 error"),
    (
        "        image:\n          reference: ghcr.io/x/beta:1.2-18-trixie\n",
        "",
        "15 error: `beta` has no `image.reference`, and the cluster no `imageCatalogRef`",
    ),
    (
        "ghcr.io/x/alpha:1.2-202601010000-18-trixie",
        "ghcr.io/x/omega:1",
        "14 error: `alpha` is not mounted, and `beta` needs it",
    ),
    (
        "    name: demo\n  extensions",
        "    name: other\n  extensions",
        "36 error: the cluster `other` is not in this file, which has `demo`",
    ),
    (
        "    - name: beta_sql",
        "    - name: beta",
        "40 error: `beta` is the image's name; what is created is `beta_sql`",
    ),
    (
        "    - name: beta_sql",
        "    - name: gamma",
        "37 error: no `Database` here creates `beta_sql`",
    ),
    (
        "    - name: alpha\n",
        "",
        "39 error: `alpha` is not created, and `beta_sql` needs it",
    ),
    (
        "'1.2'",
        "1.2",
        "41 error: the version of `beta_sql` must be a text: quote it",
    ),
    (
        "'1.2'",
        "'1.1'",
        "41 warning: `beta_sql` is created in version `1.1`; metadata.hcl has `1.2`",
    ),
    (
        "apiVersion: postgresql.cnpg.io/v1\nkind: Database",
        "apiVersion: v1\nkind: Database",
        "28 error: `apiVersion` is `v1`",
    ),
    (
        "  owner: app\n",
        "  owner: [app\n",
        "28 warning: this example is no YAML",
    ),
];

#[test]
fn what_would_not_work_is_said_with_its_line_and_the_fix() {
    let world = world();
    let mut other = Vec::new();
    for (from, to, wanted) in MISTAKES {
        assert!(README.contains(from), "{from}");
        let found = said(&world, &README.replacen(from, to, 1));
        if *to == "- name: gamma\n" {
            // It is still found, by its image.
            assert_eq!(found, Vec::<String>::new());
            continue;
        }
        if !found.iter().any(|one| one.starts_with(wanted)) {
            other.push((to, wanted, found));
        }
    }
    assert!(other.is_empty(), "{other:#?}");
    world.run("checks beta --no-bake").success();
    world.write(
        "extensions/beta/README.md",
        &README.replace("[other, first, beta]", "[]"),
    );
    world
        .run("checks beta --no-bake")
        .status(2)
        .says("README.md:11: error: `shared_preload_libraries` lacks `first`, `beta`");
}

#[test]
fn a_module_is_mounted_and_never_created() {
    let world = world();
    let beta = [("create_extension", "false")];
    world.extension("beta", &metadata("beta", &beta));
    let readme = README.replace("beta_sql", "beta");
    let found = said(&world, &readme.replace("bin_path: [bin]", "bin_path: []"));
    let wanted =
        ["40 error: `beta` cannot be created: its image has no control file, it is only loaded"];
    assert_eq!(found, wanted);
}
