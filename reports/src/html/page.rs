//! The page around the sections: content policy, style, script, landmarks.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::RenderError;
use super::sections::{self, Context};
use crate::folder::RunFolder;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// No request leaves the page: not for fonts, not for scripts, not for pictures.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

pub(super) fn page(folder: &RunFolder) -> Result<Markup, RenderError> {
    let summary = folder.summary_or_rebuilt();
    let context = Context::new(folder, &summary);
    let sections = sections::all(&context)?;
    let run = &summary.run;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("loadgen {}", run.version));
                link rel="icon" href="data:,";
                title { (run.name) " – load test report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header {
                    div.bar {
                        p.brand { "loadgen" span { " report" } }
                        nav aria-label="Sections" {
                            ul { @for section in &sections { li { a href=(format!("#{}", section.id)) { (section.short) } } } }
                        }
                        button #theme type="button" hidden { "Dark" }
                    }
                }
                main #main {
                    @for section in &sections {
                        section id=(section.id) aria-labelledby=(format!("{}-h", section.id)) { (section.body) }
                    }
                }
                footer {
                    p { "Made from the run folder " code { (run.id) } ", whose files hold every figure in full. " (context.rule()) }
                }
                div #said .sr role="status" {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    })
}
