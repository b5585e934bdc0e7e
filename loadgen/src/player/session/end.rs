//! How a socket ends, and the error class of each way.

use std::collections::BTreeMap;

use protocol::outline::{Close, Retry};
use scenarios::plan::disruptions::Cut;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::player::error::io_class;
use crate::record::{Class, classes};

/// How a session ended.
pub(in crate::player) enum End {
    /// The run is over.
    RunOver,
    /// The player's session is over.
    SessionOver,
    /// The player's side cuts the socket.
    Cut(Cut),
    /// The player has not read for as long as it was to; how the socket fared is to be found out.
    NotRead,
    /// A part of a malformed message has left, and the rest cannot.
    Unusable,
    /// The other side, or the network.
    Dropped(Dropped),
    /// The protocol's opening failed or took too long; the operation `ready` has the error.
    NotReady {
        /// The error class.
        class: Class,
    },
}

/// How the other side, or the network, ended a socket.
pub(in crate::player) struct Dropped {
    /// The error class.
    pub(in crate::player) class: Class,
    /// What was seen.
    pub(in crate::player) detail: String,
    /// The close code: that of the frame, else the one that RFC 6455 has for its absence; none where the connection broke
    /// otherwise.
    code: Option<u16>,
}

impl Dropped {
    /// By a close frame.
    pub(super) fn by_frame(frame: Option<&CloseFrame>) -> Self {
        let detail = frame.map_or_else(String::new, |frame| frame.reason.to_string());
        let code = frame.map_or(1005, |frame| frame.code.into());
        Self { class: class_of_frame(frame), detail, code: Some(code) }
    }

    /// The player's side ended it, of a backend that does not answer.
    pub(super) fn of(class: Class, detail: &str) -> Self {
        Self { class, detail: detail.into(), code: None }
    }

    /// The stream ended.
    pub(super) fn at_the_end() -> Self {
        Self { class: classes::CLOSED_1006.clone(), detail: "the stream ended".into(), code: Some(1006) }
    }

    /// What a protocol makes of it: under which class it counts, and what the player does then.
    pub(in crate::player) fn under(self, codes: &BTreeMap<u16, Close>) -> (Self, Retry) {
        let Some(close) = self.code.and_then(|code| codes.get(&code)) else {
            return (self, Retry::Policy);
        };
        // A code of which only the consequence is said keeps its class.
        let class = if close.class.is_empty() { self.class } else { close.class.clone().into() };
        (Self { class, ..self }, close.retry)
    }
}

impl From<&Error> for Dropped {
    fn from(error: &Error) -> Self {
        let class = class_of_error(error);
        let code = (class == classes::CLOSED_1006).then_some(1006);
        Self { class, detail: error.to_string(), code }
    }
}

/// The error class of a broken socket.
pub(super) fn class_of_error(error: &Error) -> Class {
    match error {
        Error::Io(error) => classes::closed_by(io_class(error)),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => classes::CLOSED_1006.clone(),
        Error::Protocol(_) => classes::PROTOCOL.clone(),
        Error::Capacity(_) => classes::TOO_LARGE.clone(),
        Error::Utf8(_) => classes::NOT_UTF8.clone(),
        _ => classes::SOCKET.clone(),
    }
}

/// The error class of a close frame.
pub(super) fn class_of_frame(frame: Option<&CloseFrame>) -> Class {
    frame.map_or_else(|| classes::CLOSED_1005.clone(), |frame| classes::closed(frame.code.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_says_what_a_code_means() {
        let close = |class: &str, retry| Close { class: class.into(), retry };
        let codes = BTreeMap::from([
            (4401, close("unauthorized", Retry::No)),
            (1012, close("", Retry::AtOnce)),
            (1005, close("left", Retry::Policy)),
            (1006, close("gone", Retry::AtOnce)),
        ]);
        let frame = |code: u16| CloseFrame { code: code.into(), reason: "because".into() };
        let under = |dropped: Dropped| {
            let (Dropped { class, detail, .. }, retry) = dropped.under(&codes);
            (class.to_string(), detail, retry)
        };
        let by = |code| under(Dropped::by_frame(Some(&frame(code))));
        assert_eq!(by(4401), ("unauthorized".into(), "because".into(), Retry::No));
        assert_eq!(by(1012), ("closed_1012".into(), "because".into(), Retry::AtOnce));
        assert_eq!(by(1001), ("closed_1001".into(), "because".into(), Retry::Policy));
        assert_eq!(under(Dropped::by_frame(None)), ("left".into(), String::new(), Retry::Policy));
        assert_eq!(under(Dropped::at_the_end()).0, "gone");
        assert_eq!(under(Dropped::from(&Error::ConnectionClosed)).2, Retry::AtOnce);
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(under(Dropped::from(&Error::Io(reset))).0, "closed_reset");
    }
}
