//! The content policy: what somebody gets into a page stays dead, and the page itself breaks no rule of it.

use std::fs;

use crate::chrome::in_a_browser;
use crate::common::Shape;
use crate::opened::Opened;
use crate::pages::Made;

/// Ways to run or to style something, as if a name had not been escaped.
const INJECTED: &str = "<div id=injected>\
    <script>window.ran = 'script'</script>\
    <script nonce='' type=module>window.ran = 'module'</script>\
    <script src=\"data:text/javascript,window.ran='address'\"></script>\
    <img src=x onerror=\"window.ran = 'handler'\">\
    <svg onload=\"window.ran = 'svg'\"></svg>\
    <details open ontoggle=\"window.ran = 'toggle'\"></details>\
    <iframe srcdoc=\"<script>parent.ran = 'frame'</script>\"></iframe>\
    <a id=link href=\"javascript:void(window.ran = 'link')\">link</a>\
    <button id=press onclick=\"window.ran = 'click'\">press</button>\
    <style>#injected { color: rgb(1, 2, 3) }</style>\
    <b id=styled style=\"color: rgb(4, 5, 6)\">styled</b>\
    <form action=\"https://example.test/\"><button id=send>send</button></form>\
    <object data=\"data:text/html,<script>parent.ran='object'</script>\"></object>\
    <base href=\"https://example.test/\"></div>";

#[tokio::test]
async fn what_is_injected_neither_runs_nor_styles_nor_loads() {
    let made = Made::run(&Shape { seconds: 20, rate: 40.0, ..Shape::default() });
    let page = fs::read_to_string(&made.file).expect("readable");
    // In the middle of a section, before the page's own script.
    let spoiled = page.replacen("</h1>", &format!("</h1>{INJECTED}"), 1);
    assert_ne!(spoiled, page);
    fs::write(&made.file, spoiled).expect("writable");
    in_a_browser(|tab| async move {
        let opened = Opened::open(&tab, &made.file).await;
        tab.run("document.getElementById('press').click(); document.getElementById('link').click(); document.getElementById('send').click()")
            .await;
        // Two frames later everything that could run has run.
        tab.evaluate::<bool>("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))").await;
        let ran: String = tab.evaluate("String(window.ran)").await;
        assert_eq!(ran, "undefined", "something ran");
        let colours = "['injected', 'styled'].map(id => getComputedStyle(document.getElementById(id)).color)";
        for colour in tab.evaluate::<Vec<String>>(colours).await {
            assert!(!["rgb(1, 2, 3)", "rgb(4, 5, 6)"].contains(&colour.as_str()), "{colour}");
        }
        let base: String = tab.evaluate("document.baseURI").await;
        assert!(base.starts_with("file:"), "{base}");
        // That the browser refused is how we know that there was something to refuse.
        let refused = opened.complaints().iter().filter(|text| text.contains("Content Security Policy")).count();
        assert!(refused >= 10, "{refused} refusals: {:?}", opened.complaints());
        // The page's own script works all the same.
        assert!(tab.evaluate::<bool>("document.documentElement.classList.contains('js')").await);
    })
    .await;
}

#[test]
fn the_policy_allows_nothing_but_what_is_hashed() {
    for made in [
        Made::run(&Shape { seconds: 20, rate: 40.0, ..Shape::default() }),
        Made::capacity(),
        Made::comparison(),
        Made::history(),
    ] {
        let page = fs::read_to_string(&made.file).expect("readable");
        let policy = page.split("Content-Security-Policy\" content=\"").nth(1).expect("a policy");
        let policy = policy.split('"').next().expect("an end");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        for weakness in ["unsafe", "http", "*", "blob:", "'self'", "strict-dynamic"] {
            assert!(!policy.contains(weakness), "{weakness} in {policy}");
        }
        for attribute in [" style=\"", " onclick=\"", " onload=\"", "javascript:"] {
            assert!(!page.contains(attribute), "{attribute} in {}", made.file.display());
        }
    }
}
