//! Every error class that this program gives by itself. What a target says becomes a [`Class`] of its own words.
//!
//! A class is a key of the summary and a label of metrics, so a changed word breaks dashboards. Whoever judges by a
//! class names it by its static.

use reports::format::cut_off;

use super::class::Class;

/// Defines a static for each class, and the list of all.
macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $word:expr;)+) => {
        $($(#[$doc])* pub static $name: Class = Class::fixed($word);)+

        /// Every class of this file.
        pub static ALL: &[&Class] = &[$(&$name),+];
    };
}

classes! {
    // Connections and handshakes.

    /// The process may open no more descriptors.
    NO_DESCRIPTORS = "no_descriptors";
    /// The source addresses have no free port left.
    NO_PORTS = "no_ports";
    /// Nothing listens at the target's port.
    REFUSED = "refused";
    /// The other side reset the connection.
    RESET = "reset";
    /// The other side closed the connection.
    CLOSED = "closed";
    /// No answer in time.
    TIMEOUT = "timeout";
    /// There is no route to the target.
    UNREACHABLE = "unreachable";
    /// Another error of the operating system.
    IO = "io";
    /// The TLS handshake failed.
    TLS = "tls";
    /// The answer to an upgrade request is not one.
    BAD_HANDSHAKE = "bad_handshake";
    /// The answer selects no subprotocol, or one that was not offered.
    BAD_SUBPROTOCOL = "bad_subprotocol";
    /// The protocol's handshake needs a value that is not there, or that HTTP cannot carry.
    HANDSHAKE_VALUE = "handshake_value";
    /// The proxy broke the protocol.
    PROXY = "proxy";
    /// A token or a signature could not be renewed.
    AUTH_REFRESH = "auth_refresh";
    /// A REST request failed before its answer.
    REST = "rest";

    // Open sockets.

    /// The stream ended without a close frame.
    CLOSED_1006 = "closed_1006";
    /// A close frame without a code.
    CLOSED_1005 = "closed_1005";
    /// The other side broke the WebSocket protocol.
    PROTOCOL = "protocol";
    /// A message or an answer was longer than is taken.
    TOO_LARGE = "too_large";
    /// A text frame was not UTF-8.
    NOT_UTF8 = "not_utf8";
    /// Another error of the socket.
    SOCKET = "socket";
    /// An answer over REST that means nothing in the protocol.
    GARBAGE = "garbage";
    /// No frame came for as long as the protocol's heartbeat allows.
    SILENT = "silent";
    /// An answer to a request that was no longer awaited.
    LATE_ANSWER = "late_answer";

    // Journeys.

    /// The socket was lost on the journey, or the player could not come back to it.
    SOCKET_LOST = "socket_lost";

    // Arrivals that could not be sent.

    /// The player's task does not get to run.
    UNSENT_BACKLOG = "unsent_backlog";
    /// No socket is open.
    UNSENT_NO_OPEN_SOCKET = "unsent_no_open_socket";
    /// The protocol's opening is not over.
    UNSENT_NOT_READY = "unsent_not_ready";
    /// A value that its message needs is not there: nothing was kept under the name.
    UNSENT_MISSING_VALUE = "unsent_missing_value";
    /// No other player has an open socket.
    UNSENT_NO_RECIPIENT = "unsent_no_recipient";
    /// The socket's buffer is full: the target does not read.
    UNSENT_WRITE_BLOCKED = "unsent_write_blocked";
    /// A player had been given it when the run ended.
    UNSENT_RUN_ENDED = cut_off::UNSENT_RUN_ENDED;
    /// The interrupted run did not come to it.
    UNSENT_INTERRUPTED = cut_off::UNSENT_INTERRUPTED;
    /// The run ended itself before it came to it.
    UNSENT_ENDED_EARLY = cut_off::UNSENT_ENDED_EARLY;
    /// It was sent, and the run ended before its answer.
    INTERRUPTED = cut_off::INTERRUPTED;

    // Deliveries of which samples are kept.

    /// A push came after its time-out, within the grace.
    LATE = "late";
    /// A push came after its grace.
    TOO_LATE = "too_late";
    /// A push matches nothing that was sent.
    UNEXPECTED = "unexpected";
    /// A push did not come.
    LOST = "lost";

    // What became of disruptions, and of the sockets that they ended.

    /// The run ended first.
    RUN_ENDED = "run_ended";
    /// The player's side cut the socket.
    CUT = "cut";
    /// The player is connected again.
    BACK = "back";
    /// The player does not reconnect.
    STAYED_AWAY = "stayed_away";
    /// The player's attempts to reconnect are used up.
    GAVE_UP = "gave_up";
    /// The target has not ended the socket that was not read.
    UNNOTICED = "unnoticed";
    /// The target answered as if nothing were wrong.
    ANSWERED = "answered";
    /// The target did not react.
    IGNORED = "ignored";
    /// The malformed message did not leave as a whole.
    WRITE_BLOCKED = "write_blocked";
}

/// What the generator's own machine lacked, with the remedy: the run is invalid, and no other address of the target is
/// tried, since none is at fault.
pub static OF_THE_MACHINE: &[(&Class, &str)] = &[
    (&NO_DESCRIPTORS, "raise `ulimit -n`, lower `players`, or split them with `--workers`"),
    (&NO_PORTS, "give more `sockets.source_addresses` or lower `players`"),
];

/// What an answer's status makes of a request: `status_500`.
#[must_use]
pub fn status(status: u16) -> Class {
    Class::numbered("status_", status)
}

/// What a refused upgrade request's status says: `http_403`.
#[must_use]
pub fn http(status: u16) -> Class {
    Class::numbered("http_", status)
}

/// What a proxy's status says: `proxy_407`.
#[must_use]
pub fn proxy(status: u16) -> Class {
    Class::numbered("proxy_", status)
}

/// How a close frame ended a socket: `closed_1001`.
#[must_use]
pub fn closed(code: u16) -> Class {
    Class::numbered("closed_", code)
}

/// How an error of the operating system ended a socket: `closed_reset`.
#[must_use]
pub fn closed_by(error: &Class) -> Class {
    Class::from(format!("closed_{error}"))
}
