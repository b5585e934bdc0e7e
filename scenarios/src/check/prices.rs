//! From the section `[prices]` to a price list: the one that ships, or that of a file, which is kept with the run.

use std::path::Path;
use std::sync::Arc;

use documents::{Mistakes, text};
use prices::PriceList;

use super::context::Check;
use crate::keys::scenario::Prices;

/// Where the scenario names the file.
const KEY: &str = "/prices/file";

/// What AWS asks. A file that is wrong is reported with all its mistakes.
pub(super) fn prices(check: &mut Check<'_>, wanted: &Prices) -> Arc<PriceList> {
    let own = wanted.file.as_deref().and_then(|name| {
        let path =
            check.named_file(KEY, name, "name a price file beside the scenario; docs/cost.md shows one")?;
        match read(&path) {
            Ok(list) => {
                check.keep_file(KEY, &path);
                Some(list)
            }
            Err(Mistakes(mistakes)) => {
                check.findings.mistakes.extend(mistakes);
                None
            }
        }
    });
    Arc::new(own.unwrap_or_else(|| PriceList::shipped().clone()))
}

fn read(path: &Path) -> Result<PriceList, Mistakes> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Mistakes::one(&shown, "", format!("cannot be read: {error}"), "give a file that can be read")
    })?;
    let text = text::decode(bytes).map_err(|error| {
        Mistakes::one(format!("{shown}:{}:1", error.line), "", error.problem, text::REMEDY)
    })?;
    PriceList::check(&shown, &text)
}
