//! The pages in a real browser: they run clean, load nothing, fit a phone, and every interaction does what it says.
//!
//! Needs Chromium, from `CHROMIUM` or the `PATH`, and axe-core, by `bash ci/install.sh`. Without one of them the tests fail
//! where `CI` is set and say that they skip elsewhere. `REPORT_SHOTS=DIR` keeps a picture of each view.
#![allow(clippy::print_stderr, reason = "a test says why it skips")]

mod accessibility;
mod agreement;
mod budget;
mod chrome;
#[path = "../common/mod.rs"]
mod common;
mod cursors;
mod known;
mod opened;
mod pages;
mod policy;
mod tables;
mod views;
mod windows;
