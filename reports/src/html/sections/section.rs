//! A section of a page, and its heading.

use maud::{Markup, html};

/// One section of the page.
pub(in crate::html) struct Section {
    pub(in crate::html) id: &'static str,
    /// Its name in the navigation.
    pub(in crate::html) short: &'static str,
    pub(in crate::html) body: Markup,
}

/// A section's heading and how to read what follows.
pub(in crate::html) fn heading(id: &str, title: &str, how: &str) -> Markup {
    html! {
        h2 id=(format!("{id}-h")) { (title) }
        @if !how.is_empty() { p.how { (how) } }
    }
}
