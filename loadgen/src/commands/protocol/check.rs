//! `protocol check`: every mistake at once, or what the protocol says.

use output::Look;
use protocol::load_named;
use serde_json::json;

use super::explained;
use crate::commands::answer::Answer;
use crate::commands::failure::Failure;

pub(super) fn check(file: &str) -> Result<Answer, Failure> {
    let protocol = load_named(file)?;
    let mut json = explained::values(&*protocol);
    json["protocol"] = file.into();
    json["mistakes"] = json!([]);
    let said = Look::of_stdout().wrapped(&explained::text(&*protocol), "    ");
    Ok(Answer::fine(format!("{file}: no mistakes\n\n{said}"), json))
}
