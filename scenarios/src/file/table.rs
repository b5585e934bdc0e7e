//! A file of values with a name for each column: every cell of it, in as little memory as its text takes.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use super::sheet::{self, BadLine, Sheet};
use super::variables::is_name;
use crate::keys::auth::FeederFormat;

/// The columns of a file that a text can name, and their cells.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Table {
    names: Vec<String>,
    /// All cells, row by row.
    text: String,
    /// Where each of them ends.
    ends: Vec<u32>,
}

impl fmt::Debug for Table {
    /// Without the cells, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("names", &self.names)
            .field("rows", &self.rows())
            .finish_non_exhaustive()
    }
}

impl Table {
    /// Reads the whole file.
    ///
    /// # Errors
    /// Every bad line, as far as [`sheet::first`] shows them.
    pub(crate) fn read(path: &Path, format: FeederFormat) -> Result<Self, Vec<BadLine>> {
        let text = sheet::text(path).map_err(|bad| vec![bad])?;
        let mut bad = Vec::new();
        let mut table = Self { names: Vec::new(), text: String::new(), ends: Vec::new() };
        match format {
            FeederFormat::Csv => table.read_csv(&text, &mut bad),
            FeederFormat::Jsonl => table.read_jsonl(&text, &mut bad),
        }
        if bad.is_empty() && table.rows() == 0 {
            bad.push(BadLine::new(0, "has no rows"));
        }
        if bad.is_empty() { Ok(table) } else { Err(sheet::first(bad)) }
    }

    /// The names of a file's columns alone; none where it has none or cannot be read.
    pub(crate) fn names_in(path: &Path, format: FeederFormat) -> Vec<String> {
        let Ok(text) = sheet::text(path) else { return Vec::new() };
        match format {
            FeederFormat::Csv => {
                Sheet::open(&text, &[]).map(|sheet| sheet.columns().to_vec()).unwrap_or_default()
            }
            FeederFormat::Jsonl => {
                let first = sheet::objects(&text).next().and_then(|(_, object)| object.ok());
                first.map(|object| object.keys().cloned().collect()).unwrap_or_default()
            }
        }
        .into_iter()
        .filter(|name| is_name(name))
        .collect()
    }

    /// The columns' names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.ends.len().checked_div(self.names.len()).unwrap_or_default()
    }

    /// A cell. What is outside of the table is empty.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.names.len() + column;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or_default());
        let end = self.ends.get(at).copied().unwrap_or(begin);
        self.text.get(begin as usize..end as usize).unwrap_or_default()
    }

    /// All cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|at| self.cell(0, at))
    }

    fn push(&mut self, line: u64, cell: &str, bad: &mut Vec<BadLine>) {
        self.text.push_str(cell);
        match u32::try_from(self.text.len()) {
            Ok(end) => self.ends.push(end),
            Err(_) if bad.is_empty() => bad.push(BadLine::new(line, "is beyond 4 GiB of values")),
            Err(_) => {}
        }
    }

    /// Takes the columns that a text can name; where they stand.
    fn take_names(&mut self, line: u64, all: &[String], bad: &mut Vec<BadLine>) -> Vec<usize> {
        let named: Vec<_> = all.iter().enumerate().filter(|(_, name)| is_name(name)).collect();
        self.names = named.iter().map(|(_, name)| (*name).clone()).collect();
        if let Some((_, twice)) = named.iter().find(|(at, name)| all[..*at].contains(name)) {
            bad.push(BadLine::new(line, format!("names the column `{twice}` twice")));
        }
        if named.is_empty() {
            bad.push(BadLine::new(
                line,
                "names no column that a text can name: a letter or `_`, then letters, digits and `_`",
            ));
        }
        named.into_iter().map(|(at, _)| at).collect()
    }

    fn read_csv(&mut self, text: &str, bad: &mut Vec<BadLine>) {
        let mut sheet = match Sheet::open(text, &[]) {
            Ok(sheet) => sheet,
            Err(wrong) => return bad.push(wrong),
        };
        if sheet.columns().is_empty() {
            return bad.push(BadLine::new(0, "is empty; the first line must name the columns"));
        }
        let places = self.take_names(sheet.header_line(), sheet.columns(), bad);
        if !bad.is_empty() {
            return;
        }
        while let Some(row) = sheet.next() {
            match row {
                Ok((line, record)) => {
                    places.iter().for_each(|at| self.push(line, record.get(*at).unwrap_or_default(), bad));
                }
                Err(wrong) => bad.push(wrong),
            }
        }
    }

    fn read_jsonl(&mut self, text: &str, bad: &mut Vec<BadLine>) {
        let mut keys: Vec<String> = Vec::new();
        for (line, object) in sheet::objects(text) {
            let object = match object {
                Ok(object) => object,
                Err(wrong) => {
                    bad.push(wrong);
                    continue;
                }
            };
            if keys.is_empty() {
                keys = object.keys().cloned().collect();
                self.take_names(line, &keys, bad);
                if !bad.is_empty() {
                    return;
                }
            }
            self.push_object(line, &object, &keys, bad);
        }
    }

    fn push_object(
        &mut self,
        line: u64,
        object: &Map<String, Value>,
        keys: &[String],
        bad: &mut Vec<BadLine>,
    ) {
        let missing = keys.iter().find(|key| !object.contains_key(*key));
        if let Some(missing) = missing {
            return bad
                .push(BadLine::new(line, format!("there is no `{missing}`, which the first line has")));
        }
        if object.len() != keys.len() {
            let problem = format!("has {} fields instead of {}", object.len(), keys.len());
            return bad.push(BadLine::new(line, problem));
        }
        for key in keys.iter().filter(|key| is_name(key)) {
            match &object[key] {
                Value::String(text) => self.push(line, text, bad),
                Value::Null => {
                    bad.push(BadLine::new(line, format!("`{key}` is null; write \"\" for nothing")))
                }
                other => self.push(line, &other.to_string(), bad),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Table, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let format = FeederFormat::by_ending(&path).unwrap();
        let names = Table::names_in(&path, format);
        let table = Table::read(&path, format);
        if let Ok(table) = &table {
            assert_eq!(names, table.names());
        }
        table.map_err(|bad| bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn both_formats_give_the_same_columns() {
        let csv = "level,e-mail,note\n3,a@x.example,\"so, so\"\n12,b@x.example,\n";
        let tsv = "level\te-mail\tnote\r\n3\ta@x.example\tso, so\r\n\r\n12\tb@x.example\t\r\n";
        let jsonl = "{\"level\":3,\"e-mail\":\"a@x.example\",\"note\":\"so, so\"}\n\n\
                     {\"e-mail\":\"b@x.example\",\"note\":\"\",\"level\":12}\n";
        for (name, text) in [("a.csv", csv), ("a.tsv", tsv), ("a.jsonl", jsonl)] {
            let table = read(name, text).unwrap();
            assert_eq!(table.names(), ["level", "note"], "{name}: `e-mail` is no name in a text");
            assert_eq!(table.rows(), 2);
            let cells: Vec<_> = table.cells().collect();
            assert_eq!(cells, ["3", "so, so", "12", ""]);
            assert_eq!((table.cell(1, 0), table.cell(1, 1), table.cell(2, 0)), ("12", "", ""));
            assert!(!format!("{table:?}").contains("so, so"), "a value in a debug text");
        }
        let json = read("b.ndjson", "{\"party\":[1,{\"a\":true}]}\n").unwrap();
        assert_eq!(json.cell(0, 0), "[1,{\"a\":true}]");
    }

    #[test]
    fn every_bad_line_is_told_with_its_number_and_without_its_content() {
        for (name, text, told) in [
            (
                "a.csv",
                "a,b\n1,SECRET\n2\n3,4,5\n",
                &["line 3: has 1 columns instead of 2", "line 4: has 3 columns instead of 2"][..],
            ),
            ("a.csv", "", &["is empty; the first line must name the columns"]),
            ("a.csv", "a,b\n", &["has no rows"]),
            ("a.csv", "a,b,a\n1,2,3\n", &["line 1: names the column `a` twice"]),
            (
                "a.csv",
                "1,2 3\n4,5\n",
                &[
                    "line 1: names no column that a text can name: a letter or `_`, then letters, digits and `_`",
                ],
            ),
            ("a.jsonl", "\n", &["has no rows"]),
            (
                "a.jsonl",
                "{\"a\":1,\"b\":2}\n{\"a\":1}\n{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":null,\"b\":2}\nSECRET\n",
                &[
                    "line 2: there is no `b`, which the first line has",
                    "line 3: has 3 fields instead of 2",
                    "line 4: `a` is null; write \"\" for nothing",
                    "line 5: is not a JSON object",
                ],
            ),
        ] {
            assert_eq!(read(name, text).unwrap_err(), told, "{text:?}");
        }
    }
}
