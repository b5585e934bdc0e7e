//! Every tie against injected truths.

use std::collections::HashMap;

use proptest::prelude::*;
use protocol::outline::Tie;
use protocol::protocol::PushOutcome;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Kind, Operation};
use scenarios::plan::shard::Shard;

use super::relay::Relay;
use super::*;
use crate::clock::{Clock, Micros};

pub(super) const RUN: u32 = 7;

fn received(receipt: Receipt) -> (Micros, Option<(Micros, Micros)>, bool) {
    match receipt {
        Receipt::Received { latency, complete, out_of_order, .. } => (latency, complete, out_of_order),
        other => panic!("{other:?}"),
    }
}

pub(super) fn pushed(player: u32, at: Micros) -> ReceivedPush {
    ReceivedPush { player, at, failed: Some("failed".into()), stamps: None }
}

/// Of the kind with this number, which the operation with the next number leads to.
pub(super) fn terms(kind: usize, name: &str, tie: Tie, timeout: Micros, grace: Micros) -> Terms {
    let operation = Some(Operation::of(kind + 1));
    let patience = timeout + grace;
    Terms { kind: Kind::of(kind), name: name.into(), operation, tie, sender: false, timeout, patience }
}

fn messages(timeout: Micros, grace: Micros) -> FanOuts {
    FanOuts::new(terms(0, "message", Tie::Marker, timeout, grace))
}

fn placements(timeout: Micros, grace: Micros) -> Kept {
    Kept::new(terms(1, "placement", Tie::Kept(0), timeout, grace))
}

pub(super) fn sent(send: u64, sender: u32, at: Micros, measured: Ledger) -> Sent {
    Sent { send, sender, at, measured }
}

fn expect(messages: &FanOuts, send: u64, sender: u32, recipients: Vec<u32>, at: Micros, measured: Ledger) {
    messages.expect(sent(send, sender, at, measured), Addressees::named(recipients));
}

fn nobody(_: u32, _: Micros) -> bool {
    false
}

#[test]
fn a_correlation_survives_the_way_through_a_backend() {
    let sent = Correlation::new(0xdead_beef, 3, 12_345);
    assert_eq!((sent.operation(), sent.index()), (3, 12_345));
    let text = sent.text(64);
    assert_eq!(text.len(), 64);
    assert_eq!(Correlation::find(&text, 0xdead_beef), Some(sent));
    assert_eq!(Correlation::find(&text, 7), None, "another run's");
    let quoted = Correlation::new(7, 3, 1).text(0);
    let answer = format!("[{{\"quoted\":\"{quoted}\",\"said\":\"> {text}\"}}]");
    assert_eq!(Correlation::find(&answer, 0xdead_beef), Some(sent), "behind another run's");
    assert_eq!(sent.text(0).len(), Correlation::LENGTH);
    for foreign in ["", "hello", "lg1:", "lg1:xyz:1:", "lg1:00000001"] {
        assert_eq!(Correlation::find(foreign, 1), None, "{foreign}");
    }
}

#[test]
fn a_fan_out_has_a_first_and_a_last_recipient() {
    let messages = messages(1_000, 0);
    expect(&messages, 1, 0, vec![5, 3, 4], 100, Ledger::MEASURED);
    let push = 1;
    // In the order in which they are matched, which need not be that of their instants.
    assert_eq!(received(messages.receive(push, 4, 120)), (20, None, false));
    assert_eq!(received(messages.receive(push, 3, 110)), (10, None, false));
    assert_eq!(messages.receive(push, 3, 125), Receipt::Duplicate { measured: Ledger::MEASURED });
    assert_eq!(received(messages.receive(push, 5, 115)), (15, Some((10, 20)), false));
    assert_eq!(messages.receive(push, 9, 130), Receipt::Unexpected);
    assert_eq!(messages.outstanding(), 0);
    assert_eq!(messages.expire(1_100, nobody), Expired::default());
    assert_eq!(messages.receive(push, 3, 1_200), Receipt::TooLate);
}

#[test]
fn what_is_missing_at_the_time_out_is_lost_and_what_failed_is_not() {
    let messages = messages(1_000, 0);
    expect(&messages, 1, 0, vec![1, 2, 3], 0, Ledger::MEASURED);
    expect(&messages, 2, 0, vec![1, 2], 10, Ledger::WARM_UP);
    expect(&messages, 3, 0, vec![1, 2], 20, Ledger::MEASURED);
    messages.receive(1, 2, 500);
    messages.receive(3, 2, 500);
    assert_eq!(messages.withdraw(3), 1);
    assert_eq!(messages.expire(999, nobody), Expired::default());
    let Expired { lost, firsts } = messages.expire(2_000, nobody);
    assert_eq!((lost.of(Ledger::MEASURED).lost, lost.of(Ledger::WARM_UP).lost), (2, 2));
    assert_eq!(firsts, [(500, Ledger::MEASURED), (480, Ledger::MEASURED)]);
    let missing: Vec<_> = lost.missing.iter().map(|one| (one.what.as_str(), one.recipient)).collect();
    assert_eq!(missing, [("message 1", 1), ("message 1", 3), ("message 2", 1)], "the first few by name");
    assert_eq!(messages.outstanding(), 0);
}

#[test]
fn a_push_within_the_grace_is_late_and_one_after_it_is_lost() {
    let late = |receipt| matches!(receipt, Receipt::Received { late: true, .. });
    let messages = messages(1_000, 500);
    expect(&messages, 1, 0, vec![1, 2, 3], 0, Ledger::MEASURED);
    let push = 1;
    assert!(!late(messages.receive(push, 1, 999)));
    assert_eq!(
        messages.expire(1_499, nobody),
        Expired::default(),
        "nothing is lost before the grace is over"
    );
    assert!(late(messages.receive(push, 2, 1_000)));
    assert_eq!(messages.receive(push, 2, 1_100), Receipt::Duplicate { measured: Ledger::MEASURED });
    assert_eq!(messages.receive(push, 3, 1_500), Receipt::TooLate);
    assert_eq!(messages.expire(1_500, nobody).lost.of(Ledger::MEASURED).lost, 1);
    let placements = placements(1_000, 500);
    placements.expect("p", sent(0, 3, 0, Ledger::MEASURED));
    assert!(late(placements.receive("p", &pushed(3, 1_200)).unwrap()));
    placements.expect("q", sent(0, 3, 0, Ledger::MEASURED));
    assert_eq!(placements.receive("q", &pushed(3, 1_500)), Some(Receipt::TooLate));
}

#[test]
fn what_a_recipient_misses_that_was_away_is_not_lost() {
    let was_away = |recipient, sent| recipient == 2 && sent <= 50;
    let messages = messages(1_000, 0);
    expect(&messages, 1, 0, vec![1, 2, 3], 0, Ledger::MEASURED);
    expect(&messages, 2, 0, vec![2], 60, Ledger::MEASURED);
    expect(&messages, 3, 0, vec![2], 40, Ledger::WARM_UP);
    let in_time = messages.receive(1, 2, 900);
    let comes_back = matches!(in_time, Receipt::Received { latency: 900, .. });
    assert!(comes_back, "what comes after the return in time is received");
    let lost = messages.expire(2_000, was_away).lost;
    assert_eq!(
        (
            lost.of(Ledger::MEASURED).lost,
            lost.of(Ledger::WARM_UP).lost,
            lost.of(Ledger::MEASURED).away,
            lost.of(Ledger::WARM_UP).away
        ),
        (3, 0, 0, 1)
    );
    let placements = placements(1_000, 0);
    placements.expect("p", sent(0, 2, 10, Ledger::MEASURED));
    placements.expect("q", sent(0, 3, 10, Ledger::MEASURED));
    let (lost, _) = placements.expire(2_000, was_away);
    assert_eq!((lost.of(Ledger::MEASURED).lost, lost.of(Ledger::MEASURED).away), (1, 1));
    assert_eq!(lost.missing.len(), 1, "only what is lost is named");
    assert_eq!((messages.outstanding(), placements.outstanding()), (0, 0));
}

#[test]
fn order_is_that_of_one_sender_to_one_recipient() {
    let messages = messages(1_000, 0);
    (1..=4).for_each(|send| expect(&messages, send, (send % 2) as u32, vec![8, 9], send, Ledger::MEASURED));
    let order = |send, recipient| received(messages.receive(send, recipient, 50)).2;
    assert!(!order(3, 8));
    assert!(!order(2, 8), "another sender");
    assert!(!order(1, 9), "another recipient");
    assert!(order(1, 8), "3 came before 1");
    assert!(!order(4, 8));
}

#[test]
fn a_placement_push_may_overtake_its_answer() {
    let placements = placements(1_000, 0);
    assert_eq!(placements.receive("p", &pushed(3, 40)), None);
    let receipts = placements.expect("p", sent(0, 3, 10, Ledger::MEASURED));
    assert_eq!(receipts.len(), 1);
    assert_eq!((&receipts[0].0, received(receipts[0].1).0), (&pushed(3, 40), 30), "with how it ended");
    assert_eq!(
        placements.receive("p", &pushed(3, 60)),
        Some(Receipt::Duplicate { measured: Ledger::MEASURED })
    );
    placements.expect("q", sent(0, 3, 20, Ledger::MEASURED));
    assert_eq!(placements.receive("strange", &pushed(3, 70)), None);
    assert_eq!(placements.outstanding(), 1);
    assert_eq!(placements.receive("q", &pushed(3, 1_020)), Some(Receipt::TooLate));
    let (lost, unexpected) = placements.expire(1_070, nobody);
    assert_eq!(
        (lost.of(Ledger::MEASURED).lost, lost.of(Ledger::WARM_UP).lost, unexpected),
        (1, 0, vec![pushed(3, 70)])
    );
    assert_eq!((lost.missing[0].what.as_str(), lost.missing[0].recipient), ("placement q", 3));
    assert_eq!(placements.outstanding(), 0);
}

#[test]
fn a_push_to_a_room_may_reach_those_who_come_in_meanwhile() {
    let room = FanOuts::new(terms(0, "chat", Tie::Marker, 1_000, 0));
    let to = Addressees::within(10..20, |player| player != 15);
    assert_eq!(
        room.expect(sent(1, 12, 0, Ledger::MEASURED), to),
        8,
        "neither the sender nor who is not there"
    );
    received(room.receive(1, 10, 5));
    assert_eq!(room.receive(1, 15, 5), Receipt::Aside);
    assert_eq!(room.receive(1, 12, 5), Receipt::Unexpected, "the sender");
    assert_eq!(room.receive(1, 20, 5), Receipt::Unexpected, "another room");
    assert_eq!(room.withdraw(1), 7);
    assert_eq!(room.receive(1, 10, 6), Receipt::Duplicate { measured: Ledger::MEASURED });
    assert_eq!(room.receive(1, 15, 6), Receipt::Unexpected, "of a send that failed");
    let echoed = FanOuts::new(Terms { sender: true, ..terms(0, "chat", Tie::Marker, 1_000, 0) });
    assert_eq!(echoed.expect(sent(1, 12, 0, Ledger::MEASURED), Addressees::within(10..13, |_| true)), 3);
    assert_eq!(echoed.expect(sent(2, 12, 0, Ledger::MEASURED), Addressees::named(vec![30])), 2);
    received(echoed.receive(2, 12, 5));
    assert_eq!(echoed.outstanding(), 4);
}

#[test]
fn order_is_that_of_the_instants_whatever_the_numbers() {
    let messages = messages(1_000, 0);
    expect(&messages, 1 << 48, 0, vec![8], 10, Ledger::MEASURED);
    expect(&messages, 7, 0, vec![8], 20, Ledger::MEASURED);
    assert!(!received(messages.receive(1 << 48, 8, 50)).2);
    assert!(!received(messages.receive(7, 8, 50)).2);
}

#[test]
fn several_players_may_be_given_the_same_value_and_one_of_them_twice() {
    let lobbies = placements(1_000, 0);
    lobbies.expect("lobby", sent(1, 3, 0, Ledger::MEASURED));
    assert_eq!(lobbies.receive("lobby", &pushed(4, 20)), None, "its answer may be on its way");
    let early = lobbies.expect("lobby", sent(2, 4, 10, Ledger::MEASURED));
    assert_eq!((early.len(), received(early[0].1).0), (1, 10));
    lobbies.expect("lobby", sent(3, 3, 30, Ledger::WARM_UP));
    assert_eq!(received(lobbies.receive("lobby", &pushed(3, 40)).unwrap()).0, 40, "the oldest");
    assert_eq!(received(lobbies.receive("lobby", &pushed(3, 50)).unwrap()).0, 20);
    let again = lobbies.receive("lobby", &pushed(3, 60));
    assert_eq!(again, Some(Receipt::Duplicate { measured: Ledger::WARM_UP }));
    assert_eq!(lobbies.receive("lobby", &pushed(5, 60)), None);
    assert_eq!(lobbies.misdirected(), [pushed(5, 60)], "to none of those who were given it");
    assert_eq!(lobbies.outstanding(), 0);
}

#[test]
fn a_push_to_a_player_is_of_its_oldest_send() {
    let own = ByPlayer::new(terms(2, "placed", Tie::Player, 1_000, 500));
    assert_eq!(own.receive(3, 0), Receipt::Unexpected);
    for send in 1..=3 {
        own.expect(sent(send, 3, send * 100, Ledger::MEASURED));
    }
    own.expect(sent(4, 4, 400, Ledger::MEASURED));
    assert_eq!(own.withdraw(3, 2), 1);
    assert_eq!(received(own.receive(3, 450)).0, 350);
    assert_eq!(received(own.receive(3, 450)).0, 150);
    assert_eq!(own.receive(3, 460), Receipt::Duplicate { measured: Ledger::MEASURED });
    assert_eq!(own.receive(3, 1_800), Receipt::Unexpected, "the last one's grace is over");
    assert_eq!(own.receive(4, 1_900), Receipt::TooLate);
    let lost = own.expire(1_900, nobody);
    assert_eq!(lost.of(Ledger::MEASURED).lost, 1);
    assert_eq!((lost.missing[0].what.as_str(), lost.missing[0].recipient), ("placed 4", 4));
    assert_eq!(own.receive(4, 1_901), Receipt::TooLate, "also when it has been counted as lost");
    assert_eq!((own.receive(3, 1_901), own.outstanding()), (Receipt::Unexpected, 0));
}

#[test]
fn a_push_of_progress_is_no_receipt() {
    assert_eq!(ReceivedPush::of(3, 7, &PushOutcome::Progress), None);
    let failed = ReceivedPush::of(3, 7, &PushOutcome::Failed("full".into())).unwrap();
    assert_eq!(failed.failed.as_deref(), Some("full"));
}

#[test]
fn a_push_of_another_workers_send_is_for_that_worker_to_match() {
    let terms =
        || vec![terms(0, "message", Tie::Marker, 1_000, 0), terms(1, "placed", Tie::Player, 1_000, 0)];
    let worker = |index| {
        let relay = Relay::new(Shard::new(index, 2).unwrap(), Clock::default());
        Deliveries::by_terms(terms(), RUN, Some(relay.into()))
    };
    let (here, there) = (worker(0), worker(1));
    let correlation = there.correlation(Operation::of(1), 5);
    there.expect(Kind::of(0), sent(correlation.send, 1, 0, Ledger::MEASURED), Addressees::named(vec![2]));
    let message = format!("{{\"said\":\"{}\"}}", correlation.text(40));
    assert_eq!(here.received(Kind::of(0), None, &message, &pushed(2, 30)), None);
    let batch = here.relay().unwrap().take().unwrap();
    let (to, receipts) = &batch.receipts[0];
    assert_eq!((*to, receipts[0].failed.as_deref()), (1, Some("failed")));
    let (kind, receipt) = there.received_elsewhere(&receipts[0]).unwrap();
    assert_eq!((kind, received(receipt).0), (Kind::of(0), 30));
    let unexpected = Some(Receipt::Unexpected);
    assert_eq!(there.received(Kind::of(0), None, "lg1:", &pushed(2, 30)), unexpected);
    let of_no_push = there.correlation(Operation::of(3), 5).text(0);
    assert_eq!(there.received(Kind::of(0), None, &of_no_push, &pushed(2, 30)), unexpected);
    let placed = there.correlation(Operation::of(2), 5).text(0);
    assert_eq!(there.received(Kind::of(0), None, &placed, &pushed(2, 30)), unexpected, "of another kind");
}

proptest! {
    /// Whatever is dropped, doubled or shuffled: the counts are exactly those of the injected truth.
    #[test]
    fn counts_equal_the_injected_truth(
        sends in prop::collection::vec((0_u32..4, prop::collection::btree_set(0_u32..12, 1..8)), 1..40),
        fates in prop::collection::vec(0_u8..4, 400),
        shuffle in any::<u64>(),
    ) {
        let messages = messages(1_000_000, 0);
        let (mut pushes, mut dropped, mut doubled, mut wanted) = (Vec::new(), 0, 0, 0);
        let mut fates = fates.into_iter().cycle();
        for (number, (sender, recipients)) in sends.iter().enumerate() {
            expect(&messages, number as u64, *sender, recipients.iter().copied().collect(), 0, Ledger::MEASURED);
            for recipient in recipients {
                wanted += 1;
                let copies = match fates.next() { Some(0) => 0, Some(1) => 2, _ => 1 };
                dropped += u64::from(copies == 0);
                doubled += u64::from(copies == 2);
                pushes.extend(std::iter::repeat_n((number as u64, *sender, *recipient), copies));
            }
        }
        pushes.sort_by_key(|(send, _, recipient)| (send ^ shuffle).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(*recipient));
        let mut highest: HashMap<(u32, u32), u64> = HashMap::new();
        let mut seen = std::collections::HashSet::new();
        let (mut received, mut duplicates, mut swapped, mut swaps_seen) = (0, 0, 0, 0);
        for (send, sender, recipient) in pushes {
            if seen.insert((send, recipient)) {
                let before = highest.entry((sender, recipient)).or_insert(send);
                swapped += u64::from(*before > send);
                *before = (*before).max(send);
            }
            match messages.receive(send, recipient, 5) {
                Receipt::Received { out_of_order, .. } => { received += 1; swaps_seen += u64::from(out_of_order); }
                Receipt::Duplicate { .. } => duplicates += 1,
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(received, wanted - dropped);
        prop_assert_eq!(duplicates, doubled);
        prop_assert_eq!(swaps_seen, swapped);
        prop_assert_eq!(messages.outstanding(), dropped);
        prop_assert_eq!(messages.expire(2_000_000, nobody).lost.of(Ledger::MEASURED).lost, dropped);
    }
}
