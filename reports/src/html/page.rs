//! The page around the sections: content policy, style, script, landmarks.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::error::RenderError;
use super::sections::{self, Context, Section};
use super::style::STYLE;
use crate::digest;
use crate::folder::RunFolder;

/// The parts share one scope; each uses only those before it.
const SCRIPT: &str = concat!(
    "'use strict';\n(() => {\n",
    include_str!("script/basics.js"),
    include_str!("script/theme.js"),
    include_str!("script/histograms.js"),
    include_str!("script/run.js"),
    include_str!("script/plane.js"),
    include_str!("script/window.js"),
    include_str!("script/figures.js"),
    include_str!("script/spectra.js"),
    include_str!("script/heat.js"),
    include_str!("script/charts.js"),
    include_str!("script/brush.js"),
    include_str!("script/tables.js"),
    include_str!("script/start.js"),
    "})();\n",
);

/// The content policy: no request leaves the page, not for fonts, not for scripts, not for pictures; and nothing runs or
/// styles but what this program wrote, by the hash of its text. A handler or a `style` attribute does nothing, whoever
/// gets one into the page.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// What stands in the frame that all pages share.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// What kind of page it is, beside the product's name.
    pub(super) brand: &'a str,
    /// Version of loadgen.
    pub(super) version: &'a str,
    pub(super) sections: &'a [Section],
    pub(super) footer: Markup,
}

/// The report of a run.
pub(super) fn page(folder: &RunFolder) -> Result<Markup, RenderError> {
    let summary = folder.summary_or_rebuilt();
    let context = Context::new(folder, &summary);
    let sections = sections::all(&context)?;
    let run = &summary.run;
    let page = Page {
        title: &format!("{} – load test report", run.name),
        brand: "report",
        version: &run.version,
        sections: &sections,
        footer: html! {
            "Made from the run folder " code { (run.id) } ", whose files hold every figure in full. " (context.rule())
        },
    };
    let data =
        html! { script #run-data type="application/json" { (PreEscaped(digest::embed(&folder.digest))) } };
    Ok(framed(&page, &data))
}

/// A page whose script has nothing to recompute.
pub(super) fn shell(page: &Page<'_>) -> Markup {
    framed(page, &Markup::default())
}

/// The frame: content policy, style, script, landmarks, and the data that windows are recomputed from.
fn framed(page: &Page<'_>, data: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY.as_str());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("loadgen {}", page.version));
                link rel="icon" href="data:,";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header {
                    div.bar {
                        p.brand { "loadgen" span { " " (page.brand) } }
                        nav aria-label="Sections" {
                            ul { @for section in page.sections { li { a href=(format!("#{}", section.id)) { (section.short) } } } }
                        }
                        button #theme type="button" hidden { "Dark" }
                    }
                }
                main #main {
                    @for section in page.sections {
                        section id=(section.id) aria-labelledby=(format!("{}-h", section.id)) { (section.body) }
                    }
                }
                footer { p { (page.footer) } }
                div #said .sr role="status" {}
                (data)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
