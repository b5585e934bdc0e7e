//! Machines that can be compared.

use reports::format::Host;

/// The class of a machine: what its speed depends on as far as a run folder tells, e.g. `Linux x86_64, 2 CPUs, 8 GiB`. The kernel's
/// release is not part of it: a change that an update makes is one to be told.
#[must_use]
pub fn class(host: &Host) -> String {
    let system = host.os.split_whitespace().next().unwrap_or("unknown system");
    let arch = if host.arch.is_empty() { "unknown" } else { &host.arch };
    let cpus = match host.cpus {
        0 => "unknown CPUs".to_owned(),
        1 => "1 CPU".to_owned(),
        cpus => format!("{cpus} CPUs"),
    };
    let gib = host.memory_bytes as f64 / f64::from(1 << 30);
    format!("{system} {arch}, {cpus}, {gib:.0} GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_update_does_not_change_the_class() {
        let host = |os: &str, memory| Host {
            os: os.into(),
            arch: "x86_64".into(),
            cpus: 2,
            memory_bytes: memory,
            descriptor_limit: 1024,
        };
        assert_eq!(class(&host("Linux 6.1.0", 8_222_000_000)), "Linux x86_64, 2 CPUs, 8 GiB");
        assert_eq!(class(&host("Linux 6.2.1", 8_250_000_000)), class(&host("Linux 6.1.0", 8_222_000_000)));
        assert_eq!(class(&Host::default()), "unknown system unknown, unknown CPUs, 0 GiB");
    }
}
