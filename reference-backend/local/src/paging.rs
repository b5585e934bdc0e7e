//! Pages of a list, with the tokens that lead from one to the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token is none that this stack issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownToken;

/// The offset of a token; 0 without one.
pub(super) fn offset(token: Option<&str>) -> Result<usize, UnknownToken> {
    let Some(token) = token else { return Ok(0) };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| UnknownToken)?;
    let text = str::from_utf8(&bytes).map_err(|_| UnknownToken)?;
    text.parse().map_err(|_| UnknownToken)
}

/// The token that continues at `offset`.
pub(super) fn token(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(offset.to_string())
}

/// At most `limit` of `all`, from the offset of `at` on, and the token of the next page.
pub(super) fn page<T>(
    all: Vec<T>,
    at: Option<&str>,
    limit: usize,
) -> Result<(Vec<T>, Option<String>), UnknownToken> {
    let from = offset(at)?;
    let to = from.saturating_add(limit.max(1));
    let next = (to < all.len()).then(|| token(to));
    Ok((all.into_iter().skip(from).take(limit.max(1)).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_through_all_pages() {
        let all = || (0..5).collect::<Vec<_>>();
        let (first, next) = page(all(), None, 2).unwrap();
        let (second, after) = page(all(), next.as_deref(), 2).unwrap();
        let (third, end) = page(all(), after.as_deref(), 2).unwrap();
        assert_eq!((first, second, third, end), (vec![0, 1], vec![2, 3], vec![4], None));
        assert_eq!(page(all(), None, 5).unwrap().1, None, "a full page is the last one");
        assert_eq!(page(all(), Some("none of ours"), 2), Err(UnknownToken));
    }
}
