//! Replies that would be answered themselves.

use crate::matching::{Compiler, Rule};
use crate::places::{Piece, pieces};

/// Which of the replies (what each answers, and what it sends) stand in a circle: a target that says back what it gets
/// would be answered for ever.
pub(super) fn loops(replies: &[(&Rule, &str)]) -> Vec<usize> {
    let mut compiler = Compiler::default();
    let numbers: Vec<_> = replies.iter().map(|(when, _)| compiler.rule(when, None)).collect();
    let matcher = compiler.finish();
    // Which replies a message of each would be answered by.
    let answered_by: Vec<Vec<usize>> = replies
        .iter()
        .map(|(_, send)| {
            let sample = sample(send);
            let view = matcher.view(&sample);
            (0..numbers.len()).filter(|other| view.holds(numbers[*other])).collect()
        })
        .collect();
    let returns = |start: &usize| {
        let (mut seen, mut open) = (vec![false; replies.len()], answered_by[*start].clone());
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(&answered_by[at]);
            }
        }
        seen[*start]
    };
    (0..replies.len()).filter(returns).collect()
}

/// A reply with a number in the place of each value.
fn sample(send: &str) -> String {
    let pieces = pieces(send).unwrap_or_default();
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text, _) => *text,
            Piece::Place(..) => "1",
        })
        .collect()
}
