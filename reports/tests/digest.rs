//! The digest of a run against its seconds and intervals, counted one by one.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use common::Shape;
use hdrhistogram::Histogram;
use reports::digest::{Digest, MAX_BINS, RESOLUTION, SUB_BUCKETS, embed};
use reports::folder::{LATENCY, RunFolder, SERIES, Tag};
use serde_json::Value;

const RESPONSE: Tag<'_> = Tag::Response("send_message");

fn folder(shape: &Shape) -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), shape);
    let folder = RunFolder::read(dir.path()).expect("readable");
    (dir, folder)
}

/// A run of more seconds than bins, made once.
static LONG: LazyLock<(tempfile::TempDir, RunFolder)> =
    LazyLock::new(|| folder(&Shape { seconds: 1_000, rate: 40.0, cloudwatch: None, ..Shape::default() }));

/// The intervals of some seconds, merged by the crate.
fn merged(folder: &RunFolder, tag: Tag<'_>, within: impl Fn(f64) -> bool) -> Histogram<u64> {
    let mut sum = common::histogram();
    let wanted = tag.to_string();
    for interval in folder.intervals().map(|interval| interval.expect("readable")) {
        if interval.tag == wanted && within(interval.start_s) {
            sum.add(&interval.histogram).expect("resizes");
        }
    }
    sum
}

fn assert_near(said: u64, exact: u64) {
    // The log's own buckets have a width of a thousandth.
    let (said, exact) = (said as f64, exact as f64);
    assert!(exact * 0.999 <= said && said <= exact * (1.001 + RESOLUTION), "{said} is not {exact}");
}

#[test]
fn bins_are_the_sums_of_their_seconds() {
    let (_, folder) = &*LONG;
    let grid = folder.digest.grid();
    assert_eq!((grid.step_s, grid.bins, folder.digest.end_s()), (3, 334, 1_000.0));
    assert!(grid.bins <= MAX_BINS && folder.digest.bins().len() == grid.bins);
    for (number, bin) in folder.digest.bins().iter().enumerate() {
        let of_bin = |t: u64| (t / grid.step_s) as usize == number;
        let lines: Vec<_> = folder.series.iter().filter(|line| of_bin(line.t)).collect();
        assert_eq!(bin.seconds as usize, lines.len());
        let operations = |of: fn(&reports::format::OperationSecond) -> u64| -> u64 {
            lines.iter().flat_map(|line| line.operations.values()).map(of).sum()
        };
        let sum = |of: fn(&reports::format::OperationSecond) -> u64| -> u64 {
            bin.sum.operations.values().map(of).sum()
        };
        assert_eq!(sum(|second| second.offered), operations(|second| second.offered));
        assert_eq!(sum(|second| second.timed_out), operations(|second| second.timed_out));
        assert_eq!(
            sum(|second| second.errors.values().sum()),
            operations(|second| second.errors.values().sum())
        );
        let lost = |line: &reports::format::SeriesLine| -> u64 {
            line.deliveries.values().map(|second| second.lost).sum()
        };
        assert_eq!(lost(&bin.sum), lines.iter().map(|line| lost(line)).sum::<u64>());
        assert_eq!(Some(bin.sum.open), lines.iter().map(|line| line.open).max());
        let peak = lines
            .iter()
            .filter_map(|line| Some((line.operations.get("send_message")?.response_time_us.p99, line.t)))
            .max_by_key(|(p99, t)| (*p99, u64::MAX - t));
        let said = bin.peaks.get(&RESPONSE.to_string()).map(|peak| (peak.p99_us, peak.at_s));
        assert_eq!(said, peak.filter(|(p99, _)| *p99 > 0));
    }
}

#[test]
fn percentiles_of_a_bin_are_those_of_all_its_samples() {
    let (_, folder) = &*LONG;
    let mut seen = 0;
    for number in (0..folder.digest.grid().bins).step_by(37) {
        let of_bin = |start_s: f64| (start_s / 3.0) as usize == number;
        let exact = merged(folder, RESPONSE, of_bin);
        let said = folder.digest.bin(RESPONSE, number);
        assert_eq!((said.count(), said.max(), said.min()), (exact.len(), exact.max(), exact.min()));
        if exact.is_empty() {
            let bin = &folder.digest.bins()[number];
            let several = bin.peaks.get(&RESPONSE.to_string()).is_some_and(|peak| peak.seconds > 1);
            let said = bin.sum.operations.get("send_message").map(|second| second.response_time_us.count);
            assert!(!several || said == Some(0), "the ramp has no histogram");
            continue;
        }
        seen += 1;
        for q in [0.5, 0.9, 0.99, 1.0] {
            assert_near(said.quantile(q), exact.value_at_quantile(q));
        }
        let latency = folder.digest.bins()[number].sum.operations["send_message"].response_time_us;
        assert_eq!((latency.p99, latency.count), (said.quantile(0.99), exact.len()));
    }
    assert!(seen > 5);
}

#[test]
fn ranges_phases_and_the_whole_run_have_their_percentiles() {
    let (_, folder) = &*LONG;
    let digest = &folder.digest;
    let whole = digest.over(RESPONSE, 0..usize::MAX);
    assert_eq!(whole.count(), folder.histogram(RESPONSE).expect("answers").len());
    assert_near(whole.quantile(0.99), folder.histogram(RESPONSE).expect("answers").value_at_quantile(0.99));
    assert_eq!(digest.window(300.0, 600.0), 100..200);
    assert_eq!(digest.window(301.0, 301.5), 100..101);
    assert_eq!(digest.window(-5.0, 1e9), 0..334);
    let exact = merged(folder, RESPONSE, |start_s| (300.0..600.0).contains(&start_s));
    assert_near(digest.over(RESPONSE, 100..200).quantile(0.5), exact.value_at_quantile(0.5));
    for (number, phase) in folder.manifest.phases.iter().enumerate() {
        let exact = merged(folder, RESPONSE, |start_s| (phase.start_s..phase.end_s).contains(&start_s));
        let said = digest.phase(RESPONSE, number);
        assert_eq!((said.count(), said.max()), (exact.len(), exact.max()), "{}", phase.name);
        let lines =
            || folder.series.iter().filter(|line| (phase.start_s..phase.end_s).contains(&(line.t as f64)));
        let sent: u64 = lines().filter_map(|line| Some(line.operations.get("send_message")?.sent)).sum();
        assert_eq!(digest.phases()[number].sum.operations["send_message"].sent, sent, "{}", phase.name);
    }
    let own =
        |line: &reports::format::SeriesLine| line.operations.get("send_message").cloned().unwrap_or_default();
    let worst = folder.series.iter().map(|line| own(line).response_time_us.p99).max();
    assert_eq!(digest.worst(RESPONSE).map(|peak| peak.p99_us), worst);
    let timed_out: Vec<u64> = folder
        .series
        .iter()
        .filter(|line| own(line).errors.contains_key("timeout"))
        .map(|line| line.t)
        .collect();
    let (_, seen) =
        digest.errors("send_message").find(|(class, _)| *class == "timeout").expect("it timed out");
    assert_eq!((Some(&seen.first_s), Some(&seen.last_s)), (timed_out.first(), timed_out.last()));
    assert_eq!(seen.count, digest.whole().sum.operations["send_message"].errors["timeout"]);
    assert_eq!(
        digest.errors("socket").map(|(class, seen)| (class, seen.count)).collect::<Vec<_>>(),
        [("closed_1001", 6)]
    );
}

#[test]
fn a_short_run_has_a_bin_for_each_second_with_the_seconds_own_percentiles() {
    let (_dir, folder) = folder(&Shape { seconds: 30, ..Shape::default() });
    assert_eq!((folder.digest.grid().step_s, folder.digest.grid().bins), (1, 30));
    for (bin, line) in folder.digest.bins().iter().zip(&folder.series) {
        assert_eq!(bin.sum, *line);
    }
}

#[test]
fn seconds_and_intervals_in_any_order_give_the_same_digest() {
    let (dir, _) = folder(&Shape { seconds: 700, rate: 3.0, cloudwatch: None, ..Shape::default() });
    // Without phases, so that only the last line tells how long the run is.
    let mut manifest = reports::folder::read_manifest(dir.path()).expect("readable");
    manifest.phases.clear();
    reports::folder::save_manifest(dir.path(), &manifest).expect("writable");
    let before = RunFolder::read(dir.path()).expect("readable");
    for name in [SERIES, LATENCY] {
        let path = dir.path().join(name);
        let text = fs::read_to_string(&path).expect("readable");
        let (head, mut lines): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with(['#', '"']));
        lines.reverse();
        fs::write(&path, [head, lines].concat().join("\n") + "\n").expect("writable");
    }
    let after = RunFolder::read(dir.path()).expect("readable");
    // The last line is the run's first second: the bins were made longer on the way.
    assert_eq!((before.digest.grid().step_s, after.digest.grid().step_s), (2, 2));
    assert_eq!(before.histograms, after.histograms);
    for tag in [RESPONSE, Tag::Each("message"), Tag::Dispatch] {
        for number in 0..before.digest.grid().bins {
            assert_eq!(before.digest.bin(tag, number), after.digest.bin(tag, number));
        }
    }
    let sent = |folder: &RunFolder| -> Vec<u64> {
        let bins = folder.digest.bins().iter();
        bins.map(|bin| bin.sum.operations.get("send_message").map_or(0, |second| second.sent)).collect()
    };
    assert_eq!(sent(&before), sent(&after));
}

/// Counts by bucket, and the largest value.
type Bin = (BTreeMap<u64, u64>, u64);

/// What the script reads, read as the specification has it.
struct Read {
    json: Value,
    /// By tag, for each bin: buckets with counts, and the largest.
    histograms: BTreeMap<String, Vec<Bin>>,
}

fn read_back(json: &str) -> Read {
    use base64::Engine as _;
    use std::io::Read as _;
    let json: Value = serde_json::from_str(json).expect("JSON");
    let deflated = base64::engine::general_purpose::STANDARD
        .decode(json["histograms"].as_str().expect("text"))
        .expect("base64");
    let mut stream = Vec::new();
    flate2::read::DeflateDecoder::new(deflated.as_slice()).read_to_end(&mut stream).expect("deflated");
    let mut bytes = stream.into_iter();
    let mut number = || {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = bytes.next().expect("the stream goes on");
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let mut histograms = BTreeMap::new();
    for tag in json["tags"].as_array().expect("tags") {
        let bins = (0..json["bins"].as_u64().expect("a number")).map(|_| {
            let (mut buckets, mut index) = (BTreeMap::new(), -1);
            let count = number();
            for _ in 0..count {
                index += number() as i64;
                buckets.insert(index as u64, number());
            }
            let max = if count > 0 { number() } else { 0 };
            (buckets, max)
        });
        histograms.insert(tag.as_str().expect("text").to_owned(), bins.collect());
    }
    assert_eq!(bytes.next(), None, "nothing follows");
    Read { json, histograms }
}

#[test]
fn what_is_embedded_reads_back_as_the_digest() {
    let (_, folder) = &*LONG;
    let text = embed(&folder.digest);
    assert!(!text.contains('<'));
    let Read { json, histograms } = read_back(&text);
    assert_eq!(
        (&json["version"], &json["step_s"], &json["bins"], &json["end_s"]),
        (&1.into(), &3.into(), &334.into(), &1_000.0.into())
    );
    assert_eq!(json["sub_buckets"], SUB_BUCKETS);
    assert_eq!(
        json["phases"][0],
        serde_json::json!({"name": "ramp", "from_s": 0.0, "to_s": 200.0, "measured": false})
    );
    for (number, (buckets, max)) in histograms["send_message.response"].iter().enumerate() {
        let bin = folder.digest.bin(RESPONSE, number);
        assert_eq!((buckets.values().sum::<u64>(), *max), (bin.count(), bin.max()));
        // The layout as the specification has it, for values beyond the sub-buckets.
        let index = |value: u64| {
            let shift = u64::from(value.ilog2()) + 1 - u64::from(SUB_BUCKETS.ilog2());
            shift * SUB_BUCKETS / 2 + (value >> shift)
        };
        let wanted: BTreeMap<u64, u64> = bin.buckets().map(|(low, _, count)| (index(low), count)).collect();
        assert_eq!(*buckets, wanted);
    }
    let sent = &json["operations"]["send_message"]["sent"];
    let sent: u64 = sent.as_array().expect("an array").iter().filter_map(Value::as_u64).sum();
    let summary = folder.summary_or_rebuilt();
    assert_eq!(sent, summary.operations["send_message"].sent, "the ramp does not count");
    let timeouts = json["operations"]["send_message"]["errors"]["timeout"].as_array().expect("an array");
    let timeouts: u64 = timeouts.iter().filter_map(Value::as_u64).sum();
    assert_eq!(timeouts, summary.operations["send_message"].errors["timeout"]);
    let lost = json["deliveries"]["message"]["lost"].as_array().expect("an array");
    assert_eq!(lost.iter().filter_map(Value::as_u64).sum::<u64>(), summary.deliveries["message"].lost);
    let seconds = json["seconds"].as_array().expect("an array");
    assert_eq!(seconds.iter().filter_map(Value::as_u64).sum::<u64>(), 800);
    assert_eq!(json["open"].as_array().map(Vec::len), Some(334));
}

#[test]
fn no_name_ends_the_block_that_it_is_embedded_in() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 10, ..Shape::default() });
    let path = dir.path().join(SERIES);
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replace("send_message", "</script><script>alert(1)")).expect("writable");
    let folder = RunFolder::read(dir.path()).expect("readable");
    let text = embed(&folder.digest);
    assert!(!text.contains('<') && text.contains("\\u003c/script>"));
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert!(json["operations"]["</script><script>alert(1)"]["sent"].is_array());
}

#[test]
fn seconds_beyond_all_reason_are_still_a_run() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 10, ..Shape::default() });
    let path = dir.path().join(SERIES);
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replacen("\"t\":3,", &format!("\"t\":{},", u64::MAX), 1)).expect("writable");
    let folder = RunFolder::read(dir.path()).expect("readable");
    let digest: &Digest = &folder.digest;
    assert!(digest.grid().bins <= MAX_BINS);
    assert_eq!(digest.bins().iter().map(|bin| bin.seconds).sum::<u64>(), 10);
    assert_eq!(
        digest.over(Tag::Dispatch, 0..MAX_BINS).count(),
        folder.histogram(Tag::Dispatch).expect("sends").len()
    );
}

#[test]
fn counts_beyond_all_reason_are_still_a_run() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 10, ..Shape::default() });
    let path = dir.path().join(SERIES);
    let text = fs::read_to_string(&path).expect("readable");
    let huge = |line: &str| {
        let mut line: reports::format::SeriesLine = serde_json::from_str(line).expect("a second");
        let most = u64::MAX;
        for second in line.operations.values_mut() {
            (second.offered, second.sent, second.completed, second.failed) = (most, most, most, most);
            second.errors =
                ["unsent_interrupted", "unsent_run_ended"].map(|class| (class.to_owned(), most)).into();
        }
        for second in line.deliveries.values_mut() {
            (second.expected, second.received, second.lost, second.away) = (most, most, most, most);
            second.each_us.count = most;
        }
        serde_json::to_string(&line).expect("JSON") + "\n"
    };
    fs::write(&path, text.lines().map(huge).collect::<String>()).expect("writable");
    let folder = RunFolder::read(dir.path()).expect("readable");
    let sent = folder.digest.whole().sum.operations.values().map(|second| second.sent).max();
    assert_eq!(sent, Some(u64::MAX), "counts saturate");
    assert!(embed(&folder.digest).contains(&u64::MAX.to_string()));
}
