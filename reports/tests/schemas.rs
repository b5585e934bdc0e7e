//! The JSON Schemas of the run folder's documents are those of the types, the documents fit them, and the pages name all fields.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reports::folder::{CLOUDWATCH, ERRORS, MANIFEST, RunFolder, SERIES, SUMMARY, save_summary};
use reports::format::json_schemas;
use serde_json::Value;

use common::Shape;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn schema(name: &str) -> Value {
    let all = json_schemas();
    all.into_iter().find(|(of, _)| *of == name).expect("there is one").1
}

/// What a document does not have as its schema asks.
fn mistakes(name: &str, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema(name)).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn assert_fits(name: &str, text: &str) {
    let document: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(mistakes(name, &document), Vec::<String>::new(), "{name}");
}

#[test]
fn the_checked_in_schemas_are_those_of_the_types() {
    for (name, schema) in json_schemas() {
        let schema = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        let path = root().join(format!("schemas/{name}.schema.json"));
        docs::generated_file(&path, &schema, "UPDATE_SCHEMA");
    }
}

fn assert_a_folder_fits(dir: &Path) {
    let read = |name: &str| fs::read_to_string(dir.join(name)).expect("readable");
    for (schema, name) in [("manifest", MANIFEST), ("summary", SUMMARY), ("cloudwatch", CLOUDWATCH)] {
        assert_fits(schema, &read(name));
    }
    for (schema, name) in [("series-line", SERIES), ("error-line", ERRORS)] {
        read(name).lines().for_each(|line| assert_fits(schema, line));
    }
}

#[test]
fn the_documents_fit_their_schemas() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 20, ..Shape::default() });
    assert_a_folder_fits(dir.path());
    assert_fits("capacity", &serde_json::to_string(&common::capacity()).expect("JSON"));
    assert_fits("comparison", &serde_json::to_string(&common::comparison()).expect("JSON"));

    // A run with churn and every kind of fault, as this version writes it.
    let folder = RunFolder::read(&root().join("tests/version-1")).expect("still read");
    save_summary(dir.path(), folder.summary.as_ref().expect("finished")).expect("writable");
    assert_fits("summary", &fs::read_to_string(dir.path().join(SUMMARY)).expect("readable"));
    for line in &folder.series {
        assert_fits("series-line", &serde_json::to_string(line).expect("JSON"));
    }
    assert!(!folder.errors.is_empty());
    for line in &folder.errors {
        assert_fits("error-line", &serde_json::to_string(line).expect("JSON"));
    }
}

#[test]
fn what_is_no_such_document_does_not_fit() {
    let folder = RunFolder::read(&root().join("tests/version-1")).expect("still read");
    let summary = serde_json::to_value(folder.summary.expect("finished")).expect("JSON");
    type Change = fn(&mut Value);
    let changes: [Change; 4] = [
        |summary| drop(summary.as_object_mut().expect("an object").remove("run")),
        |summary| summary["schema_version"] = 1.into(),
        |summary| summary["verdict"]["status"] = "splendid".into(),
        |summary| summary["sockets"]["opened"] = (-1).into(),
    ];
    for change in changes {
        let mut changed = summary.clone();
        change(&mut changed);
        assert_eq!(mistakes("summary", &changed).len(), 1, "{changed}");
    }
}

#[test]
fn the_pages_name_every_field() {
    for (name, schema) in json_schemas() {
        let page = match name {
            "capacity" => "capacity.md",
            "comparison" => "comparing.md",
            "experiment" => "experiments.md",
            _ => "run-folder.md",
        };
        let text = fs::read_to_string(root().join("../docs").join(page)).expect("readable");
        let code = text.split('`').skip(1).step_by(2);
        let named: BTreeSet<&str> =
            code.flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).collect();
        let names = docs::property_names(&schema);
        let missing: Vec<_> = names.iter().filter(|name| !named.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "docs/{page} does not name {missing:?} of {name}");
        assert!(text.contains(&format!("schemas/{name}.schema.json")), "docs/{page} does not link {name}");
    }
}
