//! The terminal as the dashboard's library sees it: one that takes everything, also when it has been closed.
//!
//! The library's own handle reports the first write that fails, and its board then panics: a run must outlive its terminal.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use indicatif::TermLike;
use output::Look;
use parking_lot::Mutex;

/// Columns where the number is unknown.
const WIDTH: u16 = 80;
/// Lines where the number is unknown.
const HEIGHT: u16 = 24;

/// Standard error as a terminal; what is drawn is written at once, when it is complete.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<String>);

impl Screen {
    /// Whether standard error is a terminal that can be drawn on.
    pub(super) fn is_there() -> bool {
        output::height().is_some() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    fn draw(&self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        // Writing into a string cannot fail.
        let _ = self.0.lock().write_fmt(text);
        Ok(())
    }

    /// Moves by `n` in a direction of ECMA-48: A up, B down, C right, D left.
    fn go(&self, n: usize, direction: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.draw(format_args!("\u{1b}[{n}{direction}")) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        let width = Look::of_stderr().width.map(|columns| u16::try_from(columns.get()).unwrap_or(u16::MAX));
        width.unwrap_or(WIDTH)
    }

    fn height(&self) -> u16 {
        output::height().unwrap_or(HEIGHT)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.draw(format_args!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(format_args!("{text}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.0.lock());
        output::stderr().write_all(drawn.as_bytes())
    }
}
