//! Texts with places in them: `${name}`; `$${` stands for a literal `${`.

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// What stands there as it is, and the byte at which it does.
    Literal(&'t str, usize),
    /// What stands between `${` and `}`, and the byte at which its `$` stands.
    Place(&'t str, usize),
}

/// A `${` without its `}`: the byte at which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed(pub(crate) usize);

/// Cuts a text at its places.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let (mut pieces, mut from, mut search) = (Vec::new(), 0, 0);
    while let Some(at) = text[search..].find("${").map(|found| search + found) {
        if text[from..at].ends_with('$') {
            // The dollar before it goes; what follows is literal.
            pieces.push(Piece::Literal(&text[from..at - 1], from));
            (from, search) = (at, at + 2);
            continue;
        }
        let end = text[at..].find('}').map(|found| at + found).ok_or(Unclosed(at))?;
        pieces.push(Piece::Literal(&text[from..at], from));
        pieces.push(Piece::Place(&text[at + 2..end], at));
        (from, search) = (end + 1, end + 1);
    }
    pieces.push(Piece::Literal(&text[from..], from));
    pieces.retain(|piece| !matches!(piece, Piece::Literal("", _)));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_places() {
        let cut = |text| pieces(text).unwrap();
        assert_eq!(
            cut("a${b}${c}d"),
            [Piece::Literal("a", 0), Piece::Place("b", 1), Piece::Place("c", 5), Piece::Literal("d", 9)]
        );
        assert_eq!(cut("$${a}${b}"), [Piece::Literal("${a}", 1), Piece::Place("b", 5)]);
        assert_eq!(cut("a $${$$"), [Piece::Literal("a ", 0), Piece::Literal("${$$", 3)]);
        assert_eq!(cut(""), []);
        assert_eq!(pieces("é${x"), Err(Unclosed(2)));
    }
}
