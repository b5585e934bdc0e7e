//! What the reports say, and what they must never contain.

mod common;

use std::fs;
use std::path::Path;

use reports::capacity::{self, Capacity, Ended, Vary};
use reports::folder::{RunFolder, SCENARIO};
use reports::format::{CloudWatchSeries, FunctionSummary, Manifest, Summary};
use reports::{html, text, write_report};

use common::Shape;

/// Short, so that a person can read the golden files.
const SMALL: Shape =
    Shape { seconds: 20, rate: 60.0, cloudwatch: Some(1), finished: true, stormy: true, name: "golden" };

fn run(shape: &Shape) -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), shape);
    let folder = RunFolder::read(dir.path()).expect("readable");
    (dir, folder)
}

fn without_path(text: &str, dir: &Path) -> String {
    text.replace(&dir.display().to_string(), "RUN")
}

/// A page without what all pages share (the style sheet, the script, and their hashes in the content policy), and without the data of
/// its windows.
fn markup(page: &str) -> String {
    let parts = [
        ("<style>", "</style>"),
        ("<script>", "</script>"),
        ("style-src ", "; img-src"),
        ("<script id=\"run-data\" type=\"application/json\">", "</script>"),
    ];
    let mut page = page.to_owned();
    for (begin, end) in parts {
        let Some(at) = page.find(begin) else { continue };
        let from = at + begin.len();
        let to = from + page[from..].find(end).expect("it ends");
        page.replace_range(from..to, "…");
    }
    page
}

#[test]
fn the_text_summary_is_as_before() {
    let (dir, folder) = run(&SMALL);
    insta::assert_snapshot!("text", without_path(&text::summary(&folder), dir.path()));
}

#[test]
fn the_text_summary_of_a_killed_run_without_cloudwatch_is_as_before() {
    let (dir, folder) = run(&Shape { cloudwatch: None, finished: false, ..SMALL });
    insta::assert_snapshot!("text_killed", without_path(&text::summary(&folder), dir.path()));
}

#[test]
fn the_html_report_is_as_before() {
    let (dir, folder) = run(&SMALL);
    let page = html::render(&folder).expect("renders");
    insta::assert_snapshot!("html", markup(&without_path(&page, dir.path())));
}

#[test]
fn the_text_stays_within_its_columns_also_for_large_counts() {
    let (_dir, mut folder) = run(&SMALL);
    let summary = folder.summary.as_mut().expect("finished");
    for operation in summary.operations.values_mut() {
        for count in [
            &mut operation.offered,
            &mut operation.sent,
            &mut operation.unsent,
            &mut operation.completed,
            &mut operation.failed,
        ] {
            *count = 987_654;
        }
    }
    for delivery in summary.deliveries.values_mut() {
        delivery.expected = 98_765_432_100;
        delivery.lost = 987_654;
    }
    summary.verdict.valid = false;
    summary.verdict.invalid_reasons = vec!["the generator was saturated for most of the run ".repeat(5)];
    for line in text::summary(&folder).lines().filter(|line| !line.starts_with("Report:")) {
        assert!(line.chars().count() < 110, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn the_report_loads_nothing_and_escapes_every_name() {
    let hostile = "<script>alert(1)</script>\"'&";
    let (dir, _) = run(&Shape { name: "</title><script>alert(1)</script>", ..SMALL });
    let edit = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let path = dir.path().join(name);
        let mut document = serde_json::from_str(&fs::read_to_string(&path).expect("readable")).expect("JSON");
        change(&mut document);
        fs::write(&path, document.to_string()).expect("writable");
    };
    edit("manifest.json", &|manifest| {
        let mut typed: Manifest = serde_json::from_value(manifest.clone()).expect("a manifest");
        typed.plan.push(hostile.into());
        typed.command.push(hostile.into());
        typed.phases[1].name = hostile.into();
        *manifest = serde_json::to_value(typed).expect("JSON");
    });
    edit("summary.json", &|summary| {
        let mut typed: Summary = serde_json::from_value(summary.clone()).expect("a summary");
        let operation = typed.operations["send_message"].clone();
        typed.operations.insert(hostile.into(), operation);
        typed.run.target = format!("https://play.example.test/{hostile}");
        typed.correlation = Some(reports::format::Correlation {
            functions: vec![FunctionSummary { function: hostile.into(), ..FunctionSummary::default() }],
            ..reports::format::Correlation::default()
        });
        *summary = serde_json::to_value(typed).expect("JSON");
    });
    fs::write(dir.path().join(SCENARIO), hostile).expect("writable");

    let path = write_report(dir.path()).expect("renders");
    let html = fs::read_to_string(path).expect("readable");
    assert!(!html.contains("<script>alert"), "a name became an element");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the name is shown as it is");
    assert_loads_nothing(&html);
    for target in targets(&html) {
        assert!(target.starts_with('#') || target.starts_with("data:,"), "{target}");
    }
}

/// Where the page's links lead.
fn targets(html: &str) -> impl Iterator<Item = &str> {
    html.match_indices("href=\"").filter_map(|(at, found)| html[at + found.len()..].split('"').next())
}

fn assert_loads_nothing(html: &str) {
    for load in [
        "src=",
        "url(",
        "@import",
        "<link rel=\"stylesheet",
        "href=\"http",
        "fetch(",
        "XMLHttpRequest",
        "xmlns",
    ] {
        assert!(!html.contains(load), "{load} in the report");
    }
    assert!(html.contains("default-src 'none'"), "the content policy");
}

#[test]
fn a_two_hour_run_stays_small_and_says_how() {
    let (dir, _) = run(&Shape { seconds: 120, ..Shape::default() });
    common::repeat(dir.path(), 60);
    let folder = RunFolder::read(dir.path()).expect("readable");
    let html = html::render(&folder).expect("renders");
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    assert!(html.contains("each point stands for 15 seconds"), "the rule is said");
    let worst =
        folder.series.iter().map(|line| line.generator.dispatch_delay_us.p99).max().expect("measured");
    assert!(html.contains(&format!(",{worst},")) || html.contains(&format!("[{worst},")), "no peak is lost");
}

#[test]
fn without_cloudwatch_the_report_says_how_to_fetch_it() {
    let (dir, folder) = run(&Shape { cloudwatch: None, ..SMALL });
    let html = html::render(&folder).expect("renders");
    assert!(html.contains(&format!("loadgen correlate {}", dir.path().display())));
    assert!(!html.contains("Functions over the run"));
}

#[test]
fn without_disruptions_the_report_has_no_section_of_them() {
    let (_dir, folder) = run(&Shape { stormy: false, ..SMALL });
    let html = html::render(&folder).expect("renders");
    assert!(!html.contains("id=\"disruptions\"") && !html.contains("recovery-time"));
    let (_dir, folder) = run(&SMALL);
    let html = html::render(&folder).expect("renders");
    assert!(html.contains("id=\"disruptions\"") && html.contains("id=\"recovery-time\""));
    assert!(html.contains("cut: highest 300/s at 0:15"), "the storm is in its second");
}

#[test]
fn an_empty_run_still_has_a_report() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let manifest = Manifest { schema_version: reports::format::SCHEMA_VERSION, ..Manifest::default() };
    reports::folder::RunWriter::create(dir.path(), &manifest, "").expect("writable");
    let folder = RunFolder::read(dir.path()).expect("readable");
    assert!(text::summary(&folder).starts_with("NOT FINISHED"));
    assert!(html::render(&folder).expect("renders").contains("Not finished"));
}

#[test]
fn the_text_and_page_of_a_capacity_search_are_as_before() {
    let found = common::capacity();
    insta::assert_snapshot!("capacity_text", capacity::text(&found));
    insta::assert_snapshot!("capacity_html", markup(&capacity::render(&found).expect("renders")));
}

#[test]
fn a_capacity_search_says_how_it_ended_and_never_takes_the_generators_limit_for_the_knee() {
    let found = common::capacity();
    let without = Capacity { knee: None, ..found.clone() };
    let nothing = Capacity { held: None, ..without.clone() };
    let said = |ended, found: &Capacity| capacity::text(&Capacity { ended, ..found.clone() });
    let all = [
        said(Ended::NeverFailed, &without),
        said(Ended::NothingHeld, &nothing),
        said(Ended::GeneratorLimit, &found),
        said(Ended::GeneratorLimit, &without),
        said(Ended::GeneratorLimit, &nothing),
        said(Ended::OutOfTime, &found),
        said(Ended::Interrupted, &without),
        said(Ended::Unfinished, &nothing),
    ];
    insta::assert_snapshot!("capacity_ends", all.join("\n"));
    assert!(all.iter().all(|text| !text.contains("Knee at")), "only what was found is the knee");
}

#[test]
fn the_capacity_page_loads_nothing_escapes_every_name_and_has_no_dead_link() {
    let hostile = "</title><script>alert(1)</script>\"'&";
    let mut found = common::capacity();
    found.name = hostile.into();
    found.target = hostile.into();
    found.thresholds.push(hostile.into());
    found.steps[3].reason = Some(hostile.into());
    found.steps.iter_mut().for_each(|step| step.operation = hostile.into());
    found.steps[4].run = None;
    let html = capacity::render(&found).expect("renders");
    assert!(!html.contains("<script>alert"), "a name became an element");
    assert_loads_nothing(&html);
    let links: Vec<_> =
        targets(&html).filter(|target| !target.starts_with('#') && !target.starts_with("data:,")).collect();
    let runs = found.steps.iter().filter_map(|step| step.run.as_ref());
    assert_eq!(links, runs.map(|run| format!("{}/report.html", run.display())).collect::<Vec<_>>());
}

#[test]
fn a_search_that_has_no_valid_run_or_measured_no_time_still_has_a_page() {
    let mut found = common::capacity();
    found.vary = Vary::Players;
    found.steps.iter_mut().for_each(|step| (step.p50_us, step.p99_us) = (0, 0));
    let html = capacity::render(&found).expect("renders");
    assert!(html.contains("Response time of send_message: no samples."));
    assert!(html.contains("Sockets open at once") && html.contains("Throughput"), "both are of interest");
    found.steps.iter_mut().for_each(|step| step.offered_per_s = 0.0);
    let html = capacity::render(&found).expect("renders");
    assert!(!html.contains("Throughput"), "there was none");
    found.vary = Vary::Rate;
    found.steps.clear();
    let html = capacity::render(&Capacity { levels: Vec::new(), ..found }).expect("renders");
    assert!(html.contains("Throughput: no samples."));
}

#[test]
fn what_cloudwatch_did_not_give_is_said_in_text_and_page() {
    let (_dir, mut folder) = run(&SMALL);
    let cloudwatch = folder.cloudwatch.as_mut().expect("fetched");
    cloudwatch.problems = vec!["Forbidden for <b>everything</b>".into()];
    cloudwatch.notes = vec!["one value every 300 s".into()];
    let said = text::summary(&folder);
    assert!(said.contains("\nCloudWatch: Forbidden for <b>everything</b>\n"), "{said}");
    assert!(said.contains("\nnote: CloudWatch: one value every 300 s\n"), "{said}");
    let page = html::render(&folder).expect("renders");
    assert!(page.contains("Not everything could be fetched"));
    assert!(page.contains("Forbidden for &lt;b&gt;everything&lt;/b&gt;") && !page.contains("<b>everything"));
    assert!(page.contains("one value every 300 s"));
}

#[test]
fn a_coarser_series_lasts_for_its_periods_and_an_empty_one_has_no_drawing() {
    let (_dir, mut folder) = run(&SMALL);
    let cloudwatch = folder.cloudwatch.as_mut().expect("fetched");
    let of = |series: &CloudWatchSeries, function: &str| {
        series.metric == "ConcurrentExecutions"
            && series.dimensions["FunctionName"].ends_with(&format!("-{function}"))
    };
    for series in &mut cloudwatch.series {
        if of(series, "SendMessage") {
            (series.points, series.period_s) = (vec![(0.0, 37.0), (10.0, 53.0)], Some(10));
        } else if of(series, "Connect") {
            series.points.clear();
        }
    }
    let page = html::render(&folder).expect("renders");
    let table = &page[page.find("<caption><span>Functions over the run").expect("has its table")..];
    let row = |function: &str| {
        let end = table.find("</table>").expect("ends");
        let row = table[..end].split("<tr>").find(|row| row.contains(&format!(">{function}</bdi>")));
        row.unwrap_or_else(|| panic!("{function} has a row")).to_owned()
    };
    let send = row("Send<wbr>Message");
    assert!(send.contains("H80L80 1H160"), "each period fills half of the drawing: {send}");
    let connect = row("Connect");
    assert_eq!(connect.matches("<svg").count(), 1, "its duration only: {connect}");
}
