//! What a scenario sets for a parameter of an operation: a text in which `${column}` stands for a feeder's value.

use std::borrow::Cow;

use super::columns::{Column, Feeders, Occasion};

/// A parameter's value, before a send is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(Column),
}

impl Parameter {
    /// Reads a text; `$${` stands for `${` itself.
    ///
    /// # Errors
    /// What is wrong, without a full stop.
    pub fn parse(text: &str, feeders: &Feeders) -> Result<Self, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find("${") {
            let (before, behind) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = &behind[2..];
                continue;
            }
            plain.push_str(before);
            let (name, after) = behind[2..].split_once('}').ok_or("has a `${` without its `}`")?;
            let column = feeders.column(name).ok_or_else(|| format!("no feeder has a column `{name}`"))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Column(column));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// A text in which nothing stands for anything.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
    }

    /// Whether it is the same for every send.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// The value for a send.
    #[must_use]
    pub fn value<'p>(&'p self, feeders: &'p Feeders, seed: u64, at: Occasion) -> Cow<'p, str> {
        let text = |piece: &'p Piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Column(column) => feeders.value(*column, seed, at),
        };
        match self.pieces.as_slice() {
            [piece] => Cow::Borrowed(text(piece)),
            several => Cow::Owned(several.iter().map(text).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::table::Table;
    use crate::keys::auth::FeederFormat;
    use crate::plan::columns::{Columns, Pick};
    use crate::plan::operation::What;

    #[test]
    fn columns_are_filled_in_for_each_send() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        std::fs::write(&file, "name,level\nann,3\nbob,12\n").unwrap();
        let table = Table::read(&file, FeederFormat::Csv).unwrap();
        let feeders = Feeders::new(vec![Columns { file, pick: Pick::Player, table }]);
        let value = |text: &str, player| {
            let parameter = Parameter::parse(text, &feeders)?;
            let value = parameter.value(&feeders, 1, Occasion { player, what: What::Request(1), index: 0 });
            Ok::<_, String>(value.into_owned())
        };
        for (text, first, second) in [
            ("${level}", "3", "12"),
            ("<${name}:${level}>", "<ann:3>", "<bob:12>"),
            ("$${name} $5", "${name} $5", "${name} $5"),
            ("", "", ""),
        ] {
            assert_eq!((value(text, 0), value(text, 1)), (Ok(first.into()), Ok(second.into())), "{text}");
        }
        assert!(Parameter::parse("a$${b}", &feeders).unwrap().is_constant());
        assert!(!Parameter::parse("a${name}", &feeders).unwrap().is_constant());
        assert_eq!(value("${nme}", 0).unwrap_err(), "no feeder has a column `nme`");
        assert_eq!(value("${name", 0).unwrap_err(), "has a `${` without its `}`");
        let plain = Parameter::plain("${name}");
        assert_eq!(
            plain.value(&feeders, 1, Occasion { player: 0, what: What::Request(1), index: 0 }),
            "${name}"
        );
    }
}
