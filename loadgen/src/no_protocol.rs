//! What players speak as long as a plan names no protocol.

use std::sync::Arc;

use protocol::protocol::{HandshakeParts, Missing, Read, Sending};
use protocol::{Meaning, Outline, Protocol, Values};
use scenarios::Plan;

/// The plan's protocol.
pub(crate) fn protocol_of(_plan: &Plan) -> Arc<dyn Protocol> {
    Arc::new(NoProtocol::default())
}

/// A protocol that has nothing.
#[derive(Debug, Default)]
struct NoProtocol(Outline);

impl Protocol for NoProtocol {
    fn outline(&self) -> &Outline {
        &self.0
    }

    fn write(&self, _what: Sending, _values: &dyn Values) -> Result<String, Missing> {
        Ok(String::new())
    }

    fn field(&self, _operation: usize, _values: &dyn Values) -> Option<String> {
        None
    }

    fn handshake(&self, _values: &dyn Values) -> Result<HandshakeParts, Missing> {
        Ok(HandshakeParts::default())
    }

    fn read(&self, _message: &str, _take: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read {
        Read::Unclassified
    }
}
