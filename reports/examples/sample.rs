//! Makes up a run and its report, to look at: `cargo run -p reports --example sample -- DIR [SECONDS] [PERIOD]`.
//! A period of 0 leaves CloudWatch out.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "read by whoever started it"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let seconds = arguments.next().map_or(Ok(300), |text| text.parse())?;
    let period = arguments.next().map_or(Ok(60), |text| text.parse())?;
    let shape =
        common::Shape { seconds, cloudwatch: (period > 0).then_some(period), ..common::Shape::default() };
    common::write(&dir, &shape);
    let report = reports::write_report(&dir)?;
    print!("{}", reports::text::summary(&reports::folder::RunFolder::read(&dir)?));
    println!("{} bytes in {}", std::fs::metadata(&report)?.len(), report.display());
    Ok(())
}
