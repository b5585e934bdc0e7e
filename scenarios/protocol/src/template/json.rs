//! The stretches of a template that are JSON.

use serde::de::IgnoredAny;

use super::error::TemplateError;
use super::part::{Part, Stands};

/// Finds out which places stand in JSON, and whether in quotes there.
///
/// A template that begins like an object or an array must be one as a whole; one that begins with a quote may be a string.
/// Elsewhere what is between brackets that close, has quotes in it, and parses with its places filled counts as JSON:
/// `42["say","${text}"]` is one such stretch, `to [${room}]: ${text}` has none.
///
/// # Errors
/// [`TemplateError`] where JSON is broken, or would be by a text outside of quotes.
pub(super) fn settle(parts: &mut [Part]) -> Result<(), TemplateError> {
    let first = match parts.first() {
        Some(Part::Literal { text, .. }) => text.len() - text.trim_start().len(),
        _ => 0,
    };
    let start = Position { part: 0, byte: first };
    let whole = stretch(parts, start, false);
    if bracket_from(parts, start) == Some(start) {
        parses(parts, &whole)?;
        return mark(parts, &whole);
    }
    if begins_with_quote(parts, first) && parses(parts, &whole).is_ok() {
        return mark(parts, &whole);
    }
    let mut from = Position { part: 0, byte: 0 };
    while let Some(start) = bracket_from(parts, from) {
        let within = stretch(parts, start, true);
        from = if within.closed && within.has_quotes && parses(parts, &within).is_ok() {
            mark(parts, &within)?;
            within.end
        } else {
            Position { byte: start.byte + 1, ..start }
        };
    }
    Ok(())
}

fn begins_with_quote(parts: &[Part], byte: usize) -> bool {
    match parts.first() {
        Some(Part::Literal { text, .. }) => text.as_bytes().get(byte) == Some(&b'"'),
        _ => false,
    }
}

/// A byte of a literal, or a place (at byte 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    part: usize,
    byte: usize,
}

/// Consecutive bytes and places.
struct Stretch {
    start: Position,
    /// After its last byte.
    end: Position,
    /// Whether its brackets close.
    closed: bool,
    /// Whether a string is in it.
    has_quotes: bool,
    /// Its places, and whether each stands in quotes.
    places: Vec<(usize, bool)>,
}

/// The next opening bracket.
fn bracket_from(parts: &[Part], from: Position) -> Option<Position> {
    parts.iter().enumerate().skip(from.part).find_map(|(part, what)| {
        let Part::Literal { text, .. } = what else { return None };
        let skipped = if part == from.part { from.byte } else { 0 };
        let found = text.get(skipped..)?.find(['{', '['])?;
        Some(Position { part, byte: skipped + found })
    })
}

/// What follows on an opening bracket: to the one that closes it, or to the end.
fn stretch(parts: &[Part], start: Position, to_bracket: bool) -> Stretch {
    let mut stretch = Stretch {
        start,
        end: Position { part: parts.len(), byte: 0 },
        closed: false,
        has_quotes: false,
        places: Vec::new(),
    };
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (part, what) in parts.iter().enumerate().skip(start.part) {
        let Part::Literal { text, .. } = what else {
            stretch.places.push((part, quoted));
            escaped = false;
            continue;
        };
        for (byte, letter) in text.bytes().enumerate() {
            if part == start.part && byte < start.byte {
                continue;
            }
            match letter {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => {
                    quoted = !quoted;
                    stretch.has_quotes = true;
                }
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && to_bracket {
                stretch.end = Position { part, byte: byte + 1 };
                stretch.closed = true;
                return stretch;
            }
        }
    }
    stretch
}

/// Whether it parses, with two different sets of values in its places.
fn parses(parts: &[Part], stretch: &Stretch) -> Result<(), TemplateError> {
    for set in 0..2 {
        let mut filled = String::new();
        // Where in the filled text each part begins, and where it stands in the template.
        let mut begins = Vec::new();
        for (number, part) in parts.iter().enumerate().skip(stretch.start.part) {
            if number > stretch.end.part {
                break;
            }
            let from = if number == stretch.start.part { stretch.start.byte } else { 0 };
            match part {
                Part::Literal { text, at } => {
                    let to = if number == stretch.end.part { stretch.end.byte } else { text.len() };
                    begins.push((filled.len(), *at + from));
                    filled.push_str(text.get(from..to).unwrap_or_default());
                }
                Part::Place(place) if number < stretch.end.part => {
                    let quoted = stretch.places.iter().any(|(place, quoted)| *place == number && *quoted);
                    begins.push((filled.len(), place.at));
                    filled.push_str(if quoted { "x" } else { place.json_sample(set) });
                }
                Part::Place(_) => {}
            }
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(&filled) {
            let byte = byte_of(&filled, &error);
            let (begin, at) =
                begins.iter().rev().find(|(begin, _)| *begin <= byte).copied().unwrap_or_default();
            // A place is named as a whole.
            let at = at + if matches!(part_at(parts, at), Some(Part::Place(_))) { 0 } else { byte - begin };
            let said = error.to_string();
            let problem = said.split(" at line ").next().unwrap_or(&said).to_owned();
            return Err(TemplateError::NoJson { problem, at });
        }
    }
    Ok(())
}

fn part_at(parts: &[Part], at: usize) -> Option<&Part> {
    parts.iter().find(|part| part.at() == at)
}

/// The byte at which a parser stopped.
fn byte_of(text: &str, error: &serde_json::Error) -> usize {
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (line + error.column().saturating_sub(1)).min(text.len())
}

/// Tells its places how they stand.
fn mark(parts: &mut [Part], stretch: &Stretch) -> Result<(), TemplateError> {
    for (number, quoted) in &stretch.places {
        let Some(Part::Place(place)) = parts.get_mut(*number) else { continue };
        if !quoted && place.is_text() {
            return Err(TemplateError::OutsideQuotes { place: place.source.clone(), at: place.at });
        }
        place.stands = if *quoted { Stands::Quoted } else { Stands::Json };
    }
    Ok(())
}
