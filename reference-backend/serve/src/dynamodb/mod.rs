//! Tables and streams of a DynamoDB (`serve --dynamodb`) in place of the stack's own.

mod error;
mod profile;
mod shards;
mod storage;
mod streams;

pub use self::error::DynamoDbError;
pub use self::storage::DynamoDb;
