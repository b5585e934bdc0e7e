//! The database: one SQLite file with a write-ahead log, so that readers see whole additions and a killed writer leaves none.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use reports::printable;
use rusqlite::{Connection, OpenFlags, Row, Transaction, TransactionBehavior, params};

use crate::entry::{Entry, Measure, Validity};
use crate::error::{HistoryError, PATIENCE};

/// Version of the tables: SQLite's `user_version`.
pub const SCHEMA_VERSION: i64 = 1;

/// SQLite's `application_id`: `lghi`, for loadgen's history.
const APPLICATION: i64 = 0x6C67_6869;

const TABLES: &str = "
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        digest TEXT,
        target TEXT NOT NULL,
        host TEXT NOT NULL,
        os TEXT NOT NULL,
        commit_id TEXT,
        branch TEXT,
        version TEXT NOT NULL,
        at TEXT NOT NULL,
        invalid_reason TEXT,
        UNIQUE (kind, key)
    ) STRICT;
    CREATE TABLE measures (
        entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        unit TEXT NOT NULL,
        better TEXT NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (entry, name)
    ) STRICT, WITHOUT ROWID;";

/// What an addition did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Entries that are new.
    pub added: u64,
    /// Entries that were there already.
    pub known: u64,
}

/// An open history.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    connection: Connection,
}

impl Database {
    /// Opens the history `path` to add to it; makes file, folder and tables where there are none.
    ///
    /// # Errors
    /// [`HistoryError`] where the file cannot be opened, is no history, or is one of a later version.
    pub fn create(path: &Path) -> Result<Self, HistoryError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| HistoryError::Denied { path: path.into(), reason: error.to_string() })?;
        }
        let mut database =
            Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        database.prepare()?;
        Ok(database)
    }

    /// Opens the history `path` to read it.
    ///
    /// # Errors
    /// [`HistoryError::Missing`] where there is none; as [`Database::create`].
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        if !path.exists() {
            return Err(HistoryError::Missing { path: path.into() });
        }
        // Not read-only: the log of a killed writer is taken over by whoever opens the file next.
        let database = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match database.version()? {
            0 => Err(HistoryError::Foreign { path: path.into() }),
            _ => Ok(database),
        }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, HistoryError> {
        let failed = HistoryError::of(path);
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        // A file is a foreign one's until its tables are looked at: nothing of it is trusted.
        connection
            .execute_batch(
                "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;",
            )
            .map_err(failed)?;
        Ok(Self { path: path.into(), connection })
    }

    /// Makes the tables of a new file.
    fn prepare(&mut self) -> Result<(), HistoryError> {
        if self.version()? != 0 {
            return Ok(());
        }
        let failed = HistoryError::of(&self.path);
        self.connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
            .map_err(failed)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Another may have been faster.
        if user_version(&transaction).map_err(failed)? == 0 {
            transaction.execute_batch(TABLES).map_err(failed)?;
            transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// The version of its tables; 0 for an empty file.
    fn version(&self) -> Result<i64, HistoryError> {
        let failed = HistoryError::of(&self.path);
        let number = |pragma: &str| {
            self.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(failed)
        };
        let tables: i64 = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        match (number("application_id")?, number("user_version")?) {
            (0, 0) if tables == 0 => Ok(0),
            (APPLICATION, found) if found > SCHEMA_VERSION => {
                Err(HistoryError::Newer { path: self.path.clone(), found, known: SCHEMA_VERSION })
            }
            (APPLICATION, found) => Ok(found),
            _ => Err(HistoryError::Foreign { path: self.path.clone() }),
        }
    }

    /// Adds what is not there yet: all of it, or on an error nothing.
    ///
    /// # Errors
    /// [`HistoryError`] where the database cannot be written.
    pub fn add(&mut self, entries: &[Entry]) -> Result<Added, HistoryError> {
        let failed = HistoryError::of(&self.path);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let mut done = Added::default();
        for entry in entries {
            if insert(&transaction, entry).map_err(failed)? {
                done.added += 1;
            } else {
                done.known += 1;
            }
        }
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// Every entry by time, its names printable.
    ///
    /// # Errors
    /// [`HistoryError`] where the database cannot be read, or holds what no version writes.
    pub fn entries(&self) -> Result<Vec<Entry>, HistoryError> {
        let failed = HistoryError::of(&self.path);
        let mut measures = self
            .connection
            .prepare("SELECT name, unit, better, value FROM measures WHERE entry = ?1 ORDER BY name")
            .map_err(failed)?;
        let mut rows = self
            .connection
            .prepare(
                "SELECT id, kind, key, name, digest, target, host, os, commit_id, branch, version, at, invalid_reason \
                 FROM entries ORDER BY at, id",
            )
            .map_err(failed)?;
        let read = rows.query_map([], |row| Ok((row.get::<_, i64>(0)?, entry(row)?))).map_err(failed)?;
        let mut entries = Vec::new();
        for row in read {
            let (id, mut entry) = row.map_err(failed)?;
            let of_entry = measures.query_map([id], measure).map_err(failed)?;
            entry.measures = of_entry.collect::<Result<_, _>>().map_err(failed)?;
            entries.push(entry);
        }
        Ok(entries)
    }
}

fn user_version(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether it is new.
fn insert(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<bool> {
    let inserted = transaction
        .prepare(
            "INSERT INTO entries (kind, key, name, digest, target, host, os, commit_id, branch, version, at, invalid_reason) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (kind, key) DO NOTHING",
        )?
        .execute(params![
            entry.kind.word(),
            entry.key,
            entry.name,
            entry.digest,
            entry.target,
            entry.host,
            entry.os,
            entry.commit,
            entry.branch,
            entry.version,
            // Of one length, so that their order as text is that of time.
            format!("{:.9}", entry.at),
            entry.validity.reason(),
        ])?;
    if inserted == 0 {
        return Ok(false);
    }
    let id = transaction.last_insert_rowid();
    let mut statement = transaction
        .prepare("INSERT INTO measures (entry, name, unit, better, value) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for measure in &entry.measures {
        statement.execute(params![
            id,
            measure.name,
            measure.unit.word(),
            measure.better.word(),
            measure.value
        ])?;
    }
    Ok(true)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        kind: word(row, 1)?,
        key: text(row, 2)?,
        name: text(row, 3)?,
        digest: optional(row, 4)?,
        target: text(row, 5)?,
        host: text(row, 6)?,
        os: text(row, 7)?,
        commit: optional(row, 8)?,
        branch: optional(row, 9)?,
        version: text(row, 10)?,
        at: word::<Timestamp>(row, 11)?,
        validity: optional(row, 12)?.map_or(Validity::Valid, Validity::Invalid),
        measures: Vec::new(),
    })
}

fn measure(row: &Row<'_>) -> rusqlite::Result<Measure> {
    Ok(Measure { name: text(row, 0)?, unit: word(row, 1)?, better: word(row, 2)?, value: row.get(3)? })
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get::<_, String>(column).map(|text| printable::line(&text).into_owned())
}

fn optional(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(row.get::<_, Option<String>>(column)?.map(|text| printable::line(&text).into_owned()))
}

/// A word that stands for a value.
fn word<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = text(row, column)?;
    text.parse().map_err(|_| {
        let unknown = format!("{text:?} is nothing that a history holds").into();
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, unknown)
    })
}

#[cfg(test)]
mod tests {
    use reports::history::{Kind, Unit};

    use super::*;

    fn sample(key: &str, at: &str) -> Entry {
        Entry {
            kind: Kind::Run,
            key: key.into(),
            name: "evening".into(),
            digest: Some("abc".into()),
            target: "embedded".into(),
            host: "Linux x86_64, 2 CPUs, 8 GiB".into(),
            os: "Linux 6.1".into(),
            commit: None,
            branch: Some("main".into()),
            version: "0.1.0".into(),
            at: at.parse().expect("an instant"),
            validity: Validity::Invalid("too busy".into()),
            measures: vec![
                Measure::new("send.completed", Unit::PerSecond, 99.5),
                Measure::new("send.response_time.p50", Unit::Us, 1234.0),
            ],
        }
    }

    fn fresh() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deeper").join("history.sqlite");
        (folder, path)
    }

    #[test]
    fn what_is_added_comes_back_once_and_by_time() {
        let (_folder, path) = fresh();
        let late = sample("late", "2026-03-02T00:00:00.5Z");
        let early = sample("early", "2026-03-02T00:00:00Z");
        let mut database = Database::create(&path).expect("a new one");
        let done = database.add(&[late.clone(), early.clone()]).expect("added");
        assert_eq!(done, Added { added: 2, known: 0 });
        // Another opens it meanwhile.
        let mut other = Database::create(&path).expect("the same");
        assert_eq!(other.add(std::slice::from_ref(&late)).expect("added"), Added { added: 0, known: 1 });
        assert_eq!(Database::open(&path).expect("opens").entries().expect("reads"), [early, late]);
    }

    #[test]
    fn foreign_newer_and_missing_ones_are_told_and_left_alone() {
        let (folder, path) = fresh();
        assert!(matches!(Database::open(&path), Err(HistoryError::Missing { .. })));
        let foreign = folder.path().join("foreign.sqlite");
        Connection::open(&foreign)
            .and_then(|db| db.execute_batch("CREATE TABLE bookmarks (url TEXT)"))
            .expect("made");
        assert!(matches!(Database::create(&foreign), Err(HistoryError::Foreign { .. })));
        assert!(matches!(Database::open(&foreign), Err(HistoryError::Foreign { .. })));
        drop(Database::create(&path).expect("a new one"));
        let raised =
            Connection::open(&path).and_then(|db| db.pragma_update(None, "user_version", SCHEMA_VERSION + 1));
        raised.expect("raised");
        let newer = Database::create(&path).expect_err("newer");
        assert!(matches!(newer, HistoryError::Newer { found: 2, known: 1, .. }), "{newer}");
        assert!(newer.to_string().contains("use a loadgen as new as"), "{newer}");
        assert!(matches!(Database::create(folder.path()), Err(HistoryError::Denied { .. })));
    }

    #[test]
    fn what_no_version_writes_is_broken() {
        let (_folder, path) = fresh();
        let mut database = Database::create(&path).expect("a new one");
        database.add(&[sample("a", "2026-03-02T00:00:00Z")]).expect("added");
        database.connection.execute_batch("UPDATE measures SET unit = 'furlongs'").expect("changed");
        let error = database.entries().expect_err("no such unit");
        assert!(
            matches!(&error, HistoryError::Broken { reason, .. } if reason.contains("furlongs")),
            "{error}"
        );
    }

    #[test]
    fn names_are_printable_once_read() {
        let (_folder, path) = fresh();
        let mut database = Database::create(&path).expect("a new one");
        let hostile = Entry { name: "a\u{1b}[2J".into(), ..sample("a", "2026-03-02T00:00:00Z") };
        database.add(&[hostile]).expect("added");
        assert_eq!(database.entries().expect("reads")[0].name, "a\\u{1b}[2J");
    }
}
