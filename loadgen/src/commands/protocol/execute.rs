//! Which function carries out a command about protocols.

use serde_json::Value;

use super::check::check;
use super::list::list;
use super::show::show;
use super::trial::attempt;
use crate::cli::{ProtocolArgs, ProtocolCommand};
use crate::commands::answer::Answer;
use crate::commands::failure::Failure;

pub(in crate::commands) async fn execute(command: ProtocolCommand) -> Result<Answer, Failure> {
    match command {
        ProtocolCommand::List { .. } => list(),
        ProtocolCommand::Show(ProtocolArgs { protocol, .. }) => show(&protocol),
        ProtocolCommand::Check(ProtocolArgs { protocol, .. }) => check(&protocol),
        ProtocolCommand::Try(args) => attempt(args).await,
        ProtocolCommand::Schema => {
            Ok(Answer::fine(format!("{:#}", protocol::keys::schema::json_schema()), Value::Null))
        }
    }
}
