//! How text may look where it is read: with colour or without, and how wide.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// How text may look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are understood and wanted.
    pub colour: bool,
    /// Columns at which sentences are broken; `None`: nowhere, so that programs find whole lines.
    pub width: Option<NonZeroUsize>,
}

impl Look {
    /// Of standard output. `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` say whether it has colour, else whether it is a
    /// terminal; `COLUMNS` says how wide it is, else the terminal.
    #[must_use]
    pub fn of_stdout() -> Self {
        let stdout = io::stdout();
        Self { colour: AutoStream::choice(&stdout) != ColorChoice::Never, width: width(&stdout) }
    }

    /// Of standard error, by the same rules.
    #[must_use]
    pub fn of_stderr() -> Self {
        let stderr = io::stderr();
        Self { colour: AutoStream::choice(&stderr) != ColorChoice::Never, width: width(&stderr) }
    }

    /// Text about something good.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.painted(text, AnsiColor::Green)
    }

    /// Text about something that the reader should know.
    #[must_use]
    pub fn doubtful(self, text: &str) -> String {
        self.painted(text, AnsiColor::Yellow)
    }

    /// Text about something bad.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.painted(text, AnsiColor::Red)
    }

    /// Lines of at most the look's width, further ones of a sentence behind `indent`. They are broken between words only,
    /// so that an id stays whole.
    #[must_use]
    pub fn wrapped(self, lines: &str, indent: &str) -> String {
        let whole = |line: &str| line.to_owned() + "\n";
        let Some(width) = self.width else { return lines.lines().map(whole).collect() };
        let options = textwrap::Options::new(width.get())
            .subsequent_indent(indent)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .word_separator(textwrap::WordSeparator::AsciiSpace);
        lines.lines().flat_map(|line| textwrap::wrap(line, &options)).map(|line| whole(&line)).collect()
    }

    fn painted(self, text: &str, colour: AnsiColor) -> String {
        let style: Style = colour.on_default().bold();
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Lines of the terminal behind standard error; `None` where there is no terminal.
#[must_use]
pub fn height() -> Option<u16> {
    terminal_size::terminal_size_of(io::stderr()).map(|(_, terminal_size::Height(lines))| lines)
}

fn width(stream: &impl AsFd) -> Option<NonZeroUsize> {
    let terminal = terminal_size::terminal_size_of(stream).map(|(terminal_size::Width(columns), _)| columns);
    columns(std::env::var("COLUMNS").ok().as_deref(), terminal)
}

/// `COLUMNS`, else the terminal's own size.
fn columns(named: Option<&str>, terminal: Option<u16>) -> Option<NonZeroUsize> {
    let named = named.and_then(|text| text.trim().parse().ok());
    named.or_else(|| terminal.and_then(|columns| NonZeroUsize::new(columns.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_before_the_terminal_and_a_pipe_has_none() {
        let width = |named, terminal| columns(named, terminal).map(NonZeroUsize::get);
        assert_eq!(width(Some("72"), Some(120)), Some(72));
        assert_eq!(width(Some("wide"), Some(120)), Some(120));
        assert_eq!(width(Some("0"), Some(120)), Some(120));
        assert_eq!(width(Some("72"), None), Some(72));
        assert_eq!(width(None, None), None);
    }

    #[test]
    fn sentences_are_broken_between_words_and_ids_nowhere() {
        let look = Look { colour: false, width: NonZeroUsize::new(20) };
        let text = "run evening-20261122T090000Z-1a2b3c of ten\nshort\n";
        assert_eq!(look.wrapped(text, "  "), "run\n  evening-20261122T090000Z-1a2b3c\n  of ten\nshort\n");
        assert_eq!(Look::default().wrapped(text, "  "), text);
    }

    #[test]
    fn colour_is_put_round_the_text_or_left_out() {
        let look = Look { colour: true, width: None };
        assert_eq!(look.bad("FAILED"), "\u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m");
        assert_eq!(Look::default().bad("FAILED"), "FAILED");
    }
}
