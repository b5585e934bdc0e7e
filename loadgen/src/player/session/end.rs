//! How a socket ends, and the error class of each way.

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
}

/// How the other side, or the network, ended a socket.
pub(in crate::player) struct Dropped {
    /// The error class.
    pub(in crate::player) class: Class,
    /// What was seen.
    pub(in crate::player) detail: String,
}

impl Dropped {
    /// By a close frame.
    pub(super) fn by_frame(frame: Option<&CloseFrame>) -> Self {
        let detail = frame.map_or_else(String::new, |frame| frame.reason.to_string());
        Self { class: class_of_frame(frame), detail }
    }

    /// The stream ended.
    pub(super) fn at_the_end() -> Self {
        Self { class: classes::CLOSED_1006.clone(), detail: "the stream ended".into() }
    }
}

impl From<&Error> for Dropped {
    fn from(error: &Error) -> Self {
        Self { class: class_of_error(error), detail: error.to_string() }
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
