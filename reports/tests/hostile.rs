//! A run folder may be anybody's: what stands in its strings stays text in every report that is made of it.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{Shape, foreign};
use reports::capacity;
use reports::export::{self, Format};
use reports::folder::{CLOUDWATCH, ERRORS, LATENCY, MANIFEST, RunFolder, SCENARIO, SERIES, SUMMARY};
use reports::{html, text};
use serde_json::Value;

/// What somebody might write into a string. Each has a word of its own, by which it is found again.
const PAYLOADS: [&str; 18] = [
    "\u{1b}]0;mark0\u{7}\u{1b}[2J\u{1b}[31m",
    "\u{9b}31mmark1\u{7f}\u{8}\u{8}",
    "mark2\u{202e}gpj.exe\u{2066}\u{200f}",
    "mark3\r\nVERDICT: PASSED\n\tall is well",
    "mark4\u{200b}\u{feff}\u{2028}\u{e0041}",
    "<script>window.mark5=1</script>",
    "</script></style></title><img src=x onerror=alert('mark6')>",
    "\" onmouseover=\"alert('mark7')\" x=\"",
    "' onfocus='alert(8)' mark8='",
    "<svg/onload=alert('mark9')>",
    "javascript:alert('mark10')",
    "=cmd|' /C calc'!A0 mark11",
    "../../../etc/passwd mark12",
    "]]>--><!-- mark13 {{7*7}} ${7*7} %s %n \0",
    "``` mark14 ` | a | b |\n| --- |\n# heading",
    "@everyone mark15 #1 !2 [x](https://evil.example) ![y](//evil.example/z) www.evil.example",
    "\n/close\n/assign @mark16\n~~~\n",
    "\t+1 mark17\",evil\u{ffff}\r\n-1",
];

/// Objects whose keys are names that somebody has chosen.
const NAMED: [&str; 9] = [
    "operations",
    "deliveries",
    "errors",
    "ends",
    "refused",
    "disruptions",
    "outcomes",
    "dimensions",
    "items",
];

/// Every string of the document but its instants becomes the payload, and every chosen name gets one beside it.
fn spoil(value: &mut Value, key: &str, payload: &str) {
    match value {
        Value::String(text) if text.parse::<jiff::Timestamp>().is_err() => *text = payload.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, key, payload)),
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                spoil(inner, key, payload);
            }
            let first = map.values().next().cloned();
            if let Some(first) = first.filter(|_| NAMED.contains(&key)) {
                map.insert(payload.to_owned(), first);
            }
        }
        _ => {}
    }
}

/// A made-up run with the payload in each of its files.
fn folder(dir: &Path, payload: &str) -> RunFolder {
    common::write(dir, &Shape { seconds: 20, rate: 60.0, cloudwatch: Some(1), ..Shape::default() });
    for name in [MANIFEST, SUMMARY, CLOUDWATCH] {
        let path = dir.join(name);
        let mut document: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("there")).expect("JSON");
        spoil(&mut document, "", payload);
        fs::write(&path, document.to_string()).expect("writable");
    }
    for name in [SERIES, ERRORS] {
        let path = dir.join(name);
        let text = fs::read_to_string(&path).expect("there");
        let spoiled = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            spoil(&mut line, "", payload);
            format!("{line}\n")
        });
        fs::write(&path, spoiled.collect::<String>()).expect("writable");
    }
    fs::write(dir.join(SCENARIO), format!("# {payload}\n")).expect("writable");
    // A tag holds neither space nor comma.
    let tag: String = payload.chars().filter(|c| !c.is_whitespace() && *c != ',' && *c != '\0').collect();
    let log = fs::read_to_string(dir.join(LATENCY)).expect("there");
    fs::write(dir.join(LATENCY), log.replace("Tag=message.each", &format!("Tag={tag}"))).expect("writable");
    RunFolder::read(dir).expect("it is odd, and it is a run folder")
}

/// A character that does something: to a terminal, or to the order of what is seen.
fn acts(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The page's tags without what stands in quoted attributes, and how many of them are scripts.
fn tags(page: &str) -> (BTreeSet<String>, usize) {
    let (mut tags, mut scripts, mut rest) = (BTreeSet::new(), 0, page);
    while let Some(start) = rest.find('<') {
        let mut quoted = false;
        let mut tag = String::new();
        let mut end = rest.len();
        for (at, c) in rest[start + 1..].char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = start + 1 + at + 1;
                    break;
                }
                _ if !quoted => tag.push(c),
                _ => {}
            }
        }
        rest = &rest[end..];
        if tag.starts_with("script") {
            scripts += 1;
            rest = &rest[rest.find("</script").unwrap_or(rest.len())..];
        }
        tags.insert(tag);
    }
    (tags, scripts)
}

#[test]
fn no_string_of_a_run_folder_acts_in_a_report() {
    let plain = tempfile::tempdir().expect("a temporary directory");
    let tame = tags(&html::render(&folder(plain.path(), "tame")).expect("renders"));
    for (number, payload) in PAYLOADS.into_iter().enumerate() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let folder = folder(dir.path(), payload);
        let (terminal, page) = (text::summary(&folder), html::render(&folder).expect("renders"));
        let mark = format!("mark{number}");
        let exports: Vec<_> = FORMATS
            .into_iter()
            .map(|format| (format.into(), export::render(&folder, format).expect("rendered")))
            .collect();
        let both = [("text", terminal.clone()), ("page", page.clone())];
        for (kind, output) in both.iter().chain(&exports) {
            // Lines of CSV end with both.
            let output = &if *kind == "csv" { output.replace("\r\n", "\n") } else { output.clone() };
            assert!(output.contains(&mark), "{kind}: {mark} is not shown at all");
            let acting = output.char_indices().find(|(_, c)| acts(*c));
            assert_eq!(acting, None, "{kind}: {payload:?}");
        }
        assert!(!terminal.contains("\nVERDICT: PASSED"), "a name makes no line of its own: {terminal}");
        // No element and no attribute that a tame folder of the same form would not have.
        assert_eq!(tags(&page), tame, "{payload:?}");
        assert!(!page.contains("href=\"javascript:"), "{payload:?}");
        for (kind, output) in &exports {
            match *kind {
                "markdown" => assert_markdown_is_tame(output, payload),
                "csv" => assert_no_cell_is_a_formula(output, payload),
                "junit" => drop(opened("junit", dir.path(), output)),
                "openmetrics" => drop(opened("openmetrics", dir.path(), output)),
                _ => drop(serde_json::from_str::<Value>(output).expect("JSON")),
            }
        }
    }
}

/// Every format for other programs.
const FORMATS: [Format; 5] =
    [Format::Markdown, Format::Json, Format::Junit, Format::Csv, Format::Openmetrics];

/// What the parser of others finds; it fails where the text is none of its kind.
fn opened(kind: &str, dir: &Path, text: &str) -> Option<Value> {
    let path = dir.join("exported");
    fs::write(&path, text).expect("writable");
    foreign::python(kind, &path)
}

/// Outside of code no mention, reference, link, tag or quick action, and no cell more than the header has.
fn assert_markdown_is_tame(text: &str, payload: &str) {
    let mut columns = 0;
    let mut fenced = false;
    for line in text.lines() {
        assert!(!line.starts_with('/'), "a quick action: {line} of {payload:?}");
        if line.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            assert!(line.starts_with("  "), "the fence holds: {line} of {payload:?}");
            continue;
        }
        let cells = line.matches('|').count();
        if line.starts_with("| ") {
            columns = if columns == 0 { cells } else { columns };
            assert_eq!(cells, columns, "{line} of {payload:?}");
        } else if !line.starts_with('|') {
            assert_eq!(cells, 0, "{line} of {payload:?}");
            columns = 0;
        }
        // What stands in code is shown as it is, and an entity is no markup.
        let open = line.replace("&#", "&").split('`').step_by(2).collect::<String>().replace("<!-- -->", "\u{1}");
        let tagless = open.replace("<code>", "").replace("</code>", "");
        assert!(!tagless.contains('<'), "{line} of {payload:?}");
        for sign in ["@e", "@m", "#1", "!2", "://", "www.", "](", "!["] {
            assert!(!tagless.contains(sign), "{sign} in {line} of {payload:?}");
        }
    }
    assert!(!fenced, "{payload:?}");
}

/// Cells as a reader of RFC 4180 sees them: none begins as a formula does, unless it is a number.
fn assert_no_cell_is_a_formula(text: &str, payload: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = 0;
    for record in reader.records() {
        for cell in &record.expect("as many cells as the header") {
            let formula = cell.trim_start().starts_with(['=', '+', '-', '@']);
            assert!(!formula || cell.parse::<f64>().is_ok(), "{cell} of {payload:?}");
        }
        rows += 1;
    }
    assert!(rows > 5, "{text}");
}

#[test]
fn no_string_of_a_capacity_search_acts_on_its_page() {
    let search = common::capacity();
    for payload in PAYLOADS {
        let dir = tempfile::tempdir().expect("a temporary directory");
        capacity::write(dir.path(), &search).expect("writable");
        let path = dir.path().join(capacity::CAPACITY);
        let mut document: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("there")).expect("JSON");
        for key in ["name", "target", "version"] {
            document[key] = payload.into();
        }
        for threshold in document["thresholds"].as_array_mut().expect("a list") {
            *threshold = payload.into();
        }
        for step in document["steps"].as_array_mut().expect("a list") {
            (step["reason"], step["operation"], step["run"]) =
                (payload.into(), payload.into(), payload.into());
        }
        fs::write(&path, document.to_string()).expect("writable");
        let read = capacity::read(dir.path()).expect("it is odd, and it is a search");
        let page = capacity::render(&read).expect("renders");
        assert_eq!(page.char_indices().find(|(_, c)| acts(*c)), None, "{payload:?}");
        for forbidden in ["href=\"javascript:", "href=\"..", "<img src=x", "<script>window", "<svg/onload"] {
            assert!(!page.contains(forbidden), "{forbidden}: {payload:?}");
        }
    }
}
