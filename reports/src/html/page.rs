//! The page around the sections: content policy, style, script, landmarks.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::error::RenderError;
use super::sections::{self, Context, Section};
use super::style::STYLE;
use crate::folder::RunFolder;

const SCRIPT: &str = include_str!("script.js");

/// No request leaves the page: not for fonts, not for scripts, not for pictures.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

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
    Ok(shell(&Page {
        title: &format!("{} – load test report", run.name),
        brand: "report",
        version: &run.version,
        sections: &sections,
        footer: html! {
            "Made from the run folder " code { (run.id) } ", whose files hold every figure in full. " (context.rule())
        },
    }))
}

/// The frame: content policy, style, script, landmarks.
pub(super) fn shell(page: &Page<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
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
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
