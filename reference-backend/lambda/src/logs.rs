//! Logs: a JSON object a line, with the request it belongs to, as CloudWatch Logs Insights reads it.
//!
//! The SDKs and HTTP clients are kept to warnings whatever level is asked for: what they say below that may contain
//! headers, and with them credentials. Only `RUST_LOG`, which is set by hand, opens them up.

use tracing_subscriber::EnvFilter;

/// What Lambda calls the level of the function's logging configuration.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Sends everything that is traced to standard output.
pub(crate) fn start() {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(wanted) if !wanted.is_empty() => EnvFilter::new(wanted),
        _ => EnvFilter::new(directives(std::env::var(LEVEL).ok().as_deref())),
    };
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        // What cannot be written is not worth an end: the runtime may have closed its side.
        .log_internal_errors(false)
        .init();
}

/// Our own code at the wanted level, the runtime's span with the request's id, of everything else only warnings.
fn directives(level: Option<&str>) -> String {
    let own = match level.map(str::to_ascii_lowercase).as_deref() {
        Some("trace") => "trace",
        Some("debug") => "debug",
        Some("warn") => "warn",
        Some("error" | "fatal") => "error",
        _ => "info",
    };
    format!("warn,lambda_runtime=info,reference_backend={own},reference_lambda={own}")
}

#[cfg(test)]
mod tests {
    use super::directives;

    #[test]
    fn no_level_opens_up_the_clients() {
        for level in [None, Some("TRACE"), Some("DEBUG"), Some("nonsense")] {
            assert!(directives(level).starts_with("warn,lambda_runtime=info,"), "{level:?}");
        }
        assert!(directives(Some("DEBUG")).ends_with("reference_lambda=debug"));
        assert!(directives(Some("FATAL")).ends_with("reference_lambda=error"));
    }
}
