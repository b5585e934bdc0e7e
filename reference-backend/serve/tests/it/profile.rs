//! The schema of profile files: in force, enough for the shipped profiles, and documented key by key.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reference_backend_local::profile::Profile;
use serde_json::Value;

/// The folder of the backend's crates.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn profile(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reference-backend")).arg("profile").args(arguments).output().unwrap()
}

#[test]
fn the_checked_in_schema_is_the_one_in_force() {
    let output = profile(&["schema"]);
    assert!(output.status.success());
    let schema = String::from_utf8(output.stdout).unwrap();
    let path = root().join("profiles/profile.schema.json");
    docs::generated_file(&path, &schema, "UPDATE_SCHEMA");
}

#[test]
fn the_schema_takes_the_shipped_profiles_and_refuses_mistakes() {
    let validator = jsonschema::validator_for(&Profile::json_schema()).unwrap();
    for name in ["instant", "aws-like"] {
        let text = std::fs::read_to_string(root().join(format!("profiles/{name}.toml"))).unwrap();
        let document: Value = toml::from_str(&text).unwrap();
        let mistakes: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{name}: {mistakes:?}");
    }
    for text in [
        "[lambda]\nspeed = 1",
        "[lambda]\nerror_rate = 2",
        "[lambda]\ninit = { p50_ms = -1 }",
        "[lambda.functions.Dance]",
        "[tables.per_table.Scores]",
        "[tables.per_table.Messages]\nlatency = { put = { p99_ms = 1 } }",
        "[gateway]\npush_drop_rate = 1.5",
        "[streams]\nbatch_size = 0",
    ] {
        let document: Value = toml::from_str(text).unwrap();
        // Editors have a validator of their own: both find as much.
        let found = documents::Document::parse("test", text).unwrap();
        let ours = documents::form::check(&found, &Profile::json_schema(), &|_, text| Ok(text.into()));
        assert_eq!(
            ours.mistakes.len(),
            validator.iter_errors(&document).count(),
            "{text}: {:?}",
            ours.mistakes
        );
        assert!(!validator.is_valid(&document), "the schema takes {text}");
        assert!(Profile::parse(text, "test").is_err(), "the profile takes {text}");
    }
}

#[test]
fn a_profile_is_checked_on_the_command_line() {
    assert!(profile(&["check", "aws-like"]).status.success());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "\n[gateway]\nidle = 1\n").unwrap();
    let output = profile(&["check", file.path().to_str().unwrap()]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(":3:1: `gateway.idle`: unknown key"), "{error}");
}

#[test]
fn every_key_is_documented() {
    let keys = docs::property_names(&Profile::json_schema());
    let page: PathBuf = root().join("../docs/local-stack.md");
    let text = std::fs::read_to_string(page).unwrap();
    let missing: Vec<_> = keys.iter().filter(|key| !text.contains(key.as_str())).collect();
    assert!(keys.len() > 60 && missing.is_empty(), "not in docs/local-stack.md: {missing:?}");
}
