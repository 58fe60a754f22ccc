// SPDX-License-Identifier: Apache-2.0
//! Until when a release of the operator is supported, and with which versions of Kubernetes it is tested.

use super::release::Release;
use crate::tool::kind::minor_of;

/// One minor release of the operator.
struct Supported {
    /// 30 of 1.30.
    minor: u32,
    /// `2026-06-30`, or `2026-12` where the day was not known yet.
    until: &'static str,
    /// The first and the last minor of Kubernetes 1 that it is supported or tested with.
    kubernetes: (u32, u32),
}

/// As of 2026-06-29, the newest first. Source: `docs/src/supported_releases.md` of CloudNativePG 1.30.0,
/// <https://cloudnative-pg.io/docs/current/supported_releases>; the versions of Kubernetes that an older release was tested
/// with are in the same file of the last release that supported it. Of a newer release nothing is said.
const RELEASES: &[Supported] = &[
    supported(30, "2026-12", (30, 36)),
    supported(29, "2026-09-29", (31, 36)),
    supported(28, "2026-06-30", (29, 35)),
    supported(27, "2026-03-09", (29, 33)),
    supported(26, "2025-11-12", (29, 33)),
    supported(25, "2025-08-22", (29, 33)),
];

const fn supported(minor: u32, until: &'static str, kubernetes: (u32, u32)) -> Supported {
    Supported {
        minor,
        until,
        kubernetes,
    }
}

/// What is to be known of a release on nodes of a version (`v1.36.1`). `today` begins with the date, `2026-11-26`.
pub(crate) fn remarks(release: &Release, kubernetes: &str, today: &str) -> Vec<String> {
    let numbers = release.numbers();
    let [1, minor, ..] = *numbers.as_slice() else {
        return Vec::new();
    };
    let Some(known) = RELEASES.iter().find(|known| known.minor == minor) else {
        let oldest = RELEASES.last().filter(|oldest| minor < oldest.minor);
        let before = oldest.map(|oldest| {
            format!(
                "CloudNativePG 1.{minor} has not been supported since before {}",
                oldest.until
            )
        });
        return before.into_iter().collect();
    };
    let mut remarks = Vec::new();
    let today = today.get(..known.until.len()).unwrap_or(today);
    if today > known.until {
        remarks.push(format!(
            "CloudNativePG 1.{minor} has not been supported since {}",
            known.until
        ));
    }
    let (first, last) = known.kubernetes;
    if minor_of(kubernetes).is_some_and(|nodes| nodes < first || nodes > last) {
        remarks.push(format!(
            "CloudNativePG 1.{minor} is tested with Kubernetes 1.{first} to 1.{last}, and the nodes have {kubernetes}"
        ));
    }
    remarks
}

/// Today, in UTC.
pub(crate) fn today() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(release: &str, kubernetes: &str, today: &str) -> String {
        remarks(&release.parse().unwrap(), kubernetes, today).join("; ")
    }

    #[test]
    fn the_end_of_support_is_said_from_the_day_after_it() {
        assert_eq!(said("1.29", "v1.35.0", "2026-09-29T10:00:00Z"), "");
        assert_eq!(
            said("1.29.1", "v1.35.0", "2026-09-30T10:00:00Z"),
            "CloudNativePG 1.29 has not been supported since 2026-09-29"
        );
        assert_eq!(said("1.30", "v1.36.1", "2026-12-31T00:00:00Z"), "");
        assert!(said("1.30", "v1.36.1", "2027-01-01T00:00:00Z").contains("since 2026-12"));
    }

    #[test]
    fn another_kubernetes_than_it_is_tested_with_is_said() {
        let said = |release, kubernetes| said(release, kubernetes, "2026-01-01T00:00:00Z");
        assert_eq!(
            said("1.29", "v1.37.0"),
            "CloudNativePG 1.29 is tested with Kubernetes 1.31 to 1.36, and the nodes have v1.37.0"
        );
        assert_eq!(said("1.29", "v1.36.1"), "");
        assert!(said("1.28.4", "v1.36.1").contains("with Kubernetes 1.29 to 1.35"));
        assert_eq!(
            said("1.24", "v1.30.0"),
            "CloudNativePG 1.24 has not been supported since before 2025-08-22"
        );
        for unknown in ["main", "2.30", "1.99", "x/operator.yaml"] {
            assert_eq!(said(unknown, "v1.20.0"), "", "{unknown}");
        }
    }
}
