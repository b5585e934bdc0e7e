//! Tables: sorted three ways, and copied for a spreadsheet.

use crate::chrome::{Tab, in_a_browser};
use crate::common::Shape;
use crate::known::Known;
use crate::opened::Opened;
use crate::pages::Made;

async fn column(tab: &Tab) -> Vec<f64> {
    tab.evaluate(
        "[...document.querySelector('#steps tbody').rows].map(row => Number(row.cells[1].dataset.v))",
    )
    .await
}

#[tokio::test]
async fn a_column_sorts_up_down_and_not_at_all() {
    let made = Made::capacity();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        let original = column(&tab).await;
        assert!(original.len() > 2 && !original.is_sorted(), "{original:?}");
        let head = "document.querySelector('#steps thead tr').cells[1]";
        let states = "[...document.querySelectorAll('#steps thead th')].filter(head => head.ariaSort !== 'none').map(head => head.ariaSort)";
        tab.run(&format!("{head}.querySelector('button').focus()")).await;
        tab.press("Enter", false).await;
        tab.until(&format!("{head}.ariaSort === 'ascending'")).await;
        assert!(column(&tab).await.is_sorted());
        assert!(tab.text("#said").await.ends_with(", ascending"));
        tab.press("Enter", false).await;
        tab.until(&format!("{head}.ariaSort === 'descending'")).await;
        assert!(column(&tab).await.is_sorted_by(|a, b| a >= b));
        tab.press("Enter", false).await;
        tab.until(&format!("{head}.ariaSort === 'none'")).await;
        assert_eq!(column(&tab).await, original);
        // Only one column is the sorted one.
        tab.run(&format!("{head}.querySelector('button').click(); {head}.nextElementSibling.querySelector('button').click()")).await;
        assert_eq!(tab.evaluate::<Vec<String>>(states).await, ["ascending"]);
        opened.was_silent();
    })
    .await;
}

/// What a table gives to a spreadsheet is numbers with their unit in the header, and words that are no formula.
#[tokio::test]
async fn a_copy_holds_values_and_no_formula() {
    let known = Known::write();
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &known.file).await;
        let copied: String = tab
            .evaluate(
                "(async () => {
                    let copied = null;
                    Object.defineProperty(navigator, 'clipboard', { value: { writeText: async text => { copied = text; } } });
                    const rows = document.querySelector('#known tbody').rows;
                    const fill = (row, name, text, value) => {
                        row.cells[0].textContent = name;
                        row.cells[1].textContent = text;
                        if (value === undefined) delete row.cells[1].dataset.v; else row.cells[1].dataset.v = value;
                    };
                    fill(rows[0], '=HYPERLINK(\"http://x\")', '-1.49 ms', '-1490');
                    fill(rows[1], '  \\u001b[31m@SUM(1)\\r\\n', '~8.79 ms', '8790.5');
                    fill(rows[2], '\\tplain, \\u202etext', '12');
                    fill(rows[3], '-1', '–', '-1');
                    fill(rows[4], 'x', '+1-1');
                    document.querySelector('#known .copy').click();
                    await new Promise(requestAnimationFrame);
                    return copied;
                })()",
            )
            .await;
        let lines: Vec<&str> = copied.split("\r\n").collect();
        let expected = [
            "\"figure\",\"value (ms)\",\"weak\"",
            "\"'=HYPERLINK(\"\"http://x\"\")\",-1.49,\"\"",
            "\"[31m@SUM(1)\",8.7905,\"value\"",
            "\"plain,  text\",12,\"\"",
            "-1,,\"\"",
            "\"x\",\"'+1-1\",\"\"",
        ];
        assert_eq!(lines[..6], expected);
        assert_eq!(tab.text("#known .copied").await, "Copied");
        let name: String = tab.evaluate("document.querySelector('#known .copy').ariaLabel").await;
        assert_eq!(name, "Copy as CSV: Known figures");
        opened.was_silent();
    })
    .await;
}

#[tokio::test]
async fn every_button_of_a_page_has_a_name_of_its_own() {
    let made = Made::run(&Shape { seconds: 30, rate: 40.0, ..Shape::default() });
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        // Data tables that are folded away have none until somebody looks at them.
        assert_eq!(tab.evaluate::<u32>("document.querySelectorAll('.chart details button').length").await, 0);
        tab.run("document.querySelectorAll('details').forEach(details => { details.open = true; })").await;
        tab.until("document.querySelectorAll('.chart details .copy').length === document.querySelectorAll('.chart details table').length").await;
        let alike: Vec<String> = tab
            .evaluate(
                "(names => [...new Set(names.filter((name, index) => names.indexOf(name) !== index))])\
                 ([...document.querySelectorAll('button:not(th button)')].map(button => button.ariaLabel ?? button.textContent))",
            )
            .await;
        assert_eq!(alike, [""; 0], "buttons of one name");
        opened.was_silent();
    })
    .await;
}
