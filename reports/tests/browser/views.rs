//! The pages as they look: on a desk and on a phone, in light, in dark and on paper.

use chromiumoxide::cdp::browser_protocol::emulation::SetScriptExecutionDisabledParams;

use crate::chrome::{Tab, in_a_browser};
use crate::common::{self, Shape};
use crate::opened::Opened;
use crate::pages::Made;

#[tokio::test]
async fn the_report_of_a_run_looks_right() {
    let made = Made::run(&Shape { seconds: 120, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        views(&tab, "report").await;
        structure(&tab).await;
        let axes = "new Set([...document.querySelectorAll('figure.chart:has(> script)')].map(({ dataset: { plot } }) => plot.split(' ').filter((_, at) => at % 2 === 0).join())).size";
        assert_eq!(tab.evaluate::<u32>(axes).await, 1, "all charts over time share their axis by the pixel");
        theme(&tab).await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn the_page_of_a_capacity_search_looks_right() {
    let made = Made::capacity();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        views(&tab, "capacity").await;
        structure(&tab).await;
        let shaded = "document.querySelectorAll('.plot svg .i-weak').length";
        assert_eq!(tab.evaluate::<u32>(shaded).await, 4, "the knee's interval is shown in every chart");
        let links = "document.querySelectorAll('#steps tbody th a').length";
        let steps = common::capacity().steps.len();
        assert_eq!(tab.evaluate::<usize>(links).await, steps, "every run's report is in reach");
        theme(&tab).await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn the_page_of_a_comparison_looks_right() {
    let made = Made::comparison();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        views(&tab, "comparison").await;
        structure(&tab).await;
        theme(&tab).await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn the_page_of_a_history_looks_right() {
    let made = Made::history();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        views(&tab, "history").await;
        structure(&tab).await;
        theme(&tab).await;
        opened.was_silent();
    })
    .await;
}

/// Without JavaScript everything is there to be read, and nothing is offered that would not work.
#[tokio::test]
async fn a_report_reads_without_its_script() {
    let made = Made::run(&Shape { seconds: 60, ..Shape::default() });
    in_a_browser(|tab| async move {
        tab.0.execute(SetScriptExecutionDisabledParams::new(true)).await.expect("emulates");
        let opened = Opened::open(&tab, &made.file).await;
        let buttons = "[...document.querySelectorAll('button')].filter(button => button.checkVisibility()).length";
        assert_eq!(tab.evaluate::<u32>(buttons).await, 0, "nothing to press");
        let empty = "[...document.querySelectorAll('section')].filter(section => section.textContent.trim() === '').length";
        assert_eq!(tab.evaluate::<u32>(empty).await, 0, "every section says something");
        structure(&tab).await;
        opened.was_silent();
    })
    .await;
}

/// Who wants no motion gets none, and forced colours leave the cursor and the band to be seen.
#[tokio::test]
async fn what_a_reader_prefers_is_respected() {
    let made = Made::run(&Shape { seconds: 60, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        let scrolling = "getComputedStyle(document.documentElement).scrollBehavior";
        for (preference, behaviour) in [("no-preference", "smooth"), ("reduce", "auto")] {
            tab.media("screen", &[("prefers-reduced-motion", preference)]).await;
            assert_eq!(tab.evaluate::<String>(scrolling).await, behaviour, "{preference}");
        }
        tab.media("screen", &[("forced-colors", "active")]).await;
        tab.run("document.querySelector('figure:has(> script) .plot').focus()").await;
        tab.press("Home", false).await;
        tab.until("document.querySelector('.cursor')").await;
        let seen = "(cursor => [getComputedStyle(cursor).stroke, getComputedStyle(document.body).color])(document.querySelector('.cursor'))";
        let [stroke, ink]: [String; 2] = tab.evaluate(seen).await;
        assert_eq!(stroke, ink, "the cursor has the colour of text");
        opened.was_silent();
    })
    .await;
}

/// It fits a desk and a phone, in light and in dark; leaves it light and wide.
async fn views(tab: &Tab, name: &str) {
    let mut strokes = Vec::new();
    for scheme in ["light", "dark"] {
        for (width, height) in [(1280, 900), (360, 740)] {
            tab.view(scheme, width, height).await;
            // Not `innerWidth`: a phone zooms out to show what is too wide.
            let needed: i64 = tab.evaluate("document.documentElement.scrollWidth").await;
            assert!(needed <= width, "the {scheme} page needs {needed} px of {width}");
            tab.keep_picture(&format!("{name}-{scheme}-{width}")).await;
        }
        assert_eq!(ground(tab).await, if scheme == "light" { LIGHT } else { DARK }, "{scheme}");
        let stroke =
            "getComputedStyle(document.querySelector('.plot svg polyline:is(.i-s0, .i-reference)')).stroke";
        let stroke: String = tab.evaluate(stroke).await;
        strokes.push(stroke);
    }
    assert_ne!(strokes[0], strokes[1], "lines follow the theme");
    tab.view("light", 1280, 900).await;
}

const LIGHT: &str = "rgb(246, 247, 248)";
const DARK: &str = "rgb(19, 22, 26)";

async fn ground(tab: &Tab) -> String {
    tab.evaluate("getComputedStyle(document.body).backgroundColor").await
}

async fn structure(tab: &Tab) {
    let incomplete = "[...document.querySelectorAll('figure.chart')].filter(figure => !(\
                      figure.querySelector('.plot svg > title').textContent && \
                      figure.querySelector('.plot svg > desc').textContent && \
                      figure.querySelector('.plot svg').querySelector('polyline, circle') && \
                      figure.querySelector('details table tbody tr'))).length";
    let incomplete: u32 = tab.evaluate(incomplete).await;
    assert_eq!(incomplete, 0, "each chart has title, description, data and table");
    // Black is what the style sheet has forgotten.
    let uncoloured = "[...document.querySelectorAll('.plot .fill')].filter(shape => getComputedStyle(shape).fill === 'rgb(0, 0, 0)').length";
    assert_eq!(tab.evaluate::<u32>(uncoloured).await, 0, "everything filled has a colour of the theme");
    let ids = "[...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size";
    assert_eq!(tab.evaluate::<i32>(ids).await, 0, "ids are unique");
    let sections = "[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))";
    assert!(tab.evaluate::<bool>(sections).await, "every link of the navigation leads somewhere");
}

/// The button turns the page dark, but not what is printed of it.
async fn theme(tab: &Tab) {
    let name = "document.getElementById('theme').ariaLabel";
    assert_eq!(tab.evaluate::<String>(name).await, "Dark theme");
    tab.run("document.getElementById('theme').click()").await;
    assert_eq!(ground(tab).await, DARK, "the button turns the light page dark");
    assert_eq!(tab.evaluate::<String>(name).await, "Light theme");
    tab.media("print", &[]).await;
    assert_eq!(ground(tab).await, "rgb(255, 255, 255)", "paper is white");
    tab.media("screen", &[("prefers-color-scheme", "dark")]).await;
    tab.run("document.getElementById('theme').click()").await;
    assert_eq!(ground(tab).await, LIGHT, "the button beats the system");
}
