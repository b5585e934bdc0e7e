//! Data tables: a caption, headers that the script makes sortable, and a box of their own to scroll in.

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
}

impl Cell {
    /// Words.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None, class: Some(WORDS), href: None }
    }

    /// A quantity as it reads, and its plain value.
    pub(super) fn quantity(text: String, value: f64) -> Self {
        Self { text, value: Some(value), class: None, href: None }
    }

    /// Words that tell a verdict, with its class.
    pub(super) fn verdict(text: &str, class: &'static str) -> Self {
        Self { text: text.to_owned(), value: None, class: Some(class), href: None }
    }

    /// Makes it lead somewhere: a file that lies beside the page.
    pub(super) fn leading_to(mut self, href: String) -> Self {
        self.href = Some(href);
        self
    }

    fn content(&self) -> Markup {
        html! {
            @if let Some(href) = &self.href { a href=(href) { (self.text) } } @else { (self.text) }
        }
    }

    /// Draws attention to a quantity that should be zero.
    pub(super) fn bad_unless_zero(mut self) -> Self {
        if self.value.is_some_and(|value| value > 0.0) {
            self.class = Some("bad");
        }
        self
    }
}

/// A table that is built row by row. The first cell of a row names it.
pub(super) struct Table {
    caption: String,
    header: Vec<String>,
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
            rows: Vec::new(),
            note: None,
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A row of numbers that read as they are.
    pub(super) fn plain(&mut self, cells: impl IntoIterator<Item = String>) {
        self.row(cells.into_iter().map(|text| Cell { text, value: None, class: None, href: None }));
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
                    caption { (self.caption) }
                    thead { tr {
                        @for (column, name) in self.header.iter().enumerate() {
                            th scope="col" class=[self.words(column)] { (name) }
                        }
                     } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (index, cell) in row.iter().enumerate() {
                                    @if index == 0 {
                                        th scope="row" data-v=[cell.value] { (cell.content()) }
                                    } @else {
                                        td class=[cell.class] data-v=[cell.value] { (cell.content()) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if let Some(note) = &self.note { p.note { (note) } }
        }
    }
}
