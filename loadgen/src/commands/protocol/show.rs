//! `protocol show`: a file that can be redirected and edited, since what is said of it stands in comments.

use std::path::Path;

use output::Look;
use protocol::Source;
use serde_json::Value;

use super::explained;
use crate::commands::answer::Answer;
use crate::commands::failure::Failure;

pub(super) fn show(name: &str) -> Result<Answer, Failure> {
    let source = Source::find(name, Path::new(""))?;
    let protocol = source.load()?;
    let file = match &source {
        Source::Shipped(_, text) => Some(*text),
        Source::File(_, text) => Some(text.as_str()),
        Source::Registered(_) => None,
    };
    let mut json = explained::values(&*protocol);
    json["file"] = file.map_or(Value::Null, Value::from);
    let said = explained::text(&*protocol);
    let look = Look::of_stdout();
    let text = match file {
        Some(file) => {
            let comments: String = said.lines().map(|line| format!("# {line}\n")).collect();
            format!("{}\n{file}", look.wrapped(&comments, "#     "))
        }
        None => look.wrapped(&said, "    "),
    };
    Ok(Answer::fine(text, json))
}
