// SPDX-License-Identifier: Apache-2.0
//! Writes other versions into a `metadata.hcl`: two texts of a pin change, and nothing else of the file.

use super::METADATA;
use crate::{
    failure::Failure,
    finding::Findings,
    hcl::{BYTE_ORDER_MARK, File},
    value::{DebianVersion, Server, SqlVersion},
};

/// What a pin is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewPin {
    pub server: Server,
    /// The full version of Debian's package.
    pub package: DebianVersion,
    /// None: the file says no SQL version, and it stays so.
    pub sql: Option<SqlVersion>,
}

/// The text of a metadata file with other pins. A pin that is written as more than a plain text is an error: what it is
/// made of is for a person to change.
pub(crate) fn repinned(text: &str, pins: &[NewPin]) -> Result<String, Failure> {
    let mut findings = Findings::about("metadata.hcl");
    let file = File::parse(text, &mut findings).ok_or_else(|| {
        let failure = Failure::invalid("metadata.hcl cannot be read");
        let messages = findings.all.iter().map(|finding| finding.message.clone());
        messages.fold(failure, Failure::detail)
    })?;
    let mut edits = Vec::new();
    for pin in pins {
        let Server { distro, major } = &pin.server;
        let place = [METADATA, "versions", distro, major];
        let field = |name| file.text_at(&[&place[..], &[name]].concat());
        // The older schema has the package's version in the place of the map.
        let package = field("package").or_else(|| file.text_at(&place));
        let package = package.ok_or_else(|| not_plain(&pin.server, "package", &pin.package))?;
        edits.push((package, format!("\"{}\"", pin.package)));
        if let Some(sql) = &pin.sql {
            let span = field("sql").ok_or_else(|| not_plain(&pin.server, "sql", sql))?;
            edits.push((span, format!("\"{sql}\"")));
        }
    }
    // From the end, so that what is before stays where it is.
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    if let Some(pair) = edits
        .windows(2)
        .find(|pair| pair[1].0.end > pair[0].0.start)
    {
        return Err(Failure::failed(format!(
            "one value is to be both {} and {}",
            pair[0].1, pair[1].1
        )));
    }
    let mut new_text = file.text.clone();
    for (span, new) in edits {
        new_text.replace_range(span, &new);
    }
    if text.starts_with(BYTE_ORDER_MARK) {
        new_text.insert(0, BYTE_ORDER_MARK);
    }
    Ok(new_text)
}

fn not_plain(server: &Server, field: &str, new: &str) -> Failure {
    let Server { distro, major } = server;
    Failure::failed(format!(
        "`versions.{distro}.\"{major}\".{field}` is not written as a plain text"
    ))
    .hint(format!(
        "change by hand what it is made of: it is to be `{new}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(distro: &str, package: &str, sql: Option<&str>) -> NewPin {
        NewPin {
            server: Server::parse(distro, "18").unwrap(),
            package: package.parse().unwrap(),
            sql: sql.map(|sql| sql.parse().unwrap()),
        }
    }

    const TEXT: &str = "# One\r\nmetadata = {\n  name = \"x\" # ü\n  versions = {\n    bookworm = { \"18\" = \"1.0-1\" }\n\n    trixie   = {\n      18 = {\n        // renovate: depName=postgresql-18-x\n        package= \"1.0-1\"   // why\n        sql      =  \"1.0\",\n      }\n    }\n  }\n}\n";

    #[test]
    fn two_texts_change_and_nothing_else() {
        let new = repinned(
            TEXT,
            &[
                pin("trixie", "1:10.2-1.pgdg13+1", Some("10.2")),
                pin("bookworm", "2-1", None),
            ],
        );
        let expected = TEXT
            .replace("package= \"1.0-1\" ", "package= \"1:10.2-1.pgdg13+1\" ")
            .replace("\"1.0\"", "\"10.2\"")
            .replace("\"18\" = \"1.0-1\"", "\"18\" = \"2-1\"");
        assert_eq!(new.unwrap(), expected);
        assert_eq!(repinned(TEXT, &[]).unwrap(), TEXT);
        let one = pin("trixie", "2-1", None);
        let twice = repinned(TEXT, &[one, pin("trixie", "3-1", None)]).unwrap_err();
        let said = "one value is to be both \"2-1\" and \"3-1\"";
        assert!(twice.message.contains(said), "{twice:?}");
    }

    #[test]
    fn what_is_no_plain_text_is_left_to_a_person() {
        for (pin, field) in [
            (pin("bookworm", "2-1", Some("2")), "sql"),
            (pin("forky", "2-1", None), "package"),
        ] {
            let failure = repinned(TEXT, &[pin]).unwrap_err();
            assert!(failure.message.contains(field), "{failure:?}");
        }
        let computed = TEXT.replace("\"1.0-1\"   //", "join(\"-\", [\"1.0\", 1]) //");
        let failure = repinned(&computed, &[pin("trixie", "2-1", None)]).unwrap_err();
        assert!(failure.message.contains("`versions.trixie.\"18\".package`"));
        assert!(repinned("metadata = {", &[]).is_err());
    }

    #[test]
    fn a_byte_order_mark_stays_where_it_is() {
        let marked = format!("{BYTE_ORDER_MARK}{TEXT}");
        let pins = [pin("bookworm", "2-1", None)];
        let plain = repinned(TEXT, &pins).unwrap();
        assert_eq!(
            repinned(&marked, &pins).unwrap(),
            format!("{BYTE_ORDER_MARK}{plain}")
        );
    }
}
