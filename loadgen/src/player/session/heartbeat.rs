//! What keeps a quiet socket open: a ping or a message every so often, whatever else is sent.
//!
//! Boxed in the session, and absent where the plan has no heartbeat. It is no operation: it has no latency, and an answer
//! to it is taken and forgotten, so that it fails nothing.

use std::time::Duration;

use protocol::outline;
use scenarios::Plan;
use scenarios::plan::way;

use crate::clock::{Micros, micros};

/// How long an answer to a heartbeat message of the scenario is awaited.
const PATIENCE: Micros = 5_000_000;

/// What keeps the sockets of a plan open: what the scenario says, else what the protocol does.
#[derive(Debug, Clone, Copy)]
pub(in crate::player) enum Heartbeat<'p> {
    /// The scenario's own.
    Scenario(&'p way::Heartbeat),
    /// The protocol's.
    Protocol(&'p outline::Heartbeat),
}

impl<'p> Heartbeat<'p> {
    /// That of a plan, if it has one.
    pub(in crate::player) fn of(plan: &'p Plan) -> Option<Self> {
        let protocol = || plan.protocol.outline().heartbeat.as_ref().map(Self::Protocol);
        plan.way.heartbeat.as_ref().map(Self::Scenario).or_else(protocol)
    }

    const fn every(self) -> Duration {
        match self {
            Self::Scenario(beat) => beat.every,
            Self::Protocol(beat) => beat.every,
        }
    }

    /// The longest time without a frame of the target.
    const fn silence(self) -> Option<Duration> {
        match self {
            Self::Scenario(_) => None,
            Self::Protocol(beat) => beat.silence,
        }
    }
}

/// When a socket's next heartbeat is due.
#[derive(Debug)]
pub(in crate::player) struct HeartbeatTimer {
    next: Micros,
    /// Until when a frame that names no request is taken for the answer to a heartbeat of the scenario.
    answer_until: Micros,
    /// Number of the protocol's heartbeat message that is not answered yet.
    awaited: Option<u64>,
    /// When the last frame came.
    heard: Micros,
}

impl HeartbeatTimer {
    /// That of a socket that opens at `now`, where the plan has one.
    pub(in crate::player) fn of(beat: Option<Heartbeat<'_>>, now: Micros) -> Option<Box<Self>> {
        beat.map(|beat| {
            Box::new(Self { next: now + micros(beat.every()), answer_until: 0, awaited: None, heard: now })
        })
    }

    /// When it has to be looked at again.
    pub(super) fn due(&self, beat: Option<Heartbeat<'_>>) -> Micros {
        let silent = beat.and_then(Heartbeat::silence).map(|silence| self.heard + micros(silence));
        silent.map_or(self.next, |silent| silent.min(self.next))
    }

    /// Whether a heartbeat is due at `now`; then the next one is due later.
    pub(super) fn elapsed(&mut self, beat: Heartbeat<'_>, now: Micros) -> bool {
        let elapsed = self.next <= now;
        if elapsed {
            self.next = now + micros(beat.every());
        }
        elapsed
    }

    /// A message was sent that may be answered: one of the protocol, under this number, or one of the scenario.
    pub(super) const fn sent(&mut self, now: Micros, id: Option<u64>) {
        match id {
            Some(_) => self.awaited = id,
            None => self.answer_until = now + PATIENCE,
        }
    }

    /// A frame has come.
    pub(super) const fn heard(&mut self, now: Micros) {
        self.heard = now;
    }

    /// Whether no frame has come for longer than the protocol allows.
    pub(super) fn is_silent(&self, beat: Heartbeat<'_>, now: Micros) -> bool {
        beat.silence().is_some_and(|silence| now >= self.heard + micros(silence))
    }

    /// A message may answer the protocol's heartbeat, under the number that it holds; false where it does not.
    pub(super) fn answered(&mut self, id: Option<u64>) -> bool {
        let answered = self.awaited.is_some() && (id.is_none() || id == self.awaited);
        if answered {
            self.awaited = None;
        }
        // One without a number is nobody else's, late or not.
        answered || id.is_none()
    }

    /// Takes a frame that names no request, if it may be the answer to a heartbeat.
    pub(super) fn claim(&mut self, now: Micros) -> bool {
        std::mem::take(&mut self.answer_until) > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_belongs_to_a_beat_and_not_for_ever() {
        let beat = way::Heartbeat { every: Duration::from_secs(300), message: None };
        let beat = Heartbeat::Scenario(&beat);
        let mut timer = HeartbeatTimer::of(Some(beat), 7).unwrap();
        assert_eq!(timer.due(Some(beat)), 300_000_007);
        assert!(!timer.claim(10), "nothing was sent");
        timer.answer_until = 100;
        assert!(timer.claim(99) && !timer.claim(99));
        timer.answer_until = 100;
        assert!(!timer.claim(100));
        assert!(HeartbeatTimer::of(None, 7).is_none());
        assert!(!timer.elapsed(beat, 300_000_006) && timer.elapsed(beat, 300_000_007));
        assert_eq!(timer.due(Some(beat)), 600_000_007);
    }

    #[test]
    fn an_answer_with_a_number_belongs_to_the_beat_of_that_number() {
        let beat = outline::Heartbeat {
            every: Duration::from_secs(30),
            sends: true,
            answered: true,
            silence: Some(Duration::from_secs(60)),
        };
        let beat = Heartbeat::Protocol(&beat);
        let mut timer = HeartbeatTimer::of(Some(beat), 7).unwrap();
        assert!(!timer.answered(Some(3)), "nothing was sent");
        timer.sent(8, Some(3));
        assert!(!timer.answered(Some(4)) && timer.answered(Some(3)) && !timer.answered(Some(3)));
        assert!(timer.answered(None), "without a number it can be nothing else");
        assert!(!timer.is_silent(beat, 60_000_006) && timer.is_silent(beat, 60_000_007));
        timer.heard(10);
        assert!(!timer.is_silent(beat, 60_000_007));
        assert_eq!(timer.due(Some(beat)), 30_000_007);
    }
}
