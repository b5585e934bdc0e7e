//! Creates the three tables in a DynamoDB, as the SAM template does.
//!
//! For `serve --dynamodb`, without a deployment. An existing table is used if it is compatible. It is never changed,
//! except that a missing time to live is enabled.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription,
    TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};
use reference_backend::function::Table;
use tokio::time::Instant;

/// Time-out until a table is active. On AWS this takes some seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// Polling interval.
const ASK: Duration = Duration::from_millis(250);

/// A usable table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// Which.
    pub table: Table,
    /// ARN of its stream, if it has one.
    pub stream: Option<String>,
    /// Whether it is new.
    pub created: bool,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// DynamoDB refused, or did not answer.
    #[error("DynamoDB does not answer {operation} for the table {name}: {reason}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// Of which table.
        name: String,
        /// What came back.
        reason: String,
    },
    /// The table exists and is not compatible.
    #[error(
        "the table {name} is there already, but {difference}; name the deployment otherwise (--game, --stage), or \
         delete the table"
    )]
    Different {
        /// Which table.
        name: String,
        /// What the backend cannot work with.
        difference: String,
    },
    /// The table is not active in time.
    #[error("the table {name} is not active after {} s; look at it in DynamoDB, then try again", PATIENCE.as_secs())]
    NotActive {
        /// Which table.
        name: String,
    },
}

/// Ensures that every table is active, with its index, stream and time to live.
///
/// # Errors
/// [`ProvisionError`], each with its remedy.
pub async fn provision(
    client: &Client,
    name_of: impl Fn(Table) -> String,
) -> Result<Vec<Provisioned>, ProvisionError> {
    let mut created = Vec::new();
    for table in Table::ALL {
        let subject = Subject { client, table, name: name_of(table) };
        let new = subject.describe().await?.is_none() && subject.create().await?;
        created.push((subject, new));
    }
    let mut provisioned = Vec::new();
    for (subject, created) in created {
        let description = subject.active().await?;
        subject.check(&description)?;
        subject.expire().await?;
        let stream = subject.table.streamed().then_some(description.latest_stream_arn).flatten();
        provisioned.push(Provisioned { table: subject.table, stream, created });
    }
    Ok(provisioned)
}

/// One table that is being created.
struct Subject<'a> {
    client: &'a Client,
    table: Table,
    name: String,
}

impl Subject<'_> {
    async fn describe(&self) -> Result<Option<TableDescription>, ProvisionError> {
        match self.client.describe_table().table_name(&self.name).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.refused("DescribeTable", error)),
        }
    }

    /// Creates the table; false if it exists.
    async fn create(&self) -> Result<bool, ProvisionError> {
        let built = |error: BuildError| self.refused_because("CreateTable", error.to_string());
        let attribute = |name: &str| {
            let text = AttributeDefinition::builder().attribute_name(name);
            text.attribute_type(ScalarAttributeType::S).build().map_err(built)
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(self.table.index_name())
            .key_schema(hash(self.table.index_key()).map_err(built)?)
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .map_err(built)?;
        let mut request = self
            .client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute(self.table.key())?)
            .attribute_definitions(attribute(self.table.index_key())?)
            .key_schema(hash(self.table.key()).map_err(built)?)
            .global_secondary_indexes(index);
        if self.table.streamed() {
            let stream = StreamSpecification::builder().stream_enabled(true);
            let stream = stream.stream_view_type(StreamViewType::NewImage).build().map_err(built)?;
            request = request.stream_specification(stream);
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.refused("CreateTable", error)),
        }
    }

    /// Waits until table and index are active.
    async fn active(&self) -> Result<TableDescription, ProvisionError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(description) = self.describe().await? {
                let indexes = description.global_secondary_indexes();
                let built = indexes.iter().all(|index| index.index_status() != Some(&IndexStatus::Creating));
                if description.table_status() == Some(&TableStatus::Active) && built {
                    return Ok(description);
                }
            }
            if Instant::now() > deadline {
                return Err(ProvisionError::NotActive { name: self.name.clone() });
            }
            tokio::time::sleep(ASK).await;
        }
    }

    /// Checks that the table is compatible.
    fn check(&self, description: &TableDescription) -> Result<(), ProvisionError> {
        let different =
            |difference: String| ProvisionError::Different { name: self.name.clone(), difference };
        let (key, index_key, index_name) =
            (self.table.key(), self.table.index_key(), self.table.index_name());
        if !keyed_by(description.key_schema(), key) {
            return Err(different(format!("its key is not {key} alone")));
        }
        let mut indexes = description.global_secondary_indexes().iter();
        let index = indexes.find(|index| index.index_name() == Some(index_name));
        let whole = index.is_some_and(|index| {
            let projection = index.projection().and_then(Projection::projection_type);
            keyed_by(index.key_schema(), index_key) && projection == Some(&ProjectionType::All)
        });
        if !whole {
            return Err(different(format!(
                "it has no index {index_name} of {index_key} with all attributes"
            )));
        }
        let view = description.stream_specification().and_then(StreamSpecification::stream_view_type);
        let new_images = matches!(view, Some(StreamViewType::NewImage | StreamViewType::NewAndOldImages));
        if self.table.streamed() && !(new_images && description.latest_stream_arn().is_some()) {
            return Err(different("it has no stream with new images".to_owned()));
        }
        Ok(())
    }

    /// Enables the time to live.
    async fn expire(&self) -> Result<(), ProvisionError> {
        let now = self.client.describe_time_to_live().table_name(&self.name).send().await;
        let now = now.map_err(|error| self.refused("DescribeTimeToLive", error))?.time_to_live_description;
        let status = now.and_then(|now| now.time_to_live_status);
        if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            return Ok(());
        }
        let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name(Table::EXPIRE_AT);
        let wanted =
            wanted.build().map_err(|error| self.refused_because("UpdateTimeToLive", error.to_string()))?;
        let request =
            self.client.update_time_to_live().table_name(&self.name).time_to_live_specification(wanted);
        request.send().await.map_err(|error| self.refused("UpdateTimeToLive", error))?;
        Ok(())
    }

    fn refused<E: std::error::Error + 'static>(
        &self,
        operation: &'static str,
        error: SdkError<E>,
    ) -> ProvisionError {
        self.refused_because(operation, DisplayErrorContext(error).to_string())
    }

    fn refused_because(&self, operation: &'static str, reason: String) -> ProvisionError {
        ProvisionError::Refused { operation, name: self.name.clone(), reason }
    }
}

fn hash(attribute: &str) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(attribute).key_type(KeyType::Hash).build()
}

fn keyed_by(schema: &[KeySchemaElement], attribute: &str) -> bool {
    matches!(schema, [only] if only.attribute_name() == attribute && only.key_type() == &KeyType::Hash)
}
