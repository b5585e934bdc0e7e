//! Data tables: a caption, headers that the script makes sortable, and a box of their own to scroll in.

use std::collections::BTreeMap;

use maud::{Markup, html};

/// The class of cells with words instead of numbers.
const WORDS: &str = "words";

/// A cell with the number that it is sorted by and copied as.
pub(super) struct Cell {
    text: String,
    value: Option<f64>,
    class: Option<&'static str>,
    /// Where it leads.
    href: Option<String>,
    /// The stretch of the run that it opens, in seconds.
    window: Option<(u64, u64)>,
    /// A drawing above its text.
    drawing: Option<Markup>,
    /// Where a window's value of it is, as a JSON Pointer, and that value's kind.
    recomputed: Option<(String, &'static str)>,
}

impl Cell {
    fn new(text: String, value: Option<f64>, class: Option<&'static str>) -> Self {
        Self { text, value, class, href: None, window: None, drawing: None, recomputed: None }
    }

    /// Words.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::new(text.into(), None, Some(WORDS))
    }

    /// A quantity as it reads, and its plain value.
    pub(super) fn quantity(text: String, value: f64) -> Self {
        Self::new(text, Some(value), None)
    }

    /// Words that tell a verdict, with its class.
    pub(super) fn verdict(text: &str, class: &'static str) -> Self {
        Self::new(text.to_owned(), None, Some(class))
    }

    /// A drawing and what it comes to.
    pub(super) fn drawn(drawing: Markup, text: String, value: Option<f64>) -> Self {
        Self { drawing: Some(drawing), ..Self::new(text, value, Some("drawn")) }
    }

    /// Makes it lead somewhere: to a section, or to a file that lies beside the page.
    pub(super) fn leading_to(mut self, href: String) -> Self {
        self.href = Some(href);
        self
    }

    /// Makes it open a stretch of the run.
    pub(super) fn opening(mut self, from_s: u64, to_s: u64) -> Self {
        self.window = Some((from_s, to_s.max(from_s + 1)));
        self
    }

    /// Lets the script recompute it for a window: where the value is, and its kind (`duration`, `rate`, `count`, `percent`).
    pub(super) fn recomputed(mut self, pointer: String, kind: &'static str) -> Self {
        self.recomputed = Some((pointer, kind));
        self
    }

    fn content(&self) -> Markup {
        html! {
            @if let Some(drawing) = &self.drawing { (drawing) " " }
            @if let Some((from, to)) = self.window {
                a href=(format!("#w={from}-{to}")) data-window=(format!("{from}-{to}")) { bdi { (self.text) } }
            } @else if let Some(href) = &self.href {
                a href=(href) { bdi { (self.text) } }
            } @else if self.class.is_some_and(|class| class.starts_with(WORDS)) {
                bdi { (breakable(&self.text)) }
            } @else {
                (self.text)
            }
        }
    }

    /// Draws attention to a quantity that should be zero.
    pub(super) fn bad_unless_zero(mut self) -> Self {
        if self.value.is_some_and(|value| value > 0.0) {
            self.class = Some("bad");
        }
        self
    }

    fn render(&self, heads: bool) -> Markup {
        let (pointer, kind) = self.recomputed.as_ref().map(|(pointer, kind)| (pointer, *kind)).unzip();
        html! {
            @if heads {
                th scope="row" data-v=[self.value] { (self.content()) }
            } @else {
                td class=[self.class] data-v=[self.value] data-m=[pointer] data-u=[kind] { (self.content()) }
            }
        }
    }
}

/// A name that may be broken after the characters that join its words, and before the capitals that begin them.
fn breakable(text: &str) -> Markup {
    let mut pieces: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let begins = c.is_uppercase() && before.is_lowercase();
        if (begins || matches!(before, '_' | '.' | '-' | '/')) && !c.is_whitespace() {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        before = c;
    }
    html! { @for (index, piece) in pieces.iter().enumerate() { @if index > 0 { wbr; } (piece) } }
}

/// A table that is built row by row. The first cell of a row names it.
pub(super) struct Table {
    caption: String,
    header: Vec<String>,
    /// By column, the unit of the plain values of its cells.
    units: BTreeMap<usize, &'static str>,
    rows: Vec<Vec<Cell>>,
    note: Option<String>,
}

impl Table {
    pub(super) fn new(
        caption: impl Into<String>,
        header: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            caption: caption.into(),
            header: header.into_iter().map(Into::into).collect(),
            units: BTreeMap::new(),
            rows: Vec::new(),
            note: None,
        }
    }

    /// The unit of the plain values of a column, for those who copy them.
    pub(super) fn unit(&mut self, column: usize, unit: &'static str) {
        self.units.insert(column, unit);
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row of numbers that read as they are.
    pub(super) fn plain(&mut self, cells: impl IntoIterator<Item = String>) {
        self.row(cells.into_iter().map(|text| Cell::new(text, None, None)));
    }

    /// A sentence below the table.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.note = Some(note.into());
    }

    /// The class of a column of words, whose header stands to the left as they do.
    fn words(&self, column: usize) -> Option<&'static str> {
        let class = self.rows.first()?.get(column)?.class?;
        class.starts_with(WORDS).then_some(WORDS)
    }

    pub(super) fn render(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label=(self.caption) {
                table {
                    caption { span { (self.caption) } }
                    thead { tr {
                        @for (column, name) in self.header.iter().enumerate() {
                            th scope="col" class=[self.words(column)] data-unit=[self.units.get(&column)] { (name) }
                        }
                     } }
                    tbody {
                        @for row in &self.rows {
                            tr { @for (index, cell) in row.iter().enumerate() { (cell.render(index == 0)) } }
                        }
                    }
                }
            }
            @if let Some(note) = &self.note { p.note { (note) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_between_their_words_and_stay_text() {
        let broken = |text| breakable(text).into_string();
        assert_eq!(broken("send_message.p99"), "send_<wbr>message.<wbr>p99");
        assert_eq!(broken("OnMessageInserted"), "On<wbr>Message<wbr>Inserted");
        assert_eq!(broken("<b>a</b>"), "&lt;b&gt;a&lt;/<wbr>b&gt;");
        assert_eq!(broken(""), "");
    }

    #[test]
    fn a_cell_opens_its_stretch_and_tells_the_script_where_its_value_is() {
        let opening = Cell::text("hold").opening(5, 5).render(false).into_string();
        assert!(opening.contains("href=\"#w=5-6\" data-window=\"5-6\""), "{opening}");
        let cell = Cell::quantity("1.50 ms".into(), 1_500.0)
            .recomputed("/operations/a/response_time_us/p99".into(), "duration");
        assert_eq!(
            cell.render(false).into_string(),
            "<td data-v=\"1500\" data-m=\"/operations/a/response_time_us/p99\" data-u=\"duration\">1.50 ms</td>"
        );
    }
}
