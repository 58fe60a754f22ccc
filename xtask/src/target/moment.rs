// SPDX-License-Identifier: Apache-2.0
//! The moment of a bake. What bake prints holds the time of the print wherever the bake file calls `timestamp()`; here
//! that time becomes a mark, so that the print can be kept and the time of a later bake put in its place.
//!
//! How a time is written is told in the letters of HCL's `formatdate`:
//! <https://developer.hashicorp.com/terraform/language/functions/formatdate>.

use std::time::{Duration, SystemTime};

/// On both sides of a layout in a marked text; no text of a bake file holds it (Unicode's private use).
const MARK: char = '\u{f0f0f}';

/// How a moment is written, by digits alone: `YYYYMMDDhhmm`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Layout(String);

impl Layout {
    /// What `timestamp()` itself gives, RFC 3339 in UTC.
    pub(crate) fn of_timestamp() -> Self {
        Self("YYYY-MM-DD'T'hh:mm:ssZ".to_owned())
    }

    /// A layout of `formatdate`. None for one with names of months and days, with the half of the day, or with what
    /// `formatdate` refuses.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let layout = Self(text.to_owned());
        layout.written("2000-01-01T00:00:00Z").map(|_| layout)
    }

    /// The moment in this layout, in UTC.
    pub(crate) fn write(&self, moment: SystemTime) -> String {
        let text = humantime::format_rfc3339_seconds(moment).to_string();
        // It was parsed: there is nothing in it that cannot be written.
        self.written(&text).unwrap_or(text)
    }

    /// `moment` in RFC 3339, in UTC and to the second.
    fn written(&self, moment: &str) -> Option<String> {
        let mut written = String::new();
        let mut rest = self.0.as_str();
        while let Some(letter) = rest.chars().next() {
            if letter == '\'' {
                let (quoted, behind) = rest[1..].split_once('\'')?;
                written += if quoted.is_empty() { "'" } else { quoted };
                rest = behind;
                continue;
            }
            let end = rest.find(|c| c != letter).unwrap_or(rest.len());
            let (token, behind) = rest.split_at(end);
            written += match token {
                "YYYY" => moment.get(0..4)?,
                "YY" => moment.get(2..4)?,
                "MM" => moment.get(5..7)?,
                "DD" => moment.get(8..10)?,
                "hh" => moment.get(11..13)?,
                "mm" => moment.get(14..16)?,
                "ss" => moment.get(17..19)?,
                "Z" => "Z",
                "ZZZ" => "UTC",
                "ZZZZ" => "+0000",
                "ZZZZZ" => "+00:00",
                other if letter.is_ascii_alphabetic() || other.contains(MARK) => return None,
                other => other,
            };
            rest = behind;
        }
        Some(written)
    }
}

/// A stretch of time in which a moment lay, both ends included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between(pub SystemTime, pub SystemTime);

impl Between {
    /// Its seconds.
    fn seconds(self) -> impl Iterator<Item = SystemTime> {
        let length = self.1.duration_since(self.0).unwrap_or_default().as_secs() + 1;
        (0..=length).map(move |second| self.0 + Duration::from_secs(second))
    }
}

/// Every text that a moment of `when` may have become, with its layout, the longest first. Only one that is nowhere in
/// `inputs`: what stands there is no time of the print.
pub(crate) fn texts(layouts: &[Layout], when: Between, inputs: &[&str]) -> Vec<(String, Layout)> {
    let mut texts: Vec<(String, Layout)> = Vec::new();
    for layout in layouts {
        for moment in when.seconds() {
            texts.push((layout.write(moment), layout.clone()));
        }
    }
    texts.retain(|(text, _)| !inputs.iter().any(|input| input.contains(text)));
    texts.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    texts.dedup();
    texts
}

/// The text with marks in place of the moments.
pub(crate) fn marked(text: &str, moments: &[(String, Layout)]) -> String {
    let mark = |text: String, (moment, layout): &(String, Layout)| {
        // What is marked already is a layout, which a shorter one does not change: it holds letters.
        text.replace(moment, &format!("{MARK}{}{MARK}", layout.0))
    };
    moments.iter().fold(text.to_owned(), mark)
}

/// The text with `moment` in place of the marks.
pub(crate) fn at(text: &str, moment: SystemTime) -> String {
    let parts = text.split(MARK).enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        1 => Layout(part.to_owned()).write(moment),
        _ => part.to_owned(),
    });
    parts.collect()
}

/// The text with `{layout}` in place of the marks, for those who want to know what will be.
pub(crate) fn shown(text: &str) -> String {
    let parts = text.split(MARK).enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        1 => format!("{{{part}}}"),
        _ => part.to_owned(),
    });
    parts.collect()
}

/// The first moment in a marked text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp<'a> {
    pub before: &'a str,
    /// How many digits it is. None: it is not of digits alone.
    pub digits: Option<usize>,
    pub behind: &'a str,
}

/// None when there is no moment in the text.
pub(crate) fn stamp(text: &str) -> Option<Stamp<'_>> {
    let (before, rest) = text.split_once(MARK)?;
    let (layout, behind) = rest.split_once(MARK)?;
    let written = Layout(layout.to_owned()).write(SystemTime::UNIX_EPOCH);
    let is_number = written.bytes().all(|byte| byte.is_ascii_digit());
    Some(Stamp {
        before,
        digits: is_number.then_some(written.len()),
        behind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> SystemTime {
        humantime::parse_rfc3339("2026-11-26T07:05:09Z").unwrap()
    }

    #[test]
    fn a_moment_is_written_as_formatdate_writes_it() {
        for (layout, text) in [
            ("YYYYMMDDhhmm", "202611260705"),
            ("YY.MM.DD-hh:mm:ss", "26.11.26-07:05:09"),
            ("YYYY-MM-DD'T'hh:mm:ssZ", "2026-11-26T07:05:09Z"),
            ("'v'YYYYMMDD''", "v20261126'"),
        ] {
            assert_eq!(Layout::parse(layout).unwrap().write(moment()), text);
        }
        for layout in ["DD MMM YYYY", "EEE", "h:mm AA", "'open", "Q"] {
            assert_eq!(Layout::parse(layout), None, "{layout}");
        }
    }

    #[test]
    fn a_print_of_one_moment_is_that_of_another() {
        let layouts = [
            Layout::of_timestamp(),
            Layout::parse("YYYYMMDDhhmm").unwrap(),
            Layout::parse("YYYYMMDD").unwrap(),
        ];
        let when = Between(moment() - Duration::from_secs(2), moment());
        let printed = "x:1.2-202611260705-18 2026-11-26T07:05:08Z 20261126 20261125";
        let kept = marked(printed, &texts(&layouts, when, &[]));
        let later = moment() + Duration::from_secs(86_400 + 61);
        assert_eq!(
            at(&kept, later),
            "x:1.2-202611270706-18 2026-11-27T07:06:10Z 20261127 20261125"
        );
        let said = "x:1.2-{YYYYMMDDhhmm}-18 {YYYY-MM-DD'T'hh:mm:ssZ} {YYYYMMDD} 20261125";
        assert_eq!(shown(&kept), said);
        let first = stamp(&kept).unwrap();
        assert_eq!((first.before, first.digits), ("x:1.2-", Some(12)));
        assert!(first.behind.starts_with("-18 "), "{kept}");
        assert_eq!(stamp("x:1.2"), None);
    }

    #[test]
    fn what_the_files_say_themselves_is_no_time() {
        let layouts = [Layout::parse("YYYYMMDD").unwrap()];
        let when = Between(moment(), moment());
        let said = texts(&layouts, when, &["snapshot = \"20261126\""]);
        assert_eq!(marked("20261126", &said), "20261126");
    }
}
