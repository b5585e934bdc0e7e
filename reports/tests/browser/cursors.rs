//! The cursor that all charts over time share: where it is, what it says, and how much a move of it costs.

use crate::chrome::{Tab, in_a_browser};
use crate::common::Shape;
use crate::known::Known;
use crate::opened::Opened;
use crate::pages::Made;

async fn spoken(tab: &Tab) -> String {
    tab.evaluate("document.activeElement.getAttribute('aria-valuetext')").await
}

#[tokio::test]
async fn keys_move_the_cursor_and_say_what_is_there() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &known.file).await;
        tab.view("light", 1280, 900).await;
        tab.run("document.querySelector('#level .plot').focus()").await;
        for (key, says) in [
            ("ArrowRight", "0:00, level 0"),
            ("ArrowUp", "0:10, level 1"),
            ("ArrowRight", "0:20, level 2"),
            ("ArrowLeft", "0:10, level 1"),
            ("ArrowDown", "0:00, level 0"),
            ("ArrowLeft", "0:00, level 0"),
            ("End", "1:30, level 9"),
            ("PageDown", "0:00, level 0"),
            ("PageUp", "1:30, level 9"),
            ("Home", "0:00, level 0"),
        ] {
            tab.press(key, false).await;
            assert_eq!(spoken(&tab).await, says, "{key}");
        }
        let role = "(box => [box.role, box.ariaLabel, box.ariaValueMin, box.ariaValueMax, box.ariaValueNow].join())(document.activeElement)";
        assert_eq!(tab.evaluate::<String>(role).await, "slider,Time cursor of level,0,95,5");
        tab.until("document.querySelector('#level .value').textContent === '0'").await;
        tab.press("Escape", false).await;
        assert_eq!(tab.text("#level .value").await, "");
        assert!(tab.evaluate::<bool>("document.querySelector('.cursor') === null").await);
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn a_move_touches_the_charts_in_view_and_reads_the_layout_once() {
    let made = Made::run(&Shape { seconds: 120, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        tab.view("light", 1280, 900).await;
        let charts: usize = tab.evaluate("document.querySelectorAll('figure.chart:has(> script)').length").await;
        assert!(charts > 10, "{charts} charts");
        let chart = "#server-client";
        let over = tab.place(chart, 0.5, 0.5).await;
        tab.point(over).await;
        tab.until(&format!("document.querySelector('{chart} .cursor')")).await;
        // What is drawn, and what is in view, settles before work is counted.
        let in_view = "[...document.querySelectorAll('figure[data-plot]:is([data-time], :has(> script))')].filter(figure => {
            const { top, bottom } = figure.getBoundingClientRect(); return bottom > 0 && top < innerHeight; })";
        tab.until(&format!("{in_view}.every(figure => figure.querySelector('.cursor'))")).await;
        tab.run(
            "window.work = { targets: new Set(), reads: 0 };
             const read = Element.prototype.getBoundingClientRect;
             Element.prototype.getBoundingClientRect = function () { window.work.reads += 1; return read.call(this); };
             new MutationObserver(records => records.forEach(({ target }) => window.work.targets.add(target)))
                 .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });",
        )
        .await;
        let further = tab.place(chart, 0.75, 0.5).await;
        tab.point(further).await;
        tab.until("window.work.targets.size > 0").await;
        let (nodes, figures, reads): (usize, usize, usize) =
            tab.evaluate("[work.targets.size, new Set([...work.targets].map(node => node.closest('figure'))).size, work.reads]").await;
        // One of the reads is `place`'s own.
        assert!(reads <= 2, "{reads} reads of the layout for one move");
        let visible: usize = tab.evaluate(&format!("{in_view}.length")).await;
        assert!((1..=visible).contains(&figures), "{figures} charts were touched, {visible} are in view");
        let parts: usize = tab.evaluate(&format!("{in_view}.reduce((sum, figure) => sum + 2 + figure.querySelectorAll('.value').length, 0)")).await;
        assert!(nodes <= parts, "{nodes} nodes were touched, {parts} at most may be");
        assert!(visible < charts / 2, "{visible} of {charts} charts are in view");

        // One that was out of view has the cursor when it comes into view. The pointer would take it along.
        tab.point((1.0, 1.0)).await;
        tab.until("!document.querySelector('.cursor')").await;
        tab.run(&format!("document.querySelector('{chart} .plot').focus()")).await;
        tab.press("End", false).await;
        tab.until(&format!("document.querySelector('{chart} .cursor')")).await;
        tab.run("document.querySelector('#rate-0').scrollIntoView({ block: 'center', behavior: 'instant' })").await;
        tab.until("document.querySelector('#rate-0 .cursor') && document.querySelector('#rate-0 .value').textContent.endsWith('/s')").await;
        opened.was_silent();
    })
    .await;
}
