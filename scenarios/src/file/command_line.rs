//! This program's command line as it may be kept: every value is a secret unless its flag is known to be harmless.

use super::overrides::Override;
use super::secrets;
use crate::redact::{self, HIDDEN};

/// Flags of this program whose values are no secrets; values of flags that are not listed are hidden.
const HARMLESS_FLAGS: [&str; 23] = [
    "--cool-down",
    "--dry-run",
    "--exit-code",
    "--from",
    "--insecure",
    "--json",
    "--max-duration",
    "--out",
    "--players",
    "--precision",
    "--prometheus",
    "--protocol",
    "--quiet",
    "--repeats",
    "--seed",
    "--to",
    "--vary",
    "--workers",
    "-j",
    "-n",
    "-o",
    "-q",
    "-w",
];
/// Flags of this program whose values are URLs, or overrides of the scenario.
const URL_FLAGS: [&str; 3] = ["--target", "--otlp", "--endpoint"];
const OVERRIDE_FLAG: &str = "--set";

/// This program's command line as it may be kept. Values of flags that are not known to be harmless are hidden.
#[must_use]
pub fn command_line(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut flag = None::<String>;
    arguments
        .into_iter()
        .enumerate()
        .map(|(index, argument)| {
            let before = flag.take();
            if index == 0 {
                return redact::text(&argument).into_owned();
            }
            if let Some((name, value)) = argument.split_once('=').filter(|(name, _)| is_flag(name)) {
                return format!("{name}={}", flag_value(name, value));
            }
            if is_flag(&argument) {
                flag = Some(argument.clone());
                return argument;
            }
            match before {
                Some(name) => flag_value(&name, &argument),
                None => redact::value_with_url(&argument),
            }
        })
        .collect()
}

fn is_flag(argument: &str) -> bool {
    argument.len() > 1 && argument.starts_with('-') && !argument.contains(char::is_whitespace)
}

/// The value of one of this program's flags, as it may be shown.
#[must_use]
pub fn flag_value(name: &str, value: &str) -> String {
    if name == OVERRIDE_FLAG {
        let shown = value.parse::<Override>().map(|set| secrets::shown_value(&set));
        let key = value.split('=').next().unwrap_or_default().trim();
        return shown.map_or_else(|_| HIDDEN.into(), |value| format!("{key}={value}"));
    }
    if URL_FLAGS.contains(&name) || !is_flag(name) {
        return redact::value_with_url(value);
    }
    if HARMLESS_FLAGS.contains(&name) { redact::text(value).into_owned() } else { HIDDEN.into() }
}

/// One argument that was not understood, for the message that says so.
#[must_use]
pub fn argument(argument: &str) -> String {
    match argument.split_once('=') {
        Some((name, value)) if is_flag(name) => format!("{name}={}", flag_value(name, value)),
        Some((name, _)) => format!("{}={HIDDEN}", redact::text(name)),
        None => redact::value_with_url(argument),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_kept_without_what_may_be_a_secret() {
        let kept = |arguments: &[&str]| {
            command_line(std::iter::once("loadgen").chain(arguments.iter().copied()).map(str::to_owned))[1..]
                .join(" ")
        };
        for (arguments, wanted) in [
            (
                &["run", "a.toml", "--out", "runs/a", "--seed=7", "--quiet"][..],
                "run a.toml --out runs/a --seed=7 --quiet",
            ),
            (
                &["--otlp=https://ann:p@\"w, x@otel.example:4318/base"][..],
                "--otlp=https://otel.example:4318/base",
            ),
            (&["--otlp", "http://token@collector"][..], "--otlp http://collector"),
            (
                &["--target", "wss://x.example/stage?apikey=abc&v=2"][..],
                "--target wss://x.example/stage?apikey=…&v=2",
            ),
            (&["--target", "wss://ann:pw@x.example?code=a b#c"][..], "--target wss://x.example?code=…#…"),
            (&["--set", "players=5"][..], "--set players=5"),
            (&["--set", "auth.player_prefix=ann@"][..], "--set auth.player_prefix=ann@"),
            (&["--set", "auth.token=hunter2"][..], "--set auth.token=…"),
            (&["--set=target.url=wss://x.example/?session=abc"][..], "--set=target.url=…"),
            (&["--set", "hunter2"][..], "--set …"),
            (
                &["--set", r#"auth.command.argv=["./t.sh", "--password", "hunter2"]"#][..],
                r#"--set auth.command.argv=["./t.sh", "--password", "…"]"#,
            ),
            (&["--password", "hunter2"][..], "--password …"),
            (&["--api-key=hunter2"][..], "--api-key=…"),
        ] {
            assert_eq!(kept(arguments), wanted);
        }
    }
}
