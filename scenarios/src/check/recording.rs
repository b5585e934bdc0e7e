//! Recorded arrivals: a CSV or JSONL file that says when each operation began, to be played again.
//!
//! Columns: `offset_s`, seconds from the first phase's start, and, if one file serves several operations,
//! `operation`. Further columns are allowed. Lines may stand in any order.

use std::path::Path;
use std::time::Duration;

use protocol::Outline;
use serde_json::{Map, Value};

use crate::file::sheet::{self, BadLine, Sheet};
use crate::keys::auth::FeederFormat;
use crate::plan::operation::CONNECT;

/// Bad lines that are reported one by one.
const SHOWN: usize = 5;
/// A day: the longest that a plan lasts.
const MOST_SECONDS: f64 = 86_400.0;
/// The columns.
const OFFSET: &str = "offset_s";
const OPERATION: &str = "operation";

/// One line of the file.
struct Row {
    line: u64,
    offset_s: f64,
    operation: Option<String>,
}

/// Reads the offsets of one operation.
///
/// # Errors
/// The first bad lines, each with its number.
pub(crate) fn read(path: &Path, operation: &str, protocol: &Outline) -> Result<Vec<Duration>, Vec<BadLine>> {
    let text = sheet::text(path).map_err(|bad| vec![bad])?;
    let rows: Box<dyn Iterator<Item = Result<Row, BadLine>>> =
        if FeederFormat::by_ending(path) == Some(FeederFormat::Jsonl) {
            Box::new(sheet::objects(&text).map(|(line, object)| of_object(line, &object?)))
        } else {
            Box::new(csv_rows(&text).map_err(|bad| vec![bad])?)
        };
    let (mut offsets, mut bad) = (Vec::new(), Vec::new());
    for row in rows {
        match row.and_then(|row| offset(&row, operation, protocol)) {
            Ok(Some(offset)) => offsets.push(offset),
            Ok(None) => {}
            Err(line) => bad.push(line),
        }
        if bad.len() == SHOWN {
            break;
        }
    }
    if bad.is_empty() && offsets.is_empty() {
        bad.push(BadLine::new(0, format!("has no arrivals of {operation}")));
    }
    if bad.is_empty() { Ok(offsets) } else { Err(bad) }
}

fn offset(row: &Row, operation: &str, protocol: &Outline) -> Result<Option<Duration>, BadLine> {
    if !(0.0..=MOST_SECONDS).contains(&row.offset_s) {
        return Err(BadLine::new(row.line, "`offset_s` must lie between 0 and 86,400 seconds"));
    }
    let named = row.operation.as_deref().filter(|named| !named.is_empty());
    let known = |name: &str| protocol.operations.iter().any(|operation| operation.name == name);
    if let Some(other) = named.filter(|named| *named != CONNECT && !known(named)) {
        return Err(BadLine::new(row.line, format!("`{other}` is not an operation")));
    }
    let wanted = named.is_none_or(|named| named == operation);
    Ok(wanted.then(|| Duration::from_secs_f64(row.offset_s)))
}

fn csv_rows(text: &str) -> Result<impl Iterator<Item = Result<Row, BadLine>>, BadLine> {
    let mut sheet = Sheet::open(text, &[OFFSET, OPERATION])?;
    let offset = sheet.column(OFFSET).ok_or_else(|| sheet.missing(OFFSET))?;
    let operation = sheet.column(OPERATION);
    Ok(std::iter::from_fn(move || sheet.next().map(|read| (read, sheet.decimal_comma()))).map(
        move |(read, decimal_comma)| {
            let (line, record) = read?;
            let cell = &record[offset];
            let number = if decimal_comma { cell.replace(',', ".") } else { cell.to_owned() };
            let offset_s = number.parse().map_err(|_| {
                BadLine::new(line, format!("`{cell}` is not a number of seconds, as `offset_s` must be"))
            })?;
            let operation = operation.map(|operation| record[operation].to_owned());
            Ok(Row { line, offset_s, operation })
        },
    ))
}

fn of_object(line: u64, object: &Map<String, Value>) -> Result<Row, BadLine> {
    let offset_s = match object.get(OFFSET) {
        Some(value) => value.as_f64().ok_or_else(|| BadLine::new(line, "`offset_s` must be a number"))?,
        None => return Err(BadLine::new(line, "there is no `offset_s`")),
    };
    let operation = match object.get(OPERATION) {
        None | Some(Value::Null) => None,
        Some(Value::String(operation)) => Some(operation.clone()),
        Some(_) => return Err(BadLine::new(line, "`operation` must be a string")),
    };
    Ok(Row { line, offset_s, operation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(name: &str, text: &str) -> Result<Vec<f64>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let operation = protocol::outline::Operation { name: "send_message".into(), ..Default::default() };
        let protocol = Outline { operations: vec![operation], ..Outline::default() };
        read(&path, "send_message", &protocol)
            .map(|offsets| offsets.iter().map(Duration::as_secs_f64).collect())
            .map_err(|bad| bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn both_formats_give_the_arrivals_of_the_operation() {
        let csv = "note,offset_s,operation\nx,1.5,send_message\n\"a, b\",0.25,\ny,3,connect\n";
        let jsonl = "{\"offset_s\":1.5,\"operation\":\"send_message\"}\n\n{\"offset_s\":0.25}\n{\"offset_s\":3,\"operation\":\"connect\"}\n";
        assert_eq!(offsets("a.csv", csv), Ok(vec![1.5, 0.25]));
        assert_eq!(offsets("a.jsonl", jsonl), Ok(vec![1.5, 0.25]));
        let spreadsheet = "\u{feff}note;offset_s;operation\r\nx;1,5;send_message\r\n\r\ny;0,25;\r\n";
        assert_eq!(offsets("b.csv", spreadsheet), Ok(vec![1.5, 0.25]));
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let told = offsets("a.csv", "offset_s,operation\nsoon,\n\n-1,\n2,send_mesage\n").unwrap_err();
        assert_eq!(told.len(), 3, "{told:?}");
        for (told, said) in told.iter().zip(["line 2: ", "line 4: `offset_s` must", "line 5: `send_mesage`"])
        {
            assert!(told.starts_with(said), "{told}");
        }
        let told = offsets("a.jsonl", "{\"offset_s\":1}\n{}\n").unwrap_err();
        assert!(told[0].starts_with("line 2: there is no `offset_s`"), "{told:?}");
        let told = offsets("bare.csv", "0.5\n0.6\n").unwrap_err();
        assert_eq!(told, ["line 1: there is no column `offset_s`; the first line must name the columns"]);
        let told = offsets("none.csv", "offset_s,operation\n1,connect\n").unwrap_err();
        assert_eq!(told, ["has no arrivals of send_message"]);
    }
}
