//! The history for other programs: JSON lines and CSV.

use crate::entry::Entry;
use crate::error::HistoryError;

/// One JSON object in a line for each entry, its measures in it; every measure names its unit.
///
/// # Errors
/// [`HistoryError::Export`] when an entry cannot be written as JSON.
pub fn json_lines(entries: &[Entry]) -> Result<String, HistoryError> {
    let line = |entry: &Entry| serde_json::to_string(entry).map(|line| line + "\n");
    entries
        .iter()
        .map(line)
        .collect::<Result<_, _>>()
        .map_err(|error| HistoryError::Export { reason: error.to_string() })
}

/// One row for each measure of each entry, with its unit. Nothing in a cell is taken for a formula by a spreadsheet: what begins like
/// one has an apostrophe before it (OWASP, CSV injection).
///
/// # Errors
/// [`HistoryError::Export`] when a row cannot be written.
pub fn csv(entries: &[Entry]) -> Result<String, HistoryError> {
    let failed = |reason: String| HistoryError::Export { reason };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "at (UTC)",
            "kind",
            "name",
            "measure",
            "value (in unit)",
            "unit",
            "better",
            "commit",
            "branch",
            "valid",
            "invalid_reason",
            "digest",
            "target",
            "host",
            "os",
            "version",
            "key",
        ])
        .map_err(|error| failed(error.to_string()))?;
    for entry in entries {
        for measure in &entry.measures {
            let value = measure.value.to_string();
            let reason = entry.validity.reason();
            let cells = [
                entry.at.to_string(),
                entry.kind.word().to_owned(),
                harmless(&entry.name),
                harmless(&measure.name),
                value,
                measure.unit.word().to_owned(),
                measure.better.word().to_owned(),
                harmless(entry.commit.as_deref().unwrap_or_default()),
                harmless(entry.branch.as_deref().unwrap_or_default()),
                reason.is_none().to_string(),
                harmless(reason.unwrap_or_default()),
                harmless(entry.digest.as_deref().unwrap_or_default()),
                harmless(&entry.target),
                harmless(&entry.host),
                harmless(&entry.os),
                harmless(&entry.version),
                harmless(&entry.key),
            ];
            writer.write_record(&cells).map_err(|error| failed(error.to_string()))?;
        }
    }
    let written = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(written).map_err(|error| failed(error.to_string()))
}

/// Text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    let begins = text.trim_start().chars().next();
    if begins
        .is_some_and(|first| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠'))
    {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("plain - text"), "plain - text");
        assert_eq!(harmless(""), "");
    }
}
