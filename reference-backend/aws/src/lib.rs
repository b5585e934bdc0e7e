//! The ports over the AWS SDKs, for the deployed Lambdas.
//!
//! # How an execution environment is assembled
//! ```text
//! let environment = Environment::read(|name| std::env::var(name).ok())?;   // what the template has set
//! let config = aws_config::load_defaults(...).await;                       // region, credentials, endpoints
//! let tables = DynamoTables::new(Client::new(&config), |table| environment.table_name(table).to_owned());
//! let deps = wiring::deps(&environment, &config, Arc::new(tables))?;
//! // for each event
//! let function = environment.function.map_or_else(|| event::function_of(payload), Ok)?;
//! dispatch(function, &deps, payload).await
//! ```
//! An adapter maps a service's answers to the port's errors. It does not retry where the handlers do: nested retries would
//! exceed the 10 s of an invocation.

pub mod apigatewaymanagement;
mod attributes;
pub mod dynamodb;
pub mod environment;
pub mod event;
pub mod fetch;
pub mod gamelift;
pub mod identity;
pub mod provision;
pub mod steam;
pub mod wiring;
