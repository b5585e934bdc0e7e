//! The style sheet of all pages, joined from its parts; the later ones refine the earlier.

/// The style sheet.
pub(super) const STYLE: &str = concat!(
    include_str!("style/theme.css"),
    include_str!("style/page.css"),
    include_str!("style/answer.css"),
    include_str!("style/charts.css"),
    include_str!("style/tables.css"),
    include_str!("style/print.css"),
    include_str!("script/script.css"),
);
