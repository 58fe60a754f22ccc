// SPDX-License-Identifier: Apache-2.0
//! What clusters and this machine's engine were seen to say, and the probable cause of it.
//!
//! The first that is found counts: what is at the bottom of things stands before what follows from it.

use super::{Cause, Symptom};

/// What comes right by itself at times.
const NEVER: u32 = 0;
/// A quarter of a minute: what tools repeat has been repeated.
pub(crate) const SOON: u32 = 4;
/// Something that is still to be made may make it right.
const LATE: u32 = 12;

/// What PostgreSQL itself brings: the extensions and modules of its `contrib` folder, with `_int` and `pgxml`, which are
/// the libraries of intarray and xml2, and its languages with their transforms. Compared with what Debian's
/// postgresql-18 18.6-3 holds; what is for Perl and Python is in packages beside it.
pub(super) const CONTRIB: &str = "_int|amcheck|auth_delay|auto_explain|autoinc|basebackup_to_shell|basic_archive|bloom|bool_plperlu?|btree_gin|btree_gist|citext|cube|dblink|dict_int|dict_xsyn|earthdistance|file_fdw|fuzzystrmatch|hstore|hstore_plperlu?|hstore_plpython3u|insert_username|intagg|intarray|isn|jsonb_plperlu?|jsonb_plpython3u|lo|ltree|ltree_plpython3u|moddatetime|pageinspect|passwordcheck|pg_buffercache|pg_freespacemap|pg_logicalinspect|pg_overexplain|pg_prewarm|pg_stat_statements|pg_surgery|pg_trgm|pg_visibility|pg_walinspect|pgcrypto|pgrowlocks|pgstattuple|pgxml|plperlu?|plpgsql|plpython3u?|pltclu?|postgres_fdw|refint|seg|sepgsql|sslinfo|tablefunc|tcn|test_decoding|tsm_system_rows|tsm_system_time|unaccent|uuid-ossp|xml2";

const fn means(looks: u32, pattern: &'static str, text: &'static str) -> Symptom<Cause> {
    Symptom {
        pattern,
        means: Cause { text, looks },
    }
}

/// What a cluster says, by way of its objects, events and logs.
pub(super) const CLUSTER: &[Symptom<Cause>] = &[
    means(
        NEVER,
        r"no space left on device|No space left on device|DiskPressure",
        "a disk is full, the node's or the engine's. `docker system df` shows what uses the space.",
    ),
    means(
        SOON,
        r"proxyconnect [^\n]*?(?:lookup ([^\s:]+)|dial tcp ([^\s]+): )[^\n]*",
        "the proxy `$1$2`, which the engine or the node is told to use, cannot be reached; the registry was not even asked. Check HTTPS_PROXY, \
         HTTP_PROXY and NO_PROXY in the engine's environment: kind hands them to its nodes when it makes them.",
    ),
    means(
        SOON,
        r#"InvalidImageName[^\n]*?"([^"\n]+)""#,
        "`$1` is not a reference of an image. Compare the references in the values.",
    ),
    means(
        SOON,
        r#"ErrImageNeverPull[^\n]*?"([^"\n]+)""#,
        "the image `$1` is not on the node, and its pull policy is `Never`.",
    ),
    means(
        LATE,
        r"CreateContainerConfigError: ([^\n]+)",
        "a pod's container cannot be created: $1",
    ),
    means(
        SOON,
        r#"failed to (?:resolve|pull)[^\n]*"([^"\n]+)"[^\n]*(?:401|403|[Uu]nauthorized|authorization failed|insufficient_scope|pull access denied)"#,
        "the registry refuses the node the image `$1`: the login is missing or wrong. Set REGISTRY_HOST, REGISTRY_USERNAME and \
         REGISTRY_PASSWORD, and run `cargo xtask e2e setup-env` again.",
    ),
    means(
        SOON,
        r#"failed to (?:resolve reference|resolve image|pull image|pull and unpack image)[^\n]*?"([^"\n]+)"[^\n]*: not found"#,
        "the image `$1` cannot be pulled: its registry does not have it. Compare the reference with what was pushed: an extension's image is \
         pushed by `cargo xtask bake TARGET --push`; the operator's follows from `--cnpg-release` and the setting `images.operator`.",
    ),
    means(
        SOON,
        r"failed to (?:pull|resolve|do request)[^\n]*lookup ([^\s:]+)[^\n]*: no such host",
        "an image cannot be pulled: the node does not know the registry's host `$1`. Compare the reference in the values with the registry's \
         name in the cluster (`cargo xtask e2e status`), or redirect the host with `[mirrors]` in xtask.toml.",
    ),
    means(
        NEVER,
        r#"failed to do request: (?:Head|Get) "https?://([^/"\\]+)[^\n]*(?:connection refused|i/o timeout|network is unreachable|no route to host|context deadline exceeded)"#,
        "an image cannot be pulled: nothing answers at `$1`, as the node sees it. `cargo xtask e2e setup-env` repairs a local registry and tells \
         every node where it is; a registry that cannot be reached from here needs an entry in `[mirrors]` of xtask.toml.",
    ),
    means(
        NEVER,
        r#"failed to (?:resolve|pull)[^\n]*(x509: [^"\n]+)"#,
        "an image cannot be pulled: the node does not trust the registry ($1).",
    ),
    means(
        NEVER,
        r"failed to (?:pull|resolve|do request)[^\n]*server gave HTTP response to HTTPS client",
        "an image cannot be pulled: the registry speaks HTTP, and the node was not told so. `cargo xtask e2e setup-env` tells it for a local \
         registry; for another one write its URL with `http://` into `[mirrors]` of xtask.toml.",
    ),
    means(
        NEVER,
        r#"(?:ErrImagePull|ImagePullBackOff|Failed to pull image)[^\n]*?"([^"\s]+)""#,
        "the image `$1` cannot be pulled; events.txt says more.",
    ),
    means(
        NEVER,
        r"exec format error",
        "an image is for another architecture than the node's. Build it for the node, for example: `cargo xtask bake TARGET --push --platform linux/amd64`.",
    ),
    means(
        SOON,
        r#"could not load library "([^"\n\\]+)[^\n]*?: ([^:\s]+\.so[^:\s]*): cannot open shared object file"#,
        "the library `$1` needs `$2`, which is neither in the extension's image nor in the PostgreSQL image. Add it to the image and name its \
         folder in `ld_library_path` of metadata.hcl.",
    ),
    means(
        NEVER,
        r#"could not load library "([^"\n\\]+)[^\n]*?: undefined symbol: (\w+)"#,
        "the library `$1` lacks the symbol `$2`: it was built for another PostgreSQL, or a library that it needs is not preloaded.",
    ),
    means(
        SOON,
        r#"(?:could not access file "(?:\$libdir/)?({contrib})": No such file or directory|extension "({contrib})" is not available)"#,
        "`$1$2` is PostgreSQL's own (contrib, or a language), which the server's image brings, and this server's image does not have it. No extension \
         image can fix that: use a PostgreSQL image that has it (`images.base`).",
    ),
    means(
        SOON,
        r#"could not access file "\$libdir/([^"/\n\\]+)": No such file or directory"#,
        "a statement loads `$libdir/$1`, and `$libdir/` forces the server's own folder, where an extension image's library never is. The mounted \
         image's library is found by its plain name, through `dynamic_library_path`: let the script say `LOAD '$1'`.",
    ),
    means(
        SOON,
        r#"could not access file "\$libdir/([^"\n\\]*/)([^"/\n\\]+)": No such file or directory"#,
        "a script names `$libdir/$1$2`, and `$libdir/` with a folder in it forces the server's own folder, where an extension image's library never \
         is. The mounted image's library is found by its plain name, through `dynamic_library_path`: let the script say `'$2'`, and name the \
         library's folder in `dynamic_library_path` of metadata.hcl.",
    ),
    means(
        SOON,
        r#"could not access file "([^"\n\\]+)": No such file or directory"#,
        "the server cannot find the library `$1`: no mounted image has it in its `dynamic_library_path`. Either `shared_preload_libraries` in \
         metadata.hcl names what does not exist, or the image lacks it, or an extension that this one needs is not in `required_extensions`.",
    ),
    means(
        SOON,
        r#"(?:extension ")?(\w+)"? must be (?:pre)?loaded(?: via| in)? "?shared_preload_libraries"#,
        "`$1` works only when the server loads it at its start: add its library to `shared_preload_libraries` in metadata.hcl.",
    ),
    means(
        SOON,
        r#"extension "(\w+)" must be preloaded"#,
        "`$1` works only when the server loads it at its start: add its library to `shared_preload_libraries` in metadata.hcl.",
    ),
    means(
        SOON,
        r#"extension "([^"\n\\]+)" has no installation script nor update path for version "([^"\n\\]+)""#,
        "the version differs: the image does not hold version `$2` of `$1`. Compare `sql` in metadata.hcl, which becomes the image's annotation \
         `io.cloudnativepg.image.sql.version`, with the `.control` and `.sql` files in the image.",
    ),
    means(
        SOON,
        r#"(?:extension "([^"\n\\]+)" is not available|could not open extension control file[^\n]*/([^/"\n]+)\.control)"#,
        "the control file of `$1$2` was not found: no mounted image has it in `share/extension` (or in the `extension_control_path` of \
         metadata.hcl). Compare `sql_name` with the name of the `.control` file in the image.",
    ),
    means(
        SOON,
        r#"required extension "({contrib})" is not installed"#,
        "the extension needs `$1`, which was not created before it. `$1` is PostgreSQL's own (contrib, or a language): the server brings it, so no \
         directory and no image is missing; it has to be created first: `base-image:$1` in `required_extensions` of metadata.hcl says so, in a Database an entry before it.",
    ),
    means(
        SOON,
        r#"required extension "([^"\n\\]+)" is not installed"#,
        "the extension needs `$1`, which was not created before it: add the directory that holds `$1` to `required_extensions` in metadata.hcl.",
    ),
    means(
        NEVER,
        r"extension ([^\s$]+): wanted ([^\s$]+), found ([^\s$]+)",
        "the version differs: `$1` should be $2, and the database has $3. Compare `sql` in metadata.hcl with what the package installs.",
    ),
    means(
        SOON,
        r"(unrecognized configuration parameter [^\n]+|invalid value for parameter [^\n]+)",
        "the server refuses a setting ($1): look at `postgresql_parameters` in metadata.hcl.",
    ),
    means(
        NEVER,
        r#"\w+\.postgresql\.cnpg\.io "([^"\n]+)" is invalid: ([^\n]+)"#,
        "the cluster refuses `$1` as it was applied: $2",
    ),
    means(
        NEVER,
        r#"admission webhook "[^"]+" denied the request: ([^\n]+)"#,
        "the operator refuses what was applied: $1",
    ),
    means(
        NEVER,
        r#"failed calling webhook "([^"]+)"[^\n]*"#,
        "the operator is not ready: its webhook `$1` does not answer. operator.txt and operator.log say why; `cargo xtask e2e setup-env` waits for it.",
    ),
    means(
        NEVER,
        r#"no matches for kind "([^"\n]+)" in version "([^"\n]+)""#,
        "the cluster does not know `$1` ($2): the operator is not installed, or of an older release. `cargo xtask e2e setup-env` installs it.",
    ),
    means(
        NEVER,
        r"could not find the requested resource",
        "the cluster does not know a kind of resource that the suite uses: the operator is not installed, or of an older release. `cargo xtask e2e \
         setup-env` installs it.",
    ),
    means(
        NEVER,
        r"0/\d+ nodes are available: ([^\n]+)",
        "no node can run the pod: $1",
    ),
    means(
        NEVER,
        r"OOMKilled",
        "a container was killed because it used more memory than its limit.",
    ),
    means(
        NEVER,
        r"(?:CrashLoopBackOff|Back-off restarting failed container)[^\n]*cnpg-controller-manager",
        "the operator is not ready: it crashes repeatedly. operator.log says why.",
    ),
    means(
        NEVER,
        r#"ERROR:\s+([^\n]+?)(?:"[,}]|\n|$)"#,
        "PostgreSQL refuses a statement of the suite: $1",
    ),
];

/// What stands in the output of a tool that works on this machine, where no node is: kind's and docker's.
pub(super) const MACHINE: &[Symptom<Cause>] = &[
    means(
        NEVER,
        r"proxyconnect [^\n]*?(?:lookup ([^\s:]+)|dial tcp ([^\s]+): )[^\n]*",
        "the proxy `$1$2`, which this machine's engine is told to use, cannot be reached; the registry was not even asked. Check HTTPS_PROXY, \
         HTTP_PROXY and NO_PROXY in the engine's environment.",
    ),
    means(
        NEVER,
        r"no space left on device|No space left on device",
        "a disk of this machine is full. `docker system df` shows what uses the space.",
    ),
    means(
        NEVER,
        r#"failed to pull image "([^"\n]+)""#,
        "this machine's engine does not have the image `$1` and cannot pull it. The settings `images.node` and `images.registry` name others; \
         `[mirrors]` is for the cluster's nodes and does not help here.",
    ),
    means(
        NEVER,
        r#"(?:failed to resolve reference|Unable to find image) ["']([^"'\n]+)["']"#,
        "this machine's engine does not have the image `$1` and cannot pull it. The settings `images.node` and `images.registry` name others.",
    ),
];
