//! A made-up comparison.

use reports::format::comparison::{
    self, Change, ComparedRun, Comparison, Effect, EffectKind, Measure, Method, NotCompared, Objection,
    ObjectionKind, Scale, Setting, Shift, ShiftPoint, Subject,
};

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
