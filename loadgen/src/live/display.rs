//! The display of a run on standard error: a dashboard on a terminal, a plain line now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reports::format::SeriesLine;

use super::view::{self, View};
use crate::validity::Validity;

/// Seconds between the lines when standard error is no terminal.
const PLAIN_EVERY: u64 = 5;

/// Standard error's one board, so that log lines can be written above it.
static BOARD: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Standard error, for lines that must not be torn by the dashboard.
#[derive(Debug, Clone, Copy)]
pub struct AboveDisplay;

impl Write for AboveDisplay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BOARD.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// How a run is shown.
pub(super) enum Display {
    Nothing,
    Plain,
    Dashboard { bar: ProgressBar, view: View },
}

impl Display {
    pub(super) fn new(name: &str, length: Duration, quiet: bool) -> Self {
        if quiet {
            return Self::Nothing;
        }
        if !io::stderr().is_terminal() {
            return Self::Plain;
        }
        let bar = BOARD.add(ProgressBar::new(length.as_secs()));
        // The template is a constant; were it wrong, the default bar would do.
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} s\n{msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(name.to_owned());
        Self::Dashboard { bar, view: View::default() }
    }

    pub(super) fn second(&mut self, line: &SeriesLine, validity: &Validity) {
        match self {
            Self::Plain if line.t.is_multiple_of(PLAIN_EVERY) => {
                eprintln!("{:>5} s  {}", line.t, view::plain(line, validity));
            }
            Self::Nothing | Self::Plain => {}
            Self::Dashboard { bar, view } => {
                bar.set_position(line.t + 1);
                bar.set_message(format!("phase                {}\n{}", line.phase, view.of(line, validity)));
            }
        }
    }

    /// Takes the dashboard away.
    pub(super) fn close(&self) {
        if let Self::Dashboard { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}
