//! A window: set by pointer, keys, links and the address, it changes every figure that it should, to the right values.

use std::fs;

use crate::chrome::{Tab, in_a_browser};
use crate::known::{BINS, INHERITED, Known, SCATTERED};
use crate::opened::Opened;

/// What a cell shows of the window; `None` while it shows the whole run.
async fn inside(tab: &Tab, cell: &str) -> Option<String> {
    let nodes: Vec<String> = tab
        .evaluate(&format!("[...document.getElementById({cell:?}).childNodes].map(node => node.textContent)"))
        .await;
    (nodes.len() == 2).then(|| nodes[0].clone())
}

async fn outside(tab: &Tab, cell: &str) -> String {
    tab.evaluate(&format!(
        "document.getElementById({cell:?}).querySelector('.outside').lastChild.textContent"
    ))
    .await
}

/// Waits for a window, by how the address names it; `""` for the whole run.
async fn window(tab: &Tab, seconds: &str) {
    let condition = if seconds.is_empty() {
        "!document.querySelector('.windowed') && !location.hash.includes('w=')".to_owned()
    } else {
        let (from, to) = seconds.split_once('-').expect("from-to");
        let (from, to) = (clock(from), clock(to));
        format!(
            "location.hash.endsWith('w={seconds}') && document.querySelector('.windowed')?.textContent.includes('window {from} to {to};')"
        )
    };
    tab.until(&condition).await;
}

fn clock(seconds: &str) -> String {
    let seconds: u64 = seconds.parse().expect("whole seconds");
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[tokio::test]
async fn every_figure_of_a_window_is_what_its_samples_say() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &known.file).await;
        tab.run("location.hash = 'w=20-40'").await;
        window(&tab, "20-40").await;
        let expected = [
            ("count", "200", "601"),
            ("min", "3 µs", "2 µs"),
            ("mean", "4 µs", "1.67 ms"),
            ("p50", "3 µs", "7 µs"),
            ("p99", "~4 µs", "~9 µs"),
            ("p99_9", "~4 µs", "~1.00 s"),
            ("max", "4 µs", "1.00 s"),
            ("sent", "210", "735"),
            ("errors-status_500", "6", "21"),
            ("per_s", "10.0/s", "10.0/s"),
            ("error_share", "4.76 %", "4.76 %"),
            ("lost", "1.00 %", "1.00 %"),
            ("absent", "–", "–"),
            (INHERITED[0], "3 µs", "7 µs"),
            (INHERITED[1], "3 µs", "7 µs"),
        ];
        for (cell, within, without) in expected {
            assert_eq!(inside(&tab, cell).await.as_deref(), Some(within), "{cell}");
            assert_eq!(outside(&tab, cell).await, without, "{cell} outside");
        }
        // The sixth bin has 100 samples of 6 µs and one of a second: the largest is exact.
        tab.run("location.hash = 'w=50-60'").await;
        window(&tab, "50-60").await;
        assert_eq!(inside(&tab, "max").await.as_deref(), Some("1.00 s"));
        assert_eq!(inside(&tab, "p50").await.as_deref(), Some("6 µs"));
        assert_eq!(inside(&tab, "p99").await.as_deref(), Some("~6 µs"));
        // The last bin is half as long, and nothing was answered in it.
        tab.run("location.hash = 'w=90-95'").await;
        window(&tab, "90-95").await;
        assert_eq!(inside(&tab, "per_s").await.as_deref(), Some("10.0/s"));
        assert_eq!(inside(&tab, "max").await.as_deref(), Some("–"));
        assert_eq!(inside(&tab, "count").await.as_deref(), Some("0"));
        let value: String = tab.evaluate("document.getElementById('max').dataset.v").await;
        assert_eq!(value, "-1", "no samples sort below everything");
        // The first bin is not measured: there is nothing in it, and the page says so.
        assert!(!tab.text("#window output").await.contains("not measured"));
        tab.run("location.hash = 'w=0-20'").await;
        window(&tab, "0-20").await;
        assert_eq!(inside(&tab, "per_s").await.as_deref(), Some("10.0/s"));
        assert_eq!(inside(&tab, "max").await.as_deref(), Some("2 µs"));
        assert!(tab.text("#window output").await.ends_with("A part of it is not measured and in no figure."));
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn percentiles_of_any_window_are_within_a_bucket_of_those_of_three_digits() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &known.file).await;
        for bins in [0..BINS, 3..4, 2..9, 7..10] {
            let seconds = format!("{}-{}", bins.start * 10, (bins.end * 10).min(95));
            tab.run(&format!("location.hash = 'w={seconds}'")).await;
            window(&tab, &seconds).await;
            let samples = known.scattered(bins);
            for (name, exact) in [
                ("count", samples.len()),
                ("p50", samples.value_at_quantile(0.5)),
                ("p99", samples.value_at_quantile(0.99)),
                ("p99_9", samples.value_at_quantile(0.999)),
                ("max", samples.max()),
                ("mean", samples.mean() as u64),
            ] {
                let value: String =
                    tab.evaluate(&format!("document.getElementById('s-{name}').dataset.v")).await;
                let value: f64 = value.parse().expect("a number");
                // A bucket is a 64th to a 128th of its values wide; those of three digits add their own.
                let resolution = exact as f64 / 64.0 + 1.0;
                let least = if name == "count" { 0.0 } else { resolution };
                assert!(
                    (value - exact as f64).abs() <= least,
                    "{SCATTERED} {name} of {seconds}: {value}, not {exact}"
                );
            }
        }
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn a_window_is_set_by_pointer_keys_links_and_the_address_and_cleared_again() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        // A link that carries section and window.
        let opened = Opened::open_at(&tab, &known.file, "#known&w=30-50").await;
        tab.view("light", 1280, 900).await;
        window(&tab, "30-50").await;
        let caption = tab.text("#known caption").await;
        assert_eq!(caption, "Known figures · window 0:30 to 0:50; outside of it in small");
        let place = "document.getElementById('known').getBoundingClientRect()";
        tab.until(&format!("scrollY > 0 && {place}.top < innerHeight && {place}.bottom > 0")).await;
        assert!(tab.text("#said").await.starts_with("window 0:30 to 0:50."), "screen readers are told");

        // A link of the page; one to a section keeps the window; back does what it says.
        tab.run("document.getElementById('link').click()").await;
        window(&tab, "20-40").await;
        tab.run("document.getElementById('elsewhere').click()").await;
        tab.until("location.hash === '#known&w=20-40'").await;
        window(&tab, "20-40").await;
        tab.run("history.back()").await;
        tab.until("location.hash === '#w=20-40'").await;
        window(&tab, "20-40").await;

        // The pointer, from right to left; whole bins around it.
        let (from, to) = (tab.place("#level", 0.62, 0.5).await, tab.place("#level", 0.36, 0.5).await);
        tab.drag(from, to).await;
        window(&tab, "30-60").await;
        tab.until("document.querySelector('#level .brush') && document.querySelector('#strip .brush')").await;
        let (from, to) = (tab.place("#strip", 0.1, 0.5).await, tab.place("#strip", 0.1, 0.9).await);
        tab.drag(from, to).await;
        window(&tab, "30-60").await;
        // A drag is ended by Escape.
        tab.press("Escape", false).await;
        window(&tab, "").await;
        assert_eq!(tab.text("#known caption").await, "Known figures");
        assert_eq!(tab.text("#count").await, "all");
        assert!(
            tab.evaluate::<bool>(
                "document.getElementById('window').hidden && !document.querySelector('.brush')"
            )
            .await
        );

        // Keys: the cursor is where Shift begins to brush. The pointer is out of the way.
        tab.point((1.0, 1.0)).await;
        tab.until("!document.querySelector('.cursor')").await;
        tab.run("document.querySelector('#level .plot').focus()").await;
        tab.press("Home", false).await;
        tab.press("ArrowRight", false).await;
        tab.press("ArrowRight", false).await;
        tab.press("ArrowRight", true).await;
        window(&tab, "20-40").await;
        tab.press("ArrowLeft", true).await;
        tab.press("ArrowLeft", true).await;
        window(&tab, "10-30").await;
        tab.press("End", true).await;
        window(&tab, "20-95").await;
        tab.run("document.querySelector('#window button').click()").await;
        window(&tab, "").await;

        // What is no window is none.
        for nonsense in ["w=40-20", "w=500-600", "w=a-b", "w=-5-10"] {
            tab.run(&format!("location.hash = 'w=20-40'; location.hash = '{nonsense}'")).await;
            tab.until("!document.querySelector('.windowed') && document.getElementById('window').hidden")
                .await;
        }
        tab.run("location.hash = 'w=41-99999'").await;
        tab.until("document.querySelector('.windowed')?.textContent.includes('window 0:40 to 1:35')").await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn a_spectrum_draws_the_window_over_the_whole_run() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &known.file).await;
        tab.run("location.hash = 'w=20-40'").await;
        window(&tab, "20-40").await;
        tab.until("document.querySelector('#spectrum .inside')").await;
        let points: String =
            tab.evaluate("document.querySelector('#spectrum .inside').getAttribute('points')").await;
        let points: Vec<[f64; 2]> = points
            .split(' ')
            .map(|point| {
                point
                    .split(',')
                    .map(|part| part.parse().expect("a number"))
                    .collect::<Vec<_>>()
                    .try_into()
                    .expect("a pair")
            })
            .collect();
        // 100 samples of 3 µs and 100 of 4; from 1 to a million µs over 200 pixels, four nines over 400.
        let height = |us: f64| 210.0 - 200.0 * us.log(1e6);
        let near =
            |[x, y]: [f64; 2], (to_x, to_y): (f64, f64)| (x - to_x).abs() < 0.11 && (y - to_y).abs() < 0.11;
        assert!(near(points[0], (100.0, height(3.0))), "{points:?}");
        assert!(near(points[points.len() - 1], (100.0 + 100.0 * 200_f64.log10(), height(4.0))), "{points:?}");
        assert!(
            tab.evaluate::<bool>("document.querySelector('#spectrum polyline').classList.contains('whole')")
                .await
        );
        tab.run("location.hash = 'w=90-95'").await;
        tab.until("!document.querySelector('#spectrum .inside')").await;
        tab.run("location.hash = ''").await;
        tab.until("!document.querySelector('#spectrum .whole')").await;
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn data_that_cannot_be_read_is_said_and_changes_nothing() {
    let known = Known::write();
    let page = fs::read_to_string(&known.file).expect("readable");
    let (head, rest) = page.split_once("\"histograms\":\"").expect("the page has histograms");
    let rest = rest.split_once('"').expect("they end").1;
    fs::write(&known.file, format!("{head}\"histograms\":\"AwA=\"{rest}")).expect("writable");
    in_a_browser(|tab| async move {
        let _opened = Opened::open_at(&tab, &known.file, "#w=20-40").await;
        tab.until("document.querySelector('#window output')?.textContent.startsWith('The data of this page cannot be read')").await;
        assert_eq!(tab.text("#count").await, "all");
        assert_eq!(tab.text("#known caption").await, "Known figures");
    })
    .await;
}

#[tokio::test]
async fn a_heat_map_draws_the_cells_of_the_window_anew() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &known.file).await;
        tab.run("location.hash = 'w=20-40'").await;
        tab.until("document.querySelector('#heat .heat.inside')").await;
        let paths: Vec<String> = tab
            .evaluate("[...document.querySelectorAll('#heat .heat.inside path')].map(path => path.getAttribute('d'))")
            .await;
        // Two cells, of a hundred samples each: as dense as any, so they are in each of the five levels. 3 µs are in the sixth of twelve
        // rows of the decade, 4 µs in the eighth; 95 seconds are 400 pixels wide, six decades 200 high.
        let cell = |from: f64, row: f64| {
            let x = |seconds: f64| 100.0 + 400.0 * seconds / 95.0;
            format!("M{:.1} {:.1}H{:.1}", x(from), 210.0 - 200.0 * (row + 0.5) / 72.0, x(from + 10.0))
        };
        assert_eq!(paths, vec![format!("{}{}", cell(20.0, 5.0), cell(30.0, 7.0)); 5]);
        assert!(tab.evaluate::<bool>("document.querySelector('#heat g.heat').classList.contains('whole')").await);
        tab.run("location.hash = ''").await;
        tab.until("!document.querySelector('#heat .inside, #heat .whole')").await;
        opened.was_silent();
    })
    .await;
}
