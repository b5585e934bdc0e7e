//! The `REPORT` line that Lambda logs after each event, in the format of AWS, so that tools for AWS's logs can read it.

use std::fmt;
use std::time::Duration;

/// The line of one event.
#[derive(Debug)]
pub(super) struct Report<'a> {
    /// Request id.
    pub(super) id: &'a str,
    /// Memory size that the function is told; it is not enforced.
    pub(super) memory_mb: u32,
    /// From the event to its answer.
    pub(super) duration: Duration,
    /// Duration of the cold start that the event waited for.
    pub(super) init: Option<Duration>,
    /// The process, while it runs.
    pub(super) pid: Option<u32>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, memory_mb, duration, init, pid } = *self;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
        let billed = milliseconds(duration + init.unwrap_or_default()).ceil();
        write!(f, "REPORT RequestId: {id}\tDuration: {:.2} ms\t", milliseconds(duration))?;
        write!(f, "Billed Duration: {billed:.0} ms\tMemory Size: {memory_mb} MB\t")?;
        if let Some(used) = pid.and_then(most_memory) {
            write!(f, "Max Memory Used: {used} MB\t")?;
        }
        init.map_or(Ok(()), |init| write!(f, "Init Duration: {:.2} ms\t", milliseconds(init)))
    }
}

/// Peak memory of a process in megabytes.
fn most_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib.div_ceil(1_024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_reads_as_aws_writes_it() {
        let (duration, init) = (Duration::from_micros(2_361), Some(Duration::from_micros(143_004)));
        let warm = Report { id: "8f5", memory_mb: 128, duration, init: None, pid: None }.to_string();
        assert_eq!(
            warm,
            "REPORT RequestId: 8f5\tDuration: 2.36 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\t"
        );
        let pid = Some(std::process::id());
        let cold = Report { id: "8f5", memory_mb: 256, duration, init, pid }.to_string();
        assert!(cold.contains("\tBilled Duration: 146 ms\t"), "the cold start is billed, too: {cold}");
        assert!(cold.ends_with(" MB\tInit Duration: 143.00 ms\t"), "{cold}");
        let used = cold.split("Max Memory Used: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(used.parse::<u64>().unwrap() > 0, "{cold}");
    }
}
