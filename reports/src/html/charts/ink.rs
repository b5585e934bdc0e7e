//! The colours of plotters, which are RGB, as classes of the style sheet, which differ in light, dark and print.
//!
//! Every ink is drawn in a colour that stands for it and that nothing else uses; afterwards the colour attribute is
//! exchanged for a CSS class.

use plotters::style::{Color, RGBColor, ShapeStyle};

/// Number of distinct series styles in the style sheet.
pub(in crate::html) const SERIES: u8 = 8;

/// What a shape of a chart means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum Ink {
    /// Axis lines.
    Axis,
    /// Grid lines.
    Grid,
    /// Tick labels and axis titles.
    Text,
    /// What the x axis shows: left out where there is no room.
    Title,
    /// The name of a line at its end.
    Label,
    /// What values are held against: a threshold, a limit.
    Bound,
    /// Where a phase begins, and its name.
    Phase,
    /// A stretch that does not count: warm-up.
    Unmeasured,
    /// The region in which percentiles are weak.
    Weak,
    /// The planned value, to compare other series with.
    Reference,
    /// Largest samples, drawn as dots.
    Peak,
    /// The stretch in which a suspect gave way, and its number.
    Suspect,
    /// A data series by its number, modulo [`SERIES`].
    Series(u8),
}

impl Ink {
    const FIXED: [Self; 12] = [
        Self::Axis,
        Self::Grid,
        Self::Text,
        Self::Title,
        Self::Label,
        Self::Bound,
        Self::Phase,
        Self::Unmeasured,
        Self::Weak,
        Self::Reference,
        Self::Peak,
        Self::Suspect,
    ];

    /// The ink of the series with this index.
    pub(in crate::html) fn series(index: usize) -> Self {
        Self::Series((index % usize::from(SERIES)) as u8)
    }

    /// The CSS class: `i-…`, styled by the style sheet.
    pub(in crate::html) fn class(self) -> String {
        match self {
            Self::Axis => "i-axis".into(),
            Self::Grid => "i-grid".into(),
            Self::Text => "i-text".into(),
            Self::Title => "i-title".into(),
            Self::Label => "i-label".into(),
            Self::Bound => "i-bound".into(),
            Self::Phase => "i-phase".into(),
            Self::Unmeasured => "i-unmeasured".into(),
            Self::Weak => "i-weak".into(),
            Self::Reference => "i-reference".into(),
            Self::Peak => "i-peak".into(),
            Self::Suspect => "i-suspect".into(),
            Self::Series(number) => format!("i-s{number}"),
        }
    }

    pub(super) fn color(self) -> RGBColor {
        let code = match self {
            Self::Series(number) => 100 + number,
            fixed => Self::FIXED.iter().position(|ink| *ink == fixed).unwrap_or_default() as u8,
        };
        RGBColor(1, 2, code)
    }

    pub(super) fn stroke(self) -> ShapeStyle {
        self.color().stroke_width(1)
    }

    pub(super) fn fill(self) -> ShapeStyle {
        self.color().filled()
    }
}

/// Exchanges every ink's colour for its class and drops the attributes that the style sheet sets.
pub(super) fn to_classes(svg: &str) -> String {
    let mut svg =
        svg.replace("opacity=\"1\" ", "").replace(" stroke-width=\"1\"", "").replace("stroke=\"none\"", "");
    let series = (0..SERIES).map(Ink::Series);
    for ink in Ink::FIXED.into_iter().chain(series) {
        let RGBColor(r, g, b) = ink.color();
        for (attribute, suffix) in [("stroke", ""), ("fill", " fill")] {
            let color = format!("{attribute}=\"#{r:02X}{g:02X}{b:02X}\"");
            svg = svg.replace(&color, &format!("class=\"{}{suffix}\"", ink.class()));
        }
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_has_its_own_color_and_none_is_left_after_the_exchange() {
        let inks: Vec<Ink> = Ink::FIXED.into_iter().chain((0..SERIES).map(Ink::Series)).collect();
        for (index, ink) in inks.iter().enumerate() {
            assert!(inks[index + 1..].iter().all(|other| other.color() != ink.color()), "{ink:?}");
        }
        let svg =
            to_classes("<line opacity=\"1\" stroke=\"#010201\" stroke-width=\"1\"/><rect fill=\"#010264\"/>");
        assert_eq!(svg, "<line class=\"i-grid\"/><rect class=\"i-s0 fill\"/>");
    }
}
