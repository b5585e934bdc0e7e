//! Players and tokens from a file: read and checked at once, every bad line with its number.
//!
//! The plan keeps the ids, which are needed as recipients. Tokens are not kept here: whoever needs them reads the file
//! again, and so also sees tokens that someone has renewed in it.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use super::expiry::is_token;
pub use crate::file::sheet::BadLine;
use crate::file::sheet::{self, Sheet};
pub use crate::keys::auth::FeederFormat;

/// Longest player id that a header or a message is asked to carry.
const MAX_ID: usize = 256;

/// A column that the file must have, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether the file must have it.
    pub required: bool,
}

/// A file with players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feeder {
    /// The file.
    pub file: PathBuf,
    /// How it is written.
    pub format: FeederFormat,
    /// Where the player's id stands.
    pub player: Column,
    /// Where the token stands; `None`: tokens come from elsewhere.
    pub token: Option<Column>,
    /// Whether it begins again at the top when there are more players.
    pub cycle: bool,
}

/// One player of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// The player's id, where the file has ids.
    pub player: Option<Box<str>>,
    /// The player's token, where tokens come from the file.
    pub token: Option<Box<str>>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("player", &self.player).finish_non_exhaustive()
    }
}

/// The cells of one line that matter.
type Cells = (u64, Option<String>, Option<String>);

impl Feeder {
    /// Reads the whole file.
    ///
    /// # Errors
    /// Every bad line, up to ten, and how many more there are.
    pub fn read(&self) -> Result<Vec<Row>, Vec<BadLine>> {
        let text = sheet::text(&self.file).map_err(|bad| vec![bad])?;
        let mut bad = Vec::new();
        let cells = match self.format {
            FeederFormat::Csv => self.csv(&text, &mut bad),
            FeederFormat::Jsonl => self.jsonl(&text, &mut bad),
        };
        let mut seen = HashMap::new();
        let mut rows = Vec::with_capacity(cells.len());
        for (line, player, token) in cells {
            let mut wrong = |problem: String| bad.push(BadLine { line, problem });
            match &player {
                Some(id) if !is_id(id) => {
                    wrong(format!("`{}` must have 1 to {MAX_ID} printable bytes", self.player.name));
                }
                Some(id) if id.trim() != id => {
                    wrong(format!("`{}` begins or ends with a blank, which headers lose", self.player.name));
                }
                Some(id) => {
                    if let Some(first) = seen.insert(id.clone(), line) {
                        wrong(format!("duplicate player id, first on line {first}"));
                    }
                }
                None => {}
            }
            if let (Some(token), Some(column)) = (&token, &self.token)
                && !is_token(token)
            {
                wrong(format!("`{}` must be a token: printable ASCII without spaces", column.name));
            }
            rows.push(Row { line, player: player.map(Into::into), token: token.map(Into::into) });
        }
        if bad.is_empty() && rows.is_empty() {
            bad = vec![BadLine::new(0, "has no players")];
        }
        if bad.is_empty() {
            return Ok(rows);
        }
        Err(sheet::first(bad))
    }

    /// The file with the players' ids and nothing else, to be kept without tokens.
    #[must_use]
    pub fn ids_alone(&self, rows: &[Row]) -> String {
        let ids = rows.iter().filter_map(|row| row.player.as_deref());
        let name = self.player.name.as_str();
        match self.format {
            FeederFormat::Csv => {
                let quoted = |cell: &str| format!("\"{}\"\n", cell.replace('"', "\"\""));
                std::iter::once(name).chain(ids).map(quoted).collect()
            }
            FeederFormat::Jsonl => ids.map(|id| format!("{}\n", serde_json::json!({ name: id }))).collect(),
        }
    }

    fn csv(&self, text: &str, bad: &mut Vec<BadLine>) -> Vec<Cells> {
        let wanted = [Some(&self.player), self.token.as_ref()].into_iter().flatten();
        let names: Vec<_> = wanted.clone().map(|column| column.name.as_str()).collect();
        let mut sheet = match Sheet::open(text, &names) {
            Ok(sheet) => sheet,
            Err(wrong) => {
                bad.push(wrong);
                return Vec::new();
            }
        };
        let missing = wanted.filter(|column| column.required && sheet.column(&column.name).is_none());
        bad.extend(missing.map(|column| sheet.missing(&column.name)));
        if !bad.is_empty() {
            return Vec::new();
        }
        let player = sheet.column(&self.player.name);
        let token = self.token.as_ref().and_then(|token| sheet.column(&token.name));
        let mut cells = Vec::new();
        while let Some(row) = sheet.next() {
            match row {
                Ok((line, record)) => {
                    let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).map(str::to_owned);
                    cells.push((line, cell(player), cell(token)));
                }
                Err(wrong) => bad.push(wrong),
            }
        }
        cells
    }

    fn jsonl(&self, text: &str, bad: &mut Vec<BadLine>) -> Vec<Cells> {
        let mut cells = Vec::new();
        for (line, object) in sheet::objects(text) {
            let object = match object {
                Ok(object) => object,
                Err(wrong) => {
                    bad.push(wrong);
                    continue;
                }
            };
            let mut wrong = |problem: String| bad.push(BadLine { line, problem });
            let mut cell = |column: &Column| match object.get(&column.name) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(_) => {
                    wrong(format!("`{}` must be a string", column.name));
                    None
                }
                None => {
                    if column.required {
                        wrong(format!("there is no `{}`", column.name));
                    }
                    None
                }
            };
            let player = cell(&self.player);
            let token = self.token.as_ref().and_then(&mut cell);
            cells.push((line, player, token));
        }
        // Ids from the file or from the prefix, but not from both.
        if let Some((line, ..)) = cells.iter().find(|(_, player, _)| player.is_none())
            && cells.iter().any(|(_, player, _)| player.is_some())
            && !self.player.required
        {
            let problem = format!("there is no `{}`, which other lines have", self.player.name);
            bad.push(BadLine { line: *line, problem });
        }
        cells
    }
}

/// Whether a text may be a player's id.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feeder(name: &str, format: FeederFormat, text: &str) -> Result<Vec<Row>, Vec<BadLine>> {
        let file = std::env::temp_dir().join(format!("loadgen-feeder-{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap_or_default();
        let column = |name: &str, required| Column { name: name.into(), required };
        let feeder = Feeder {
            file: file.clone(),
            format,
            player: column("player", false),
            token: Some(column("token", true)),
            cycle: false,
        };
        let rows = feeder.read();
        std::fs::remove_file(file).unwrap_or_default();
        rows
    }

    fn told(rows: Result<Vec<Row>, Vec<BadLine>>) -> Vec<String> {
        rows.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn both_formats_give_the_same_players() {
        let csv = "note,token,player\n\"a, b\",t-1,ann\n,t-2,bob\n";
        let jsonl = "{\"player\":\"ann\",\"token\":\"t-1\"}\n\n{\"player\":\"bob\",\"token\":\"t-2\"}\n";
        for (name, format, text) in
            [("same.csv", FeederFormat::Csv, csv), ("same.jsonl", FeederFormat::Jsonl, jsonl)]
        {
            let rows = feeder(name, format, text).unwrap_or_default();
            let players: Vec<_> = rows.iter().map(|row| row.player.as_deref()).collect();
            let tokens: Vec<_> = rows.iter().map(|row| row.token.as_deref()).collect();
            assert_eq!(players, [Some("ann"), Some("bob")]);
            assert_eq!(tokens, [Some("t-1"), Some("t-2")]);
            assert!(!format!("{rows:?}").contains("t-1"), "a token in a debug text");
        }
    }

    #[test]
    fn every_bad_line_is_told_with_its_number_and_without_its_content() {
        let csv = "player,token\nann,SECRET one\nann,SECRET-2\nbob\n,SECRET-3\n";
        assert_eq!(
            told(feeder("bad.csv", FeederFormat::Csv, csv)),
            [
                "line 2: `token` must be a token: printable ASCII without spaces",
                "line 3: duplicate player id, first on line 2",
                "line 4: has 1 columns instead of 2",
                "line 5: `player` must have 1 to 256 printable bytes",
            ]
        );
        let jsonl =
            "{\"token\":\"SECRET\"}\n[\"SECRET\"]\n{\"player\":\"x\",\"token\":[\"SECRET\"]}\nSECRET\n";
        let told = told(feeder("bad.jsonl", FeederFormat::Jsonl, jsonl));
        assert_eq!(
            told,
            [
                "line 1: there is no `player`, which other lines have",
                "line 2: is not a JSON object: write one object a line, without a list round them",
                "line 3: `token` must be a string",
                "line 4: is not a JSON object",
            ]
        );
    }

    #[test]
    fn a_file_without_its_columns_or_players_says_so() {
        let no_header = told(feeder("bare.csv", FeederFormat::Csv, "ann,SECRET\nbob,SECRET2\n"));
        assert_eq!(no_header, ["line 1: there is no column `token`; the first line must name the columns"]);
        assert_eq!(told(feeder("none.csv", FeederFormat::Csv, "player,token\n")), ["has no players"]);
        let many: String = (0..30).map(|_| "x y\n").collect();
        let told = told(feeder("many.csv", FeederFormat::Csv, &format!("token\n{many}")));
        assert_eq!(told.last().map(String::as_str), Some("has 20 more bad lines"));
    }
}
