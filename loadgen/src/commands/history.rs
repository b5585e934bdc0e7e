//! `history`: adds to the database of what was measured, shows its trends, exports it.

use std::path::Path;

use ::history::{Checkout, Database, Provenance, Selection};
use jiff::Timestamp;
use output::Exit;
use reports::folder;
use reports::history as document;
use serde_json::{Value, json};
use statistics::changes::Bar;

use super::answer::{Answer, shown};
use super::failure::Failure;
use crate::cli::{AddArgs, ExportArgs, ExportFormat, HistoryCommand, ShowArgs};
use crate::git;
use crate::health::machine;

pub(super) fn execute(command: &HistoryCommand) -> Result<Answer, Failure> {
    match command {
        HistoryCommand::Add(args) => add(args),
        HistoryCommand::Show(args) => show(args),
        HistoryCommand::Export(args) => export(args),
    }
}

/// Everything is read before anything is added, and every folder that cannot be read is told.
fn add(args: &AddArgs) -> Result<Answer, Failure> {
    let provenance = Provenance {
        commit: args.commit.clone(),
        branch: args.branch.clone(),
        working: git::commit().map(|commit| Checkout { commit, branch: git::branch() }),
        host: machine::host(),
    };
    let (mut entries, mut problems, mut of_machine) = (Vec::new(), Vec::new(), false);
    for source in &args.sources {
        match ::history::read(source, &provenance) {
            Ok(read) => entries.extend(read),
            Err(error) => {
                let failure = Failure::from(error);
                of_machine |= failure.exit == Exit::Failure;
                problems.push(failure.problem);
            }
        }
    }
    if !problems.is_empty() {
        let problems = problems.join("\n");
        return Err(if of_machine { Failure::machine(problems) } else { Failure::usage(problems) });
    }
    let db = &args.database.db;
    let done = Database::create(db)?.add(&entries)?;
    let known = if done.known > 0 { format!(", {} were there already", done.known) } else { String::new() };
    let not_valid = entries.iter().filter(|entry| entry.validity.reason().is_some()).count();
    let mut answer = Answer::fine(
        format!("Added {} of {} to {}{known}.", done.added, entries.len(), db.display()),
        json!({"db": shown(db), "added": done.added, "known": done.known, "not_valid": not_valid}),
    );
    if not_valid > 0 {
        answer
            .asides
            .push(format!("{not_valid} of them are not valid: trends leave them out unless --all is given"));
    }
    Ok(answer)
}

fn show(args: &ShowArgs) -> Result<Answer, Failure> {
    let entries = Database::open(&args.database.db)?.entries()?;
    let selection = Selection {
        branch: args.branch.clone(),
        names: args.names.clone(),
        invalid: args.all,
        bar: Bar { min_effect: args.min_effect, ..Bar::default() },
    };
    let history = ::history::trends(&entries, &selection, Timestamp::now(), env!("CARGO_PKG_VERSION"));
    let mut text = document::text(&history);
    if let Some(out) = &args.out {
        let page = document::render(&history).map_err(|error| Failure::machine(error.to_string()))?;
        save(out, &page)?;
        text.push_str(&format!("\nPage: {}\n", out.display()));
    }
    let page = args.out.as_deref().map(shown);
    Ok(Answer::fine(text, json!({"db": shown(&args.database.db), "page": page, "history": history})))
}

fn export(args: &ExportArgs) -> Result<Answer, Failure> {
    let entries = Database::open(&args.database.db)?.entries()?;
    let text = match args.format {
        ExportFormat::Csv => ::history::csv(&entries)?,
        ExportFormat::Jsonl => ::history::json_lines(&entries)?,
    };
    let Some(out) = &args.out else { return Ok(Answer::fine(text, Value::Null)) };
    save(out, &text)?;
    Ok(Answer::fine(format!("Wrote {} entries to {}.", entries.len(), out.display()), Value::Null))
}

fn save(path: &Path, content: &str) -> Result<(), Failure> {
    folder::save_as(path, content.as_bytes()).map_err(Failure::from)
}
