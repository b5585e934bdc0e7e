//! `protocol list`.

use output::Look;
use serde_json::json;

use crate::commands::answer::Answer;
use crate::commands::failure::Failure;

pub(super) fn list() -> Result<Answer, Failure> {
    let look = Look::of_stdout();
    let (mut text, mut entries) = (String::new(), Vec::new());
    for protocol in protocol::all()? {
        let outline = protocol.outline();
        let operations: Vec<_> = outline.operations.iter().map(|operation| operation.name.as_str()).collect();
        text.push_str(&format!("{:<14} {}\n", outline.name, operations.join(", ")));
        text.push_str(&look.wrapped(&format!("    {}", outline.description), "    "));
        entries.push(json!({
            "name": outline.name,
            "description": outline.description,
            "operations": operations,
        }));
    }
    text.push_str(&look.wrapped(
        "\nA scenario names one with protocol = \"NAME\"; loadgen protocol show NAME says what it sends and awaits, and prints \
         its file to start from.",
        "",
    ));
    Ok(Answer::fine(text, json!({"protocols": entries})))
}
