//! How what is told looks: a line for people, or an object for programs.

use output::Look;
use serde_json::{Value, json};

use super::narrator::{Told, Way};

/// Columns where nobody says how many there are.
const WIDTH: usize = 120;
/// Columns that a message has at least beside what is said of it; with fewer that stands below it.
const ROOM: usize = 56;
/// Columns that a message has at least on a narrow terminal.
const NARROWEST: usize = 32;
/// Columns before the message.
const BEFORE: usize = 25;

impl Told {
    /// A line, or two where both do not stand beside each other; a long message is cut, unless `full`.
    pub(super) fn line(&self, look: Look, full: bool) -> String {
        let Self { at, player, way, message, said, .. } = self;
        let seconds = *at as f64 / 1e6;
        let arrow = match way {
            Way::Out => "→",
            Way::In => "←",
            Way::Neither => "·",
        };
        let before = format!("{seconds:>8.3} s  player {player}  {arrow} ");
        let (length, taken) = (message.chars().count(), said.chars().count());
        let painted = if self.is_bad() { look.bad(said) } else { said.clone() };
        if *way == Way::Neither {
            let detail = if message.is_empty() { String::new() } else { format!(" ({message})") };
            return format!("{before}{painted}{detail}\n");
        }
        let width = look.width.map_or(WIDTH, |width| width.get());
        let room = width.saturating_sub(BEFORE).max(NARROWEST);
        let beside = room.saturating_sub(taken + 3);
        if beside >= length.min(ROOM) && (!full || beside >= length) {
            return format!("{before}{}   {painted}\n", cut(message, beside));
        }
        let message = if full { message.clone() } else { cut(message, room) };
        format!("{before}{message}\n{:BEFORE$}{painted}\n", "")
    }

    /// An object.
    pub(super) fn json(&self) -> Value {
        let Self { at, player, way, message, kind, of, said } = self;
        let way = match way {
            Way::Out => Some("out"),
            Way::In => Some("in"),
            Way::Neither => None,
        };
        json!({
            "at_s": *at as f64 / 1e6,
            "player": player,
            "direction": way,
            "message": message,
            "kind": kind,
            "of": of,
            "said": said,
        })
    }

    /// Whether it should not be so.
    fn is_bad(&self) -> bool {
        let kind = self.kind;
        kind == "unclassified" || kind.starts_with("failed_") || matches!(kind, "refused" | "ended" | "error")
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn told(message: &str, said: &str) -> Told {
        Told {
            at: 12_345,
            player: 1,
            way: Way::Out,
            message: message.into(),
            kind: "request",
            of: None,
            said: said.into(),
        }
    }

    fn look(width: usize) -> Look {
        Look { colour: false, width: NonZeroUsize::new(width) }
    }

    #[test]
    fn what_is_said_stands_beside_the_message_or_below_it() {
        let beside = told("{\"a\":1}", "chat, message 1").line(look(80), false);
        assert_eq!(beside, "   0.012 s  player 1  → {\"a\":1}   chat, message 1\n");
        let below = told(&"x".repeat(200), &"y".repeat(50)).line(look(80), false);
        let lines: Vec<_> = below.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lines, [79, 75]);
        assert!(below.contains("x…\n"), "{below}");
        assert!(told(&"x".repeat(200), "y").line(look(80), true).contains(&"x".repeat(200)));
    }
}
