//! A synthetic run, the same on every machine: players that chat while a function runs out of concurrency, and a storm
//! that cuts some of their sockets; and a search for the load at which that function does.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod foreign;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use reports::capacity::{self, Capacity, Ended, Knee, Level, Outcome, Step, Vary, wilson};
use reports::folder::{RunFolder, RunWriter, Tag, save_summary};
use reports::format::comparison::{
    self, Change, ComparedRun, Comparison, Effect, EffectKind, Measure, Method, NotCompared, Objection,
    ObjectionKind, Scale, Setting, Shift, ShiftPoint, Subject,
};
use reports::format::{
    Association, CloudWatch, CloudWatchSeries, Correlation, Cost, CostBasis, CostItem, DeliveryHops,
    DeliverySecond, Disruption, ErrorSample, Evidence, GeneratorSecond, Headroom, Hop, HopClock, HopSecond,
    Hops, Host, Known, Latency, Manifest, OperationSecond, Outcome as CorrelationOutcome, Phase, Reconnects,
    Run, RunState, SCHEMA_VERSION, SeriesLine, SocketsSecond, Summary, Suspect, SuspectKind, Symptom,
    SymptomKind, Threshold, UnitCost, Verdict,
};
use reports::verdict::explained;

/// What kind of run to make up.
pub(crate) struct Shape {
    /// Length in seconds.
    pub(crate) seconds: u64,
    /// Messages a second at full load.
    pub(crate) rate: f64,
    /// Period of the CloudWatch series, if there are any.
    pub(crate) cloudwatch: Option<u64>,
    /// Whether the run ended properly and left a summary.
    pub(crate) finished: bool,
    /// Whether a storm cuts sockets, and the backend drops some.
    pub(crate) stormy: bool,
    /// Name of the scenario.
    pub(crate) name: &'static str,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seconds: 300,
            rate: 240.0,
            cloudwatch: Some(60),
            finished: true,
            stormy: true,
            name: "lobby-chat-2000",
        }
    }
}

/// SplitMix64: small, and fixed for ever, as golden files need it.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1, both excluded.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Log-normal latency in microseconds.
    fn latency(&mut self, median_ms: f64, sigma: f64) -> u64 {
        (median_ms * 1000.0 * (sigma * self.normal()).exp()).max(50.0) as u64
    }

    /// About `mean`, never negative.
    fn about(&mut self, mean: f64) -> u64 {
        (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64
    }
}

/// An empty histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

fn started_at() -> Timestamp {
    "2026-03-14T09:26:53Z".parse().expect("a valid instant")
}

/// The manifest of a made-up run.
pub(crate) fn manifest(shape: &Shape) -> Manifest {
    let length = shape.seconds as f64;
    let phase = |name: &str, from: f64, to: f64, measured| Phase {
        name: name.into(),
        start_s: (length * from).round(),
        end_s: (length * to).round(),
        measured,
    };
    Manifest {
        protocol: "reference".into(),
        schema_version: SCHEMA_VERSION,
        run: Run {
            id: "2026-03-14T09-26-53Z-lobby-chat".into(),
            name: shape.name.into(),
            started_at: started_at(),
            ended_at: started_at(),
            target: "wss://play.example.test/Development".into(),
            seed: 42,
            version: "0.1.0".into(),
        },
        state: RunState::Running,
        command: ["loadgen", "run", "scenarios/lobby-chat.toml", "--seed", "42"].map(String::from).to_vec(),
        plan: vec![
            "2,000 players connect over the ramp, 33 a second.".into(),
            "Each player then sends a message every 8 s on average to a lobby of 8.".into(),
            "A burst doubles the message rate near the end.".into(),
        ],
        phases: vec![
            phase("ramp", 0.0, 0.2, false),
            phase("hold", 0.2, 0.7, true),
            phase("burst", 0.7, 0.85, true),
            phase("recover", 0.85, 1.0, true),
        ],
        players: 2000,
        host: Host {
            os: "Linux 6.1.0".into(),
            arch: "x86_64".into(),
            cpus: 8,
            memory_bytes: 16 << 30,
            descriptor_limit: 65_536,
        },
        commit: Some("4f1c2d9".into()),
        ..Manifest::default()
    }
}

/// One second's recordings under each tag.
type Second = BTreeMap<String, Histogram<u64>>;

fn record(second: &mut Second, tag: Tag<'_>, value: u64) {
    let histogram = second.entry(tag.to_string()).or_insert_with(histogram);
    histogram.record(value).expect("an auto-resizing histogram takes any value");
}

fn latency(second: &Second, tag: Tag<'_>) -> Latency {
    second.get(&tag.to_string()).map(Latency::of).unwrap_or_default()
}

/// Writes a made-up run into `dir`, which must be empty or absent.
pub(crate) fn write(dir: &Path, shape: &Shape) {
    let mut manifest = manifest(shape);
    let scenario =
        format!("name = {:?}\nplayers = 2000\n\n[messages]\nevery = \"8s\"\nfan_out = 8\n", shape.name);
    let mut writer = RunWriter::create(dir, &manifest, &scenario).expect("the folder is writable");
    let mut dice = Dice::new(42);
    for t in 0..shape.seconds {
        let (line, second) = second(&mut dice, shape, t);
        // The log holds measured arrivals only.
        for (tag, histogram) in second.iter().filter(|_| manifest.measures(t as f64)) {
            writer
                .interval(tag, Duration::from_secs(t), Duration::from_secs(1), histogram)
                .expect("the log is writable");
        }
        writer.second(&line).expect("the series is writable");
        let timed_out = line.operations.get("send_message").map_or(0, |second| second.timed_out);
        if timed_out > 0 && t % 9 == 0 {
            writer.error_sample(&sample(&line)).expect("the samples are writable");
        }
    }
    if let Some(period) = shape.cloudwatch {
        writer.cloudwatch(&cloudwatch(&mut dice, shape, period)).expect("the folder is writable");
    }
    if shape.finished {
        manifest.state = RunState::Finished;
        manifest.run.ended_at = started_at() + SignedDuration::from_secs(shape.seconds as i64);
        writer.finish(&manifest).expect("the folder is writable");
        save_summary(dir, &summary(&RunFolder::read(dir).expect("what was written reads back")))
            .expect("writable");
    }
}

/// Share of the full rate, and how far the backend is beyond its knee, at a part of the run.
fn load(part: f64) -> (f64, f64) {
    let rate = match part {
        p if p < 0.2 => p / 0.2,
        p if p < 0.7 => 1.0,
        p if p < 0.85 => 2.0,
        _ => 1.0,
    };
    let strain = match part {
        p if (0.7..0.85).contains(&p) => (p - 0.7) / 0.15,
        p if (0.85..0.92).contains(&p) => 1.0 - (p - 0.85) / 0.07,
        _ => 0.0,
    };
    (rate, strain)
}

fn second(dice: &mut Dice, shape: &Shape, t: u64) -> (SeriesLine, Second) {
    let part = t as f64 / shape.seconds as f64;
    let (rate, strain) = load(part);
    let mut second = Second::new();
    let mut operations = BTreeMap::new();
    let slow = 1.0 + 24.0 * strain * strain;

    let connects = if part < 0.2 { (2000.0 / (0.2 * shape.seconds as f64)).round() as u64 } else { 0 };
    let plan = [
        ("connect", connects, 34.0),
        ("send_message", dice.about(shape.rate * rate), 11.0),
        ("placement_request", dice.about(shape.rate * rate / 24.0), 28.0),
        ("placement_poll", dice.about(shape.rate * rate / 12.0), 17.0),
        ("unknown_route", u64::from(t % 6 == 3), 9.0),
    ];
    for (name, offered, median) in plan {
        if offered == 0 {
            continue;
        }
        let unsent = if strain > 0.9 { offered / 40 } else { 0 };
        let sent = offered - unsent;
        let timed_out = if strain > 0.5 { sent / 60 } else { 0 };
        let failed = if name == "connect" { u64::from(t % 20 == 7) } else { 0 };
        let errors = [("timeout", timed_out), ("unsent", unsent), ("closed", failed)];
        for _ in 0..sent - timed_out - failed {
            let service = dice.latency(median * slow, 0.35 + 0.3 * strain);
            let delay = dice.latency(0.08 + 0.6 * strain, 0.9);
            let queued = if strain > 0.0 { dice.latency(30.0 * strain * strain, 0.8) } else { 0 };
            record(&mut second, Tag::Service(name), service);
            record(&mut second, Tag::Response(name), service + delay + queued);
            record(&mut second, Tag::Dispatch, delay);
            record(&mut second, Tag::EventLoopLag, delay / 3);
        }
        let counts = OperationSecond {
            offered,
            sent,
            unsent,
            completed: sent - timed_out - failed,
            failed,
            timed_out,
            errors: classes(&errors),
            response_time_us: latency(&second, Tag::Response(name)),
            service_time_us: latency(&second, Tag::Service(name)),
        };
        operations.insert(name.to_owned(), counts);
    }
    let mut deliveries = BTreeMap::new();
    for (kind, operation, fan_out, median) in
        [("message", "send_message", 8, 26.0), ("placement", "placement_request", 1, 410.0)]
    {
        let sends = operations.get(operation).map_or(0, |second| second.completed);
        let expected = sends * fan_out;
        let lost = if strain > 0.4 { expected / 300 } else { 0 };
        for _ in 0..sends {
            let mut each: Vec<u64> = (0..fan_out).map(|_| dice.latency(median * slow, 0.45)).collect();
            each.sort_unstable();
            for value in &each {
                record(&mut second, Tag::Each(kind), *value);
            }
            record(&mut second, Tag::First(kind), each[0]);
            record(&mut second, Tag::Last(kind), each[each.len() - 1]);
        }
        if expected > 0 {
            let counts = DeliverySecond {
                expected,
                received: expected - lost,
                late: 0,
                lost,
                too_late: lost / 20,
                away: 0,
                withdrawn: 0,
                duplicated: u64::from(strain > 0.6) * (expected / 900),
                out_of_order: u64::from(strain > 0.3) * (expected / 500),
                unexpected: 0,
                each_us: latency(&second, Tag::Each(kind)),
                hops: hops_of_second(kind, strain, &latency(&second, Tag::Each(kind))),
            };
            deliveries.insert(kind.to_owned(), counts);
        }
    }
    let storm = if shape.stormy { storm(shape, t, &mut second) } else { Storm::default() };
    let connect = operations.get("connect").cloned().unwrap_or_default();
    let sockets = SocketsSecond {
        attempted: connect.sent + storm.reconnects.attempts,
        opened: connect.completed + storm.reconnects.succeeded,
        rejected: connect.failed + storm.reconnects.attempts - storm.reconnects.succeeded,
        dropped: storm.dropped,
        ends: classes(&[("closed_1001", storm.dropped)]),
    };
    let open = (2000.0 * (part / 0.2).min(1.0)) as u64 - storm.away;
    let line = SeriesLine {
        t,
        at: started_at() + SignedDuration::from_secs(t as i64),
        phase: match part {
            p if p < 0.2 => "ramp",
            p if p < 0.7 => "hold",
            p if p < 0.85 => "burst",
            _ => "recover",
        }
        .into(),
        open,
        operations,
        deliveries,
        sockets: Some(sockets),
        reconnects: shape.stormy.then_some(storm.reconnects),
        churn: None,
        disruptions: storm.disruptions,
        generator: GeneratorSecond {
            dispatch_delay_us: latency(&second, Tag::Dispatch),
            cpu_percent: (18.0 + 55.0 * rate + 6.0 * dice.normal()).max(1.0),
            rss_bytes: (60 << 20) + open * 21_000 + t * 30_000,
            event_loop_lag_us: latency(&second, Tag::EventLoopLag),
            busiest_thread_percent: 24.0 + 30.0 * rate,
            run_delay_percent: 2.0 + 5.0 * rate,
            descriptors: open + 40,
            ..GeneratorSecond::default()
        },
    };
    (line, second)
}

/// What a second of the storm is like.
#[derive(Default)]
struct Storm {
    away: u64,
    dropped: u64,
    reconnects: Reconnects,
    disruptions: BTreeMap<String, Disruption>,
}

/// Sockets that the storm cuts, and how many come back in each second after it; some are refused in the first.
const CUT: u64 = 300;
const BACK: [u64; 5] = [140, 70, 50, 30, 10];
const REFUSED: u64 = 25;
/// Sockets that the backend drops at the same time, for good.
const DROPPED: u64 = 6;

fn storm(shape: &Shape, t: u64, second: &mut Second) -> Storm {
    let Some(after) = t.checked_sub(shape.seconds * 3 / 4) else { return Storm::default() };
    let back = |after: u64| BACK.get(after as usize).copied().unwrap_or(0);
    let (first, back_before) = (u64::from(after == 0), (0..after).map(back).sum::<u64>());
    let back = back(after);
    let mut dice = Dice::new(t);
    for _ in 0..back {
        record(second, Tag::Recovery, dice.latency(300.0 + 1000.0 * after as f64, 0.3));
    }
    let made = CUT * first;
    let cut = Disruption { made, outcomes: classes(&[("back", back)]), messages_read: 0 };
    Storm {
        away: CUT - back_before - back + DROPPED,
        dropped: DROPPED * first,
        reconnects: Reconnects {
            wanted: made,
            attempts: back + REFUSED * first,
            succeeded: back,
            errors: classes(&[("http_429", REFUSED * first)]),
            recovery_us: latency(second, Tag::Recovery),
            ..Reconnects::default()
        },
        disruptions: (made + back > 0).then(|| ("cut".to_owned(), cut)).into_iter().collect(),
    }
}

/// Counts by class, without zeros.
fn classes(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(class, count)| ((*class).to_owned(), *count))
        .collect()
}

fn sample(line: &SeriesLine) -> ErrorSample {
    ErrorSample {
        t: line.t as f64 + 0.25,
        at: line.at,
        operation: "send_message".into(),
        class: "timeout".into(),
        player: format!("player-{:05}", line.t * 37 % 2000),
        detail: "no acknowledgement within 5 s <correlation id 7f3a>".into(),
    }
}

fn cloudwatch(dice: &mut Dice, shape: &Shape, period: u64) -> CloudWatch {
    let mut series = Vec::new();
    let functions = [
        ("Connect", 0.14, 32.0),
        ("SendMessage", 1.0, 9.0),
        ("RequestPlacement", 0.05, 24.0),
        ("PlacementEvents", 0.04, 12.0),
    ];
    for (function, share, duration) in functions {
        let mut points: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
        let mut t = 0.0;
        while t < shape.seconds as f64 {
            let (rate, strain) = load((t + period as f64 / 2.0) / shape.seconds as f64);
            let idle = function == "Connect" && t >= 0.2 * shape.seconds as f64;
            let invocations = if idle { 0.0 } else { (shape.rate * rate * share * period as f64).round() };
            let average = duration * (1.0 + 30.0 * strain) * (1.0 + 0.03 * dice.normal());
            let concurrency = (invocations / period as f64 * average / 1000.0 * 2.2 + 1.0).ceil().min(100.0);
            let throttles = if concurrency >= 40.0 { (invocations * 0.004).round() } else { 0.0 };
            for (key, value) in [
                (("ConcurrentExecutions", "Maximum", "Count"), concurrency),
                (("Invocations", "Sum", "Count"), invocations),
                (("Errors", "Sum", "Count"), 0.0),
                (("Throttles", "Sum", "Count"), throttles),
                (("Duration", "Average", "Milliseconds"), (average * 100.0).round() / 100.0),
                (("Duration", "Maximum", "Milliseconds"), (average * 640.0).round() / 100.0),
            ] {
                points.entry(key).or_default().push((t, value));
            }
            if function == "PlacementEvents" {
                points
                    .entry(("IteratorAge", "Maximum", "Milliseconds"))
                    .or_default()
                    .push((t, (200.0 + 9000.0 * strain).round()));
            }
            t += period as f64;
        }
        for ((metric, statistic, unit), points) in points {
            series.push(CloudWatchSeries {
                namespace: "AWS/Lambda".into(),
                metric: metric.into(),
                statistic: statistic.into(),
                dimensions: [("FunctionName".to_owned(), format!("reference-Development-{function}"))].into(),
                unit: unit.into(),
                points,
                ..CloudWatchSeries::default()
            });
        }
    }
    let end = started_at() + SignedDuration::from_secs(shape.seconds as i64);
    CloudWatch {
        schema_version: SCHEMA_VERSION,
        fetched_at: end + SignedDuration::from_mins(5),
        window_start: started_at(),
        window_end: end,
        period_s: period,
        region: if period == 60 { "eu-central-1" } else { "local" }.into(),
        series,
        problems: Vec::new(),
        notes: Vec::new(),
        ..CloudWatch::default()
    }
}

fn summary(folder: &RunFolder) -> Summary {
    let mut summary = folder.summary_or_rebuilt().into_owned();
    summary.run = folder.manifest.run.clone();
    let p99_ms = summary.operations["send_message"].response_time_us.p99 as f64 / 1000.0;
    let lost =
        summary.deliveries["message"].lost as f64 * 100.0 / summary.deliveries["message"].expected as f64;
    let threshold = |expression: &str, observed: f64, passed| Threshold {
        expression: expression.into(),
        observed: Some(observed),
        passed,
        ..Threshold::default()
    };
    summary.thresholds = vec![
        threshold("send_message.response_time.p99 < 250ms", p99_ms, p99_ms < 250.0),
        threshold("deliveries.message.lost < 0.1 %", lost, lost < 0.1),
        threshold("sockets.dropped <= 20", 6.0, true),
    ];
    let passed = summary.thresholds.iter().all(|threshold| threshold.passed);
    let warning = "the system's clock was set by +420 ms during the run".to_owned();
    let warnings = vec![warning];
    summary.verdict = Verdict { valid: true, warnings, thresholds_passed: passed, ..Verdict::default() };
    summary.correlation = folder.cloudwatch.as_ref().map(|fetched| found(fetched, p99_ms));
    summary.cost = Some(cost());
    summary.hops = Some(hops(&summary, folder));
    summary
}

/// What gave way first, as attribution would have it of this made-up run.
fn found(fetched: &CloudWatch, p99_ms: f64) -> Correlation {
    let end = fetched.window_end.duration_since(fetched.window_start).as_secs_f64();
    let (from_s, to_s) = ((end * 0.6).round(), (end * 0.8).round());
    let slower = Symptom {
        operation: Some("send_message".into()),
        what: SymptomKind::Slower,
        from_s,
        to_s,
        observed: p99_ms * 1e3,
        reference: 250_000.0,
        unit: "us".into(),
        statistic: "p99".into(),
        threshold: "send_message.response_time.p99 < 250ms".into(),
        ..Symptom::default()
    };
    let evidence =
        |series: &str, says: &str| Evidence { series: series.into(), says: says.into(), points: Vec::new() };
    let suspect = Suspect {
        kind: SuspectKind::ReservedConcurrency,
        resource: "SendMessage".into(),
        from_s,
        to_s,
        limit: Some(40.0),
        observed: Some(40.0),
        unit: "executions".into(),
        explained: 0.91,
        symptoms: vec![0],
        or: Vec::new(),
        evidence: vec![
            evidence("Throttles (Sum) of SendMessage", "57 in the period in which the answers slowed"),
            evidence(
                "ConcurrentExecutions (Maximum) of SendMessage",
                "40, its reserved concurrency, in the same period",
            ),
        ],
        refuted_by: "Throttles that go on after its reserved concurrency was raised.".into(),
        remedy: "Raise the reserved concurrency of SendMessage, or shorten its work.".into(),
    };
    let near = |resource: &str, what: &str, peak: f64, limit: f64| Headroom {
        resource: resource.into(),
        what: what.into(),
        limit,
        peak,
        share: peak / limit,
        unit: "executions".into(),
    };
    Correlation {
        outcome: Some(CorrelationOutcome::Suspects),
        symptoms: vec![slower],
        suspects: vec![suspect],
        headroom: vec![
            near("SendMessage", "reserved concurrency", 40.0, 40.0),
            near("account", "concurrency", 61.0, 1000.0),
        ],
        correlations: vec![Association {
            server: "SendMessage ConcurrentExecutions (Maximum)".into(),
            players: "send_message p99".into(),
            points: 5,
            ..Association::default()
        }],
        notes: vec!["No trace was asked for: hops come from metrics.".into()],
        functions: reports::server::functions(fetched),
        ..Correlation::default()
    }
}

/// A made-up bill, one item of which is not known.
fn cost() -> Cost {
    let item = |item: &str, name: &str, quantity: Option<f64>, unit: &str, price: f64, known| CostItem {
        item: item.into(),
        name: name.into(),
        quantity,
        unit: unit.into(),
        price,
        per: 1e6,
        source: "https://aws.amazon.com/pricing/".into(),
        amount: quantity.map(|quantity| quantity * price / 1e6),
        known,
        ..CostItem::default()
    };
    let items = vec![
        item("connection_minutes", "connection minutes", Some(10_000.0), "minutes", 0.25, Known::Counted),
        item(
            "websocket_messages",
            "WebSocket messages",
            Some(180_000.0),
            "messages of 32 KB",
            1.0,
            Known::Counted,
        ),
        item("rest_requests", "REST requests", Some(0.0), "requests", 3.5, Known::Counted),
        item("lambda_requests", "Lambda requests", Some(61_250.0), "requests", 0.2, Known::Cloudwatch),
        item(
            "dynamodb_write_units",
            "DynamoDB writes",
            Some(240_000.0),
            "write units",
            0.625,
            Known::Estimated,
        ),
        item("sns_publishes", "SNS publishes", None, "publishes", 0.5, Known::NotKnown),
    ];
    let total: f64 = items.iter().filter_map(|item| item.amount).sum();
    Cost {
        basis: CostBasis::AsIfOnAws,
        currency: "USD".into(),
        region: "us-east-1".into(),
        as_of: "2026-11".into(),
        total,
        complete: false,
        items,
        unit_costs: vec![UnitCost {
            what: "deliveries".into(),
            each: 1e6,
            count: 120_000,
            amount: total / 120_000.0 * 1e6,
        }],
    }
}

/// The hops of a message: name, from, to, and share of the latency while all is well.
const HOPS: [(&str, &str, &str, f64); 6] = [
    ("to_gateway", Hop::SEND, "gateway", 0.22),
    ("route_start", "gateway", "route", 0.08),
    ("route_function", "route", "table", 0.15),
    ("stream_wait", "table", "stream", 0.25),
    ("push_function", "stream", "posted", 0.10),
    ("to_player", "posted", Hop::RECEIPT, 0.20),
];

/// The clocks of the made-up run: the backend's is ahead by so many microseconds, give or take.
const AHEAD_US: (f64, f64) = (1_800.0, 2_600.0);

/// Share of each hop; what the strained backend takes longer is the wait for the stream's function.
fn shares(strain: f64) -> impl Iterator<Item = f64> {
    HOPS.iter().map(move |(name, _, _, share)| {
        let calm = share / (1.0 + strain);
        if *name == "stream_wait" { calm + strain / (1.0 + strain) } else { calm }
    })
}

/// The hops of a second's messages, by the clocks as they stand.
fn hops_of_second(kind: &str, strain: f64, each: &Latency) -> BTreeMap<String, HopSecond> {
    if kind != "message" || each.count == 0 {
        return BTreeMap::new();
    }
    let ahead = f64::midpoint(AHEAD_US.0, AHEAD_US.1);
    let clock = [ahead, 0.0, 0.0, 0.0, 0.0, -ahead];
    let hops = HOPS.iter().zip(shares(strain)).zip(clock);
    hops.map(|(((name, ..), share), clock)| {
        let mean_us = ((each.mean * share + clock) * 10.0).round() / 10.0;
        ((*name).to_owned(), HopSecond { count: each.count, mean_us })
    })
    .collect()
}

/// The hops of the whole run: means from the seconds that are measured, quantiles in proportion to them.
fn hops(summary: &Summary, folder: &RunFolder) -> Hops {
    let clock = HopClock::between(AHEAD_US.0, AHEAD_US.1);
    let whole = summary.deliveries["message"].each_us;
    let measured = |line: &&SeriesLine| folder.manifest.measures(line.t as f64);
    let seconds = || folder.series.iter().filter(measured).filter_map(|line| line.deliveries.get("message"));
    let total = |name: &str, of: fn(&HopSecond) -> f64| -> f64 {
        seconds().filter_map(|second| second.hops.get(name)).map(of).sum()
    };
    let hops: Vec<Hop> = HOPS
        .iter()
        .map(|(name, from, to, _)| {
            let mean = total(name, |second| second.mean_us * second.count as f64)
                / total(name, |second| second.count as f64)
                + Hop::shift(from, to, &clock);
            let share = mean / whole.mean;
            let part = |micros: u64| (micros as f64 * share) as u64;
            let crosses_clocks = *from == Hop::SEND || *to == Hop::RECEIPT;
            let coarse = if *from == "gateway" || *to == "gateway" { 500.0 } else { 0.0 };
            Hop {
                name: (*name).into(),
                from: (*from).into(),
                to: (*to).into(),
                function: String::new(),
                crosses_clocks,
                time_us: Latency {
                    count: whole.count,
                    min: part(whole.min),
                    mean,
                    p50: part(whole.p50),
                    p90: part(whole.p90),
                    p95: part(whole.p95),
                    p99: part(whole.p99),
                    p99_9: part(whole.p99_9),
                    p99_99: part(whole.p99_99),
                    max: part(whole.max),
                },
                share,
                error_us: coarse + if crosses_clocks { clock.error_us } else { 0.0 },
                below_zero: 0,
                function: String::new(),
            }
        })
        .collect();
    let sum: f64 = hops.iter().map(|hop| hop.time_us.mean).sum();
    let crossing = hops.iter().filter(|hop| hop.crosses_clocks).map(|hop| hop.time_us.mean).sum();
    let message = DeliveryHops {
        incomplete: 0,
        whole_us: Latency { mean: sum, ..whole },
        crossing_us: Latency { count: whole.count, mean: crossing, ..Latency::default() },
        unaccounted_us: 0.0,
        hops,
    };
    Hops { clock: Some(clock), deliveries: BTreeMap::from([("message".into(), message)]) }
}

/// A made-up search whose target answers 1,200 messages a second and queues beyond.
pub(crate) fn capacity() -> Capacity {
    use Outcome::{Failed, Held, Invalid};
    // Doubled, then bisected; one run was spoiled, and one above the knee held by luck.
    let runs = [
        (200.0, Held),
        (400.0, Held),
        (800.0, Held),
        (1600.0, Failed),
        (1600.0, Invalid),
        (1600.0, Failed),
        (1131.4, Held),
        (1345.4, Failed),
        (1345.4, Failed),
        (1233.8, Failed),
        (1233.8, Held),
        (1233.8, Failed),
        (1181.5, Held),
        (1181.5, Held),
    ];
    let mut dice = Dice::new(7);
    let steps: Vec<Step> =
        (1..).zip(runs).map(|(number, (level, outcome))| step(&mut dice, number, level, outcome)).collect();
    let mut levels: Vec<Level> = Vec::new();
    for (level, outcome) in runs {
        let at = levels.partition_point(|other| other.level < level);
        if levels.get(at).is_none_or(|other| other.level > level) {
            levels.insert(at, Level { level, ..Level::default() });
        }
        let tried = &mut levels[at];
        match outcome {
            Held => tried.held += 1,
            Failed => tried.failed += 1,
            Invalid => tried.invalid += 1,
        }
        tried.held_share = wilson(tried.held, tried.held + tried.failed);
        tried.verdict = match (tried.held, tried.failed) {
            (2.., _) => Some(Held),
            (_, 2..) => Some(Failed),
            _ => None,
        };
    }
    Capacity {
        schema_version: capacity::SCHEMA_VERSION,
        name: "lobby-chat-2000".into(),
        target: "wss://play.example.test/Development".into(),
        version: "0.1.0".into(),
        vary: Vary::Rate,
        precision: 0.05,
        repeats: 3,
        thresholds: ["send_message.response_time.p99 < 250ms", "error_rate < 1%"].map(String::from).to_vec(),
        started_at: started_at(),
        ended_at: started_at() + SignedDuration::from_secs(14 * 42),
        ended: Ended::Found,
        knee: Some(Knee { estimate: 1207.65, low: 1181.5, high: 1233.8 }),
        held: Some(1181.5),
        levels,
        steps,
    }
}

/// One run: flat up to the knee, then a queue that grows for 30 seconds.
fn step(dice: &mut Dice, number: u32, level: f64, outcome: Outcome) -> Step {
    const KNEE: f64 = 1200.0;
    let noise = 1.0 + 0.03 * dice.normal();
    let busy = (level / KNEE).min(0.99);
    let queue = (level - KNEE).max(0.0) / KNEE * 30e6;
    // A run that held did not queue for long, and one that failed did.
    let queue = match outcome {
        Outcome::Held => queue.min(90_000.0),
        Outcome::Failed | Outcome::Invalid => queue.max(400_000.0),
    };
    let p50 = (11_000.0 * (1.0 + 0.4 * busy * busy) * noise + queue / 2.0).round() as u64;
    let p99 = (34_000.0 * (1.0 + 1.6 * busy.powi(6)) * noise + queue).round() as u64;
    let errors = (queue / 30e6).min(0.6) * 0.3;
    let reason = match outcome {
        Outcome::Held => None,
        Outcome::Failed => {
            let expression = "send_message.response_time.p99 < 250ms".into();
            let threshold =
                Threshold { expression, observed: Some(p99 as f64 / 1e3), ..Threshold::default() };
            Some(explained(&threshold))
        }
        Outcome::Invalid => Some(
            "p99 send delay was 81.4 ms; the limit is 50 ms; the generator lacked CPU (waited up to 64 % of the time): \
             other processes take it; move them, or the target, to another machine"
                .into(),
        ),
    };
    Step {
        number,
        level,
        outcome,
        reason,
        run: Some(format!("steps/{number:03}").into()),
        operation: "send_message".into(),
        offered_per_s: level,
        completed_per_s: (level * (1.0 - errors) * 100.0).round() / 100.0,
        samples: (level * 30.0 * (1.0 - errors)) as u64,
        error_share: (errors * 1e5).round() / 1e5,
        p50_us: p50,
        p95_us: p50 + (p99 - p50) / 2,
        p99_us: p99,
        peak_open: 2000,
        dispatch_delay_p99_us: if outcome == Outcome::Invalid {
            81_400
        } else {
            (700.0 * (1.0 + busy) * noise).round() as u64
        },
    }
}

/// A comparison with a measure of every verdict, whose names are not to be trusted.
pub(crate) fn comparison() -> Comparison {
    let run = |id: &str| ComparedRun {
        id: id.into(),
        name: "lobby-chat-2000".into(),
        folder: id.into(),
        target: "embedded".into(),
        commit: Some("0123456789abcdef".into()),
        version: "0.1.0".into(),
        ..ComparedRun::default()
    };
    let measure = |name: &str, difference: f64, verdict| Measure {
        name: name.into(),
        subject: Subject::Operation,
        of: "send_message".into(),
        scale: Scale::Microseconds,
        base: 20_000.0,
        candidate: 20_000.0 * (1.0 + difference),
        base_samples: 120_000,
        candidate_samples: 119_000,
        difference,
        low: difference - 0.01,
        high: difference + 0.01,
        margin: 0.025,
        probability: 0.004,
        effect: Some(Effect { kind: EffectKind::CliffsDelta, value: difference }),
        block_s: 4.0,
        ..Measure { verdict, ..Measure::default() }
    };
    let point = |quantile: f64| ShiftPoint {
        quantile,
        base_us: 20_000.0 * (1.0 + quantile),
        candidate_us: 22_000.0 * (1.0 + quantile),
        difference: 0.1 * quantile,
        low: 0.1 * quantile - 0.02,
        high: 0.1 * quantile + 0.04,
    };
    Comparison {
        schema_version: comparison::SCHEMA_VERSION,
        version: "0.1.0".into(),
        verdict: Change::Regressed,
        base: vec![run("before")],
        candidate: vec![run("after")],
        forced: true,
        objections: vec![Objection {
            kind: ObjectionKind::Players,
            reason: "players: 3 in before; 4 in after".into(),
        }],
        method: Method {
            margin: 0.025,
            share_margin: 0.001,
            finest_us: 100.0,
            confidence: 0.95,
            level: 0.05,
            resamples: 1_000,
            seed: 1,
            repeats: false,
        },
        measures: vec![
            measure("send_message.response_time.p50", 0.01, Change::Unchanged),
            measure("send_message.response_time.p99", 0.12, Change::Regressed),
            measure("message.each.p50", -0.2, Change::Improved),
            measure("<script>alert(1)</script>|`$(id)`", 0.03, Change::Undecided),
        ],
        shifts: vec![Shift {
            name: "send_message.response_time".into(),
            points: [0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999].map(point).to_vec(),
        }],
        not_compared: vec![NotCompared {
            name: "connect.response_time.p99".into(),
            reason: "too few".into(),
        }],
        configuration: vec![Setting {
            key: "scenario: players".into(),
            base: "3".into(),
            candidate: "4".into(),
        }],
    }
}
