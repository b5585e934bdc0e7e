//! A protocol's text, checked: the protocol that it describes, or every mistake at once.

use documents::Mistakes;

use super::context::Check;
use super::operation::Operations;
use super::read::Read;
use super::{ambiguity, handshake, known, operation, socket};
use crate::file::FileProtocol;
use crate::outline::Outline;
use crate::reading::rules::Rules;
use crate::template::{Name, Template};

/// Checks a protocol's text; `file` names it in messages.
///
/// # Errors
/// All mistakes at once, each with file, line, key and remedy.
pub fn check(file: &str, text: &str) -> Result<FileProtocol, Mistakes> {
    let Read { document, keys, mut mistakes, doubtful } = Read::new(file, text)?;
    let mut check = Check::new(&document, &doubtful);
    check.gather_kept(&keys);
    let handshake = handshake::handshake(&mut check, &keys.handshake);
    let frames = socket::frames(&mut check, &keys.frames);
    let opening = socket::opening(&mut check, &keys.opening);
    let heartbeat = socket::heartbeat(&mut check, keys.heartbeat.as_ref(), &keys.opening);
    let replies = socket::replies(&mut check, &keys.replies);
    let Operations { outlines, pushes, messages, answers, answers_in_order, read_pushes, shapes, .. } =
        operation::operations(&mut check, &keys.operations);
    ambiguity::check(&mut check, &shapes);
    let errors = socket::errors(&mut check, &keys.errors);
    let ignored = socket::ignored(&mut check, &keys.ignore);
    let close = socket::close(&mut check, &keys.close);
    let gateway = socket::gateway(&mut check);
    let known = known::known(&keys);
    let Check { findings, compiler, kept } = check;
    mistakes.extend(findings.mistakes);
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    let asks = |template: &Template| template.asks_for(&Name::Token);
    let later = messages.iter().filter_map(|all| all.send.as_ref()).chain(&heartbeat.send).any(asks)
        || messages
            .iter()
            .filter_map(|all| all.poll.as_ref())
            .any(|poll| asks(&poll.start.1) || asks(&poll.again.1));
    let early = handshake.templates().any(asks) || opening.sends.iter().flatten().any(asks);
    let outline = Outline {
        name: keys.name,
        description: keys.description,
        handshake: handshake.outline(&keys.handshake),
        token: early || later,
        token_in_operations: later,
        frames,
        opening: opening.outlines,
        heartbeat: heartbeat.outline,
        operations: outlines,
        pushes,
        kept,
        close,
        known,
    };
    Ok(FileProtocol {
        outline,
        handshake,
        operations: messages,
        steps: opening.sends,
        heartbeat: heartbeat.send,
        rules: Rules {
            matcher: compiler.finish(),
            replies,
            heartbeat: heartbeat.expected,
            opening: opening.steps,
            answers,
            pushes: read_pushes,
            answers_in_order,
            errors,
            ignored,
            gateway,
        },
    })
}
