//! What keeps a quiet socket open: a ping or a message every so often, whatever else is sent.
//!
//! Boxed in the session, and absent where the plan has no heartbeat. It is no operation: it has no latency, and an answer
//! to it is taken and forgotten, so that it fails nothing.

use scenarios::plan::way::Heartbeat;

use crate::clock::{Micros, micros};

/// How long an answer to a heartbeat message is awaited.
const PATIENCE: Micros = 5_000_000;

/// When a socket's next heartbeat is due.
#[derive(Debug)]
pub(in crate::player) struct HeartbeatTimer {
    next: Micros,
    /// Until when a frame that names no request is taken for the answer to a heartbeat.
    answer_until: Micros,
}

impl HeartbeatTimer {
    /// That of a socket that opens at `now`, where the plan has one.
    pub(in crate::player) fn of(plan: Option<&Heartbeat>, now: Micros) -> Option<Box<Self>> {
        plan.map(|beat| Box::new(Self { next: now + micros(beat.every), answer_until: 0 }))
    }

    /// When the next heartbeat is due.
    pub(super) const fn due(&self) -> Micros {
        self.next
    }

    /// Whether a heartbeat is due at `now`; then the next one is due later.
    pub(super) fn elapsed(&mut self, plan: &Heartbeat, now: Micros) -> bool {
        let elapsed = self.next <= now;
        if elapsed {
            self.next = now + micros(plan.every);
        }
        elapsed
    }

    /// A message was sent that may be answered.
    pub(super) const fn sent(&mut self, now: Micros) {
        self.answer_until = now + PATIENCE;
    }

    /// Takes a frame that names no request, if it may be the answer to a heartbeat.
    pub(super) fn claim(&mut self, now: Micros) -> bool {
        std::mem::take(&mut self.answer_until) > now
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_answer_belongs_to_a_beat_and_not_for_ever() {
        let beat = Heartbeat { every: Duration::from_secs(300), message: None };
        let mut timer = HeartbeatTimer::of(Some(&beat), 7).unwrap();
        assert_eq!(timer.due(), 300_000_007);
        assert!(!timer.claim(10), "nothing was sent");
        timer.answer_until = 100;
        assert!(timer.claim(99) && !timer.claim(99));
        timer.answer_until = 100;
        assert!(!timer.claim(100));
        assert!(HeartbeatTimer::of(None, 7).is_none());
        assert!(!timer.elapsed(&beat, 300_000_006) && timer.elapsed(&beat, 300_000_007));
        assert_eq!(timer.due(), 600_000_007);
    }
}
