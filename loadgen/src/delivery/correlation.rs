//! What a message carries in its text, so that its pushes can be matched with its send.

use protocol::marker;

/// What a message's text begins with: which run, which send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correlation {
    /// Distinguishes this run's messages from those of other runs against the same backend.
    pub run: u32,
    /// The send among this run's: the number of its operation, and that of the arrival.
    pub send: u64,
}

impl Correlation {
    /// Bytes that the correlation takes of a message's text.
    pub const LENGTH: usize = marker::LENGTH;
    /// Bits of a send that number the arrival; those above number the operation.
    const INDEX_BITS: u32 = 56;

    /// The correlation of an operation's arrival.
    #[must_use]
    pub const fn new(run: u32, operation: u8, index: u64) -> Self {
        Self { run, send: (operation as u64) << Self::INDEX_BITS | Self::index_of(index) }
    }

    /// The number of the operation.
    #[must_use]
    pub const fn operation(self) -> u8 {
        (self.send >> Self::INDEX_BITS) as u8
    }

    /// The number of the arrival among those of its operation.
    #[must_use]
    pub const fn index(self) -> u64 {
        Self::index_of(self.send)
    }

    /// The number of the arrival of a send.
    pub(super) const fn index_of(send: u64) -> u64 {
        send & ((1 << Self::INDEX_BITS) - 1)
    }

    /// A message text of `size` bytes (at least [`LENGTH`](Self::LENGTH)).
    #[must_use]
    pub fn text(&self, size: usize) -> String {
        let mut text = marker::write(self.run, self.send);
        text.extend(std::iter::repeat_n('.', size.saturating_sub(text.len())));
        text
    }

    /// The first correlation of a run that stands in a received message, wherever and in whatever it stands.
    #[must_use]
    pub fn find(message: &str, run: u32) -> Option<Self> {
        marker::all(message).find(|(of, _)| *of == run).map(|(run, send)| Self { run, send })
    }
}
