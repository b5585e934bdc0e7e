//! Whether what one player sends another is received in the order in which it was sent.

use std::collections::HashMap;

use crate::clock::Micros;

/// Bits of a rank that tell sends of the same instant apart.
const SEND_BITS: u32 = 20;

/// Latest send received by (sender, recipient), in two generations so that it cannot grow for ever.
#[derive(Debug, Default)]
pub(super) struct ReceiptOrder {
    current: HashMap<(u32, u32), u64>,
    previous: HashMap<(u32, u32), u64>,
}

impl ReceiptOrder {
    /// Notes a receipt; returns whether a later send was there before. Sends are in the order of their instants, and by
    /// number within one: what a player sends by itself has other numbers than what the plan has it send.
    pub(super) fn note(&mut self, sender: u32, recipient: u32, sent: Micros, send: u64) -> bool {
        let rank = sent << SEND_BITS | send & ((1 << SEND_BITS) - 1);
        let pair = (sender, recipient);
        let before = self.current.get(&pair).or_else(|| self.previous.get(&pair)).copied();
        self.current.insert(pair, before.map_or(rank, |before| before.max(rank)));
        before.is_some_and(|before| before > rank)
    }

    /// Forgets the generation before the last.
    pub(super) fn rotate(&mut self) {
        self.previous = std::mem::take(&mut self.current);
    }
}
