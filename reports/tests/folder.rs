//! A run folder reads back as it was written, whatever happened to the run that wrote it.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use reports::folder::{FolderError, LATENCY, RunFolder, RunWriter, SERIES, SUMMARY, Tag, save_manifest};
use reports::format::{Manifest, RunState, SCHEMA_VERSION, SeriesLine, Status, Summary, Verdict};

use common::{Shape, histogram, manifest};

fn writer(dir: &Path, manifest: &Manifest) -> RunWriter {
    RunWriter::create(dir, manifest, "name = \"x\"\n").expect("an empty directory is writable")
}

/// Intervals as (tag, start in seconds, values), in the order of time.
fn recordings() -> impl Strategy<Value = Vec<(usize, u64, Vec<u64>)>> {
    let values = prop::collection::vec(1_u64..60_000_000, 0..40);
    prop::collection::vec((0..TAGS.len(), 0_u64..100, values), 0..20).prop_map(|mut all| {
        all.sort_by_key(|(_, start, _)| *start);
        all
    })
}

const TAGS: [Tag<'_>; 4] =
    [Tag::Response("send_message"), Tag::Service("send_message"), Tag::Each("message"), Tag::Dispatch];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_reads_back_and_merges_like_the_intervals(recordings in recordings()) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut manifest = manifest(&Shape { seconds: 100, ..Shape::default() });
        let mut writer = writer(dir.path(), &manifest);
        let mut expected: BTreeMap<String, Histogram<u64>> = BTreeMap::new();
        let mut written = Vec::new();
        for (tag, start, values) in &recordings {
            let tag = TAGS[*tag].to_string();
            let mut interval = histogram();
            for value in values {
                interval.record(*value).expect("resizes");
            }
            writer
                .interval(&tag, Duration::from_secs(*start), Duration::from_secs(1), &interval)
                .expect("writable");
            writer.second(&SeriesLine { t: *start, ..SeriesLine::default() }).expect("writable");
            expected.entry(tag.clone()).or_insert_with(histogram).add(&interval).expect("adds");
            written.push((tag, *start as f64, interval));
        }
        manifest.state = RunState::Finished;
        writer.finish(&manifest).expect("writable");

        let folder = RunFolder::read(dir.path()).expect("readable");
        prop_assert_eq!(&folder.manifest, &manifest);
        prop_assert_eq!(&folder.scenario_toml, "name = \"x\"\n");
        prop_assert_eq!(&folder.histograms, &expected);
        let times: Vec<u64> = folder.series.iter().map(|line| line.t).collect();
        prop_assert_eq!(times, recordings.iter().map(|(_, start, _)| *start).collect::<Vec<_>>());
        let read: Vec<_> = folder
            .intervals()
            .map(|interval| interval.map(|i| (i.tag.to_owned(), i.start_s, i.histogram)))
            .collect::<Result<_, _>>()
            .expect("readable");
        prop_assert_eq!(read, written);
    }
}

#[test]
fn a_directory_in_use_is_refused_and_an_empty_one_is_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let manifest = manifest(&Shape::default());
    writer(dir.path(), &manifest);
    let error = RunWriter::create(dir.path(), &manifest, "").err().expect("refused");
    assert!(matches!(error, FolderError::NotEmpty { .. }), "{error}");
    assert!(error.to_string().contains("--out"), "{error}");
}

#[test]
fn a_killed_run_keeps_all_but_its_torn_last_lines_and_still_has_a_summary() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let shape = Shape { seconds: 30, finished: false, ..Shape::default() };
    common::write(dir.path(), &shape);
    for name in [SERIES, LATENCY] {
        let path = dir.path().join(name);
        let text = fs::read(&path).expect("readable");
        fs::write(&path, &text[..text.len() - 20]).expect("writable");
    }
    let folder = RunFolder::read(dir.path()).expect("a torn last line is no error");
    assert_eq!(folder.series.len(), 29);
    assert!(folder.summary.is_none());
    let summary = folder.summary_or_rebuilt();
    assert!(!summary.verdict.valid);
    assert!(summary.verdict.invalid_reasons[0].starts_with("the run did not end properly"));
    let operation = &summary.operations["send_message"];
    let completed: u64 = folder
        .series
        .iter()
        .filter(|line| line.t >= 6)
        .filter_map(|line| line.operations.get("send_message"))
        .map(|second| second.completed)
        .sum();
    assert_eq!(operation.completed, completed, "the ramp does not count");
    assert!(operation.response_time_us.count > 0);
    let reconnects = summary.reconnects.as_ref().expect("the storm struck");
    assert_eq!((reconnects.wanted, reconnects.succeeded, reconnects.unfinished), (300, 300, 0));
    assert_eq!((reconnects.attempts, reconnects.errors["http_429"]), (325, 25));
    assert_eq!(reconnects.recovery_us.count, 300);
    let cut = &summary.disruptions["cut"];
    assert_eq!((cut.made, cut.outcomes["back"]), (300, 300));
    assert_eq!((summary.sockets.dropped, summary.sockets.ends["closed_1001"]), (6, 6));
    assert!(reports::html::render(&folder).expect("renders").contains("the run did not end properly"));
}

#[test]
fn a_malformed_line_is_named_with_its_file_and_number() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 5, ..Shape::default() });
    for (name, line) in [(SERIES, 3), (LATENCY, 9)] {
        let path = dir.path().join(name);
        let good = fs::read_to_string(&path).expect("readable");
        let mut lines: Vec<&str> = good.lines().collect();
        lines[line - 1] = "nonsense";
        fs::write(&path, lines.join("\n") + "\n").expect("writable");
        let error = RunFolder::read(dir.path()).expect_err("malformed").to_string();
        assert!(error.contains(&format!("{name}:{line}")), "{error}");
        fs::write(&path, good).expect("writable");
    }
    let path = dir.path().join(LATENCY);
    let good = fs::read_to_string(&path).expect("readable");
    let broken = good.replacen("HISTFAAAA", "HISTF!AAA", 1);
    let line = broken.lines().position(|line| line.contains('!')).expect("broken") + 1;
    fs::write(&path, &broken).expect("writable");
    let error = RunFolder::read(dir.path()).expect_err("malformed").to_string();
    assert!(error.contains(&format!("{LATENCY}:{line}")), "{error}");
}

#[test]
fn a_later_schema_version_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 5, ..Shape::default() });
    let path = dir.path().join(SUMMARY);
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replacen("\"schema_version\": 2", "\"schema_version\": 7", 1)).expect("writable");
    let error = RunFolder::read(dir.path()).expect_err("refused");
    assert!(matches!(error, FolderError::SchemaVersion { found: 7, .. }), "{error}");
    let said = error.to_string();
    for told in ["summary.json", "schema version 7", "versions 1 to 2", "use a loadgen as new as"] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

/// A run of version 1: players with `lives`, a storm and malformed messages, which it calls `weather`.
fn version_1() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version-1");
    for entry in fs::read_dir(source).expect("checked in") {
        let path = entry.expect("readable").path();
        fs::copy(&path, dir.path().join(path.file_name().expect("a file"))).expect("writable");
    }
    dir
}

#[test]
fn a_folder_of_version_1_gives_the_figures_that_it_gave() {
    let dir = version_1();
    let text = fs::read_to_string(dir.path().join(SUMMARY)).expect("readable");
    let before: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(before["schema_version"], 1);
    let folder = RunFolder::read(dir.path()).expect("still read");
    let summary = folder.summary.as_ref().expect("finished");
    assert_eq!((folder.manifest.schema_version, summary.schema_version), (SCHEMA_VERSION, SCHEMA_VERSION));
    // Every figure is there again, two of them under other names.
    let mut now = serde_json::to_value(summary).expect("JSON");
    let object = now.as_object_mut().expect("an object");
    for (renamed, old) in [("churn", "lives"), ("disruptions", "weather")] {
        let value = object.remove(renamed).expect(renamed);
        object.insert(old.into(), value);
    }
    object.insert("schema_version".into(), 1.into());
    // The exit code follows from the word, which it had.
    assert_eq!(object["verdict"].as_object_mut().expect("an object").remove("exit_code"), Some(0.into()));
    assert_eq!(now, before);

    // Long names may break between their words.
    let page = reports::html::render(&folder).expect("renders").replace("<wbr>", "");
    let text = reports::text::summary(&folder);
    for told in ["bad_json", "answered_404"] {
        assert!(page.contains(told) && text.contains(told), "{told}: {text}");
    }
    assert!(text.contains("\nChurn  players  left"), "{text}");
}

#[test]
fn a_killed_run_of_version_1_is_rebuilt_from_its_seconds() {
    let dir = version_1();
    let whole = RunFolder::read(dir.path()).expect("still read").summary.expect("finished");
    fs::remove_file(dir.path().join(SUMMARY)).expect("there");
    let folder = RunFolder::read(dir.path()).expect("still read");
    let rebuilt = folder.summary_or_rebuilt();
    let churn = rebuilt.churn.as_ref().expect("players left");
    let wanted = whole.churn.as_ref().expect("players left");
    assert_eq!((churn.players, churn.left, churn.returned), (wanted.players, wanted.left, wanted.returned));
    assert_eq!(rebuilt.disruptions, whole.disruptions);
    assert_eq!(rebuilt.operations["send_message"].errors, whole.operations["send_message"].errors);
}

#[test]
fn what_is_saved_of_a_folder_of_version_1_is_of_the_present_version() {
    let dir = version_1();
    let folder = RunFolder::read(dir.path()).expect("still read");
    reports::folder::save_summary(dir.path(), folder.summary.as_ref().expect("finished")).expect("writable");
    let text = fs::read_to_string(dir.path().join(SUMMARY)).expect("readable");
    assert!(text.contains("\"schema_version\": 2") && text.contains("\"disruptions\""), "{text}");
    assert!(!text.contains("\"weather\"") && !text.contains("\"lives\""), "{text}");
    assert_eq!(RunFolder::read(dir.path()).expect("mixed versions").summary, folder.summary);
}

#[test]
fn a_folder_that_is_none_is_said_to_be_none() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let error = RunFolder::read(dir.path()).expect_err("no manifest").to_string();
    assert!(error.contains("manifest.json") && error.contains("run folder"), "{error}");
}

#[test]
fn a_tag_that_would_break_the_log_is_refused_and_the_writer_goes_on() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut writer = writer(dir.path(), &manifest(&Shape::default()));
    let mut histogram = histogram();
    histogram.record(1500).expect("resizes");
    let second = Duration::from_secs(1);
    let error = writer.interval("a b.response", second, second, &histogram).expect_err("refused");
    assert!(matches!(error, FolderError::Unloggable { .. }), "{error}");
    writer.interval(&Tag::Dispatch.to_string(), second * 60, second, &histogram).expect("goes on");
    assert_eq!(RunFolder::read(dir.path()).expect("readable").histogram(Tag::Dispatch), Some(&histogram));
}

#[test]
fn the_files_are_what_other_tools_expect() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 5, ..Shape::default() });
    let log = fs::read_to_string(dir.path().join(LATENCY)).expect("readable");
    assert!(log.starts_with("#[Histogram log format version 1.3]\n"), "{}", &log[..200]);
    assert!(log.contains("#[StartTime: 1773480413.000 (seconds since epoch)]\n"));
    assert!(log.contains("#[BaseTime: 1773480413.000 (seconds since epoch)]\n"));
    assert_eq!(log.matches("MaxValueDivisor").count(), 1, "once, in the header");
    let line =
        log.lines().find(|line| line.starts_with("Tag=send_message.response,1.000,1.000,")).expect("present");
    assert!(line.contains(",HISTFAAAA"), "compressed V2: {line}");
    let leftovers: Vec<_> = fs::read_dir(dir.path())
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name())
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn every_file_means_the_plans_first_instant_by_the_start() {
    let called = manifest(&Shape::default());
    let began = called.run.started_at + SignedDuration::from_millis(8_250);
    let head = |dir: &Path| {
        let log = fs::read_to_string(dir.join(LATENCY)).expect("readable");
        let of = |name: &str| {
            let line = log.lines().find(|line| line.starts_with(&format!("#[{name}: "))).expect(name);
            line.split(' ').nth(1).and_then(|value| value.parse::<f64>().ok()).expect("a number")
        };
        (of("StartTime"), of("BaseTime"))
    };
    let seconds = |at: Timestamp| at.as_millisecond() as f64 / 1e3;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut writer = writer(dir.path(), &called);
    assert_eq!(fs::read_to_string(dir.path().join(LATENCY)).expect("there from the start"), "");
    writer.begin(began).expect("writable");
    assert_eq!(head(dir.path()), (seconds(began), seconds(began)));
    let line = SeriesLine { t: 1, at: began + SignedDuration::from_secs(1), ..SeriesLine::default() };
    writer.second(&line).expect("writable");
    // Killed here.
    drop(writer);
    let folder = RunFolder::read(dir.path()).expect("readable");
    assert_eq!(folder.manifest, Manifest { run: folder.manifest.run.clone(), ..called.clone() });
    assert_eq!(folder.manifest.run.started_at, began);
    assert_eq!(folder.summary_or_rebuilt().run.started_at, began);

    // A folder of a version whose manifest kept the instant of the call.
    save_manifest(dir.path(), &called).expect("writable");
    let folder = RunFolder::read(dir.path()).expect("readable");
    assert_eq!(folder.summary_or_rebuilt().run.started_at, began);
}

#[test]
fn a_summary_that_does_not_say_its_status_has_it_derived() {
    let older = |state, status: Option<Status>| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut manifest = manifest(&Shape::default());
        let mut writer = writer(dir.path(), &manifest);
        let mut summary = Summary { schema_version: SCHEMA_VERSION, ..Summary::default() };
        summary.verdict = Verdict { status, valid: true, thresholds_passed: false, ..Verdict::default() };
        writer.summary(&summary).expect("writable");
        manifest.state = state;
        writer.finish(&manifest).expect("writable");
        let text = fs::read_to_string(dir.path().join(SUMMARY)).expect("readable");
        assert_eq!(text.contains("\"status\""), status.is_some(), "{text}");
        RunFolder::read(dir.path()).expect("readable").summary_or_rebuilt().status()
    };
    assert_eq!(older(RunState::Finished, None), Status::ThresholdsFailed);
    assert_eq!(older(RunState::Interrupted, None), Status::Interrupted);
    assert_eq!(older(RunState::Finished, Some(Status::Passed)), Status::Passed, "what is said counts");
    assert_eq!(older(RunState::Failed, Some(Status::Passed)), Status::Failed, "but not all could be written");
}

#[test]
fn a_run_without_a_summary_has_the_status_of_its_manifest() {
    for (state, status) in [
        (RunState::Running, Status::Unfinished),
        (RunState::Failed, Status::Failed),
        (RunState::Interrupted, Status::Interrupted),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let manifest = Manifest { state, ..manifest(&Shape::default()) };
        drop(writer(dir.path(), &manifest));
        let folder = RunFolder::read(dir.path()).expect("readable");
        assert_eq!(folder.summary_or_rebuilt().status(), status, "{state:?}");
    }
}
