//! `report --format`: a real run in every format, to standard output and to a file; and its summary against the published schema.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::calm::{calm, messages};
use crate::common::{LOADGEN, Ran};

const FORMATS: [&str; 5] = ["markdown", "json", "junit", "csv", "openmetrics"];

/// A run whose only threshold fails: nobody is answered in a microsecond.
fn failed() -> Ran {
    calm(10, &messages(20.0, 3)).run(&["--set", "thresholds=[\"send_message.response_time.p99 < 1us\"]"])
}

fn report(ran: &Ran, arguments: &[&str]) -> Output {
    Command::new(LOADGEN).arg("report").arg(&ran.dir).args(arguments).output().unwrap()
}

/// What the checked-in schema has against a document.
fn mistakes(document: &Value) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/schemas/summary.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn a_run_is_printed_in_every_format_and_its_summary_is_as_published() {
    let ran = failed();
    ran.exits(3);
    let written: Value =
        serde_json::from_str(&fs::read_to_string(ran.dir.join("summary.json")).unwrap()).unwrap();
    assert_eq!(mistakes(&written), Vec::<String>::new());
    // On a busy machine the run may be invalid, which is as good here: what is written is what the program ended with.
    assert_eq!(written["verdict"]["exit_code"], ran.code);
    let usable = ran.code == 3;
    assert_eq!(written["verdict"]["status"] == "thresholds_failed", usable);

    let page = fs::read(ran.dir.join("report.html")).unwrap();
    for format in FORMATS {
        let printed = report(&ran, &["--format", format]);
        assert_eq!(printed.status.code(), Some(0), "{format}");
        assert!(!printed.stdout.is_empty() && printed.stderr.is_empty(), "{format}");
        let file = ran.dir.join("exported");
        let to_file = report(&ran, &["--format", format, "--out", file.to_str().unwrap(), "--exit-code"]);
        assert_eq!(to_file.status.code(), Some(ran.code), "{format}: the run's own code");
        assert!(to_file.stdout.is_empty(), "{format}");
        assert_eq!(fs::read(&file).unwrap(), printed.stdout, "{format}");
    }
    assert_eq!(
        fs::read(ran.dir.join("report.html")).unwrap(),
        page,
        "only the page is written into the folder"
    );

    let text = |format: &str| String::from_utf8(report(&ran, &["-f", format]).stdout).unwrap();
    assert_eq!(mistakes(&serde_json::from_str(&text("json")).unwrap()), Vec::<String>::new());
    let markdown = text("markdown");
    let (head, case) = if usable {
        ("## ❌ Valid, thresholds failed: `calm`\n", "<failure type=\"threshold\"")
    } else {
        ("## ⚠️ Not valid: `calm`\n", "<error type=\"invalid\"")
    };
    assert!(markdown.starts_with(head), "{markdown}");
    assert!(
        markdown.contains("| `send_message.response_time.p99 < 1us` | ") && markdown.contains("✕ failed")
    );
    assert!(text("junit").contains(case));
    assert!(text("openmetrics").ends_with("# EOF\n"));
    let completed = &written["operations"]["send_message"]["completed"];
    assert!(text("csv").contains(&format!("operation,send_message,response,{0},{0},0,{0},0,0,", completed)));
}

#[test]
fn the_page_goes_where_it_is_wanted_and_a_place_that_cannot_be_is_told() {
    let ran = calm(5, "").run(&[]);
    let elsewhere = ran.dir.join("elsewhere.html");
    let written = report(&ran, &["--out", elsewhere.to_str().unwrap(), "--json"]);
    let said: Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!(said["report"].as_str(), elsewhere.to_str());
    assert_eq!(fs::read(&elsewhere).unwrap(), fs::read(ran.dir.join("report.html")).unwrap());
    let nowhere = report(&ran, &["--format", "csv", "--out", "/nowhere/at/all.csv"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("/nowhere/at/all.csv"));
    assert_eq!(report(&ran, &["--format", "csv", "--json"]).status.code(), Some(2), "one or the other");
    assert_eq!(report(&ran, &["--format", "pdf"]).status.code(), Some(2));
}
