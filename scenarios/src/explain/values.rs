//! Rooms and values from files in sentences, for people.

use crate::plan::Plan;
use crate::plan::columns::{Columns, Pick};

/// One sentence for the rooms, where there are several, and one for each file.
#[must_use]
pub(super) fn sentences(plan: &Plan) -> Vec<String> {
    let rooms = &plan.rooms;
    let several = (rooms.count() > 1).then(|| {
        let (last, size) = (rooms.count() - 1, rooms.size());
        let fewer = rooms.members(last).len() as u32;
        let short = if fewer < size { format!(", the last of which has {fewer}") } else { String::new() };
        format!(
            "Players are in {} rooms of {size}{short}: `{}` to `{}`.",
            rooms.count(),
            rooms.name(0),
            rooms.name(last)
        )
    });
    several.into_iter().chain(plan.feeders.files().iter().map(file)).collect()
}

fn file(columns: &Columns) -> String {
    let pick = match columns.pick {
        Pick::Player => {
            "each player has a row of its own, from the top again where there are more players than rows"
        }
        Pick::Cycle => "sends take one row after the other, and from the top again",
        Pick::Random => "each send takes a row that is drawn",
    };
    let names: Vec<_> = columns.names().iter().map(|name| format!("`${{{name}}}`")).collect();
    format!(
        "{} stand for values of `{}` ({} rows): {pick}.",
        names.join(", "),
        columns.file.file_name().unwrap_or_default().to_string_lossy(),
        columns.rows()
    )
}
