//! The fields of log lines: the message and its values hold no credential and nothing that acts on a terminal.
//!
//! This is the last line of defence: text of a target, a library or the system in an error may end up in a log line.

use reports::printable;
use scenarios::redact;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// How the fields of a log line are written.
#[must_use]
pub fn log_fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|writer: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug| {
        let said = format!("{value:?}");
        let said = redact::text(&said);
        match field.name() {
            // It may have several lines, e.g. a plan's mistakes.
            "message" => write!(writer, "{}", printable::lines(&said)),
            name => write!(writer, "{name}={}", printable::line(&said)),
        }
    })
    .delimited(" ")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_line_holds_neither_escapes_nor_credentials() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(true)
            .without_time()
            .fmt_fields(log_fields())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let said = "\u{1b}]0;owned\u{7} \u{202e} password=hunter2";
            tracing::warn!(said, "the target says {said}, and https://ann:hunter2@x.example/?apikey=hunter2");
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(
            !text.contains("hunter2") && text.contains("password=…") && text.contains("x.example"),
            "{text}"
        );
        assert!(!text.contains(['\u{7}', '\u{202e}']) && !text.contains("\u{1b}]"), "{text:?}");
        assert!(text.contains("\\u{1b}]0;owned"), "{text}");
    }
}
