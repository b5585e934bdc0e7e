//! Tables in the docs that a command makes.

use std::fs;

use crate::program::root;

/// Replaces what stands in a page between `<!-- made by: COMMAND -->` and `<!-- end: NAME -->`; `page` is relative to the repository.
///
/// # Errors
/// Where the page cannot be read or written, or lacks one of the marks.
pub fn write_between(
    page: &str,
    command: &str,
    name: &str,
    text: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let begin = format!("<!-- made by: {command} -->\n");
    let end = format!("<!-- end: {name} -->");
    let path = root().join(page);
    let old = fs::read_to_string(&path)?;
    let (before, rest) =
        old.split_once(&begin).ok_or_else(|| format!("{page} lacks the mark {}", begin.trim_end()))?;
    let (_, after) = rest.split_once(&end).ok_or_else(|| format!("{page} lacks the mark {end}"))?;
    fs::write(path, format!("{before}{begin}\n{}\n\n{end}{after}", text.trim_end()))?;
    Ok(())
}
