//! A Lambda that does as its event says: what `tests/it/process.rs` tries processes with.
//!
//! It is built from `lambda_runtime`, as the functions that a deployment ships are. `ECHO_INIT` says how its Init phase
//! goes wrong, with `-once` at its end only until the file `ECHO_MARK` is there.

use std::process::{abort, exit};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

static HANDLED: AtomicU64 = AtomicU64::new(0);

#[tokio::main]
async fn main() -> Result<(), Error> {
    if let Ok(fault) = std::env::var("ECHO_INIT") {
        let mark = std::env::var_os("ECHO_MARK").unwrap_or_default();
        let again = fault.ends_with("-once") && std::path::Path::new(&mark).exists();
        if !again {
            if fault.ends_with("-once") {
                std::fs::write(mark, "")?;
            }
            init_fault(&fault).await;
        }
    }
    run(service_fn(handle)).await
}

async fn init_fault(fault: &str) {
    match fault {
        fault if fault.starts_with("hang") => std::future::pending().await,
        fault if fault.starts_with("exit") => exit(7),
        _ => {}
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let handled = HANDLED.fetch_add(1, Relaxed) + 1;
    let text = event.payload["do"].as_str().unwrap_or_default();
    match text.split_once(' ').unwrap_or((text, "")) {
        ("sleep", ms) => tokio::time::sleep(Duration::from_millis(ms.parse()?)).await,
        ("fail", message) => return Err(message.into()),
        ("panic", message) => panic!("{message}"),
        ("exit", code) => exit(code.parse()?),
        ("abort", _) => abort(),
        ("large", bytes) => return Ok(Value::String("x".repeat(bytes.parse()?))),
        _ => {}
    }
    let context = event.context;
    Ok(json!({
        "pid": std::process::id(),
        "handled": handled,
        "requestId": context.request_id,
        "deadline": context.deadline,
        "arn": context.invoked_function_arn,
        "trace": context.xray_trace_id,
        "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
    }))
}
