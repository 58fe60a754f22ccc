// SPDX-License-Identifier: Apache-2.0
//! Single words: versions, references, and the types of `value/`.

use super::text;
use crate::{
    environment::release::Release,
    extension::version_of,
    image::{ImageRef, Naming, Rotation, Stamped},
    printable::is_hidden,
    value::{
        BuilderName, ClusterName, DebianVersion, Domain, EnvironmentName, HostName, Library, Major,
        Name, NetworkName, PackageName, Parameter, Platform, Registry, RepositoryPath, SqlName,
        SqlVersion, Suite, Url, Username, Variable, is_tag, without_userinfo,
    },
};

/// The version in names and tags is the beginning of the package's, and fits into a tag.
pub fn debian_version(data: &[u8]) {
    let package = text(data);
    let Some(version) = version_of(package) else {
        assert!(
            !package.starts_with(|c: char| c.is_ascii_digit()),
            "{package:?}"
        );
        return;
    };
    assert!(version.starts_with(|c: char| c.is_ascii_digit()));
    assert!(version.ends_with(|c: char| c.is_ascii_digit()));
    assert!(
        version
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == '-')
    );
    assert!(
        package.replacen(':', "-", 1).starts_with(&version),
        "{package:?}: {version}"
    );
    let rotation = Rotation(Stamped {
        repository: "localhost:5000/x".into(),
        prefix: format!("{version}-"),
        digits: 12,
        suffix: "-18-trixie".into(),
    });
    let tag = |time: &str| format!("{version}-{time}-18-trixie");
    let tags = [
        tag("202601010000"),
        tag("202601020000"),
        format!("{version}-18-trixie"),
    ];
    let dropped = rotation.superseded(tags.iter().map(String::as_str));
    assert_eq!(dropped, [format!("localhost:5000/x:{}", tags[0])]);
}

/// A reference that is taken is printed as it was, and is one word and no option.
pub fn image_reference(data: &[u8]) {
    let text = text(data);
    let Ok(image) = text.parse::<ImageRef>() else {
        return;
    };
    assert_eq!(image.to_string(), text);
    assert!(!text.starts_with('-'), "{text:?}");
    assert!(
        !text.contains(|c: char| c.is_whitespace() || c.is_control()),
        "{text:?}"
    );
    let naming = Naming {
        host: "localhost:5000".into(),
        cluster: "registry.pg-extensions:5000".into(),
    };
    if !text.starts_with(&naming.cluster) {
        let moved = naming.in_cluster(&image).to_string();
        assert_eq!(
            naming.on_host(&moved.parse().unwrap_or(image.clone())),
            image
        );
    }
}

/// Releases, one a line: each is printed as it is read, and their order is one.
pub fn operator_release(data: &[u8]) {
    let releases: Vec<Release> = text(data)
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    for release in &releases {
        let printed = release.to_string();
        assert_eq!(printed.parse::<Release>().ok().as_ref(), Some(release));
        if let Release::Numbered(number) = release {
            let place = if number.matches('.').count() == 2 {
                "/releases/"
            } else {
                "/artifacts/"
            };
            assert!(release.manifest("").contains(place), "{number}");
        }
        assert!(!release.is_newer_than(release));
    }
    for one in &releases {
        for other in &releases {
            let newer = one.is_newer_than(other);
            assert!(!(newer && other.is_newer_than(one)), "{one} and {other}");
            assert!(!newer || one.rank() > other.rank(), "{one} and {other}");
        }
    }
}

/// What a type of `value.rs` takes is printed as it was, is one line and no option; a login in an address is
/// not shown.
pub fn typed_value(data: &[u8]) {
    let text = text(data);
    macro_rules! hold {
        ($($type:ident)*) => {$(
            if let Ok(value) = text.parse::<$type>() {
                assert_eq!(value.to_string(), text);
                assert!($type::is(text));
                fits_into_a_command(text);
            }
        )*};
    }
    hold!(ClusterName HostName NetworkName);
    hold!(BuilderName DebianVersion Domain EnvironmentName Library Major Name PackageName Parameter);
    hold!(Platform Registry RepositoryPath SqlName SqlVersion Suite Url Variable);
    if is_tag(text) {
        fits_into_a_command(text);
    }
    // It is an option's value, where it may look like an option.
    if Username::is(text) {
        assert!(!text.is_empty() && !text.contains(is_hidden), "{text:?}");
    }
    // Characters that would end the place of a login are not in it, and what is looked for is not either.
    if !text.contains([',', '/', '?', '#', '@']) && !text.contains("correct-horse") {
        let shown = without_userinfo(&format!("https://user:correct-horse@{text}/x"));
        assert!(!shown.contains("correct-horse"), "{shown}");
    }
}

fn fits_into_a_command(text: &str) {
    assert!(!text.is_empty() && !text.starts_with('-'), "{text:?}");
    assert!(
        !text.contains(is_hidden) && !text.contains(char::is_whitespace),
        "{text:?}"
    );
    assert!(
        !text.contains(['\'', '"', '\\', '`', '|', '<', '>']),
        "{text:?}"
    );
}
