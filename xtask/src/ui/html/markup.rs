// SPDX-License-Identifier: Apache-2.0
//! Elements of HTML. Whatever text is put into one stays text: it can be no element, no attribute, and nothing that acts on the
//! page; it holds no login, no control character and no mark that turns the direction of writing.

use crate::{
    printable::{LONGEST_LINE, clipped, printable},
    value::without_logins,
};

/// An element with all that is in it.
#[derive(Clone, Debug)]
pub(super) struct Element {
    name: &'static str,
    classes: Vec<String>,
    attributes: String,
    inner: String,
}

/// An element that holds nothing yet.
pub(super) fn tag(name: &'static str) -> Element {
    Element {
        name,
        classes: Vec::new(),
        attributes: String::new(),
        inner: String::new(),
    }
}

impl Element {
    /// An attribute. A link is for [`Self::link`].
    #[must_use]
    pub(super) fn set(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.attributes += &format!(" {name}=\"{}\"", escaped(&fit(value.as_ref())));
        self
    }

    /// One more class.
    #[must_use]
    pub(super) fn class(mut self, value: impl AsRef<str>) -> Self {
        self.classes
            .extend(value.as_ref().split_whitespace().map(fit));
        self
    }

    /// The same where it is to be so.
    #[must_use]
    pub(super) fn class_if(self, is_so: bool, value: &str) -> Self {
        if is_so { self.class(value) } else { self }
    }

    /// An attribute that has no value.
    #[must_use]
    pub(super) fn is(mut self, name: &'static str) -> Self {
        self.attributes += &format!(" {name}");
        self
    }

    /// Leads to a file beside the page, by its path, or to a part of the page (`#steps`). It leads nowhere else.
    #[must_use]
    pub(super) fn link(self, to: &str) -> Self {
        let to = match to.strip_prefix('#') {
            Some(part) => format!("#{}", encoded(part)),
            // What begins so is beside the page whatever the rest is.
            None => format!("./{}", encoded(to)),
        };
        self.set("href", to)
    }

    /// One line of text, as anybody may have written it.
    #[must_use]
    pub(super) fn text(mut self, text: impl AsRef<str>) -> Self {
        self.inner += &escaped(&fit(text.as_ref()));
        self
    }

    /// A sentence of ours, in which names stand in backticks.
    #[must_use]
    pub(super) fn prose(self, text: impl AsRef<str>) -> Self {
        let parts: Vec<&str> = text.as_ref().split('`').collect();
        if parts.len().is_multiple_of(2) {
            return self.text(text);
        }
        let parts = parts.into_iter().enumerate();
        parts.fold(self, |element, (at, part)| match at % 2 {
            0 => element.text(part),
            _ => element.and(tag("code").text(part)),
        })
    }

    /// Text of several lines, which stay so.
    #[must_use]
    pub(super) fn lines<T: AsRef<str>>(mut self, lines: impl IntoIterator<Item = T>) -> Self {
        for (at, line) in lines.into_iter().enumerate() {
            if at > 0 {
                self.inner.push('\n');
            }
            self.inner += &escaped(&fit(line.as_ref()));
        }
        self
    }

    #[must_use]
    pub(super) fn and(mut self, inner: Self) -> Self {
        inner.write(&mut self.inner);
        self
    }

    #[must_use]
    pub(super) fn all(self, inner: impl IntoIterator<Item = Self>) -> Self {
        inner.into_iter().fold(self, Self::and)
    }

    /// Text of our own that is no HTML: a style sheet.
    #[must_use]
    pub(super) fn own(mut self, text: &'static str) -> Self {
        self.inner += text;
        self
    }

    fn write(self, to: &mut String) {
        *to += &format!("<{}", self.name);
        if !self.classes.is_empty() {
            *to += &format!(" class=\"{}\"", escaped(&self.classes.join(" ")));
        }
        *to += &format!("{}>", self.attributes);
        if !["input", "meta"].contains(&self.name) {
            *to += &self.inner;
            *to += &format!("</{}>", self.name);
        }
    }

    pub(super) fn into_html(self) -> String {
        let mut html = String::new();
        self.write(&mut html);
        html
    }
}

fn fit(text: &str) -> String {
    let text = without_logins(text);
    clipped(&printable(&text), LONGEST_LINE).into_owned()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// A path as a part of a URL.
fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            byte => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "</script><img src=x onerror='a(\"&\")'>\u{0}\u{1b}[31m\u{202e}\nhttp://u:s3cret@h";

    #[test]
    fn whatever_a_text_holds_it_stays_text() {
        let html = tag("p").class(HOSTILE).text(HOSTILE).into_html();
        for (c, count) in [('<', 2), ('>', 2), ('"', 2), ('\'', 0), ('\n', 0)] {
            assert_eq!(html.matches(c).count(), count, "{c:?} in {html}");
        }
        assert!(!html.chars().any(crate::printable::is_hidden), "{html:?}");
        assert!(!html.contains("s3cret"), "{html}");
        assert!(html.contains(
            "&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;&amp;&quot;)&#39;&gt;\\u{0}"
        ));
    }

    #[test]
    fn lines_stay_lines_and_elements_nest() {
        let html = tag("pre")
            .lines("a<\nb".lines())
            .and(tag("b").text("c"))
            .into_html();
        assert_eq!(html, "<pre>a&lt;\nb<b>c</b></pre>");
        assert_eq!(tag("meta").is("x").into_html(), "<meta x>");
    }

    #[test]
    fn names_in_a_sentence_are_marked_and_a_single_backtick_is_one() {
        let html = |text: &str| tag("p").prose(text).into_html();
        assert_eq!(
            html("no `<x>` here"),
            "<p>no <code>&lt;x&gt;</code> here</p>"
        );
        assert_eq!(html("a ` b"), "<p>a ` b</p>");
        let twice = tag("p").class("a").set("id", "x").class("b").into_html();
        assert_eq!(twice, "<p class=\"a b\" id=\"x\"></p>");
    }

    #[test]
    fn a_link_leads_to_what_is_beside_the_page_or_in_it() {
        for (to, html) in [
            ("#a b", "#a%20b"),
            ("smoke a.log", "./smoke%20a.log"),
            ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
            ("//host/x", ".///host/x"),
            ("x?a#b\"", "./x%3Fa%23b%22"),
        ] {
            assert_eq!(
                tag("a").link(to).into_html(),
                format!("<a href=\"{html}\"></a>")
            );
        }
    }
}
