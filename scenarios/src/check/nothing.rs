//! What takes the place of a protocol that is wrong, so that the rest of a scenario is checked in the same pass.

use protocol::Outline;
use protocol::protocol::{HandshakeParts, Meaning, Missing, Protocol, Read, Sending, Values};

/// A protocol without a message.
#[derive(Debug, Default)]
pub(super) struct Nothing(Outline);

impl Protocol for Nothing {
    fn outline(&self) -> &Outline {
        &self.0
    }

    fn write(&self, _: Sending, _: &dyn Values) -> Result<String, Missing> {
        Ok(String::new())
    }

    fn field(&self, _: usize, _: &dyn Values) -> Option<String> {
        None
    }

    fn handshake(&self, _: &dyn Values) -> Result<HandshakeParts, Missing> {
        Ok(HandshakeParts::default())
    }

    fn read(&self, _: &str, _: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read {
        Read::Unclassified
    }
}
