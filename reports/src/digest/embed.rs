//! A digest as a browser takes it: JSON beside which a page's script recomputes the figures of a window.
//!
//! ```text
//! {"version":1,"start_s":0,"step_s":8,"bins":450,"end_s":3600,"sub_buckets":128,
//!  "phases":[{"name":…,"from_s":…,"to_s":…,"measured":true}],
//!  "tags":["send_message.response",…],
//!  "histograms":"BASE64 of raw deflate",
//!  "seconds":[…],
//!  "operations":{"NAME":{"offered":[…],"sent":[…],"unsent":[…],"completed":[…],"failed":[…],"timed_out":[…],"errors":{"CLASS":[…]}}},
//!  "deliveries":{"NAME":{"expected":[…],"received":[…],"late":[…],"lost":[…],"duplicated":[…],"out_of_order":[…],"unexpected":[…]}},
//!  "open":[…]}
//! ```
//!
//! Every array has a number for each bin, of the seconds that count only; `seconds` says how many these are, and `open` is the highest
//! number of open sockets, whether it counts or not. The stream of histograms has for each tag, for each bin: the number of buckets that are
//! not empty; for each of them how far its index lies beyond the one before (the first beyond -1) and its count; and, unless there are
//! none, the largest latency in microseconds. Its numbers are LEB128. `tags` are those of operations and deliveries. Where the stream is too
//! long for a mail, buckets are merged: `sub_buckets` says how many there are then.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use super::buckets::index_among;
use super::{Digest, Distribution, SUB_BUCKETS};
use crate::folder::Tag;
use crate::format::{DeliverySecond, OperationSecond, SeriesLine};

/// The stream of histograms has at most so many bytes, unless even the fewest sub-buckets need more. As base64 it is a third longer.
const MOST_BYTES: usize = 700_000;

/// A day of ten operations needs fewer sub-buckets than an hour.
const LAYOUTS: [u64; 3] = [SUB_BUCKETS, SUB_BUCKETS / 2, SUB_BUCKETS / 4];

/// Whatever is in the run, the JSON is safe between `<script type="application/json">` and its end.
#[must_use]
pub fn embed(digest: &Digest) -> String {
    let counts = Counts { digest };
    let tags = tags(digest);
    let stream = |sub_buckets| (sub_buckets, deflated(&histograms(digest, &tags, sub_buckets)));
    let [finest, middle, coarsest] = LAYOUTS;
    let fits = |(_, stream): &(u64, Vec<u8>)| stream.len() <= MOST_BYTES;
    let finer = [finest, middle].into_iter().map(stream).find(fits);
    let (sub_buckets, histograms) = finer.unwrap_or_else(|| stream(coarsest));
    let embedded = Embedded {
        version: 1,
        start_s: 0,
        step_s: digest.grid.step_s,
        bins: digest.grid.bins,
        end_s: digest.end_s(),
        sub_buckets,
        phases: digest
            .phases
            .iter()
            .map(|phase| Stretch {
                name: &phase.name,
                from_s: phase.start_s,
                to_s: phase.end_s,
                measured: phase.measured,
            })
            .collect(),
        tags,
        histograms: STANDARD.encode(histograms),
        seconds: digest.measured_bins.iter().map(|bin| bin.seconds).collect(),
        operations: counts.operations(),
        deliveries: counts.deliveries(),
        open: digest.bins.iter().map(|bin| bin.sum.open).collect(),
    };
    let json = serde_json::to_string(&embedded).expect("numbers, and maps by text");
    json.replace('<', "\\u003c")
}

#[derive(Serialize)]
struct Embedded<'a> {
    version: u32,
    start_s: u64,
    step_s: u64,
    bins: usize,
    end_s: f64,
    sub_buckets: u64,
    phases: Vec<Stretch<'a>>,
    tags: Vec<&'a str>,
    histograms: String,
    seconds: Vec<u64>,
    operations: BTreeMap<&'a str, Operation<'a>>,
    deliveries: BTreeMap<&'a str, BTreeMap<&'static str, Vec<u64>>>,
    open: Vec<u64>,
}

#[derive(Serialize)]
struct Stretch<'a> {
    name: &'a str,
    from_s: f64,
    to_s: f64,
    measured: bool,
}

#[derive(Serialize)]
struct Operation<'a> {
    #[serde(flatten)]
    counts: BTreeMap<&'static str, Vec<u64>>,
    errors: BTreeMap<&'a str, Vec<u64>>,
}

/// The counts of the seconds that count, bin by bin.
struct Counts<'a> {
    digest: &'a Digest,
}

impl<'a> Counts<'a> {
    fn values(&self, of: impl Fn(&SeriesLine) -> Option<u64>) -> Vec<u64> {
        self.digest.measured_bins.iter().map(|bin| of(&bin.sum).unwrap_or(0)).collect()
    }

    fn operations(&self) -> BTreeMap<&'a str, Operation<'a>> {
        let names = self.digest.measured.sum.operations.iter();
        names
            .map(|(name, sum)| {
                let values =
                    |of: fn(&OperationSecond) -> u64| self.values(|line| line.operations.get(name).map(of));
                let counts = BTreeMap::from([
                    ("offered", values(|second| second.offered)),
                    ("sent", values(|second| second.sent)),
                    ("unsent", values(|second| second.unsent)),
                    ("completed", values(|second| second.completed)),
                    ("failed", values(|second| second.failed)),
                    ("timed_out", values(|second| second.timed_out)),
                ]);
                let errors = sum.errors.keys().map(|class| {
                    let of = |line: &SeriesLine| line.operations.get(name)?.errors.get(class).copied();
                    (class.as_str(), self.values(of))
                });
                (name.as_str(), Operation { counts, errors: errors.collect() })
            })
            .collect()
    }

    fn deliveries(&self) -> BTreeMap<&'a str, BTreeMap<&'static str, Vec<u64>>> {
        let names = self.digest.measured.sum.deliveries.keys();
        names
            .map(|kind| {
                let values =
                    |of: fn(&DeliverySecond) -> u64| self.values(|line| line.deliveries.get(kind).map(of));
                let counts = BTreeMap::from([
                    ("expected", values(|second| second.expected)),
                    ("received", values(|second| second.received)),
                    ("late", values(|second| second.late)),
                    ("lost", values(|second| second.lost)),
                    ("duplicated", values(|second| second.duplicated)),
                    ("out_of_order", values(|second| second.out_of_order)),
                    ("unexpected", values(|second| second.unexpected)),
                ]);
                (kind.as_str(), counts)
            })
            .collect()
    }
}

/// The tags of operations and deliveries that the log has.
fn tags(digest: &Digest) -> Vec<&str> {
    let Digest { measured, latencies, .. } = digest;
    let operations = measured.sum.operations.keys();
    let operations = operations.flat_map(|name| [Tag::Response(name), Tag::Service(name)]);
    let deliveries = measured.sum.deliveries.keys();
    let deliveries = deliveries.flat_map(|kind| [Tag::Each(kind), Tag::First(kind), Tag::Last(kind)]);
    let known = operations.chain(deliveries).filter_map(|tag| latencies.get_key_value(&tag.to_string()));
    known.map(|(tag, _)| tag.as_str()).collect()
}

/// The stream of histograms, not yet deflated.
fn histograms(digest: &Digest, tags: &[&str], sub_buckets: u64) -> Vec<u8> {
    let mut stream = Vec::new();
    for tag in tags {
        let bins = digest.of_tag(tag);
        for bin in 0..digest.grid.bins {
            push_histogram(&mut stream, bins.get(bin).unwrap_or(&super::NOTHING), sub_buckets);
        }
    }
    stream
}

fn push_histogram(stream: &mut Vec<u8>, distribution: &Distribution, sub_buckets: u64) {
    let mut buckets: Vec<(u16, u64)> = Vec::new();
    for (low, _, count) in distribution.buckets() {
        let bucket = index_among(low, sub_buckets);
        match buckets.last_mut() {
            Some((same, sum)) if *same == bucket => *sum = sum.saturating_add(count),
            _ => buckets.push((bucket, count)),
        }
    }
    push(stream, buckets.len() as u64);
    let mut beyond = 0;
    for (bucket, count) in &buckets {
        push(stream, u64::from(bucket + 1 - beyond));
        push(stream, *count);
        beyond = bucket + 1;
    }
    if !buckets.is_empty() {
        push(stream, distribution.max());
    }
}

/// A number as LEB128: seven bits a byte, the lowest first.
fn push(stream: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        stream.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    stream.push(number as u8);
}

fn deflated(stream: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(stream).and_then(|()| encoder.finish()).expect("memory takes every byte")
}
