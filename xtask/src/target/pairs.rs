// SPDX-License-Identifier: Apache-2.0
//! What bake prints of an attestation, a secret, a cache or an output: newer buildxs print an object, older ones the text of
//! the bake file, a line of CSV.

use serde_json::Value;

/// The names with their values, in their order; what is no pair has no name. Names are as they stand: where buildx compares
/// them without blanks and in any case, so does who asks ([`is_named`]).
pub(super) fn pairs(item: &Value) -> Vec<(String, String)> {
    match item {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        Value::String(line) => fields(line)
            .into_iter()
            .map(|field| match field.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (String::new(), field),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether buildx reads `name` as `wanted`.
pub(super) fn is_named(name: &str, wanted: &str) -> bool {
    name.trim().eq_ignore_ascii_case(wanted)
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The fields of a line of CSV: a comma between quotes ends none, and two quotes between quotes are one.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => is_quoted = !is_quoted,
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_and_an_object_say_the_same() {
        let of = |item: Value| -> Vec<String> {
            let pairs = pairs(&item).into_iter();
            pairs
                .map(|(name, value)| format!("{name}:{value}"))
                .collect()
        };
        assert_eq!(of(json!({"a": "1", "b": true})), ["a:1", "b:true"]);
        assert_eq!(of(json!("a=1,b=true")), ["a:1", "b:true"]);
        let quoted = json!(r#""a=1,2",b=x"y"z, C =3=4,,alone"#);
        assert_eq!(of(quoted), ["a:1,2", "b:xyz", " C :3=4", ":", ":alone"]);
        assert_eq!(of(json!(r#""a=""1""""#)), [r#"a:"1""#]);
        assert!(of(json!(1)).is_empty());
        assert!(is_named(" C ", "c") && !is_named("", "c"));
    }
}
