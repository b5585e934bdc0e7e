//! A protocol for tests: an outline, and a handshake.

use std::sync::Arc;

use protocol::protocol::{HandshakeParts, Missing, Read, Sending};
use protocol::{Meaning, Outline, Protocol, Values};

type MakeHandshake = fn(&dyn Values) -> Result<HandshakeParts, Missing>;

/// What is asked of it is in its fields.
#[derive(Debug, Default)]
pub(super) struct TestProtocol {
    pub(super) outline: Outline,
    pub(super) handshake: Option<MakeHandshake>,
}

impl TestProtocol {
    pub(super) fn shared(self) -> Arc<dyn Protocol> {
        Arc::new(self)
    }
}

impl Protocol for TestProtocol {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn write(&self, _what: Sending, _values: &dyn Values) -> Result<String, Missing> {
        Ok(String::new())
    }

    fn field(&self, _operation: usize, _values: &dyn Values) -> Option<String> {
        None
    }

    fn handshake(&self, values: &dyn Values) -> Result<HandshakeParts, Missing> {
        self.handshake.map_or_else(|| Ok(HandshakeParts::default()), |make| make(values))
    }

    fn read(&self, _message: &str, _take: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read {
        Read::Unclassified
    }
}
