//! A page whose embedded data is known to the last sample: what a window must show of it can be worked out by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{self, Dice, histogram};

/// Ten bins of ten seconds; the run ends in the middle of the last.
pub(crate) const STEP_S: u64 = 10;
pub(crate) const BINS: usize = 10;
pub(crate) const END_S: u64 = 95;
const SUB_BUCKETS: u64 = 128;

/// The name of an operation that has to be escaped in a JSON Pointer.
pub(crate) const ESCAPED: &str = "a/b~c";
/// The name of a kind of push with values all over the place.
pub(crate) const SCATTERED: &str = "scattered";
/// Names that an object of JavaScript has by itself.
pub(crate) const INHERITED: [&str; 2] = ["__proto__", "constructor"];

/// The samples of each bin.
type Bins = Vec<Vec<u64>>;

/// The page, and the samples behind it.
pub(crate) struct Known {
    _dir: TempDir,
    pub(crate) file: PathBuf,
    scattered: Bins,
}

impl Known {
    pub(crate) fn write() -> Self {
        let scattered = scattered();
        let mut tags =
            vec![(format!("{ESCAPED}.response"), stairs()), (format!("{SCATTERED}.each"), scattered.clone())];
        tags.extend(INHERITED.map(|name| (format!("{name}.response"), stairs())));
        // A tag of something that no summary has.
        tags.push(("anything.constructor".into(), stairs()));
        let dir = tempfile::tempdir().expect("a temporary directory");
        reports::capacity::write(dir.path(), &common::capacity()).expect("renders");
        let file = dir.path().join(reports::capacity::PAGE);
        let frame = fs::read_to_string(&file).expect("readable");
        let (head, rest) = frame.split_once("</main>").expect("a page has a main part");
        let page = format!(
            "{head}{}</main><script type=\"application/json\" id=\"run-data\">{}</script>{rest}",
            section(),
            data(&tags)
        );
        fs::write(&file, page).expect("writable");
        Self { _dir: dir, file, scattered }
    }

    /// The samples of [`SCATTERED`] in some bins, with three digits.
    pub(crate) fn scattered(&self, bins: std::ops::Range<usize>) -> Histogram<u64> {
        let mut merged = histogram();
        for value in self.scattered[bins].iter().flatten() {
            merged.record(*value).expect("recorded");
        }
        merged
    }
}

/// A hundred samples of 2 µs in the second bin, of 3 µs in the third and so on; none in the first, which is not measured, and in the
/// last; and one of a second in the sixth.
fn stairs() -> Bins {
    let mut bins: Bins = (1..BINS as u64).map(|value| vec![value; 100]).collect();
    bins[0].clear();
    bins[5].push(1_000_000);
    bins.push(Vec::new());
    bins
}

fn scattered() -> Bins {
    let mut dice = Dice::new(7);
    let mut sample = |bin: u64| (1 << (dice.next() % 30)) + dice.next() % 1_000 * bin;
    (0..BINS as u64)
        .map(|bin| if bin == 0 { Vec::new() } else { (0..400).map(|_| sample(bin)).collect() })
        .collect()
}

fn data(tags: &[(String, Bins)]) -> String {
    let counts = |value: u64| {
        let mut counts = vec![value; BINS];
        counts[0] = 0;
        counts
    };
    let each = |value: u64| Value::from(counts(value));
    // The last bin is half as long and has half as many.
    let (mut completed, mut seconds) = (counts(100), counts(STEP_S));
    completed[BINS - 1] /= 2;
    seconds[BINS - 1] /= 2;
    let operation = json!({
        "offered": each(110), "sent": each(105), "unsent": each(5), "completed": completed, "failed": each(3), "timed_out": each(2),
        "errors": { "status_500": each(3), "timeout": each(2), "unsent_run_ended": each(5) },
    });
    let names = [ESCAPED].into_iter().chain(INHERITED);
    let operations: serde_json::Map<_, _> = names.map(|name| (name.to_owned(), operation.clone())).collect();
    let mut stream = Vec::new();
    for samples in tags.iter().flat_map(|(_, bins)| bins) {
        encode(samples, &mut stream);
    }
    json!({
        "version": 1, "start_s": 0, "step_s": STEP_S, "bins": BINS, "end_s": END_S, "sub_buckets": SUB_BUCKETS,
        "phases": [
            { "name": "ramp", "from_s": 0, "to_s": 10, "measured": false },
            { "name": "hold", "from_s": 10, "to_s": END_S, "measured": true },
        ],
        "tags": tags.iter().map(|(tag, _)| tag).collect::<Vec<_>>(),
        "histograms": STANDARD.encode(stored(&stream)),
        "seconds": seconds,
        "operations": operations,
        "deliveries": { SCATTERED: { "expected": each(400), "received": each(396), "lost": each(4) } },
    })
    .to_string()
}

/// The bucket of a value: each power of two has half as many as there are sub-buckets.
fn bucket(value: u64) -> u64 {
    if value < SUB_BUCKETS {
        return value;
    }
    let shift = u64::from(value.ilog2() - SUB_BUCKETS.ilog2() + 1);
    shift * (SUB_BUCKETS / 2) + (value >> shift)
}

fn encode(samples: &[u64], stream: &mut Vec<u8>) {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for value in samples {
        *counts.entry(bucket(*value)).or_default() += 1;
    }
    varint(counts.len() as u64, stream);
    let mut next = 0;
    for (bucket, count) in counts {
        varint(bucket + 1 - next, stream);
        varint(count, stream);
        next = bucket + 1;
    }
    if let Some(largest) = samples.iter().max() {
        varint(*largest, stream);
    }
}

fn varint(mut value: u64, stream: &mut Vec<u8>) {
    while value >= 128 {
        stream.push((value % 128) as u8 | 128);
        value /= 128;
    }
    stream.push(value as u8);
}

/// A deflate stream that compresses nothing (RFC 1951, 3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let blocks = bytes.chunks(usize::from(u16::MAX));
    let last = blocks.len() - 1;
    blocks
        .enumerate()
        .flat_map(|(index, block)| {
            let length = block.len() as u16;
            let mut out = vec![u8::from(index == last)];
            out.extend(length.to_le_bytes());
            out.extend((!length).to_le_bytes());
            out.extend(block);
            out
        })
        .collect()
}

/// What the page shows of the whole run, in the marks that the script looks for.
fn section() -> String {
    let escaped = "/operations/a~1b~0c";
    let mut rows = String::new();
    let mut row = |id: &str, pointer: String, unit: &str, value: &str| {
        let _ = write!(
            rows,
            "<tr><th scope=row>{id}</th><td id={id} data-m=\"{pointer}\" data-u={unit} data-v={value}>all</td></tr>"
        );
    };
    for (name, unit) in
        [("sent", "count"), ("per_s", "rate"), ("error_share", "percent"), ("errors/status_500", "count")]
    {
        row(&name.replace('/', "-"), format!("{escaped}/{name}"), unit, "7");
    }
    for name in ["count", "min", "mean", "p50", "p99", "p99_9", "max"] {
        let unit = if name == "count" { "count" } else { "duration" };
        row(name, format!("{escaped}/response_time_us/{name}"), unit, "7");
        row(&format!("s-{name}"), format!("/deliveries/{SCATTERED}/each_us/{name}"), unit, "7");
    }
    row("lost", format!("/deliveries/{SCATTERED}/lost_share"), "percent", "7");
    for name in INHERITED {
        row(name, format!("/operations/{name}/response_time_us/p50"), "duration", "7");
    }
    row("absent", "/operations/absent/response_time_us/p50".into(), "duration", "7");
    let points = "<title id=t>T</title><desc id=d>D</desc>";
    let chart = |id: &str, more: &str, inner: &str, script: &str| {
        format!(
            "<figure class=\"chart wide\" id={id} data-plot=\"100 10 500 210\" {more}><figcaption><h3>{id}</h3><output class=at></output></figcaption>\
             <ul class=legend><li><span>level</span> <b class=value></b></li></ul>\
             <div class=plot tabindex=0><svg viewBox=\"0 0 520 230\">{inner}</svg></div>{script}</figure>"
        )
    };
    let values: Vec<usize> = (0..BINS).collect();
    let line = json!({ "version": 1, "unit": "count", "start": 0, "step": STEP_S, "end": END_S, "values": [values] });
    let script = format!("<script type=\"application/json\">{line}</script>");
    let spectrum =
        format!("data-spectrum='[\"{escaped}/response_time_us\"]' data-scale=\"0 4 1 1000000 log\"");
    let heat = format!("data-heatmap=\"{escaped}/response_time_us\" data-scale=\"0 {END_S} 1 1000000 log\"");
    let strip = format!(
        "<figure id=strip class=band data-plot=\"0 0 1000 24\" data-time={END_S}><div class=plot tabindex=0>\
         <svg viewBox=\"0 0 1000 24\" preserveAspectRatio=none><title>The run</title></svg></div></figure>"
    );
    format!(
        "<section id=known aria-label=Known><div class=scroll tabindex=0 role=region aria-label=\"Known figures\"><table><caption>Known figures</caption>\
         <thead><tr><th scope=col>figure</th><th scope=col data-unit=µs>value</th></tr></thead><tbody>{rows}</tbody></table></div>{}{}{}{}\
         <p><a id=link href=\"#w=20-40\" data-window=\"20-40\">from 0:20 to 0:40</a> <a id=elsewhere href=\"#known\">known</a></p></section>",
        chart("level", "", points, &script),
        strip,
        chart("spectrum", &spectrum, "<polyline class=i-s0 points=\"100,210 500,10\"/>", ""),
        chart("heat", &heat, "<g class=heat><path d=\"M100 110H500\"/></g>", &script),
    )
}
