// SPDX-License-Identifier: Apache-2.0
use super::*;

fn fields() -> BTreeMap<&'static str, Value> {
    let text = |text: &str| Value::Text(text.to_owned());
    BTreeMap::from([
        ("Name", text("pg_maps")),
        ("Package", text("postgresql-%version%-maps")),
        ("DefaultVersion", Value::Number(18)),
        (
            "Distros",
            Value::List(vec![text("trixie"), text("bookworm")]),
        ),
        ("None", Value::List(Vec::new())),
    ])
}

#[test]
fn what_extensions_are_written_in_is_filled_as_go_does_it() {
    for (template, wanted) in [
        ("a {{ .Name }} b{{.Name}}", "a pg_maps bpg_maps"),
        (
            "{{ $p := replaceAll .Package \"%version%\" \"${PG}\" }}{{ $p }}",
            "postgresql-${PG}-maps",
        ),
        (
            "{{ replaceAll .Package \"%version%\" (printf \"%d\" .DefaultVersion) }}",
            "postgresql-18-maps",
        ),
        (
            "x {{- range $d := .Distros}}\n  {{ $d }} {{ $.Name }}\n  {{- end}}\ny",
            "x\n  trixie pg_maps\n  bookworm pg_maps\ny",
        ),
        (
            "{{range $i, $d := .Distros}}{{$i}}{{.}},{{end}}",
            "0trixie,1bookworm,",
        ),
        ("{{range .None}}x{{else}}none{{end}}", "none"),
        (
            "{{if eq .DefaultVersion 17}}a{{else if .Name}}b{{else}}c{{end}}",
            "b",
        ),
        ("{{if not .None}}{{/* no */}}a{{end}}", "a"),
        ("{{ .Name | printf \"%s-%q\" `x` }}", "x-\"pg_maps\""),
        ("{{ toTitle \"pg-ivm of maps\" }}", "Pg-Ivm Of Maps"),
        ("{{ len .Distros }}{{ or .None .Name }}", "2pg_maps"),
    ] {
        assert_eq!(
            filled(template, &fields()).as_deref(),
            Ok(wanted),
            "{template}"
        );
    }
}

#[test]
fn what_is_not_known_is_refused_with_its_line() {
    for (template, line, why) in [
        (
            "\n{{ .Nam }}",
            2,
            "no field `Nam`, but DefaultVersion, Distros",
        ),
        ("{{ if .Name }}", 1, "`if` has no `end`"),
        ("a\n{{ end }}", 2, "ends nothing"),
        ("{{ upper .Name }}", 1, "no function that is known here"),
        ("{{ $x }}", 1, "no variable `$x`"),
        ("{{ .Name", 1, "not closed"),
        ("{{ printf \"%d\" }}", 1, "a value is missing"),
        ("{{ toTitle }}", 1, "does not take 0 values"),
        ("{{ (.Name }}", 1, "`(` is not closed"),
        ("{{ .Name) }}", 1, "too many"),
        ("{{ range .Name }}{{ end }}", 1, "no list"),
        (
            "{{range .Distros}}{{.Name}}{{end}}",
            1,
            "fields are `$.Name`",
        ),
        ("{{ template \"x\" }}", 1, "`template` is not known here"),
        ("{{ \"x }}", 1, "a text is not closed"),
        ("{{ .Name .Name }}", 1, "side by side"),
        ("{{ }}", 1, "values stand side by side"),
    ] {
        let wrong = filled(template, &fields()).unwrap_err();
        assert_eq!(wrong.line, line, "{template}");
        assert!(wrong.why.contains(why), "{template}: {}", wrong.why);
    }
}
