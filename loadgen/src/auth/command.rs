//! Tokens from a command: one call a player, or one for a batch with the ids on standard input.
//!
//! The command's standard error is discarded: it may hold the token, or the password behind it.

use std::process::Stdio;

use futures_util::{StreamExt, TryStreamExt, stream};
use scenarios::plan::auth::Command;
use scenarios::plan::expiry::is_token;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;

use super::error::AuthError;

/// Longest output that is read for each player.
const MAX_TOKEN: usize = 64 * 1024;

pub(super) async fn tokens(command: &Command, players: &[String]) -> Result<Vec<SecretString>, AuthError> {
    let batches = players.chunks(command.batch.max(1));
    let calls: Vec<_> = batches.map(|batch| call(command.clone(), batch.to_vec())).collect();
    let tokens: Vec<_> = stream::iter(calls).buffered(command.parallel.max(1)).try_collect().await?;
    Ok(tokens.concat())
}

async fn call(command: Command, players: Vec<String>) -> Result<Vec<SecretString>, AuthError> {
    let program = command.argv.first().map_or("", String::as_str);
    let failed = |problem: String| AuthError::Command { program: program.into(), problem };
    let whole_batch = command.batch > 1;
    let first = players.first().map_or("", String::as_str);
    let arguments = command.argv.iter().skip(1).map(|argument| argument.replace("{player}", first));
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(if whole_batch { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("it does not start: {error}")))?;
    let stdin = child.stdin.take();
    let ids = players.iter().map(|id| format!("{id}\n")).collect::<String>();
    let write = async {
        if let Some(mut stdin) = stdin {
            // A command that does not read all ids prints too few tokens, which is noticed.
            let _ = stdin.write_all(ids.as_bytes()).await;
        }
    };
    let run = async { tokio::join!(write, child.wait_with_output()).1 };
    let output = tokio::time::timeout(command.timeout, run)
        .await
        .map_err(|_| failed(format!("it took longer than {:?}", command.timeout)))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("it ended with {} for the player {first}", output.status)));
    }
    if output.stdout.len() > MAX_TOKEN * players.len() {
        return Err(failed(format!("it printed {} bytes for the player {first}", output.stdout.len())));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed(format!("what it printed for the player {first} is not UTF-8")))?;
    let tokens: Vec<SecretString> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Into::into).collect();
    if tokens.len() != players.len() {
        let of =
            if whole_batch { format!("{} players", players.len()) } else { format!("the player {first}") };
        return Err(failed(format!("it printed {} lines for {of}, not a token each", tokens.len())));
    }
    if !tokens.iter().all(|token| is_token(token.expose_secret())) {
        return Err(failed(format!("what it printed for the player {first} is not a token")));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str, batch: usize) -> Command {
        Command {
            argv: ["sh", "-c", script, "sh", "{player}"].map(String::from).into(),
            batch,
            parallel: 4,
            timeout: Duration::from_secs(30),
        }
    }

    async fn run(command: &Command, count: usize) -> Result<Vec<String>, AuthError> {
        let players: Vec<_> = (0..count).map(|number| format!("p-{number}")).collect();
        let tokens = tokens(command, &players).await?;
        Ok(tokens.iter().map(|token| token.expose_secret().to_owned()).collect())
    }

    #[tokio::test]
    async fn tokens_come_in_the_players_order_whichever_call_ends_first() {
        let script = "case $1 in *[02468]) sleep 0.05;; esac; echo token-of-$1";
        let wanted: Vec<_> = (0..10).map(|number| format!("token-of-p-{number}")).collect();
        assert_eq!(run(&shell(script, 1), 10).await.unwrap(), wanted);
        let script = "while read id; do echo token-of-$id; done";
        assert_eq!(run(&shell(script, 4), 10).await.unwrap(), wanted);
    }

    #[tokio::test]
    async fn the_error_of_a_bad_command_does_not_quote_its_output() {
        for (script, batch, reason) in [
            ("echo SECRET >&2; echo SECRET; exit 3", 1, "exit status: 3"),
            ("echo SECRET; echo SECRET", 1, "2 lines for the player p-0"),
            ("echo SECRET two", 1, "is not a token"),
            ("true", 1, "0 lines"),
            ("read id; echo SECRET", 3, "1 lines for 3 players"),
        ] {
            let error = run(&shell(script, batch), 3).await.unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("SECRET"), "{script}: {error}");
        }
        let slow = Command { timeout: Duration::from_millis(50), ..shell("sleep 60", 1) };
        assert!(run(&slow, 1).await.unwrap_err().to_string().contains("took longer"));
        let missing = Command { argv: vec!["/no/such/program".into()], ..slow };
        assert!(run(&missing, 1).await.unwrap_err().to_string().contains("does not start"));
    }
}
