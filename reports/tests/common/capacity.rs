//! A made-up search for the load at which a function runs out of concurrency.

use jiff::SignedDuration;
use reports::capacity::{self, Capacity, Ended, Knee, Level, Outcome, Step, Vary, wilson};
use reports::format::Threshold;
use reports::verdict::explained;

use super::dice::Dice;
use super::started_at;

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
