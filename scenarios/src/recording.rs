//! Recorded arrivals: a CSV or JSONL file that says when each operation began, to be played again.
//!
//! Columns: `offset_s`, seconds from the first phase's start, and, if one file serves several operations,
//! `operation`. Further columns are allowed. Lines may stand in any order.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::auth::feeder::{BadLine, unreadable};
use crate::threshold::Operation;

/// Bad lines that are told one by one.
const TOLD: usize = 5;
/// A day: the longest that a plan lasts.
const MOST_SECONDS: f64 = 86_400.0;

/// One line of the file.
#[derive(Deserialize)]
struct Row {
    offset_s: f64,
    #[serde(default)]
    operation: Option<String>,
}

/// Reads the offsets of one operation.
///
/// # Errors
/// The first bad lines, each with its number.
pub(crate) fn read(path: &Path, operation: Operation) -> Result<Vec<Duration>, Vec<BadLine>> {
    let file = File::open(path)
        .map_err(|error| vec![BadLine { line: 0, problem: format!("cannot be read: {error}") }])?;
    let jsonl = path.extension().is_some_and(|extension| extension == "jsonl");
    let rows = if jsonl { json_rows(file) } else { csv_rows(file) };
    let (mut offsets, mut bad) = (Vec::new(), Vec::new());
    for row in rows {
        match row.and_then(|(line, row)| offset(line, &row, operation)) {
            Ok(Some(offset)) => offsets.push(offset),
            Ok(None) => {}
            Err(line) => bad.push(line),
        }
        if bad.len() == TOLD {
            break;
        }
    }
    if bad.is_empty() && offsets.is_empty() {
        bad.push(BadLine { line: 0, problem: format!("has no arrivals of {operation}") });
    }
    if bad.is_empty() { Ok(offsets) } else { Err(bad) }
}

fn offset(line: u64, row: &Row, operation: Operation) -> Result<Option<Duration>, BadLine> {
    if !(0.0..=MOST_SECONDS).contains(&row.offset_s) {
        let problem = "`offset_s` must lie between 0 and 86,400 seconds".into();
        return Err(BadLine { line, problem });
    }
    let named = row.operation.as_deref().filter(|named| !named.is_empty());
    if let Some(other) = named.filter(|named| Operation::parse(named).is_none()) {
        return Err(BadLine { line, problem: format!("`{other}` is no operation") });
    }
    let wanted = named.is_none_or(|named| named == operation.word());
    Ok(wanted.then(|| Duration::from_secs_f64(row.offset_s)))
}

type Rows = Box<dyn Iterator<Item = Result<(u64, Row), BadLine>>>;

fn csv_rows(file: File) -> Rows {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    // The header is the first line.
    let numbered = reader.into_deserialize::<Row>().zip(2..);
    Box::new(numbered.map(|(row, counted)| {
        row.map(|row| (counted, row)).map_err(|error| match error.kind() {
            csv::ErrorKind::Deserialize { pos, err } => BadLine {
                line: pos.as_ref().map_or(counted, csv::Position::line),
                problem: format!("{}; the first line must name the column `offset_s`", err.kind()),
            },
            _ => unreadable(&error),
        })
    }))
}

fn json_rows(file: File) -> Rows {
    let lines = (1..).zip(BufReader::new(file).lines());
    Box::new(lines.filter(|(_, text)| !text.as_ref().is_ok_and(|text| text.trim().is_empty())).map(
        |(line, text)| {
            let text = text.map_err(|error| BadLine { line, problem: format!("cannot be read: {error}") })?;
            let wrong = |error: serde_json::Error| BadLine { line, problem: error.to_string() };
            serde_json::from_str(&text).map(|row| (line, row)).map_err(wrong)
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(name: &str, text: &str) -> Result<Vec<f64>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&path, Operation::SendMessage)
            .map(|offsets| offsets.iter().map(Duration::as_secs_f64).collect())
            .map_err(|bad| bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn both_formats_give_the_arrivals_of_the_operation() {
        let csv = "note,offset_s,operation\nx,1.5,send_message\n\"a, b\",0.25,\ny,3,connect\n";
        let jsonl = "{\"offset_s\":1.5,\"operation\":\"send_message\"}\n\n{\"offset_s\":0.25}\n{\"offset_s\":3,\"operation\":\"connect\"}\n";
        assert_eq!(offsets("a.csv", csv), Ok(vec![1.5, 0.25]));
        assert_eq!(offsets("a.jsonl", jsonl), Ok(vec![1.5, 0.25]));
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let told = offsets("a.csv", "offset_s,operation\nsoon,\n-1,\n2,send_mesage\n").unwrap_err();
        assert_eq!(told.len(), 3, "{told:?}");
        for (told, said) in told.iter().zip(["line 2: ", "line 3: `offset_s` must", "line 4: `send_mesage`"])
        {
            assert!(told.starts_with(said), "{told}");
        }
        let told = offsets("a.jsonl", "{\"offset_s\":1}\n{}\n").unwrap_err();
        assert!(told[0].starts_with("line 2: missing field `offset_s`"), "{told:?}");
        let told = offsets("bare.csv", "0.5\n0.6\n").unwrap_err();
        assert!(told[0].contains("must name the column `offset_s`"), "{told:?}");
        let told = offsets("none.csv", "offset_s,operation\n1,connect\n").unwrap_err();
        assert_eq!(told, ["has no arrivals of send_message"]);
    }
}
