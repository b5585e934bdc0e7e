//! The windows on a run, through the real binary: Prometheus asks it, an OpenTelemetry collector is told by it, and a
//! terminal shows it.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::was_only_late;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use parking_lot::Mutex;
use prost::Message;
use reports::format::Summary;

const SCENARIO: &str = r#"
name = "watched"
players = 20
[target]
profile = "instant"
[[phases]]
kind = "hold"
duration = "6s"
[operations.send_message]
rate = 50.0
fan_out = 2
"#;

fn scenario(dir: &Path) -> String {
    let file = dir.join("watched.toml");
    std::fs::write(&file, SCENARIO).unwrap();
    file.to_str().unwrap().to_owned()
}

fn loadgen(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["run", &scenario(dir), "--out", dir.join("run").to_str().unwrap()]).args(more);
    command.stdin(Stdio::null());
    command
}

fn summary(dir: &Path) -> Summary {
    serde_json::from_str(&std::fs::read_to_string(dir.join("run/summary.json")).unwrap()).unwrap()
}

/// Fine, or late on a busy machine: what is shown is the same.
fn ended_well(dir: &Path, status: std::process::ExitStatus) -> bool {
    match status.code() {
        Some(4) => was_only_late(&summary(dir)),
        code => code == Some(0),
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The value of a sample of the exposition.
fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn prometheus_sees_the_figures_so_far() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut run = tokio::process::Command::from(loadgen(dir.path(), &["--quiet", "--prometheus", &address]))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let sent = r#"loadgen_operations_total{operation="send_message",outcome="sent"}"#;
    let begin = Instant::now();
    let text = loop {
        assert!(begin.elapsed() < Duration::from_secs(60), "no messages were seen");
        if let Ok(answer) = reqwest::get(format!("http://{address}/metrics")).await {
            assert!(
                answer.headers()["content-type"]
                    .to_str()
                    .unwrap()
                    .starts_with("application/openmetrics-text")
            );
            let text = answer.text().await.unwrap();
            if text.contains(sent) && sample(&text, sent) >= 100.0 {
                break text;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(sample(&text, "loadgen_sockets_open"), 20.0);
    assert_eq!(sample(&text, r#"loadgen_operations_total{operation="connect",outcome="completed"}"#), 20.0);
    let completed =
        sample(&text, r#"loadgen_operations_total{operation="send_message",outcome="completed"}"#);
    let count = r#"loadgen_response_time_seconds_count{operation="send_message"}"#;
    let all = r#"loadgen_response_time_seconds_bucket{le="+Inf",operation="send_message"}"#;
    assert_eq!((sample(&text, count), sample(&text, all)), (completed, completed));
    assert!(sample(&text, r#"loadgen_deliveries_total{kind="message",outcome="received"}"#) >= 180.0);
    assert!(text.contains(r#"loadgen_run_info{run="watched-"#) && text.ends_with("# EOF\n"), "{text}");
    assert!(ended_well(dir.path(), run.wait().await.unwrap()));
}

#[test]
fn a_taken_address_is_refused_before_anything_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = loadgen(dir.path(), &["--prometheus", &address]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&address) && said.contains("choose a free address"), "{said}");
    assert!(!dir.path().join("run").exists());
}

/// Starts a collector of metrics; what it is told lands in the list.
async fn collector() -> (String, Arc<Mutex<Vec<(HeaderMap, ExportMetricsServiceRequest)>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&told);
    let take = move |headers: HeaderMap, body: Bytes| async move {
        list.lock().push((headers, ExportMetricsServiceRequest::decode(body).unwrap()));
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let app = Router::new().route("/base/v1/metrics", post(take));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_the_same_as_the_summary() {
    let dir = tempfile::tempdir().unwrap();
    let (url, told) = collector().await;
    let mut command = tokio::process::Command::from(loadgen(dir.path(), &["--quiet", "--otlp", &url]));
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret%20word").kill_on_drop(true);
    assert!(ended_well(dir.path(), command.status().await.unwrap()));
    let told = told.lock();
    assert!(told.len() >= 2, "at least once meanwhile, and once at the end");
    let (headers, last) = told.last().unwrap();
    assert_eq!(headers["api-key"], "secret word");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let metrics = &last.resource_metrics[0].scope_metrics[0].metrics;
    let data = |name: &str| metrics.iter().find(|metric| metric.name == name).unwrap().data.clone().unwrap();
    let Data::Sum(operations) = data("loadgen.operations") else { panic!("a sum") };
    let has = |attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], wanted: &str| {
        attributes.iter().any(|attribute| format!("{:?}", attribute.value).contains(&format!("{wanted:?}")))
    };
    let completed = operations
        .data_points
        .iter()
        .find(|point| has(&point.attributes, "send_message") && has(&point.attributes, "completed"))
        .unwrap();
    let summary = summary(dir.path());
    let messages = &summary.operations["send_message"];
    assert_eq!(completed.value, Some(Value::AsInt(i64::try_from(messages.completed).unwrap())));
    let Data::Histogram(times) = data("loadgen.response_time") else { panic!("a histogram") };
    let times = times.data_points.iter().find(|point| has(&point.attributes, "send_message")).unwrap();
    assert_eq!((times.count, times.bucket_counts.iter().sum()), (messages.completed, messages.completed));
    assert_eq!(times.explicit_bounds.len() + 1, times.bucket_counts.len());
}

#[test]
fn a_collector_that_is_not_there_costs_a_line_and_not_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", free_port());
    let output = loadgen(dir.path(), &["--quiet", "--otlp", &url]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(ended_well(dir.path(), output.status), "{said}");
    assert_eq!(said.matches("--otlp: the collector did not take the metrics").count(), 1, "{said}");
}

#[test]
fn a_terminal_shows_a_dashboard_and_gets_its_cursor_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = loadgen(dir.path(), &[]);
    let words: Vec<_> = std::iter::once(run.get_program()).chain(run.get_args()).collect();
    let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    // `script` runs it on a terminal of its own.
    let output = Command::new("script")
        .args([
            "--quiet",
            "--return",
            "--command",
            &format!("stty cols 140 rows 50; {}", words.join(" ")),
            "/dev/null",
        ])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .output()
        .expect("script(1), of the package bsdutils");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(ended_well(dir.path(), output.status), "{shown}");
    for wanted in ["sockets", "20 open", "message pushes", "generator", "dispatch p99", "so far", "█"] {
        assert!(shown.contains(wanted), "no {wanted:?} in {shown}");
    }
    let (hidden, back) = (shown.rfind("\u{1b}[?25l"), shown.rfind("\u{1b}[?25h"));
    assert!(hidden <= back, "the cursor stays hidden");
    assert!(shown.contains("Report: "), "the summary follows: {shown}");
}
