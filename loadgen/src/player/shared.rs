//! What all players of a run share.

use std::borrow::Cow;
use std::sync::Arc;

use scenarios::Plan;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::Kind;

use super::handshake::Endpoint;
use super::rest::Rest;
use super::roster::Players;
use super::tap::Tap;
use super::think_time::ThinkTime;
use crate::auth::Credentials;
use crate::clock::{Clock, Micros};
use crate::delivery::presence::Presence;
use crate::delivery::{Deliveries, Receipt, ReceivedPush};
use crate::record::{Event, Names, Observer, Recorder, Split};
use crate::schedule::measures;

/// What all players of a run share.
pub struct Play {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// Where events go.
    pub observer: Observer,
    /// Where to connect to.
    pub endpoint: Endpoint,
    /// What players present in handshakes.
    pub credentials: Arc<Credentials>,
    /// Pushes under way.
    pub deliveries: Deliveries,
    /// Where placements are polled, if they are.
    pub rest: Option<Rest>,
    /// When players of the closed model send.
    pub think_time: Arc<ThinkTime>,
    /// Who looks on at every message, if somebody does.
    pub tap: Option<Arc<dyn Tap>>,
}

impl Play {
    /// Puts together what the players of a process share.
    #[must_use]
    pub fn new(
        plan: Arc<Plan>,
        clock: Clock,
        players: Players,
        endpoint: Endpoint,
        credentials: Credentials,
        deliveries: Deliveries,
        rest: Option<Rest>,
    ) -> Self {
        let (players, credentials) = (Arc::new(players), Arc::new(credentials));
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let (headers, prover) = (Arc::clone(endpoint.secrets()), Arc::clone(&credentials));
        let keepable = move |player: u32, said: &str| {
            let said =
                if headers.is_empty() { Cow::Borrowed(said) } else { Cow::Owned(headers.hide_in(said)) };
            prover.keepable(player, &said)
        };
        let observer =
            Observer::new(Arc::new(Recorder::new(threads + 2)), clock.clone(), Names::of(&plan), keepable);
        let think_time = Arc::new(ThinkTime::new(Arc::clone(&plan), Arc::clone(&players), observer.clone()));
        Self {
            plan,
            clock,
            players,
            observer,
            endpoint,
            credentials,
            deliveries,
            rest,
            think_time,
            tap: None,
        }
    }

    /// The same, with somebody who looks on.
    #[must_use]
    pub fn seen_by(self, tap: Option<Arc<dyn Tap>>) -> Self {
        Self { tap, ..self }
    }

    /// What a player sends or receives as it may be shown: without credentials, and printable.
    pub(super) fn shown(&self, player: u32, said: &str) -> String {
        self.credentials.shown(player, &self.endpoint.secrets().hide_in(said))
    }

    /// Where what begins at `now` is booked.
    #[must_use]
    pub fn ledger_at(&self, now: Micros) -> Ledger {
        measures(&self.plan, now)
    }

    /// A player's presence changes, by its own doing or not; other workers learn of it.
    pub(super) fn set_presence(&self, player: u32, presence: Presence, own_doing: bool) {
        let was_open = self.players.set_presence(player, presence, own_doing, self.clock.now());
        if let Some(relay) = self.deliveries.relay() {
            relay.changed(player, presence, was_open, own_doing);
        }
    }

    /// A player received a push, and this is what it turned out to be. One that tells a failure is delivered all the same;
    /// beside that, its first receipt counts under the errors of the operation that led to it.
    pub(super) fn pushed(&self, kind: Kind, push: &ReceivedPush, receipt: Receipt) {
        let ReceivedPush { player, at, ref failed, ref stamps } = *push;
        if let Receipt::Received { measured: ledger, .. } = receipt
            && let Some(status) = failed
            && let Some(operation) = self.plan.pushes[kind.index()].operation
        {
            let class = &self.observer.class_of(player, "", status);
            self.observer.observe(Event::PushFailed { player, operation, ledger, class, status });
        }
        let split = match receipt {
            Receipt::Received { latency, .. } if self.plan.trace => {
                self.split(kind, at, latency, stamps.as_deref())
            }
            _ => None,
        };
        self.observer.observe(match receipt {
            Receipt::Received { latency, complete, out_of_order, late, measured: ledger } => {
                let split = split.as_ref();
                Event::Received { player, kind, ledger, latency, complete, out_of_order, late, split }
            }
            Receipt::Duplicate { measured } => Event::Duplicated { kind, ledger: measured },
            Receipt::TooLate => Event::TooLate { player, kind, ledger: self.ledger_at(at) },
            Receipt::Unexpected => Event::Unexpected { player, kind, ledger: self.ledger_at(at) },
            Receipt::Aside => return,
        });
    }

    /// Splits a delivery that took `latency` until `at` into hops; `None` where its push cannot have stamps.
    #[cold]
    fn split(&self, kind: Kind, at: Micros, latency: Micros, stamps: Option<&[i64]>) -> Option<Split> {
        let declared = &self.plan.protocol.outline().pushes[kind.index()].stamps;
        let sent = self.clock.epoch_us(at.saturating_sub(latency));
        let split = || stamps.and_then(|stamps| Split::of(sent, latency, stamps, declared));
        (!declared.is_empty()).then(|| split().unwrap_or_default())
    }
}
