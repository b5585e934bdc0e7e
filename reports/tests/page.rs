//! The report's page: what it promises to readers and to the script.

mod common;

use std::path::Path;

use reports::folder::RunFolder;
use reports::format::{Operation, Status, Summary};
use reports::html;
use serde_json::Value;

use common::Shape;

const SMALL: Shape =
    Shape { seconds: 20, rate: 60.0, cloudwatch: Some(1), finished: true, stormy: true, name: "page" };

fn run(shape: &Shape) -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), shape);
    let folder = RunFolder::read(dir.path()).expect("readable");
    (dir, folder)
}

/// The values of an attribute, as a browser reads them.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    let values = html.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    let unescaped = values.map(|value| {
        value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    });
    unescaped.collect()
}

fn summary_of(dir: &Path) -> Value {
    let text = std::fs::read_to_string(dir.join("summary.json")).expect("readable");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn whatever_a_window_recomputes_is_in_the_summary_at_the_same_place() {
    let (dir, folder) = run(&SMALL);
    let html = html::render(&folder).expect("renders");
    let summary = summary_of(dir.path());
    let mut pointers: Vec<String> = attributes(&html, "data-m");
    for spectrum in attributes(&html, "data-spectrum") {
        pointers.extend(serde_json::from_str::<Vec<String>>(&spectrum).expect("a list of pointers"));
    }
    pointers.extend(attributes(&html, "data-heatmap"));
    assert!(pointers.len() > 100, "{}", pointers.len());
    for pointer in pointers {
        assert!(summary.pointer(&pointer).is_some(), "{pointer} is not in summary.json");
    }
}

#[test]
fn the_page_needs_no_inline_style_and_every_link_leads_somewhere() {
    let (_dir, folder) = run(&SMALL);
    let html = html::render(&folder).expect("renders");
    assert!(!html.contains(" style=\""), "the content policy refuses it");
    for target in attributes(&html, "href").iter().filter(|target| target.starts_with('#')) {
        let window = target.strip_prefix("#w=").and_then(|window| window.split_once('-'));
        match window {
            Some((from, to)) => {
                let (from, to): (u64, u64) = (from.parse().expect("seconds"), to.parse().expect("seconds"));
                assert!(from < to, "{target}");
            }
            None => assert!(html.contains(&format!("id=\"{}\"", &target[1..])), "{target}"),
        }
    }
}

#[test]
fn the_answer_tells_the_worst_and_not_the_busiest() {
    let (_dir, mut folder) = run(&SMALL);
    let summary = folder.summary.as_mut().expect("finished");
    // Hardly asked for, and slow; and connecting, which is slower still.
    summary.operations.get_mut("placement_request").expect("there").response_time_us.p99 = 5_600_000;
    let mut connect = summary.operations["send_message"].clone();
    connect.response_time_us.p99 = 9_000_000;
    summary.operations.insert("connect".into(), connect);
    summary.deliveries.get_mut("placement").expect("there").each_us.p99 = 7_000_000;
    let html = html::render(&folder).expect("renders");
    let answers = part(&html, "<dl class=\"answers\"", "</dl>");
    assert!(answers.contains("placement deliveries: p99 ~7.00 s"), "{answers}");
    assert!(answers.contains("placement_request answers: p99 ~5.60 s"), "{answers}");
    assert!(answers.contains("9.00 s (p99)"), "connecting is told apart: {answers}");
    assert!(answers.contains("loadgen compare"), "the next step has its command: {answers}");
    let figures = part(&html, "<dl class=\"figures\"", "</dl>");
    assert!(figures.contains("~5.60 s") && figures.contains("~7.00 s"), "{figures}");
}

#[test]
fn figures_that_must_not_be_used_are_greyed() {
    let (_dir, mut folder) = run(&SMALL);
    let usable = html::render(&folder).expect("renders");
    assert!(!usable.contains("class=\"figures is-invalid\""));
    let Summary { verdict, .. } = folder.summary.as_mut().expect("finished");
    verdict.status = Some(Status::Invalid);
    verdict.valid = false;
    verdict.invalid_reasons.push("p99 send delay was 200 ms".into());
    let greyed = html::render(&folder).expect("renders");
    assert!(greyed.contains("class=\"figures is-invalid\""));
    assert!(greyed.contains("Mend what the verdict names"));
}

#[test]
fn many_operations_and_functions_each_have_their_row() {
    let (_dir, mut folder) = run(&SMALL);
    let summary = folder.summary.as_mut().expect("finished");
    let operation: Operation = summary.operations["send_message"].clone();
    for number in 0..20 {
        summary.operations.insert(format!("operation_{number}"), operation.clone());
    }
    let functions = &mut summary.correlation.as_mut().expect("attributed").functions;
    let function = functions[0].clone();
    for number in 0..30 {
        let mut function = function.clone();
        function.function = format!("reference-Development-Function{number}");
        functions.push(function);
    }
    let html = html::render(&folder).expect("renders");
    let rows = |caption: &str| part(&html, caption, "</table>").matches("<tr>").count() - 1;
    assert!(rows("Every operation over the run") >= 20);
    assert_eq!(rows("Functions over the run"), 34);
    let charts = html.matches("data-heatmap").count();
    assert!(charts < 20, "no chart for what has no samples: {charts}");
}

#[test]
fn a_phase_is_compared_with_hold() {
    let (_dir, folder) = run(&SMALL);
    let html = html::render(&folder).expect("renders");
    let table = part(&html, "<caption><span>Operations by phase", "</table>");
    assert!(table.contains("p99 against hold"), "{table}");
    let burst = table
        .split("<tr>")
        .find(|row| row.contains("send_<wbr>message") && row.contains(">burst<"))
        .expect("a row");
    assert!(burst.contains("× "), "the burst is several times slower: {burst}");
    let ramp = table
        .split("<tr>")
        .find(|row| row.contains("send_<wbr>message") && row.contains(">ramp<"))
        .expect("a row");
    assert!(ramp.matches('–').count() >= 3, "what is not measured has no times: {ramp}");
    assert!(table.contains("data-window=\"4-14\""), "a phase opens its stretch: {table}");
}

#[test]
fn deliveries_add_up_in_the_story() {
    let (_dir, folder) = run(&SMALL);
    let html = html::render(&folder).expect("renders");
    let delivery = &folder.summary.as_ref().expect("finished").deliveries["message"];
    assert!(delivery.lost > 0, "the made-up run loses some");
    let story = part(&html, "<div class=\"story\">", "</div>");
    assert!(story.contains(" expected → ") && story.contains(&format!("{} lost", delivery.lost)), "{story}");
}

/// From the first occurrence of `from` to the next of `to`.
fn part<'h>(html: &'h str, from: &str, to: &str) -> &'h str {
    let start = html.find(from).unwrap_or_else(|| panic!("{from} is not in the page"));
    let end = html[start..].find(to).map_or(html.len(), |end| start + end);
    &html[start..end]
}
