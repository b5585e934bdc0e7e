//! The names of lines at their ends, so that none is told by its colour alone.

/// A name longer than this is cut, to its first word if that fits: it stands in full in the legend.
const LONGEST: usize = 9;

/// Where each name goes: at its line's end, moved up or down until each has `room` of its own between `top` and `bottom`.
pub(super) fn placed<'a>(
    ends: impl Iterator<Item = ((i32, i32), &'a str)>,
    [top, bottom]: [i32; 2],
    room: i32,
) -> Vec<((i32, i32), String)> {
    let mut placed: Vec<_> = ends.map(|(at, name)| (at, cut(name))).collect();
    placed.sort_by_key(|((_, y), _)| *y);
    let mut least = top;
    for ((_, y), _) in &mut placed {
        *y = (*y).max(least);
        least = *y + room;
    }
    let mut most = bottom;
    for ((_, y), _) in placed.iter_mut().rev() {
        *y = (*y).min(most);
        most = *y - room;
    }
    placed
}

fn cut(name: &str) -> String {
    let first = name.split_whitespace().next().unwrap_or_default();
    for fitting in [name, first] {
        if fitting.chars().count() <= LONGEST {
            return fitting.to_owned();
        }
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_apart_and_stay_within() {
        let ends = [((0, 98), "sent"), ((0, 50), "offered"), ((0, 97), "placement_request p99")];
        let placed = placed(ends.into_iter(), [0, 100], 10);
        let wanted = [((0, 50), "offered"), ((0, 90), "placemen…"), ((0, 100), "sent")];
        assert_eq!(cut("service p99"), "service");
        assert_eq!(placed, wanted.map(|(at, name)| (at, name.to_owned())));
    }
}
