//! The display of a run on standard error: a dashboard on a terminal, a plain line now and then elsewhere.

use std::fmt::Display as Shown;
use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use reports::format::SeriesLine;

use super::screen::Screen;
use super::view::{self, View};
use crate::verdict::validity::Validity;

/// Seconds between the lines when standard error is no terminal.
const PLAIN_EVERY: u64 = 5;
/// Seconds that may wait to be shown.
const BACKLOG: usize = 2;
/// How long the end of a run waits for its display.
const PATIENCE: Duration = Duration::from_secs(1);
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

/// Prints a line on standard error, above the dashboard if there is one.
pub fn say(line: impl Shown) {
    BOARD.suspend(|| output::say(line));
}

/// A display on a thread of its own: a reader that stops to read (Ctrl-S, a pager) must not stop the run log. Seconds
/// that it has no time for are not shown.
pub(super) struct DisplayThread {
    seconds: SyncSender<(SeriesLine, Validity)>,
    /// Ends when everything has been shown.
    closed: Receiver<()>,
}

impl DisplayThread {
    pub(super) fn open(mut display: Display) -> Self {
        let (seconds, shown) = sync_channel::<(SeriesLine, Validity)>(BACKLOG);
        let (open, closed) = sync_channel(0);
        let showing = move || {
            let _open = open;
            while let Ok((line, validity)) = shown.recv() {
                display.second(&line, &validity);
            }
            display.close();
        };
        // Without a thread nothing is shown, and the run is as good.
        let _ = std::thread::Builder::new().name("display".into()).spawn(showing);
        Self { seconds, closed }
    }

    pub(super) fn second(&self, line: &SeriesLine, validity: &Validity) {
        let _ = self.seconds.try_send((line.clone(), validity.clone()));
    }

    /// Removes the display; if its reader is gone, it is left as it is.
    pub(super) fn close(self) {
        drop(self.seconds);
        let _ = self.closed.recv_timeout(PATIENCE);
    }
}

/// How a run is shown.
pub(super) enum Display {
    Plain,
    Dashboard { bar: ProgressBar, view: View },
}

impl Display {
    pub(super) fn new(name: &str, length: Duration) -> Self {
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

    fn second(&mut self, line: &SeriesLine, validity: &Validity) {
        match self {
            Self::Plain if line.t.is_multiple_of(PLAIN_EVERY) => {
                say(format_args!("{:>5} s  {}", line.t, view::plain(line, validity)));
            }
            Self::Plain => {}
            Self::Dashboard { bar, view } => {
                bar.set_position(line.t + 1);
                bar.set_message(format!("phase                {}\n{}", line.phase, view.of(line, validity)));
            }
        }
    }

    /// Takes the dashboard away.
    fn close(&self) {
        if let Self::Dashboard { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}
