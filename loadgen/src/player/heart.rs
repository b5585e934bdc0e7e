//! What keeps a quiet socket open: a ping or a message every so often, whatever else is sent.
//!
//! Boxed in the session, and absent where the plan has no heartbeat. It is no operation: it has no latency, and an answer
//! to it is swallowed, so that it fails nothing.

use std::task::{Context, Poll};

use futures_util::SinkExt as _;
use scenarios::way::planned::Heartbeat;
use tokio_tungstenite::tungstenite::Message;

use super::session::Session;
use crate::clock::{Micros, micros};

/// How long an answer to a heartbeat message is awaited.
const PATIENCE: Micros = 5_000_000;

/// When a socket beats.
#[derive(Debug)]
pub(super) struct Heart {
    next: Micros,
    /// Until when a frame that names no request is taken for the answer to a beat.
    answer_until: Micros,
}

impl Heart {
    /// That of a socket that opens at `now`, where the plan has one.
    pub(super) fn of(plan: Option<&Heartbeat>, now: Micros) -> Option<Box<Self>> {
        plan.map(|beat| Box::new(Self { next: now + micros(beat.every), answer_until: 0 }))
    }

    /// When it beats next.
    pub(super) const fn due(&self) -> Micros {
        self.next
    }

    /// Takes a frame that names no request, if it may be the answer to a beat.
    pub(super) fn claim(&mut self, now: Micros) -> bool {
        std::mem::take(&mut self.answer_until) > now
    }
}

impl Session<'_> {
    /// Beats, if it is time to. A socket that awaits an answer has just been used, and is left alone.
    pub(super) fn beat(&mut self, cx: &mut Context<'_>) {
        let play = self.play;
        let (Some(heart), Some(beat)) = (self.heart.as_deref_mut(), &play.plan.way.heartbeat) else { return };
        let now = play.clock.now();
        if heart.next > now {
            return;
        }
        heart.next = now + micros(beat.every);
        if !self.pending.is_empty() {
            return;
        }
        match &beat.message {
            Some(text) => {
                heart.answer_until = now + PATIENCE;
                // A socket whose buffer is full is not idle.
                self.write(text.clone(), cx);
            }
            None => {
                if matches!(self.socket.poll_ready_unpin(cx), Poll::Ready(Ok(()))) {
                    self.unflushed |= self.socket.start_send_unpin(Message::Ping(Vec::new().into())).is_ok();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_answer_belongs_to_a_beat_and_not_for_ever() {
        let beat = Heartbeat { every: Duration::from_secs(300), message: None };
        let mut heart = Heart::of(Some(&beat), 7).unwrap();
        assert_eq!(heart.due(), 300_000_007);
        assert!(!heart.claim(10), "nothing was sent");
        heart.answer_until = 100;
        assert!(heart.claim(99) && !heart.claim(99));
        heart.answer_until = 100;
        assert!(!heart.claim(100));
        assert!(Heart::of(None, 7).is_none());
    }
}
