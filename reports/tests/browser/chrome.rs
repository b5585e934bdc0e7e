//! Chromium, driven as a person drives it: by pointer, keys and media.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chromiumoxide::Page;
use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
};
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, DispatchMouseEventParams, DispatchMouseEventType,
    MouseButton,
};
use chromiumoxide::page::ScreenshotParams;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

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

/// The modifier bit of Shift in key events.
const SHIFT: i64 = 8;

/// How long something that a page does may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name))).find(|file| file.is_file())
}

/// Makes the checks with a page of a browser that ends with them. Without a browser it says that it skips.
pub(crate) async fn in_a_browser<F: Future<Output = ()> + Send + 'static>(
    checks: impl FnOnce(Tab) -> F + Send + 'static,
) {
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
        .launch_timeout(PATIENCE)
        .request_timeout(PATIENCE)
        .build()
        .expect("a complete configuration");
    let (mut browser, mut handler) = Browser::launch(config).await.expect("Chromium starts");
    let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
    // The checks run in a task of their own, so that the browser is ended when one of them fails.
    let page = browser.new_page("about:blank").await.expect("a page");
    let outcome = tokio::spawn(checks(Tab(page))).await;
    browser.close().await.expect("the browser closes");
    browser.wait().await.expect("the browser's process ended");
    events.abort();
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// A tab of the browser.
pub(crate) struct Tab(pub(crate) Page);

impl Tab {
    /// The value of an expression, or of what its promise comes to.
    pub(crate) async fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> T {
        let value = self.0.evaluate(expression).await;
        let value = value.unwrap_or_else(|error| panic!("{expression}: {error}"));
        value.into_value().unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Does something whose value does not matter.
    pub(crate) async fn run(&self, statements: &str) {
        let done: bool = self.evaluate(&format!("(() => {{ {statements}; return true; }})()")).await;
        assert!(done);
    }

    /// Waits until a condition holds, looking once a frame.
    pub(crate) async fn until(&self, condition: &str) {
        let wait = format!(
            "new Promise(done => {{ const look = () => ({condition}) ? done(true) : requestAnimationFrame(look); look(); }})"
        );
        let held = tokio::time::timeout(PATIENCE, self.evaluate::<bool>(&wait)).await;
        assert!(held.is_ok(), "never came true: {condition}");
    }

    /// The text of the first element that a selector finds.
    pub(crate) async fn text(&self, selector: &str) -> String {
        self.evaluate(&format!("document.querySelector({selector:?}).textContent")).await
    }

    /// A size of the screen and a colour scheme.
    pub(crate) async fn view(&self, scheme: &str, width: i64, height: i64) {
        self.media("screen", &[("prefers-color-scheme", scheme)]).await;
        let metrics = SetDeviceMetricsOverrideParams::new(width, height, 1.0, width < 500);
        self.0.execute(metrics).await.expect("emulates");
    }

    /// A medium, `screen` or `print`, with what its user prefers.
    pub(crate) async fn media(&self, medium: &str, features: &[(&str, &str)]) {
        let features = features.iter().map(|(name, value)| MediaFeature::new(*name, *value));
        let media = SetEmulatedMediaParams::builder().media(medium).features(features).build();
        self.0.execute(media).await.expect("emulates");
    }

    /// Presses a key, with Shift or without.
    pub(crate) async fn press(&self, key: &str, shift: bool) {
        for kind in [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp] {
            let event = DispatchKeyEventParams::builder().r#type(kind).key(key).code(key);
            // What a key writes is what presses a button.
            let event = if key == "Enter" { event.text("\r") } else { event };
            let event = event.windows_virtual_key_code(code(key)).modifiers(if shift { SHIFT } else { 0 });
            self.0.execute(event.build().expect("complete")).await.expect("the key is pressed");
        }
    }

    /// Moves the pointer to a place of the screen.
    pub(crate) async fn point(&self, (x, y): (f64, f64)) {
        self.mouse(DispatchMouseEventType::MouseMoved, (x, y), false).await;
    }

    /// Presses at one place and lets go at another.
    pub(crate) async fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        self.point(from).await;
        self.mouse(DispatchMouseEventType::MousePressed, from, true).await;
        let half = f64::midpoint(from.0, to.0);
        self.mouse(DispatchMouseEventType::MouseMoved, (half, to.1), true).await;
        self.mouse(DispatchMouseEventType::MouseMoved, to, true).await;
        self.mouse(DispatchMouseEventType::MouseReleased, to, true).await;
    }

    async fn mouse(&self, kind: DispatchMouseEventType, (x, y): (f64, f64), pressed: bool) {
        let button = if pressed { MouseButton::Left } else { MouseButton::None };
        let event = DispatchMouseEventParams::builder().r#type(kind).x(x).y(y).button(button);
        let event = event.buttons(i64::from(pressed)).click_count(i64::from(pressed));
        self.0.execute(event.build().expect("complete")).await.expect("the pointer moves");
    }

    /// Where a part of the plot area of a chart is on the screen: shares of its width and height. Scrolls it into view.
    pub(crate) async fn place(&self, figure: &str, across: f64, down: f64) -> (f64, f64) {
        let place: [f64; 2] = self
            .evaluate(&format!(
                "(() => {{
                    const figure = document.querySelector({figure:?});
                    figure.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                    const [left, top, right, bottom] = figure.dataset.plot.split(' ').map(Number);
                    const svg = figure.querySelector('.plot svg');
                    const box = svg.getBoundingClientRect();
                    const {{ width, height }} = svg.viewBox.baseVal;
                    return [box.left + (left + (right - left) * {across}) * box.width / width, box.top + (top + (bottom - top) * {down}) * box.height / height];
                }})()"
            ))
            .await;
        place.into()
    }

    /// A picture of the whole page, where `REPORT_SHOTS` asks for it.
    pub(crate) async fn keep_picture(&self, name: &str) {
        let Some(dir) = std::env::var_os("REPORT_SHOTS") else { return };
        let path = Path::new(&dir).join(format!("{name}.png"));
        let whole = ScreenshotParams::builder().full_page(true).build();
        self.0.save_screenshot(whole, path).await.expect("the directory is writable");
    }
}

/// The Windows code of a key, which Chromium acts by.
fn code(key: &str) -> i64 {
    match key {
        "Enter" => 13,
        "Escape" => 27,
        "PageUp" => 33,
        "PageDown" => 34,
        "End" => 35,
        "Home" => 36,
        "ArrowLeft" => 37,
        "ArrowUp" => 38,
        "ArrowRight" => 39,
        "ArrowDown" => 40,
        other => panic!("the code of {other} is not known here"),
    }
}
