// SPDX-License-Identifier: Apache-2.0
//! The moment of a bake. What bake prints holds the time of the print wherever the bake file calls `timestamp()`; here
//! that time becomes a mark, so that the print can be kept and the time of a later bake put in its place.
//!
//! How a time is written is told in the letters of HCL's `formatdate`:
//! <https://developer.hashicorp.com/terraform/language/functions/formatdate>.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// On both sides of a layout in a marked text (Unicode's private use). With nothing in between it is itself.
const MARK: char = '\u{f0f0f}';
/// Fewer digits than a day has are found by chance, in a digest or a version.
const DIGITS: usize = 8;

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

    /// Whether what it gives is nothing else than a moment, and stays as it is in JSON, HCL and an image reference.
    pub(crate) fn is_distinct(&self) -> bool {
        let text = self.write(SystemTime::UNIX_EPOCH);
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:+ ".contains(letter);
        let is_fixed = self.0.contains(|letter: char| letter.is_ascii_digit());
        text.chars().all(is_plain) && digits(&text).len() >= DIGITS && !is_fixed
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

/// The stretch of time in which a call lay, both ends included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between(SystemTime, SystemTime);

impl Between {
    /// Of a call that took that long by a clock that nobody sets. None: in the meantime somebody has set the other one.
    pub(crate) fn of(before: SystemTime, after: SystemTime, took: Duration) -> Option<Self> {
        let length = after.duration_since(before).ok()?;
        (length.abs_diff(took) <= Duration::from_secs(1)).then_some(Self(before, after))
    }

    /// Its seconds, and one more: what is between two belongs to both.
    fn seconds(self) -> impl Iterator<Item = SystemTime> {
        let length = self.1.duration_since(self.0).unwrap_or_default().as_secs() + 1;
        (0..=length).map(move |second| self.0 + Duration::from_secs(second))
    }
}

/// Every text that the moment of a call may have become in what was printed, with its layout, the longest first.
#[derive(Debug)]
pub(crate) struct Moments(Vec<(String, Layout)>);

impl Moments {
    /// None where it is not certain that such a text is the moment: its digits stand in `inputs` in this order, so that it
    /// may come from there, or two layouts give the same.
    pub(crate) fn of(layouts: &[Layout], when: Between, inputs: &[&str]) -> Option<Self> {
        let inputs: Vec<String> = inputs.iter().map(|input| digits(input)).collect();
        let mut texts: BTreeMap<String, &Layout> = BTreeMap::new();
        for layout in layouts {
            for moment in when.seconds() {
                let text = layout.write(moment);
                let number = digits(&text);
                if inputs.iter().any(|input| input.contains(&number)) {
                    return None;
                }
                if texts.insert(text, layout).is_some_and(|one| one != layout) {
                    return None;
                }
            }
        }
        let texts = texts.into_iter();
        let mut texts: Vec<(String, Layout)> =
            texts.map(|(text, layout)| (text, layout.clone())).collect();
        texts.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        Some(Self(texts))
    }

    /// Whether the moment is in a text.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|(moment, _)| text.contains(moment))
    }

    /// The text with marks in place of the moments. None where it is not certain what they are: it holds a mark already, or
    /// what looks like a moment is part of a longer number.
    pub(crate) fn marked(&self, text: &str) -> Option<String> {
        if text.contains(MARK) {
            return None;
        }
        let mut marked = text.to_owned();
        for (moment, layout) in &self.0 {
            if marked
                .match_indices(moment)
                .any(|(at, _)| is_part(&marked, at, moment.len()))
            {
                return None;
            }
            // What is marked already is a layout, which a shorter one does not change: it holds letters.
            marked = marked.replace(moment, &format!("{MARK}{}{MARK}", layout.0));
        }
        Some(marked)
    }
}

/// Whether a number goes on before or behind this part of a text.
fn is_part(text: &str, at: usize, length: usize) -> bool {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    let behind = bytes.get(at + length);
    [before, behind]
        .into_iter()
        .flatten()
        .any(u8::is_ascii_digit)
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A text that holds no moment, as one in which moments are marked.
pub(crate) fn unmarked(text: &str) -> String {
    text.replace(MARK, &format!("{MARK}{MARK}"))
}

/// The text with `moment` in place of the marks.
pub(crate) fn at(text: &str, moment: SystemTime) -> String {
    let parts = text.split(MARK).enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        // The mark itself, of a text that holds one.
        1 if part.is_empty() => MARK.to_string(),
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
    if layout.is_empty() {
        return None;
    }
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
        for layout in [
            "DD",
            "YY.MM.DD",
            "YYYYMMDD''",
            "YYYYMMDD'${'",
            "'20261126'hh",
        ] {
            assert!(!Layout::parse(layout).unwrap().is_distinct(), "{layout}");
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
        let kept = Moments::of(&layouts, when, &["1.2"]).unwrap();
        let kept = kept.marked(printed).unwrap();
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
    fn what_may_be_something_else_is_not_marked() {
        let day = || Layout::parse("YYYYMMDD").unwrap();
        let when = Between(moment(), moment());
        for said in ["snapshot = \"20261126\"", "1.2+git20261126-1", "2026-11-26"] {
            assert!(Moments::of(&[day()], when, &[said]).is_none(), "{said}");
        }
        // On some days both give the same.
        let layouts = [day(), Layout::parse("YYYYDDMM").unwrap()];
        let twins = humantime::parse_rfc3339("2020-02-02T12:00:00Z").unwrap();
        assert!(Moments::of(&layouts, when, &[]).is_some());
        assert!(Moments::of(&layouts, Between(twins, twins), &[]).is_none());
        let moments = Moments::of(&[day()], when, &[]).unwrap();
        for longer in ["120261126", "2026112607", "\u{f0f0f}"] {
            assert_eq!(moments.marked(longer), None, "{longer}");
        }
    }

    #[test]
    fn a_text_that_holds_the_mark_is_no_moment() {
        let text = "a\u{f0f0f}YYYY\u{f0f0f}b";
        assert_eq!(at(&unmarked(text), moment()), text);
        assert_eq!(stamp(&unmarked(text)), None);
    }

    #[test]
    fn while_the_clock_is_set_no_moment_is_certain() {
        let second = Duration::from_secs(1);
        let of = |after, took| Between::of(moment(), after, took).is_some();
        assert!(of(moment() + second, second));
        assert!(of(moment(), Duration::from_millis(300)));
        assert!(!of(moment() - second, Duration::from_millis(300)));
        assert!(!of(moment() + 3600 * second, second));
        assert!(!of(moment() + second, 5 * second));
    }
}
