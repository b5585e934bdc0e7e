//! The pages that this program makes, of every kind.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::common::{self, Shape};

/// A page in a folder that ends with it.
pub(crate) struct Made {
    _dir: TempDir,
    pub(crate) file: PathBuf,
}

impl Made {
    /// The report of a run.
    pub(crate) fn run(shape: &Shape) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        common::write(dir.path(), shape);
        let file = reports::write_report(dir.path()).expect("renders");
        Self { _dir: dir, file }
    }

    /// The page of a capacity search.
    pub(crate) fn capacity() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        reports::capacity::write(dir.path(), &common::capacity()).expect("renders");
        let file = dir.path().join(reports::capacity::PAGE);
        Self { _dir: dir, file }
    }

    /// The page of a comparison of two runs.
    pub(crate) fn comparison() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("comparison.html");
        let page = reports::html::render_comparison(&common::comparison()).expect("renders");
        std::fs::write(&file, page).expect("writable");
        Self { _dir: dir, file }
    }

    /// The page of a history: a measure with a change, and one that stayed as it was.
    pub(crate) fn history() -> Self {
        let at = |run: u64| format!("2026-03-{:02}T08:00:00Z", run + 1);
        let points = |value: fn(u64) -> f64| {
            let point = |run| json!({ "at": at(run), "commit": format!("{run:07x}"), "value": value(run) });
            (0..20).map(point).collect::<Vec<_>>()
        };
        let change = json!({
            "at": 12, "began": at(12), "commit": "000000c", "previous_commit": "000000b", "before": 20_000.0, "after": 26_000.0,
            "effect": 0.3, "confidence": 0.999, "news": "worse",
        });
        let trend = |measure: &str, points, levels, changes| json!({ "measure": measure, "unit": "us", "better": "lower", "points": points, "levels": levels, "changes": changes, "noise": 0.01 });
        let slower = trend(
            "send_message.response_time.p99",
            points(|run| if run < 12 { 20_000.0 } else { 26_000.0 } + (run % 3) as f64 * 100.0),
            json!([{ "from": 0, "to": 12, "mean": 20_100.0 }, { "from": 12, "to": 20, "mean": 26_100.0 }]),
            json!([change]),
        );
        let steady = trend(
            "<script>alert(1)</script>.p50",
            points(|run| 9_000.0 + (run % 2) as f64 * 50.0),
            json!([{ "from": 0, "to": 20, "mean": 9_025.0 }]),
            json!([]),
        );
        let history = json!({
            "schema_version": 1, "version": "0.1.0", "made_at": at(21), "entries": 20, "left_out": 1, "branches": ["main"],
            "alpha": 0.001, "min_effect": 0.0,
            "groups": [{ "kind": "run", "name": "lobby-chat", "host": "host", "target": "embedded", "trends": [slower, steady] }],
        });
        let history = serde_json::from_value(history).expect("a history");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("history.html");
        std::fs::write(&file, reports::history::render(&history).expect("renders")).expect("writable");
        Self { _dir: dir, file }
    }
}
