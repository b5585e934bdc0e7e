//! Operations that are polled over REST.

use super::context::{ANSWER_FAILED, Check};
use super::names::{OF_A_REQUEST, Sent};
use crate::file::Polling;
use crate::keys::operation::Poll as Keys;
use crate::reading::poll::{Otherwise, Poll};
use crate::template::{SendNames, Template};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

pub(super) fn poll(
    check: &mut Check<'_>,
    pointer: &str,
    keys: &Keys,
    parameters: &[&str],
) -> Option<Polling> {
    let key = |name: &str| format!("{pointer}/{name}");
    // Nothing is kept before the first request is answered.
    let start = request(check, &key("start"), &keys.start, &[], parameters);
    let kept = check.kept.clone();
    let again = request(check, &key("again"), &keys.again, &kept, parameters);
    if keys.pending.is_none() && keys.failed.is_none() {
        let remedy = "say with `pending` when it is asked again, or with `failed` when it is not";
        check.wrong(pointer, "never ends unless it ends well", remedy);
    }
    // Answers over REST are read by themselves.
    let of_the_socket = std::mem::take(&mut check.compiler);
    let last = check.rules(&key("final"), Some(&keys.last));
    let failed = check.rules(&key("failed"), keys.failed.as_ref());
    let pending = check.rules(&key("pending"), keys.pending.as_ref());
    let last = last.iter().map(|placed| check.add(placed, None)).collect();
    let pending = pending.iter().map(|placed| check.add(placed, None)).collect();
    let failed = failed
        .iter()
        .map(|placed| {
            let rule = check.add(placed, None);
            (rule, check.class(&key("class"), keys.class.as_ref(), Some(rule), ANSWER_FAILED))
        })
        .collect();
    let otherwise = match (keys.pending.is_some(), keys.failed.is_some()) {
        (true, true) => Otherwise::Unknown,
        (false, _) => Otherwise::Pending,
        (true, false) => {
            Otherwise::Failed(check.class(&key("class"), keys.class.as_ref(), None, ANSWER_FAILED))
        }
    };
    let keep = check.keep(&key("keep"), &keys.keep, None, false);
    let matcher = std::mem::replace(&mut check.compiler, of_the_socket).finish();
    let answers = Poll { matcher, keep, last, failed, pending, otherwise };
    Some(Polling { start: start?, again: again?, answers })
}

/// A request: its method and the template of its path.
fn request(
    check: &mut Check<'_>,
    pointer: &str,
    text: &str,
    kept: &[String],
    parameters: &[&str],
) -> Option<(&'static str, Template)> {
    let remedy = "write e.g. \"POST /placements\"";
    let Some((method, path)) = text.split_once(' ') else {
        check.wrong(pointer, "is no request", remedy);
        return None;
    };
    let method = METHODS.into_iter().find(|known| *known == method);
    if method.is_none() {
        check.wrong(pointer, format!("has no method of {}", METHODS.join(", ")), remedy);
    }
    if !path.starts_with('/') {
        check.wrong(pointer, "has no path that begins with `/`", remedy);
    }
    let names = SendNames { kept, parameters: parameters.to_vec() };
    let path = check.template(pointer, path, &mut Sent { words: OF_A_REQUEST, names })?;
    Some((method?, path.of_a_path()))
}
