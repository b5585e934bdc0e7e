//! The pages in a real browser: they run clean, load nothing, and fit a phone, in light and in dark.
//!
//! Needs Chromium, from `CHROMIUM` or the `PATH`. Without one the test fails where `CI` is set and says that it
//! skips elsewhere. `REPORT_SHOTS=DIR` keeps a picture of each view.
#![allow(clippy::print_stderr, reason = "a test says why it skips")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
};
use chromiumoxide::cdp::browser_protocol::log::{EnableParams as LogEnable, EventEntryAdded};
use chromiumoxide::cdp::browser_protocol::network::EventRequestWillBeSent;
use chromiumoxide::cdp::js_protocol::runtime::{EventConsoleApiCalled, EventExceptionThrown};
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{Page, cdp::IntoEventKind};
use futures_util::StreamExt;

use common::Shape;

const FLAGS: [&str; 8] = [
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "hide-scrollbars",
];

fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name))).find(|file| file.is_file())
}

#[tokio::test]
async fn the_report_works_in_a_browser() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    common::write(dir.path(), &Shape { seconds: 120, ..Shape::default() });
    let report = reports::write_report(dir.path()).expect("renders");
    in_a_browser(|page| async move {
        let opened = Opened::open(&page, &report).await;
        views(&page, "report").await;
        structure(&page).await;
        let charts: u32 = evaluate(&page, "document.querySelectorAll('figure.chart').length").await;
        assert!(charts > 20, "{charts} charts");
        let aligned = "new Set([...document.querySelectorAll('.stack .chart')].map(f => f.dataset.plot.split(' ').filter((_, i) => i % 2 === 0).join()\
                       + f.querySelector('.plot svg').getBoundingClientRect().width)).size";
        assert_eq!(
            evaluate::<u32>(&page, aligned).await,
            1,
            "the server lane shares its time axis by the pixel"
        );
        crosshair(&page).await;
        sorting(&page, "#phases table").await;
        copying(&page, "#phases table").await;
        theme(&page).await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn the_page_of_a_capacity_search_works_in_a_browser() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let found = common::capacity();
    reports::capacity::write(dir.path(), &found).expect("renders");
    let file = dir.path().join(reports::capacity::PAGE);
    in_a_browser(|page| async move {
        let opened = Opened::open(&page, &file).await;
        views(&page, "capacity").await;
        structure(&page).await;
        let shaded = "document.querySelectorAll('.plot svg .i-weak').length";
        assert_eq!(evaluate::<u32>(&page, shaded).await, 4, "the knee's interval is shown in every chart");
        let links = "document.querySelectorAll('#steps tbody th a').length";
        assert_eq!(
            evaluate::<usize>(&page, links).await,
            found.steps.len(),
            "every run's report is in reach"
        );
        sorting(&page, "#steps table").await;
        theme(&page).await;
        opened.was_silent();
    })
    .await;
}

/// Makes the checks with a page of a browser that ends with them. Without a browser it says that it skips.
async fn in_a_browser<F: Future<Output = ()> + Send + 'static>(checks: impl FnOnce(Page) -> F) {
    let Some(chromium) = chromium() else {
        assert!(std::env::var_os("CI").is_none(), "no Chromium: install it or set CHROMIUM to its path");
        eprintln!("skipped: no Chromium on the PATH and CHROMIUM is not set");
        return;
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = BrowserConfig::builder()
        .chrome_executable(chromium)
        .user_data_dir(dir.path().join("profile"))
        .disable_default_args()
        .args(FLAGS)
        .launch_timeout(Duration::from_secs(60))
        .build()
        .expect("a complete configuration");
    let (mut browser, mut handler) = Browser::launch(config).await.expect("Chromium starts");
    let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
    // The checks run in a task of their own, so that the browser is ended when one of them fails.
    let page = browser.new_page("about:blank").await.expect("a page");
    let outcome = tokio::spawn(checks(page)).await;
    browser.close().await.expect("the browser closes");
    browser.wait().await.expect("the browser's process ended");
    events.abort();
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// Collects what a page reports of one kind of event.
async fn listen<T: IntoEventKind + Unpin + Send + Sync + 'static>(
    page: &Page,
    seen: &Arc<Mutex<Vec<String>>>,
    show: impl Fn(&T) -> Option<String> + Send + 'static,
) {
    let mut events = page.event_listener::<T>().await.expect("listens");
    let seen = Arc::clone(seen);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Some(text) = show(&event) {
                seen.lock().expect("no listener panicked").push(text);
            }
        }
    });
}

/// A file that was opened, and what the browser had to say about it.
struct Opened {
    address: String,
    complaints: Arc<Mutex<Vec<String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Opened {
    async fn open(page: &Page, file: &Path) -> Self {
        let address = format!("file://{}", file.display());
        let opened = Self { address, complaints: Arc::default(), requests: Arc::default() };
        page.execute(LogEnable::default()).await.expect("the log is available");
        let Self { complaints, requests, .. } = &opened;
        listen(page, complaints, |event: &EventExceptionThrown| Some(format!("{event:?}"))).await;
        listen(page, complaints, |event: &EventConsoleApiCalled| Some(format!("{event:?}"))).await;
        listen(page, complaints, |event: &EventEntryAdded| Some(format!("{event:?}"))).await;
        listen(page, requests, |event: &EventRequestWillBeSent| Some(event.request.url.clone())).await;
        page.goto(opened.address.as_str()).await.expect("opens");
        opened
    }

    /// Nothing on the console, and no request but for the file itself.
    fn was_silent(&self) {
        let complaints = self.complaints.lock().expect("no listener panicked");
        assert!(complaints.is_empty(), "the console is not silent: {complaints:?}");
        let requests = self.requests.lock().expect("no listener panicked");
        assert!(requests.contains(&self.address), "the requests are listened to: {requests:?}");
        let foreign: Vec<_> =
            requests.iter().filter(|url| **url != self.address && !url.starts_with("data:")).collect();
        assert!(foreign.is_empty(), "requests leave the page: {foreign:?}");
    }
}

/// It fits a desk and a phone, in light and in dark; leaves it light and wide.
async fn views(page: &Page, name: &str) {
    for scheme in ["light", "dark"] {
        for (width, height) in [(1280, 900), (360, 740)] {
            view(page, scheme, width, height).await;
            // Not `innerWidth`: a phone zooms out to show what is too wide.
            let needed: i64 = evaluate(page, "document.documentElement.scrollWidth").await;
            assert!(needed <= width, "the {scheme} page needs {needed} px of {width}");
            keep_picture(page, &format!("{name}-{scheme}-{width}")).await;
        }
        let ground: String = evaluate(page, "getComputedStyle(document.body).backgroundColor").await;
        let expected = if scheme == "light" { "rgb(246, 247, 248)" } else { "rgb(19, 22, 26)" };
        assert_eq!(ground, expected, "{scheme}");
        let stroke = "getComputedStyle(document.querySelector('.plot polyline.i-s0')).stroke";
        let stroke: String = evaluate(page, stroke).await;
        let expected = if scheme == "light" { "rgb(0, 79, 140)" } else { "rgb(142, 205, 245)" };
        assert_eq!(stroke, expected, "lines follow the {scheme} theme");
    }
    view(page, "light", 1280, 900).await;
}

async fn evaluate<T: serde::de::DeserializeOwned>(page: &Page, expression: &str) -> T {
    page.evaluate(expression).await.expect("evaluates").into_value().expect("has the expected type")
}

async fn view(page: &Page, scheme: &str, width: i64, height: i64) {
    let media = MediaFeature::new("prefers-color-scheme", scheme);
    page.execute(SetEmulatedMediaParams::builder().features([media]).build()).await.expect("emulates");
    let metrics = SetDeviceMetricsOverrideParams::new(width, height, 1.0, width < 500);
    page.execute(metrics).await.expect("emulates");
}

async fn keep_picture(page: &Page, name: &str) {
    let Some(dir) = std::env::var_os("REPORT_SHOTS") else { return };
    let path = PathBuf::from(dir).join(format!("{name}.png"));
    let whole = ScreenshotParams::builder().full_page(true).build();
    page.save_screenshot(whole, path).await.expect("the directory is writable");
}

async fn structure(page: &Page) {
    let incomplete = "[...document.querySelectorAll('figure.chart')].filter(figure => !(\
                      figure.querySelector('.plot svg > title').textContent && \
                      figure.querySelector('.plot svg > desc').textContent && \
                      figure.querySelector('.plot svg').querySelector('polyline, circle') && \
                      figure.querySelector('details table tbody tr'))).length";
    assert_eq!(
        evaluate::<u32>(page, incomplete).await,
        0,
        "each chart has title, description, data and table"
    );
    // Black is what the style sheet has forgotten.
    let uncoloured = "[...document.querySelectorAll('.plot .fill')].filter(shape => getComputedStyle(shape).fill === 'rgb(0, 0, 0)').length";
    assert_eq!(evaluate::<u32>(page, uncoloured).await, 0, "everything filled has a colour of the theme");
    let ids = "[...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size";
    assert_eq!(evaluate::<i32>(page, ids).await, 0, "ids are unique");
    let sections = "[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))";
    assert!(evaluate::<bool>(page, sections).await, "every link of the navigation leads somewhere");
}

async fn crosshair(page: &Page) {
    let point = "(() => {
        const svg = document.querySelector('#rate-0 .plot svg');
        svg.scrollIntoView();
        const box = svg.getBoundingClientRect();
        svg.parentElement.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + box.width / 2, clientY: box.top + 50, bubbles: true }));
        return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelectorAll('.cursor').length))));
    })()";
    let cursors: u32 = evaluate(page, point).await;
    let timed: u32 = evaluate(page, "document.querySelectorAll('figure.chart:has(> script)').length").await;
    assert_eq!(cursors, timed, "every chart over time has the crosshair");
    let value: String = evaluate(page, "document.querySelector('#rate-0 .value').textContent").await;
    assert!(value.ends_with("/s"), "{value}");
}

/// The first table of these can be sorted by its second column.
async fn sorting(page: &Page, tables: &str) {
    let table = format!("document.querySelectorAll('{tables}')[0]");
    let click = format!("{table}.tHead.rows[0].cells[1].querySelector('button').click()");
    page.evaluate(click).await.expect("clicks");
    let column = format!("[...{table}.tBodies[0].rows].map(row => Number(row.cells[1].dataset.v))");
    let values: Vec<f64> = evaluate(page, &column).await;
    assert!(values.len() > 2 && values.is_sorted(), "{values:?}");
    let state: String = evaluate(page, &format!("{table}.tHead.rows[0].cells[1].ariaSort")).await;
    assert_eq!(state, "ascending");
}

/// What a table gives to a spreadsheet is words and numbers, and no formula.
async fn copying(page: &Page, tables: &str) {
    let copied = format!(
        "(async () => {{
            let copied = null;
            Object.defineProperty(navigator, 'clipboard', {{ value: {{ writeText: async text => {{ copied = text; }} }} }});
            const table = document.querySelectorAll('{tables}')[0];
            const [row] = table.tBodies[0].rows;
            delete row.cells[0].dataset.v;
            row.cells[0].textContent = '=HYPERLINK(\"http://x\")';
            row.cells[1].textContent = '-1.5';
            row.cells[1].dataset.v = -1.5;
            table.closest('.scroll').nextElementSibling.click();
            await new Promise(done => setTimeout(done, 0));
            return copied.split('\\r\\n')[1];
        }})()"
    );
    let row: String = evaluate(page, &copied).await;
    assert!(row.starts_with("\"'=HYPERLINK(\"\"http://x\"\")\",\"-1.5\","), "{row}");
}

async fn theme(page: &Page) {
    page.evaluate("document.getElementById('theme').click()").await.expect("clicks");
    let ground: String = evaluate(page, "getComputedStyle(document.body).backgroundColor").await;
    assert_eq!(ground, "rgb(19, 22, 26)", "the button turns the light page dark");
}
