// SPDX-License-Identifier: Apache-2.0
//! Where what a target is built of lies, by the names that bake has for it. Facts: buildx's `bake/bake.go`, `build/opt.go` and
//! `util/ocilayout`, BuildKit's `util/gitutil`.

use std::path::{Path, PathBuf};

/// What begins a path from the folder that bake is called in, the repository's root.
const CALLED_IN: &str = "cwd://";
/// What begins a context that is downloaded.
const REMOTE: [&str; 4] = ["http://", "https://", "git://", "github.com/"];
const SSH: &str = "ssh://";
/// What begins the folder of an image.
const LAYOUT: &str = "oci-layout://";

/// The folder of this machine that a context is. None: it is downloaded.
pub(super) fn folder(context: &str) -> Option<PathBuf> {
    let is_remote = REMOTE.iter().any(|start| begins(context, start)) || is_by_ssh(context);
    (!is_remote).then(|| path(context))
}

/// Whether a context is downloaded by SSH, for which buildx hands the user's agent to the build.
pub(super) fn is_by_ssh(context: &str) -> bool {
    let is_name = |text: &str, more: &[char]| {
        let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(&c);
        !text.is_empty() && text.chars().all(fits)
    };
    let scp = context.split_once('@').and_then(|(user, rest)| {
        let (host, _) = rest.split_once(':')?;
        Some(is_name(user, &['-', '_']) && is_name(host, &['-', '.']))
    });
    begins(context, SSH) || scp == Some(true)
}

/// The Dockerfile of a target with that context. None: it is downloaded with that.
pub(super) fn dockerfile(context: &str, dockerfile: &str) -> Option<PathBuf> {
    let file = path(dockerfile);
    let is_its_own = dockerfile.starts_with(CALLED_IN) || file.is_absolute();
    match folder(context) {
        _ if is_its_own => Some(file),
        Some(folder) => Some(folder.join(file)),
        None => None,
    }
}

/// All that the context of a target can be on this machine, and its Dockerfile, where one is named. What looks like an address
/// is a folder to buildx where one has that name, and what begins like one may be none.
pub(super) fn candidates(context: &str, dockerfile: Option<&str>) -> Vec<PathBuf> {
    let mut all = vec![path(context)];
    if let Some(named) = dockerfile {
        match self::dockerfile(context, named) {
            Some(file) => all.push(file),
            None => all.extend([path(named), path(context).join(named)]),
        }
    }
    all
}

/// All that a named context can be on this machine. The folder of an image may have a tag and a digest behind it.
pub(super) fn named_candidates(context: &str) -> Vec<PathBuf> {
    let mut all = vec![path(context)];
    if let Some(image) = context.strip_prefix(LAYOUT) {
        let ends = image.match_indices(['@', ':']).map(|(at, _)| at);
        let folders = ends.chain([image.len()]).map(|end| &image[..end]);
        all.extend(folders.map(PathBuf::from));
    }
    all
}

fn path(place: &str) -> PathBuf {
    Path::new(place.strip_prefix(CALLED_IN).unwrap_or(place)).to_owned()
}

fn begins(text: &str, start: &str) -> bool {
    let head = text.get(..start.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_a_folder_unless_it_begins_as_an_address() {
        for (context, wanted) in [
            (".", Some(".")),
            ("cwd://x", Some("x")),
            ("cwd:///x", Some("/x")),
            ("x://y", Some("x://y")),
            ("git@/y", Some("git@/y")),
            ("git@:y", Some("git@:y")),
            ("a b@host:y", Some("a b@host:y")),
            ("https://example.org/x.git", None),
            ("HTTP://example.org/x.git", None),
            ("git://example.org/x", None),
            ("ssh://git@example.org/x", None),
            ("git@example.org:x.git#main", None),
            ("github.com/x/y", None),
        ] {
            assert_eq!(folder(context), wanted.map(PathBuf::from), "{context}");
        }
        assert!(is_by_ssh("me@example.org:x") && is_by_ssh("ssh://example.org/x"));
        assert!(!is_by_ssh("https://me@example.org:8443/x") && !is_by_ssh("x"));
    }

    #[test]
    fn a_dockerfile_is_in_its_context_unless_it_is_named_from_elsewhere() {
        for (context, file, wanted) in [
            ("x", "y", Some("x/y")),
            ("x", "cwd://y", Some("y")),
            ("x", "/y", Some("/y")),
            ("https://example.org/x.git", "y", None),
            ("https://example.org/x.git", "cwd://y", Some("y")),
            ("https://example.org/x.git", "/y", Some("/y")),
        ] {
            assert_eq!(
                dockerfile(context, file),
                wanted.map(PathBuf::from),
                "{context} {file}"
            );
        }
    }

    #[test]
    fn the_folder_of_an_image_is_any_beginning_of_its_name() {
        let all = named_candidates("oci-layout://a:b/c:18@sha256:0");
        let wanted = [
            "a",
            "a:b/c",
            "a:b/c:18",
            "a:b/c:18@sha256",
            "a:b/c:18@sha256:0",
        ];
        assert_eq!(all[1..], wanted.map(PathBuf::from));
    }
}
