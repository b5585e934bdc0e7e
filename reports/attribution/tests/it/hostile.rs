//! Half-empty and hostile folders: no panic, and no accusation without data.

use proptest::prelude::*;
use reports::format::{LimitKind, Outcome, SuspectKind};

use crate::made::{Made, SECONDS, full};

fn planted() -> Made {
    let mut made = Made::healthy();
    made.fails("send_message", "internal_server_error", 30);
    made.busy("Throttles", "Sum", "SendMessage", 30.0);
    made.busy("ConcurrentExecutions", "Maximum", "SendMessage", 3.0);
    // So that three executions cannot hold it, by Erlang's loss formula: it is not the rate's cap.
    for t in 10..SECONDS {
        made.point("Duration", "Average", "SendMessage", t as f64, 25.0);
    }
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 3.0);
    made.loses("placement", 6);
    made.busy("Errors", "Sum", "OnPlacementEvent", 6.0);
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn what_is_left_out_never_accuses_another(drop_series in proptest::collection::vec(any::<bool>(), 64), drop_lines in proptest::collection::vec(0_u8..8, 60), limits in any::<bool>()) {
        let whole = planted().attributed();
        let known: Vec<(SuspectKind, String)> = whole.suspects.iter().map(|s| (s.kind, s.resource.clone())).collect();
        let mut made = planted();
        let mut n = 0;
        made.document().series.retain(|_| { n += 1; !drop_series[n % drop_series.len()] });
        if !limits { made.document().limits.clear(); }
        let mut t = 0;
        made.lines.retain(|_| { t += 1; drop_lines[t - 1] > 0 });
        let correlation = made.attributed();
        for suspect in &correlation.suspects {
            prop_assert!(known.contains(&(suspect.kind, suspect.resource.clone())), "{suspect:?}");
        }
    }

    #[test]
    fn numbers_of_any_kind_do_no_harm(values in proptest::collection::vec((any::<f64>(), any::<f64>()), 1..8), limit in any::<f64>()) {
        let mut made = planted();
        for series in made.document().series.iter_mut().step_by(3) {
            series.points = values.iter().map(|(at, value)| (at % 1e3, *value)).filter(|(at, value)| at.is_finite() && value.is_finite()).collect();
        }
        if limit.is_finite() {
            made.document().limits.iter_mut().for_each(|known| known.value = limit);
        }
        made.attributed();
    }
}

#[test]
fn without_cloudwatch_no_part_of_the_server_is_named() {
    let mut made = planted();
    made.cloudwatch = None;
    let correlation = made.attributed();
    assert!(correlation.suspects.is_empty(), "{correlation:#?}");
    assert_eq!(correlation.outcome, Some(Outcome::NotEnoughData));
}

#[test]
fn an_empty_folder_says_nothing() {
    let mut made = Made::healthy();
    made.lines.clear();
    made.times.clear();
    made.cloudwatch = None;
    let correlation = made.attributed();
    assert!(correlation.suspects.is_empty() && correlation.symptoms.is_empty());
}
