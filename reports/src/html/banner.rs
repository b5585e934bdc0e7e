//! The head of every page: what was tested, the verdict on it, and the key figures.

use jiff::Timestamp;
use maud::{Markup, html};

/// Whether the verdict is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// The thresholds passed.
    Good,
    /// They did not.
    Bad,
    /// The run or search gives no answer.
    Open,
    /// There was nothing to judge.
    Unsaid,
}

impl Tone {
    const fn class_and_sign(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("is-good", "✓"),
            Self::Bad => ("is-bad", "✕"),
            Self::Open => ("is-bad", "!"),
            Self::Unsaid => ("is-open", "?"),
        }
    }
}

/// What stands at the head of a page, in its first section.
pub(super) struct Banner<'a> {
    /// Id of that section.
    pub(super) section: &'a str,
    /// The scenario's name.
    pub(super) name: &'a str,
    pub(super) started_at: Timestamp,
    pub(super) target: &'a str,
    /// Version of loadgen.
    pub(super) version: &'a str,
    pub(super) tone: Tone,
    pub(super) headline: &'a str,
    pub(super) sentence: &'a str,
}

impl Banner<'_> {
    pub(super) fn render(&self) -> Markup {
        let (class, sign) = self.tone.class_and_sign();
        html! {
            p.run {
                (self.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")) " · " bdi { (self.target) } " · loadgen " (self.version)
            }
            h1 id=(format!("{}-h", self.section)) { bdi { (self.name) } }
            div class=(format!("verdict {class}")) {
                span.sign aria-hidden="true" { (sign) }
                div {
                    p.headline { (self.headline) }
                    p { (self.sentence) }
                }
            }
        }
    }
}

/// A key figure.
pub(super) struct KeyFigure {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) note: String,
}

/// The figures below the verdict; greyed where they must not be used.
pub(super) fn figures(figures: &[KeyFigure], usable: bool) -> Markup {
    html! {
        dl.figures.is-invalid[!usable] {
            @for figure in figures {
                div {
                    dt { (figure.name) }
                    dd { (figure.value) small { bdi { (figure.note) } } }
                }
            }
        }
    }
}
