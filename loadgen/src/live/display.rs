//! The display of a run on standard error: a dashboard on a terminal, a plain line now and then elsewhere.

use std::fmt::Display as Shown;
use std::io::{self, Write};
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use reports::format::SeriesLine;

use super::screen::Screen;
use super::view::{self, View};
use crate::validity::Validity;

/// Seconds between the lines when standard error is no terminal.
const PLAIN_EVERY: u64 = 5;
/// Drawings of the dashboard a second at most.
const HZ: u8 = 20;

/// Standard error's one board, so that log lines can be written above it.
static BOARD: LazyLock<MultiProgress> = LazyLock::new(|| {
    MultiProgress::with_draw_target(ProgressDrawTarget::term_like_with_hz(Box::<Screen>::default(), HZ))
});

/// Standard error, for lines that must not be torn by the dashboard. No write to it fails.
#[derive(Debug, Clone, Copy)]
pub struct AboveDisplay;

impl Write for AboveDisplay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BOARD.suspend(|| output::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        output::stderr().flush()
    }
}

/// Says a line on standard error, above the dashboard if there is one.
pub fn say(line: impl Shown) {
    BOARD.suspend(|| output::say(line));
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
        if !Screen::is_there() {
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
                say(format_args!("{:>5} s  {}", line.t, view::plain(line, validity)));
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
