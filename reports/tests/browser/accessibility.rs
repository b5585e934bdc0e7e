//! axe-core finds nothing: in light, in dark and on paper, on pages of every kind, with windows set and tables unfolded.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::chrome::{Tab, in_a_browser};
use crate::common::Shape;
use crate::known::Known;
use crate::opened::Opened;
use crate::pages::Made;

/// axe-core's own text; `None`, with a notice, where it is not installed. In CI it has to be.
fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/axe/node_modules/axe-core/axe.min.js");
    match fs::read_to_string(&file) {
        Ok(script) => Some(script),
        Err(error) => {
            let remedy = "install it with `npm ci --prefix reports/tests/axe` or `bash ci/install.sh`";
            assert!(std::env::var_os("CI").is_none(), "no axe-core ({}: {error}): {remedy}", file.display());
            eprintln!("skipped: axe-core is not installed; {remedy}");
            None
        }
    }
}

/// A rule that a page breaks, and where.
#[derive(Debug, Deserialize)]
struct Finding {
    id: String,
    help: String,
    nodes: Vec<String>,
}

/// All of WCAG, contrast as AAA asks for it, and what axe calls best practice. Paper has nothing to press that could be too small.
fn rules(medium: &str) -> String {
    format!(
        "{{ resultTypes: ['violations'], runOnly: {{ type: 'tag', values: \
         ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }}, \
         rules: {{ 'color-contrast-enhanced': {{ enabled: true }}, 'target-size': {{ enabled: {} }} }} }}",
        medium != "print"
    )
}

async fn finds_nothing(tab: &Tab, what: &str, medium: &str) {
    let rules = rules(medium);
    let findings: Vec<Finding> = tab
        .evaluate(&format!(
            "axe.run(document, {rules}).then(({{ violations }}) => violations.map(({{ id, help, nodes }}) => \
             ({{ id, help, nodes: nodes.slice(0, 5).map(node => `${{node.target.join(' ')}}: ${{node.html.slice(0, 160)}} (${{node.failureSummary}})`) }})))"
        ))
        .await;
    let mut told = String::new();
    for Finding { id, help, nodes } in &findings {
        let _ = write!(told, "\n{id}: {help}\n  {}", nodes.join("\n  "));
    }
    assert!(findings.is_empty(), "{what}: {} findings{told}", findings.len());
}

async fn in_every_medium(tab: &Tab, axe: &str, what: &str) {
    let _: bool = tab.evaluate(&format!("(() => {{ {axe}\n; return true; }})()")).await;
    for (medium, scheme) in [("screen", "light"), ("screen", "dark"), ("print", "light")] {
        tab.view(scheme, 1280, 900).await;
        tab.media(medium, &[("prefers-color-scheme", scheme)]).await;
        finds_nothing(tab, &format!("{what}, {medium}, {scheme}"), medium).await;
    }
}

#[tokio::test]
async fn axe_finds_nothing_in_the_report_of_a_run() {
    let Some(axe) = axe() else { return };
    let made = Made::run(&Shape { seconds: 20, rate: 40.0, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        in_every_medium(&tab, &axe, "report").await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_in_a_report_that_is_unfolded_on_a_phone() {
    let Some(axe) = axe() else { return };
    let made =
        Made::run(&Shape { seconds: 20, rate: 40.0, cloudwatch: None, finished: false, ..Shape::default() });
    in_a_browser(|tab| async move {
        let _opened = Opened::open(&tab, &made.file).await;
        tab.view("light", 360, 740).await;
        tab.run("document.querySelectorAll('details').forEach(details => { details.open = true; })").await;
        tab.until("document.querySelectorAll('.chart details .copy').length > 0").await;
        let _: bool = tab.evaluate(&format!("(() => {{ {axe}\n; return true; }})()")).await;
        finds_nothing(&tab, "unfolded report, phone", "screen").await;
    })
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_in_the_pages_of_a_search_a_comparison_and_a_history() {
    let Some(axe) = axe() else { return };
    let made =
        [("capacity", Made::capacity()), ("comparison", Made::comparison()), ("history", Made::history())];
    in_a_browser(|tab| async move {
        for (what, made) in made {
            let _opened = Opened::open(&tab, &made.file).await;
            in_every_medium(&tab, &axe, what).await;
        }
    })
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_while_a_window_is_set() {
    let Some(axe) = axe() else { return };
    let known = Known::write();
    in_a_browser(|tab| async move {
        let _opened = Opened::open_at(&tab, &known.file, "#w=20-40").await;
        tab.until("document.querySelector('.windowed')").await;
        in_every_medium(&tab, &axe, "window").await;
    })
    .await;
}
