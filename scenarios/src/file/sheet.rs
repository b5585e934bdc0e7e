//! Tables as people have them: CSV with commas, semicolons or tabs, from a spreadsheet or a script, and JSON Lines.
//!
//! Every line keeps its number in the file, the header and blank lines counted.

use std::fmt;
use std::path::Path;

use csv::StringRecord;
use serde_json::{Map, Value};

/// Bad lines that are reported one by one.
const SHOWN: usize = 10;
/// What a file's columns may be separated by; the first wins where nothing tells.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A line that is wrong; never holds the line's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Line in the file, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong.
    pub problem: String,
}

impl BadLine {
    /// A line that is wrong.
    pub(crate) fn new(line: u64, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.problem)
    }
}

/// The first of a file's bad lines, and how many more there are.
pub(crate) fn first(mut bad: Vec<BadLine>) -> Vec<BadLine> {
    bad.sort_by_key(|bad| bad.line);
    let more = bad.len().saturating_sub(SHOWN);
    bad.truncate(SHOWN);
    if more > 0 {
        bad.push(BadLine::new(0, format!("has {more} more bad lines")));
    }
    bad
}

/// A file's text.
pub(crate) fn text(path: &Path) -> Result<String, BadLine> {
    let bytes = std::fs::read(path).map_err(|error| BadLine::new(0, format!("cannot be read: {error}")))?;
    documents::text::decode(bytes)
        .map_err(|error| BadLine::new(error.line, format!("{}; {}", error.problem, documents::text::REMEDY)))
}

/// A CSV file: its columns, and its rows with their lines.
pub(crate) struct Sheet<'t> {
    columns: Vec<String>,
    separator: u8,
    header_line: u64,
    reader: csv::Reader<&'t [u8]>,
    lines: Lines<'t>,
}

impl<'t> Sheet<'t> {
    /// Reads the header; `wanted` are the columns that tell which separator it has.
    pub(crate) fn open(text: &'t str, wanted: &[&str]) -> Result<Self, BadLine> {
        // Spreadsheets may say the separator in a line of its own.
        let (said, body) = match text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')) {
            Some((separator, body)) => (separator.trim_end_matches('\r').bytes().next(), body),
            None => (None, text),
        };
        let header = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let known = |separator: u8| {
            let columns = columns(header, separator);
            let found = wanted.iter().filter(|name| position(&columns, name).is_some()).count();
            (found, columns.len())
        };
        let mut separator = said.unwrap_or(SEPARATORS[0]);
        if said.is_none() {
            for other in SEPARATORS {
                if known(other) > known(separator) {
                    separator = other;
                }
            }
        }
        let mut sheet = Self {
            columns: Vec::new(),
            separator,
            header_line: 1,
            reader: reader(body, separator),
            lines: Lines {
                text,
                at: text.len() - body.len(),
                line: 1 + u64::from(said.is_some()),
                base: text.len() - body.len(),
            },
        };
        if let Some((line, record)) = sheet.record()? {
            sheet.columns = record.iter().map(str::to_owned).collect();
            sheet.header_line = line;
        }
        let twice =
            wanted.iter().find(|name| sheet.columns.iter().filter(|column| *column == *name).count() > 1);
        twice.map_or(Ok(()), |name| {
            Err(BadLine::new(sheet.header_line, format!("names the column `{name}` twice")))
        })?;
        Ok(sheet)
    }

    /// The columns' names.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Line of the names.
    pub(crate) const fn header_line(&self) -> u64 {
        self.header_line
    }

    /// Where a column stands; its name may differ in upper and lower case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        position(&self.columns, name)
    }

    /// A column that is not there, in words.
    pub(crate) fn missing(&self, name: &str) -> BadLine {
        // What is there is not shown: a header that is none may be a line of secrets.
        let problem = format!("there is no column `{name}`; the first line must name the columns");
        BadLine::new(self.header_line, problem)
    }

    /// Whether numbers may have a decimal comma: where columns are not separated by one.
    pub(crate) const fn decimal_comma(&self) -> bool {
        self.separator != b','
    }

    /// The next row with its line; rows without any content are skipped.
    pub(crate) fn next(&mut self) -> Option<Result<(u64, StringRecord), BadLine>> {
        loop {
            let (line, record) = match self.record().transpose()? {
                Ok(read) => read,
                Err(bad) => return Some(Err(bad)),
            };
            if record.iter().all(str::is_empty) && self.columns.len() > 1 {
                continue;
            }
            if record.iter().any(|cell| cell.contains('\n')) {
                return Some(Err(BadLine::new(line, "has a cell over several lines: a quote is not closed")));
            }
            if record.len() != self.columns.len() {
                let problem = format!("has {} columns instead of {}", record.len(), self.columns.len());
                return Some(Err(BadLine::new(line, problem)));
            }
            return Some(Ok((line, record)));
        }
    }

    fn record(&mut self) -> Result<Option<(u64, StringRecord)>, BadLine> {
        let mut record = StringRecord::new();
        let more = self.reader.read_record(&mut record);
        let at = record.position().map_or(0, csv::Position::byte) as usize;
        let line = self.lines.line_at(at);
        match more {
            Ok(true) => Ok(Some((line, unquoted(&record)))),
            Ok(false) => Ok(None),
            Err(_) => Err(BadLine::new(line, "is not CSV")),
        }
    }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// Quotes that stand behind a blank are quotes all the same.
fn unquoted(record: &StringRecord) -> StringRecord {
    let cell = |cell: &str| {
        let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
        inner.map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\""))
    };
    record.iter().map(cell).collect()
}

fn columns(header: &str, separator: u8) -> Vec<String> {
    let mut record = StringRecord::new();
    let _ = reader(header, separator).read_record(&mut record);
    unquoted(&record).iter().map(str::to_owned).collect()
}

fn position(columns: &[String], name: &str) -> Option<usize> {
    let exact = columns.iter().position(|column| column == name);
    exact.or_else(|| columns.iter().position(|column| column.eq_ignore_ascii_case(name)))
}

/// Counts lines up to an offset that only grows.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    /// Where the reader's own text begins.
    base: usize,
}

impl Lines<'_> {
    /// The line of the record that the reader says begins at `offset`: blank lines before it are read over.
    fn line_at(&mut self, offset: usize) -> u64 {
        let rest = self.text.get(self.base + offset..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let end = (self.base + offset + blank).min(self.text.len()).max(self.at);
        self.line += self.text.as_bytes()[self.at..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = end;
        self.line
    }
}

/// The objects of a JSON Lines text, each with its line; blank lines are skipped.
pub(crate) fn objects(text: &str) -> impl Iterator<Item = (u64, Result<Map<String, Value>, BadLine>)> {
    let lines = (1_u64..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
    lines.map(|(line, text)| {
        let object = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(object),
            _ if text.trim_start().starts_with('[') => Err(BadLine::new(
                line,
                "is not a JSON object: write one object a line, without a list round them",
            )),
            _ => Err(BadLine::new(line, "is not a JSON object")),
        };
        (line, object)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut sheet = Sheet::open(text, &["player", "token"]).unwrap();
        let (player, token) = (sheet.column("player").unwrap(), sheet.column("token").unwrap());
        let row =
            |(line, record): (u64, StringRecord)| (line, vec![record[player].into(), record[token].into()]);
        std::iter::from_fn(|| sheet.next()).map(|read| row(read.unwrap())).collect()
    }

    #[test]
    fn every_way_to_write_a_table_is_the_same_table() {
        for text in [
            "player,token\nann,t-1\nbob,t-2\n",
            "player;token\nann;t-1\nbob;t-2\n",
            "player\ttoken\nann\tt-1\nbob\tt-2",
            "player,token\r\nann,t-1\r\nbob,t-2\r\n",
            "\"player\",\"token\"\n\"ann\",\"t-1\"\n\"bob\",\"t-2\"\n",
            "Player , TOKEN\nann, \"t-1\"\nbob, \"t-2\"\n",
            "note;token;player\n\"a;b\";t-1;ann\nx,y;t-2;bob\n",
        ] {
            let wanted = [(2, vec!["ann".to_owned(), "t-1".into()]), (3, vec!["bob".into(), "t-2".into()])];
            assert_eq!(rows(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        let lines = |text: &str| rows(text).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("player,token\r\n\r\nann,t\r\n\r\n,\r\nbob,t\r\n"), [3, 6]);
        assert_eq!(lines("\n\nplayer,token\nann,t\n"), [4]);
        assert_eq!(lines("sep=;\r\nplayer;token\r\nann;t\r\n"), [3]);
    }

    #[test]
    fn a_line_that_is_no_row_is_told() {
        let told = |text: &str| {
            let mut sheet = Sheet::open(text, &["player", "token"]).unwrap();
            std::iter::from_fn(|| sheet.next()).find_map(Result::err).unwrap().to_string()
        };
        assert_eq!(told("player,token\nann,t\nbob\n"), "line 3: has 1 columns instead of 2");
        assert!(
            told("player,token\nann,t\n\"bob,t\ncid,t\n")
                .starts_with("line 3: has a cell over several lines")
        );
        let twice = Sheet::open("player,player\n", &["player"]).err().unwrap();
        assert_eq!(twice.to_string(), "line 1: names the column `player` twice");
    }
}
