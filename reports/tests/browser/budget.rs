//! How much a page asks of a browser: nodes, whatever the run was like.

use crate::chrome::in_a_browser;
use crate::common::Shape;
use crate::opened::Opened;
use crate::pages::Made;

/// Elements that a report may have for each of its charts, data table and all.
const PER_CHART: usize = 600;

#[tokio::test]
async fn a_report_stays_within_its_nodes() {
    let made = Made::run(&Shape { seconds: 600, rate: 20.0, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        let (nodes, charts): (usize, usize) = tab
            .evaluate(
                "[document.querySelectorAll('*').length, document.querySelectorAll('figure.chart').length]",
            )
            .await;
        assert!(charts > 10, "{charts} charts");
        assert!(nodes < charts * PER_CHART, "{nodes} elements for {charts} charts");
        opened.was_silent();
    })
    .await;
}
