//! A file that was opened, and what the browser had to say about it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use chromiumoxide::cdp::IntoEventKind;
use chromiumoxide::cdp::browser_protocol::log::{EnableParams as LogEnable, EventEntryAdded};
use chromiumoxide::cdp::browser_protocol::network::EventRequestWillBeSent;
use chromiumoxide::cdp::js_protocol::runtime::{EventConsoleApiCalled, EventExceptionThrown};
use futures_util::StreamExt;

use crate::chrome::Tab;

pub(crate) struct Opened {
    address: String,
    complaints: Arc<Mutex<Vec<String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Opened {
    pub(crate) async fn open(tab: &Tab, file: &Path) -> Self {
        Self::open_at(tab, file, "").await
    }

    /// Opens it at a fragment, as a link does.
    pub(crate) async fn open_at(tab: &Tab, file: &Path, fragment: &str) -> Self {
        let address = format!("file://{}", file.display());
        let opened = Self { address, complaints: Arc::default(), requests: Arc::default() };
        tab.0.execute(LogEnable::default()).await.expect("the log is available");
        let Self { complaints, requests, .. } = &opened;
        listen(tab, complaints, |event: &EventExceptionThrown| Some(format!("{event:?}"))).await;
        listen(tab, complaints, |event: &EventConsoleApiCalled| Some(format!("{event:?}"))).await;
        listen(tab, complaints, |event: &EventEntryAdded| Some(format!("{event:?}"))).await;
        listen(tab, requests, |event: &EventRequestWillBeSent| Some(event.request.url.clone())).await;
        tab.0.goto(format!("{}{fragment}", opened.address)).await.expect("opens");
        opened
    }

    /// What the console holds: exceptions, messages, refusals of the content policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("no listener panicked").clone()
    }

    /// Nothing on the console, and no request but for the file itself.
    pub(crate) fn was_silent(&self) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "the console is not silent: {complaints:?}");
        let requests = self.requests.lock().expect("no listener panicked");
        assert!(requests.contains(&self.address), "the requests are listened to: {requests:?}");
        let foreign: Vec<_> =
            requests.iter().filter(|url| **url != self.address && !url.starts_with("data:")).collect();
        assert!(foreign.is_empty(), "requests leave the page: {foreign:?}");
    }
}

/// Collects what a page reports of one kind of event.
async fn listen<T: IntoEventKind + Unpin + Send + Sync + 'static>(
    tab: &Tab,
    seen: &Arc<Mutex<Vec<String>>>,
    show: impl Fn(&T) -> Option<String> + Send + 'static,
) {
    let mut events = tab.0.event_listener::<T>().await.expect("listens");
    let seen = Arc::clone(seen);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Some(text) = show(&event) {
                seen.lock().expect("no listener panicked").push(text);
            }
        }
    });
}
