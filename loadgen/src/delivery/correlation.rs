//! What a message carries in its text, so that its pushes can be matched with its send.

/// What a message's text begins with: which run, which send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correlation {
    /// Distinguishes this run's messages from those of other runs against the same backend.
    pub run: u32,
    /// Number of the send among this run's sends.
    pub send: u64,
}

impl Correlation {
    const MARK: &'static str = "lg1:";
    /// Bytes that the correlation takes of a message's text.
    pub const LENGTH: usize = 4 + 8 + 1 + 16 + 1;

    /// A message text of `size` bytes (at least [`LENGTH`](Self::LENGTH)).
    #[must_use]
    pub fn text(&self, size: usize) -> String {
        let mut text = format!("{}{:08x}:{:016x}:", Self::MARK, self.run, self.send);
        text.extend(std::iter::repeat_n('.', size.saturating_sub(text.len())));
        text
    }

    /// Reads the correlation back from a pushed text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(Self::MARK)?;
        let (run, rest) = rest.split_once(':')?;
        let (send, _) = rest.split_once(':')?;
        Some(Self { run: u32::from_str_radix(run, 16).ok()?, send: u64::from_str_radix(send, 16).ok()? })
    }
}
