//! What the browser recomputes is held against what Rust computed: the whole run against the tables, a phase against the table by phase.

use serde::Deserialize;

use crate::chrome::{Tab, in_a_browser};
use crate::common::Shape;
use crate::opened::Opened;
use crate::pages::Made;

/// A cell that a window changes: its place in summary.json, and its plain value.
#[derive(Debug, Deserialize)]
struct Marked {
    place: String,
    unit: String,
    value: f64,
}

/// A row of the table by phase.
#[derive(Debug, Deserialize)]
struct InPhase {
    window: String,
    operation: String,
    times: [f64; 3],
}

async fn marked(tab: &Tab) -> Vec<Marked> {
    tab.evaluate(
        "[...document.querySelectorAll('td[data-m]')].map(({ dataset: { m, u, v } }) => ({ place: m, unit: u, value: Number(v) }))",
    )
    .await
}

/// Sets a window and waits for it; the figures change in one go, after their captions did.
async fn set(tab: &Tab, window: &str) {
    tab.run(&format!("location.hash = 'w={window}'")).await;
    let seconds: Vec<f64> = window.split('-').map(|part| part.parse().expect("seconds")).collect();
    let clock = |seconds: f64| format!("{}:{:02}", seconds as u64 / 60, seconds as u64 % 60);
    let words = format!("window {} to {};", clock(seconds[0]), clock(seconds[1]));
    tab.until(&format!("document.querySelector('#phases .windowed')?.textContent.includes('{words}')")).await;
}

#[tokio::test]
async fn a_window_of_the_whole_run_shows_the_figures_of_the_tables() {
    let made = Made::run(&Shape { seconds: 200, rate: 60.0, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        let (end, buckets): (f64, f64) = tab
            .evaluate("(({ end_s, sub_buckets }) => [end_s, sub_buckets])(JSON.parse(document.getElementById('run-data').textContent))")
            .await;
        let before = marked(&tab).await;
        assert!(before.len() > 50, "{} figures are marked", before.len());
        set(&tab, &format!("0-{end}")).await;
        for (whole, within) in before.iter().zip(marked(&tab).await) {
            let Marked { place, unit, value } = &whole;
            assert_eq!(*place, within.place);
            // A bucket is as wide as that; the three digits of the tables are finer.
            let off = if unit == "duration" { value * 2.0 / buckets + 1.0 } else { 0.0 };
            assert!((within.value - value).abs() <= off, "{place}: {}, not {value}", within.value);
        }
        tab.run("location.hash = ''").await;
        tab.until("!document.querySelector('.windowed')").await;
        for (whole, again) in before.iter().zip(marked(&tab).await) {
            assert_eq!(whole.value.to_bits(), again.value.to_bits(), "{} comes back", whole.place);
        }
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn a_window_of_a_phase_shows_the_figures_of_the_table_by_phase() {
    let made = Made::run(&Shape { seconds: 200, rate: 60.0, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        let rows: Vec<InPhase> = tab
            .evaluate(
                "[...document.querySelectorAll('#phases tbody tr:has(a[data-window])')].map(({ cells }) => ({
                    window: cells[1].querySelector('a').dataset.window,
                    operation: cells[0].textContent,
                    times: [4, 5, 6].map(column => Number(cells[column].dataset.v)),
                })).filter(({ times }) => times[0] >= 0)",
            )
            .await;
        let mut windows: Vec<&str> = rows.iter().map(|row| row.window.as_str()).collect();
        windows.dedup();
        windows.sort_unstable();
        windows.dedup();
        assert!(windows.len() >= 3, "{windows:?}");
        for window in windows {
            set(&tab, window).await;
            let shown = marked(&tab).await;
            for InPhase { operation, times, .. } in rows.iter().filter(|row| row.window == window) {
                for (name, expected) in ["p50", "p99", "max"].into_iter().zip(times) {
                    let place = format!("/operations/{operation}/response_time_us/{name}");
                    let cell = shown.iter().find(|cell| cell.place == place);
                    let value = cell.map(|cell| cell.value);
                    assert_eq!(value, Some(*expected), "{place} of {window}");
                }
            }
        }
        opened.was_silent();
    })
    .await;
}
