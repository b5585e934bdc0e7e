//! When what was lost had been sent.
//!
//! The series counts a loss in the second in which it is given up, which is time-out and grace after its send. Players lost it
//! when it was sent, and that is where a chart has to show it.

use std::collections::BTreeMap;

use crate::format::{Delivery, SeriesLine};

/// Losses of a delivery by the second of their sends, to within a second; by the second in which they were given up where the
/// run did not keep how long that takes.
#[must_use]
pub fn at_the_send(series: &[SeriesLine], kind: &str, delivery: Option<&Delivery>) -> BTreeMap<u64, u64> {
    let wait = delivery.and_then(|delivery| delivery.lost_after_s).unwrap_or(0.0).max(0.0).floor() as u64;
    let mut lost = BTreeMap::new();
    for line in series {
        let given_up = line.deliveries.get(kind).map_or(0, |second| second.lost);
        if given_up > 0 {
            *lost.entry(line.t.saturating_sub(wait)).or_default() += given_up;
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::DeliverySecond;

    #[test]
    fn a_loss_stands_where_it_was_sent() {
        let line = |t, lost| SeriesLine {
            t,
            deliveries: [("message".to_owned(), DeliverySecond { lost, ..DeliverySecond::default() })].into(),
            ..SeriesLine::default()
        };
        let series = [line(3, 0), line(20, 7), line(21, 2)];
        let delivery = Delivery { lost_after_s: Some(15.0), ..Delivery::default() };
        assert_eq!(at_the_send(&series, "message", Some(&delivery)), [(5, 7), (6, 2)].into());
        assert_eq!(at_the_send(&series, "message", None), [(20, 7), (21, 2)].into());
        assert!(at_the_send(&series, "placement", Some(&delivery)).is_empty());
    }
}
