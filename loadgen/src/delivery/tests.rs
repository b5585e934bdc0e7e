//! Both kinds against injected truths.

use std::collections::HashMap;

use proptest::prelude::*;
use scenarios::plan::ledger::Ledger;

use super::*;
use crate::clock::Micros;

const RUN: u32 = 7;

fn received(receipt: Receipt) -> (Micros, Option<(Micros, Micros)>, bool) {
    match receipt {
        Receipt::Received { latency, complete, out_of_order, .. } => (latency, complete, out_of_order),
        other => panic!("{other:?}"),
    }
}

fn pushed(player: u32, at: Micros) -> PlacementPush {
    PlacementPush { player, at, status: "FAILED".into() }
}

#[test]
fn a_correlation_survives_the_way_through_a_backend() {
    let sent = Correlation { run: 0xdead_beef, send: 12_345 };
    let text = sent.text(64);
    assert_eq!(text.len(), 64);
    assert_eq!(Correlation::parse(&text), Some(sent));
    assert_eq!(sent.text(0).len(), Correlation::LENGTH);
    for foreign in ["", "hello", "lg1:", "lg1:xyz:1:", "lg1:00000001"] {
        assert_eq!(Correlation::parse(foreign), None, "{foreign}");
    }
}

#[test]
fn a_fan_out_has_a_first_and_a_last_recipient() {
    let messages = Messages::new(RUN, 1_000, 0);
    messages.expect(1, 0, vec![5, 3, 4], 100, Ledger::MEASURED);
    let push = messages.correlation(1);
    // In the order in which they are matched, which need not be that of their instants.
    assert_eq!(received(messages.receive(push, 4, 120)), (20, None, false));
    assert_eq!(received(messages.receive(push, 3, 110)), (10, None, false));
    assert_eq!(messages.receive(push, 3, 125), Receipt::Duplicate { measured: Ledger::MEASURED });
    assert_eq!(received(messages.receive(push, 5, 115)), (15, Some((10, 20)), false));
    assert_eq!(messages.receive(push, 9, 130), Receipt::Unexpected);
    assert_eq!(messages.outstanding(), 0);
    assert_eq!(messages.expire(1_100), Expired::default());
    assert_eq!(messages.receive(push, 3, 1_200), Receipt::TooLate);
}

#[test]
fn what_is_missing_at_the_time_out_is_lost_and_what_failed_is_not() {
    let messages = Messages::new(RUN, 1_000, 0);
    messages.expect(1, 0, vec![1, 2, 3], 0, Ledger::MEASURED);
    messages.expect(2, 0, vec![1, 2], 10, Ledger::WARM_UP);
    messages.expect(3, 0, vec![1, 2], 20, Ledger::MEASURED);
    messages.receive(messages.correlation(1), 2, 500);
    messages.receive(messages.correlation(3), 2, 500);
    assert_eq!(messages.withdraw(3), 1);
    assert_eq!(messages.expire(999), Expired::default());
    let Expired { lost, firsts } = messages.expire(2_000);
    assert_eq!((lost.of(Ledger::MEASURED).lost, lost.of(Ledger::WARM_UP).lost), (2, 2));
    assert_eq!(firsts, [(500, Ledger::MEASURED), (480, Ledger::MEASURED)]);
    let missing: Vec<_> = lost.missing.iter().map(|one| (one.what.as_str(), one.recipient)).collect();
    assert_eq!(missing, [("message 1", 1), ("message 1", 3), ("message 2", 1)], "the first few by name");
    assert_eq!(messages.outstanding(), 0);
}

#[test]
fn a_push_within_the_grace_is_late_and_one_after_it_is_lost() {
    let late = |receipt| matches!(receipt, Receipt::Received { late: true, .. });
    let messages = Messages::new(RUN, 1_000, 500);
    messages.expect(1, 0, vec![1, 2, 3], 0, Ledger::MEASURED);
    let push = messages.correlation(1);
    assert!(!late(messages.receive(push, 1, 999)));
    assert_eq!(messages.expire(1_499), Expired::default(), "nothing is lost before the grace is over");
    assert!(late(messages.receive(push, 2, 1_000)));
    assert_eq!(messages.receive(push, 2, 1_100), Receipt::Duplicate { measured: Ledger::MEASURED });
    assert_eq!(messages.receive(push, 3, 1_500), Receipt::TooLate);
    assert_eq!(messages.expire(1_500).lost.of(Ledger::MEASURED).lost, 1);
    let placements = Placements::new(1_000, 500);
    placements.expect("p", 3, 0, Ledger::MEASURED);
    assert!(late(placements.receive("p", &pushed(3, 1_200)).unwrap()));
    placements.expect("q", 3, 0, Ledger::MEASURED);
    assert_eq!(placements.receive("q", &pushed(3, 1_500)), Some(Receipt::TooLate));
}

#[test]
fn what_a_recipient_misses_that_was_away_is_not_lost() {
    let was_away = |recipient, sent| recipient == 2 && sent <= 50;
    let messages = Messages::new(RUN, 1_000, 0);
    messages.expect(1, 0, vec![1, 2, 3], 0, Ledger::MEASURED);
    messages.expect(2, 0, vec![2], 60, Ledger::MEASURED);
    messages.expect(3, 0, vec![2], 40, Ledger::WARM_UP);
    let in_time = messages.receive(messages.correlation(1), 2, 900);
    let comes_back = matches!(in_time, Receipt::Received { latency: 900, .. });
    assert!(comes_back, "what comes after the return in time is received");
    let lost = messages.expire_except_away(2_000, was_away).lost;
    assert_eq!(
        (
            lost.of(Ledger::MEASURED).lost,
            lost.of(Ledger::WARM_UP).lost,
            lost.of(Ledger::MEASURED).away,
            lost.of(Ledger::WARM_UP).away
        ),
        (3, 0, 0, 1)
    );
    let placements = Placements::new(1_000, 0);
    placements.expect("p", 2, 10, Ledger::MEASURED);
    placements.expect("q", 3, 10, Ledger::MEASURED);
    let (lost, _) = placements.expire_except_away(2_000, was_away);
    assert_eq!((lost.of(Ledger::MEASURED).lost, lost.of(Ledger::MEASURED).away), (1, 1));
    assert_eq!(lost.missing.len(), 1, "only what is lost is named");
    assert_eq!((messages.outstanding(), placements.outstanding()), (0, 0));
}

#[test]
fn order_is_that_of_one_sender_to_one_recipient() {
    let messages = Messages::new(RUN, 1_000, 0);
    (1..=4).for_each(|send| messages.expect(send, (send % 2) as u32, vec![8, 9], send, Ledger::MEASURED));
    let order = |send, recipient| received(messages.receive(messages.correlation(send), recipient, 50)).2;
    assert!(!order(3, 8));
    assert!(!order(2, 8), "another sender");
    assert!(!order(1, 9), "another recipient");
    assert!(order(1, 8), "3 came before 1");
    assert!(!order(4, 8));
}

#[test]
fn a_placement_push_may_overtake_its_answer() {
    let placements = Placements::new(1_000, 0);
    assert_eq!(placements.receive("p", &pushed(3, 40)), None);
    let receipts = placements.expect("p", 3, 10, Ledger::MEASURED);
    assert_eq!(receipts.len(), 1);
    assert_eq!((&receipts[0].0, received(receipts[0].1).0), (&pushed(3, 40), 30), "with how it ended");
    assert_eq!(
        placements.receive("p", &pushed(3, 60)),
        Some(Receipt::Duplicate { measured: Ledger::MEASURED })
    );
    placements.expect("q", 3, 20, Ledger::MEASURED);
    assert_eq!(placements.receive("strange", &pushed(3, 70)), None);
    assert_eq!(placements.outstanding(), 1);
    assert_eq!(placements.receive("q", &pushed(3, 1_020)), Some(Receipt::TooLate));
    let (lost, unexpected) = placements.expire(1_070);
    assert_eq!(
        (lost.of(Ledger::MEASURED).lost, lost.of(Ledger::WARM_UP).lost, unexpected),
        (1, 0, vec![pushed(3, 70)])
    );
    assert_eq!((lost.missing[0].what.as_str(), lost.missing[0].recipient), ("placement q", 3));
    assert_eq!(placements.outstanding(), 0);
}

proptest! {
    /// Whatever is dropped, doubled or shuffled: the counts are exactly those of the injected truth.
    #[test]
    fn counts_equal_the_injected_truth(
        sends in prop::collection::vec((0_u32..4, prop::collection::btree_set(0_u32..12, 1..8)), 1..40),
        fates in prop::collection::vec(0_u8..4, 400),
        shuffle in any::<u64>(),
    ) {
        let messages = Messages::new(RUN, 1_000_000, 0);
        let (mut pushes, mut dropped, mut doubled, mut wanted) = (Vec::new(), 0, 0, 0);
        let mut fates = fates.into_iter().cycle();
        for (number, (sender, recipients)) in sends.iter().enumerate() {
            messages.expect(number as u64, *sender, recipients.iter().copied().collect(), 0, Ledger::MEASURED);
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
            match messages.receive(messages.correlation(send), recipient, 5) {
                Receipt::Received { out_of_order, .. } => { received += 1; swaps_seen += u64::from(out_of_order); }
                Receipt::Duplicate { .. } => duplicates += 1,
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(received, wanted - dropped);
        prop_assert_eq!(duplicates, doubled);
        prop_assert_eq!(swaps_seen, swapped);
        prop_assert_eq!(messages.outstanding(), dropped);
        prop_assert_eq!(messages.expire(2_000_000).lost.of(Ledger::MEASURED).lost, dropped);
    }
}
