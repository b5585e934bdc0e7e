//! From `[[feeders]]` to the plan: files that are there, with columns of different names and rows of equal length.

use super::context::Check;
use crate::file::table::Table;
use crate::file::variables;
use crate::keys::auth::FeederFormat;
use crate::keys::scenario::Scenario;
use crate::plan::columns::{Columns, Feeders};
use crate::redact;

const FILE: &str =
    "name a CSV or JSON Lines file beside the scenario, or at a path from the working directory";
const EACH_LINE: &str =
    "each line needs the same columns; those that texts name have letters, digits and `_` only";

pub(super) fn feeders(check: &mut Check<'_>, scenario: &Scenario) -> Feeders {
    let mut files: Vec<(usize, Columns)> = Vec::new();
    for (number, keys) in scenario.feeders.iter().enumerate() {
        let table = format!("/feeders/{number}");
        let pointer = format!("{table}/file");
        let Some(file) = check.named_file(&pointer, &keys.file, FILE) else { continue };
        let Some(format) = FeederFormat::by_ending(&file) else {
            check.wrong(
                &pointer,
                format!("the ending of `{}` does not tell how it is written", keys.file),
                "let its name end in .csv or .tsv, or in .jsonl or .ndjson",
            );
            continue;
        };
        let read = match Table::read(&file, format) {
            Ok(read) => read,
            Err(bad) => {
                bad.into_iter().for_each(|bad| check.wrong_in_file(&table, &keys.file, bad, EACH_LINE));
                continue;
            }
        };
        let twice = read.names().iter().find_map(|name| {
            files.iter().find(|(_, other)| other.names().contains(name)).map(|(other, _)| (name, *other))
        });
        if let Some((name, other)) = twice {
            check.wrong_beside(
                &pointer,
                &[&format!("/feeders/{other}/file")],
                format!("has the column `{name}`, as `{}` has", scenario.feeders[other].file),
                "rename it in one of the files: a text must be able to say which is meant",
            );
        }
        if has_secrets(&read) {
            check.keep_place(&pointer, &file);
        } else {
            check.keep_file(&pointer, &file);
        }
        files.push((number, Columns { file, pick: keys.pick, table: read }));
    }
    Feeders::new(files.into_iter().map(|(_, columns)| columns).collect())
}

/// Whether a file holds what a run folder may not.
fn has_secrets(table: &Table) -> bool {
    table.names().iter().any(|name| variables::is_secret(name)) || table.cells().any(redact::is_credential)
}
