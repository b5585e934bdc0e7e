//! What remains of a token after its use: enough to recognise it when the target sends it, too little to use it.
//!
//! A used token is dropped, since 15,000 of them would be megabytes; yet a target may send it back at any time. Of
//! each token the hashes of its blocks are kept, a third of its size, and a text is searched for any of them.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::presented::{HIDDEN, in_url};

/// Bytes of a block. Any part of a token that is twice as long has one whole block in it.
const BLOCK: usize = 12;

/// The hashes of a token's blocks.
#[derive(Default)]
pub(super) struct Marks {
    /// Bytes of a block: [`BLOCK`], or a shorter token's whole length; 0: there is no token.
    block: usize,
    hashes: Box<[u32]>,
}

impl Marks {
    /// Of a token; `in_templates`: the protocol has it, and may give it another form.
    pub(super) fn of(token: &str, in_templates: bool) -> Self {
        let block = BLOCK.min(token.len());
        if block == 0 {
            return Self::default();
        }
        let (encoded, base64) = (in_url(token), in_templates.then(|| BASE64_STANDARD.encode(token)));
        let forms = [Some(token), encoded.as_deref(), base64.as_deref()].into_iter().flatten();
        let hashes = forms.flat_map(|form| form.as_bytes().chunks_exact(block).map(hash)).collect();
        Self { block, hashes }
    }

    /// The text without the words in which a part of the token stands.
    pub(super) fn hide_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let bytes = text.as_bytes();
        if self.block == 0 || bytes.len() < self.block {
            return Cow::Borrowed(text);
        }
        let (mut kept, mut copied, mut at) = (String::new(), 0, 0);
        while at + self.block <= bytes.len() {
            let block = &bytes[at..at + self.block];
            // A token is ASCII.
            if !block.is_ascii() || !self.hashes.contains(&hash(block)) {
                at += 1;
                continue;
            }
            // Words end at ASCII characters, so that both ends are ends of characters.
            let start = bytes[copied..at]
                .iter()
                .rposition(|byte| !in_word(*byte))
                .map_or(copied, |end| copied + end + 1);
            let end = bytes[at..].iter().position(|byte| !in_word(*byte)).map_or(bytes.len(), |end| at + end);
            let end = end.max(at + self.block);
            kept.push_str(&text[copied..start]);
            kept.push_str(HIDDEN);
            (copied, at) = (end, end);
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        kept.push_str(&text[copied..]);
        Cow::Owned(kept)
    }
}

/// Whether a byte may stand in a token, rather than around one.
pub(super) const fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'+'
                | b'/'
                | b'='
                | b'%'
                | b'\\'
                | b'|'
                | b':'
                | b'!'
                | b'$'
                | b'*'
                | b'@'
                | b'^'
        )
}

fn hash(block: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(block);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_again_wherever_it_stands() {
        let token = "14000000D5F2hunter2+MARKER/of-an-opaque-ticket==";
        let marks = Marks::of(token, false);
        for (said, wanted) in [
            (format!("bad ticket «{token}», sorry"), "bad ticket «[credential]», sorry"),
            (format!("ticket={token}&v=2"), "[credential]&v=2"),
            (format!("{{\"t\":\"{}\"}}", &token[3..30]), "{\"t\":\"[credential]\"}"),
            (format!("{token} {token}"), "[credential] [credential]"),
            ("14000000D5F2hunter2%2BMARKER%2Fof-an".into(), "[credential]"),
            ("nothing of it: 14000000".into(), "nothing of it: 14000000"),
        ] {
            assert_eq!(marks.hide_in(&said), wanted, "{said}");
        }
        assert_eq!(Marks::of("abc", false).hide_in("x abc ä"), "x [credential] ä");
        assert_eq!(Marks::of("", false).hide_in("ä"), "ä");
        assert!(std::mem::size_of_val(&*marks.hashes) <= token.len() * 2 / 3, "less than the token itself");
    }

    #[test]
    fn what_a_template_makes_of_a_token_is_known_too() {
        let token = "14000000D5F2hunter2+MARKER/of-an-opaque-ticket==";
        let encoded = BASE64_STANDARD.encode(token);
        let said = format!("Basic {encoded}");
        assert_eq!(Marks::of(token, true).hide_in(&said), "Basic [credential]");
        assert_eq!(Marks::of(token, false).hide_in(&said), said);
    }

    #[test]
    fn no_text_makes_it_panic() {
        let marks = Marks::of("äöüß-äöüß-äöüß", true);
        for text in ["äöüß-äöüß-äöüß", "x äöüß-äöüß-äö", "\u{1f600}äöüß-äö"] {
            let _ = marks.hide_in(text);
        }
    }
}
