//! Every kind at once, against a model that looks at every send for each push.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use proptest::prelude::*;
use protocol::outline::Tie;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Kind, Operation};

use super::tests::{RUN, pushed, sent, terms};
use super::*;
use crate::clock::Micros;

const PLAYERS: u32 = 6;
/// Messages to named players, chat in rooms of three, placements by value, placements by player.
const TIES: [Tie; 4] = [Tie::Marker, Tie::Marker, Tie::Kept(0), Tie::Player];
const CHAT: usize = 1;
const KEPT: usize = 2;
const TIMEOUTS: [Micros; 4] = [100, 60, 150, 80];
const GRACE: Micros = 30;

fn was_away(player: u32, sent: Micros) -> bool {
    player == 4 && sent.is_multiple_of(2)
}

/// What happens next; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Send {
        kind: usize,
        sender: u32,
        players: Vec<u32>,
        value: u8,
        measured: bool,
    },
    /// The oldest placement that has no answer yet is answered.
    Answer,
    Push {
        send: usize,
        player: u32,
    },
    Fail {
        send: usize,
    },
    Wait(Micros),
    Sweep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let players = prop::collection::vec(0..PLAYERS, 0..5);
    let send = (0..TIES.len(), 0..PLAYERS, players, 0_u8..6, any::<bool>());
    let send = send.prop_map(|(kind, sender, players, value, measured)| Step::Send {
        kind,
        sender,
        players,
        value,
        measured,
    });
    let push = (0_usize..12, 0..PLAYERS).prop_map(|(send, player)| Step::Push { send, player });
    let step = prop_oneof![
        4 => send,
        2 => Just(Step::Answer),
        12 => push,
        1 => (0_usize..12).prop_map(|send| Step::Fail { send }),
        4 => (0_u64..25).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ];
    prop::collection::vec(step, 0..150)
}

/// One push that is expected of one send.
#[derive(Debug, Clone)]
struct Awaited {
    send: usize,
    player: u32,
    received: bool,
}

#[derive(Debug, Clone)]
struct ModelSend {
    kind: usize,
    sent: Sent,
    value: String,
    /// Who may receive it beside those of whom it is expected.
    others: Range<u32>,
    /// Whether a sweep has come by since its grace was over.
    gone: bool,
    /// Whether its push is expected, or was.
    known: bool,
}

/// The latest send that was received, and the generation in which it was noted.
#[derive(Debug, Clone, Copy)]
struct Latest {
    rank: (Micros, u64),
    generation: u64,
}

#[derive(Debug, Default)]
struct Model {
    sends: Vec<ModelSend>,
    awaited: Vec<Awaited>,
    unanswered: VecDeque<usize>,
    early: Vec<(String, ReceivedPush)>,
    /// Latest send by kind, sender and recipient.
    latest: HashMap<(usize, u32, u32), Latest>,
    generation: [u64; 4],
    rotated: [Micros; 4],
    losers: Vec<(usize, u32)>,
    lost: HashMap<(usize, Ledger), GivenUp>,
    unexpected: usize,
}

impl Model {
    fn is_over(&self, send: usize, now: Micros) -> bool {
        let ModelSend { kind, sent, .. } = &self.sends[send];
        now >= sent.at + TIMEOUTS[*kind] + GRACE
    }

    fn receipt(&mut self, awaited: usize, now: Micros) -> Receipt {
        self.awaited[awaited].received = true;
        let Awaited { send, player, .. } = self.awaited[awaited];
        let ModelSend { kind, sent, .. } = self.sends[send].clone();
        let latency = now - sent.at;
        let mut receipt = Receipt::Received {
            latency,
            complete: Some((latency, latency)),
            out_of_order: false,
            late: now >= sent.at + TIMEOUTS[kind],
            measured: sent.measured,
        };
        if let (Tie::Marker, Receipt::Received { complete, out_of_order, .. }) = (TIES[kind], &mut receipt) {
            let generation = self.generation[kind];
            let rank = (sent.at, sent.send);
            let key = (kind, sent.sender, player);
            let before = self.latest.get(&key).filter(|before| before.generation + 1 >= generation);
            *out_of_order = before.is_some_and(|before| before.rank > rank);
            let rank = before.map_or(rank, |before| rank.max(before.rank));
            self.latest.insert(key, Latest { rank, generation });
            // The latencies of a whole fan-out are another test's.
            *complete = None;
        }
        receipt
    }

    fn marked(&mut self, send: usize, player: u32, now: Micros) -> Receipt {
        if self.sends[send].gone || self.is_over(send, now) {
            return Receipt::TooLate;
        }
        let awaited = self.awaited.iter().position(|one| one.send == send && one.player == player);
        let sent = &self.sends[send];
        match awaited {
            Some(one) if self.awaited[one].received => Receipt::Duplicate { measured: sent.sent.measured },
            Some(one) => self.receipt(one, now),
            None if sent.others.contains(&player) && player != sent.sent.sender => Receipt::Aside,
            None => Receipt::Unexpected,
        }
    }

    /// Of those that the same thing ties to a player, the one that a push belongs to.
    fn tied(&mut self, kind: usize, value: &str, player: u32, now: Micros) -> Option<Receipt> {
        let one = |awaited: &&Awaited| {
            let sent = &self.sends[awaited.send];
            !sent.gone && sent.kind == kind && sent.value == value && awaited.player == player
        };
        let of_player: Vec<_> = self.awaited.iter().filter(one).cloned().collect();
        let open = of_player.iter().find(|one| !one.received && !self.is_over(one.send, now));
        if let Some(Awaited { send, .. }) = open.cloned() {
            let position = self.awaited.iter().position(|one| one.send == send);
            return position.map(|position| self.receipt(position, now));
        }
        let last = of_player.iter().rfind(|one| one.received);
        if let Some(last) = last.filter(|last| !self.is_over(last.send, now)) {
            return Some(Receipt::Duplicate { measured: self.sends[last.send].sent.measured });
        }
        let is_known = match TIES[kind] {
            Tie::Player => of_player.iter().any(|one| !one.received) || self.losers.contains(&(kind, player)),
            _ => !of_player.is_empty(),
        };
        is_known.then_some(Receipt::TooLate)
    }

    fn received(&mut self, kind: usize, send: usize, value: &str, push: &ReceivedPush) -> Option<Receipt> {
        let ReceivedPush { player, at, .. } = *push;
        match TIES[kind] {
            Tie::Marker => Some(self.marked(send, player, at)),
            Tie::Player => Some(self.tied(kind, value, player, at).unwrap_or(Receipt::Unexpected)),
            Tie::Kept(_) => {
                let receipt = self.tied(kind, value, player, at);
                if receipt.is_none() {
                    self.early.push((value.to_owned(), push.clone()));
                }
                receipt
            }
        }
    }

    fn withdraw(&mut self, send: usize) -> u64 {
        if TIES[self.sends[send].kind] == Tie::Kept(0) || self.sends[send].gone {
            return 0;
        }
        let before = self.awaited.len();
        self.awaited.retain(|one| one.send != send || one.received);
        self.sends[send].others = 0..0;
        (before - self.awaited.len()) as u64
    }

    fn sweep(&mut self, now: Micros) {
        for send in 0..self.sends.len() {
            if self.sends[send].gone || !self.sends[send].known || !self.is_over(send, now) {
                continue;
            }
            self.sends[send].gone = true;
            let ModelSend { kind, sent, .. } = self.sends[send].clone();
            for one in self.awaited.iter().filter(|one| one.send == send && !one.received) {
                self.losers.push((kind, one.player));
                let given_up = self.lost.entry((kind, sent.measured)).or_default();
                let away = u64::from(was_away(one.player, sent.at));
                given_up.away += away;
                given_up.lost += 1 - away;
            }
        }
        let over = |push: &ReceivedPush| now >= push.at + TIMEOUTS[KEPT] + GRACE;
        let before = self.early.len();
        self.early.retain(|(_, push)| !over(push));
        self.unexpected += before - self.early.len();
        for (kind, timeout) in TIMEOUTS.into_iter().enumerate() {
            if now >= self.rotated[kind] + timeout + GRACE {
                self.rotated[kind] = now;
                self.generation[kind] += 1;
            }
        }
    }

    fn outstanding(&self) -> u64 {
        let missing = |one: &&Awaited| !one.received && !self.sends[one.send].gone;
        self.awaited.iter().filter(missing).count() as u64
    }
}

/// The same without what the model does not know.
fn plain(receipt: Receipt, kind: usize) -> Receipt {
    match receipt {
        Receipt::Received { latency, out_of_order, late, measured, .. } if TIES[kind] == Tie::Marker => {
            Receipt::Received { latency, complete: None, out_of_order, late, measured }
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Several kinds at once, pushes lost, doubled, reordered, early and sent to the wrong ones: each push is taken for
    /// what it is, and the counts are exact.
    #[test]
    fn every_push_is_taken_for_what_it_is(steps in steps()) {
        let terms = (0..TIES.len()).map(|kind| terms(kind, "push", TIES[kind], TIMEOUTS[kind], GRACE));
        let deliveries = Deliveries::by_terms(terms.collect(), RUN, None);
        let (mut model, mut now, mut unexpected) = (Model::default(), 1, 0);
        let mut lost: HashMap<(usize, Ledger), GivenUp> = HashMap::new();
        for step in steps.into_iter().chain([Step::Wait(10_000), Step::Sweep]) {
            match step {
                Step::Wait(time) => now += time,
                Step::Send { kind, sender, players, value, measured } => {
                    let measured = if measured { Ledger::MEASURED } else { Ledger::WARM_UP };
                    let number = model.sends.len();
                    let correlation = deliveries.correlation(Operation::of(kind + 1), number as u64);
                    let sent = sent(correlation.send, sender, now, measured);
                    let room = sender / 3 * 3..sender / 3 * 3 + 3;
                    let (to, expected, others) = match TIES[kind] {
                        Tie::Player => (Addressees::named(Vec::new()), vec![sender], 0..0),
                        Tie::Kept(_) => (Addressees::named(Vec::new()), Vec::new(), 0..0),
                        Tie::Marker if kind == CHAT => {
                            let to = Addressees::within(room.clone(), |player| players.contains(&player));
                            let there = |player: &u32| players.contains(player) && *player != sender;
                            (to, room.clone().filter(there).collect(), room)
                        }
                        Tie::Marker => {
                            let mut expected = players.clone();
                            expected.sort_unstable();
                            expected.dedup();
                            (Addressees::named(players), expected, 0..0)
                        }
                    };
                    prop_assert_eq!(deliveries.expect(Kind::of(kind), sent, to), expected.len() as u64);
                    let value = if kind == KEPT { format!("value {value}") } else { String::new() };
                    model.sends.push(ModelSend { kind, sent, value, others, gone: false, known: kind != KEPT });
                    let awaited = |player| Awaited { send: number, player, received: false };
                    model.awaited.extend(expected.into_iter().map(awaited));
                    if kind == KEPT {
                        model.unanswered.push_back(number);
                    }
                }
                Step::Answer => {
                    let Some(send) = model.unanswered.pop_front() else { continue };
                    let ModelSend { sent, value, .. } = model.sends[send].clone();
                    model.sends[send].known = true;
                    model.awaited.push(Awaited { send, player: sent.sender, received: false });
                    let (early, rest) = std::mem::take(&mut model.early)
                        .into_iter()
                        .partition(|(of, push)| *of == value && push.player == sent.sender && push.at >= sent.at);
                    model.early = rest;
                    let receipts: Vec<_> = early
                        .into_iter()
                        .filter_map(|(_, push): (String, ReceivedPush)| {
                            model.received(KEPT, send, &value, &push).map(|receipt| (push, receipt))
                        })
                        .collect();
                    prop_assert_eq!(deliveries.expect_kept(Kind::of(KEPT), &value, sent), receipts);
                }
                Step::Push { send, player } => {
                    // One of the last few, so that most are under way.
                    let Some(send) = model.sends.len().checked_sub(send + 1) else { continue };
                    let ModelSend { kind, sent, value, .. } = model.sends[send].clone();
                    let player = if player == 0 { sent.sender } else { player };
                    let message = Correlation { run: RUN, send: sent.send }.text(40);
                    let push = pushed(player, now);
                    let receipt = deliveries.received(Kind::of(kind), Some(&value), &message, &push);
                    let expected = model.received(kind, send, &value, &push);
                    prop_assert_eq!(receipt.map(|receipt| plain(receipt, kind)), expected);
                }
                Step::Fail { send } => {
                    let Some(send) = model.sends.len().checked_sub(send + 1) else { continue };
                    let ModelSend { kind, sent, .. } = model.sends[send].clone();
                    let withdrawn = deliveries.withdraw(Kind::of(kind), sent.sender, sent.send);
                    prop_assert_eq!(withdrawn, model.withdraw(send));
                }
                Step::Sweep => {
                    let swept = deliveries.expire(now, was_away);
                    for (kind, ledger, GivenUp { lost: new, away }) in swept.given_up() {
                        let given_up = lost.entry((kind.index(), ledger)).or_default();
                        given_up.lost += new;
                        given_up.away += away;
                    }
                    unexpected += swept.unexpected.len();
                    model.sweep(now);
                    prop_assert_eq!((&lost, unexpected), (&model.lost, model.unexpected));
                }
            }
            prop_assert_eq!(deliveries.outstanding(), model.outstanding());
        }
        // Placements that were never answered expect nothing, so that everything has come or is given up.
        prop_assert_eq!(deliveries.outstanding(), 0);
    }
}
