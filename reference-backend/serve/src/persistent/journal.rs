//! Looks through the store's journals before the store does.
//!
//! A journal ends in the middle of a batch when the process, or the machine, ended while it was written: nobody was told
//! that this batch is kept, so it may go. The store takes *anything* that it cannot read for such an end, goes on without
//! what follows, and cuts it off. But what follows may have been acknowledged: one bad byte would silently undo hours. So
//! an end is believed only where nothing complete comes after it; anything else is told, and nothing is changed.
//!
//! | entry | bytes |
//! |---|---|
//! | start of a batch | 1, entries (u32), sequence (u64) |
//! | item | 2, kind, compression, keyspace (u64), length of key (u16), of value (u32), of value as stored (u32), key, value |
//! | clear | 4, keyspace (u64) |
//! | end of a batch | 3, XXH3 of items and clears (u64), `FJL\x03` |
//!
//! Numbers are little-endian. Behind the last batch there may be zeros, which are room for the next.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use xxhash_rust::xxh3::Xxh3;

use super::error::{DataError, unusable};

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: [u8; 4] = *b"FJL\x03";
/// Bytes of an end.
const END_BYTES: usize = 1 + 8 + TRAILER.len();
/// What is read at once.
const CHUNK: usize = 64 * 1_024;

/// Refuses journals that lack something in their middle.
pub(super) fn check(directory: &Path) -> Result<(), DataError> {
    let failed = |error: io::Error| unusable(directory, error.to_string());
    let mut journals = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            journals.push((number.unwrap_or(u64::MAX), path));
        }
    }
    journals.sort();
    let last = journals.len().saturating_sub(1);
    for (place, (_, path)) in journals.into_iter().enumerate() {
        if let Some(Damage { position, reason }) = look_through(&path, place == last).map_err(failed)? {
            return Err(damaged(directory, path, position, reason));
        }
    }
    Ok(())
}

fn damaged(directory: &Path, file: PathBuf, position: u64, reason: &'static str) -> DataError {
    DataError::Damaged { directory: directory.to_owned(), file, position, reason }
}

/// What is wrong with a journal, and where the last batch before that ends.
#[derive(Debug, PartialEq, Eq)]
struct Damage {
    position: u64,
    reason: &'static str,
}

/// Reads a journal from its beginning; `last` if nothing has been written after it.
fn look_through(path: &Path, last: bool) -> io::Result<Option<Damage>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = Counted { inner: BufReader::with_capacity(CHUNK, file), position: 0, length };
    let mut good = 0;
    loop {
        match batch(&mut reader) {
            Ok(()) => good = reader.position,
            Err(Broken::Checksum) => {
                return Ok(Some(Damage {
                    position: good,
                    reason: "a batch is not what it was when it was written",
                }));
            }
            Err(Broken::Unreadable) => break,
            Err(Broken::Io(error)) => return Err(error),
        }
    }
    let file = reader.inner.into_inner();
    Ok(match rest(&file, good)? {
        Rest::Complete => {
            Some(Damage { position: good, reason: "a batch cannot be read, and complete ones come after it" })
        }
        Rest::Cut if !last => {
            Some(Damage { position: good, reason: "it breaks off, and there are later journals" })
        }
        Rest::Cut | Rest::Nothing => None,
    })
}

/// Why there is no batch here.
#[derive(Debug)]
enum Broken {
    /// These are no entries of a batch, or not all.
    Unreadable,
    /// It is complete, and another.
    Checksum,
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Unreadable } else { Self::Io(error) }
    }
}

/// A reader that knows where it is.
struct Counted<R> {
    inner: R,
    position: u64,
    length: u64,
}

impl<R: Read> Counted<R> {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    /// So many bytes, if the file has them.
    fn vector(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length as u64 > self.length.saturating_sub(self.position) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; length];
        self.inner.read_exact(&mut bytes)?;
        self.position += length as u64;
        Ok(bytes)
    }
}

/// Reads one whole batch.
fn batch(reader: &mut Counted<impl Read>) -> Result<(), Broken> {
    if reader.bytes()? != [START] {
        return Err(Broken::Unreadable);
    }
    let entries = u32::from_le_bytes(reader.bytes()?);
    let _sequence: [u8; 8] = reader.bytes()?;
    let mut sum = Xxh3::new();
    for _ in 0..entries {
        let [tag] = reader.bytes()?;
        sum.update(&[tag]);
        match tag {
            ITEM => {
                let head: [u8; 20] = reader.bytes()?;
                sum.update(&head);
                let key = u16::from_le_bytes([head[10], head[11]]);
                let stored = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
                sum.update(&reader.vector(key.into())?);
                sum.update(&reader.vector(stored as usize)?);
            }
            CLEAR => sum.update(&reader.bytes::<8>()?),
            _ => return Err(Broken::Unreadable),
        }
    }
    let end: [u8; END_BYTES] = reader.bytes()?;
    if end[0] != END || end[9..] != TRAILER {
        return Err(Broken::Unreadable);
    }
    if end[1..9] == sum.digest().to_le_bytes() { Ok(()) } else { Err(Broken::Checksum) }
}

/// What follows the last batch that can be read.
#[derive(Debug, PartialEq, Eq)]
enum Rest {
    /// Nothing, or room.
    Nothing,
    /// A part of a batch.
    Cut,
    /// The end of a batch, at least.
    Complete,
}

/// Looks at everything from a position on, passing over what has never been written: that is most of a journal's room.
fn rest(file: &File, mut position: u64) -> io::Result<Rest> {
    let mut found = Rest::Nothing;
    let mut chunk = vec![0; CHUNK];
    while let Some(from) = next_written(file, position) {
        let read = file.read_at(&mut chunk, from)?;
        let seen = &chunk[..read];
        if seen.windows(END_BYTES).any(|bytes| bytes[0] == END && bytes[9..] == TRAILER) {
            return Ok(Rest::Complete);
        }
        if seen.iter().any(|byte| *byte != 0) {
            found = Rest::Cut;
        }
        if read < END_BYTES {
            break;
        }
        // An end may lie across two chunks.
        position = from + (read - (END_BYTES - 1)) as u64;
    }
    Ok(found)
}

/// Where the next bytes are that have been written; none if there are no more.
fn next_written(file: &File, position: u64) -> Option<u64> {
    match rustix::fs::seek(file, SeekFrom::Data(position)) {
        Ok(written) => Some(written),
        Err(Errno::NXIO) => None,
        // The file system does not know.
        Err(_) => Some(position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &[u8]) -> Vec<u8> {
        let mut item = vec![ITEM, 0, 0];
        item.extend(7_u64.to_le_bytes());
        item.extend(3_u16.to_le_bytes());
        item.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        item.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        item.extend(b"key");
        item.extend(value);
        item.push(CLEAR);
        item.extend(9_u64.to_le_bytes());
        let mut batch = vec![START];
        batch.extend(2_u32.to_le_bytes());
        batch.extend(1_u64.to_le_bytes());
        batch.extend(&item);
        batch.push(END);
        batch.extend(xxhash_rust::xxh3::xxh3_64(&item).to_le_bytes());
        batch.extend(TRAILER);
        batch
    }

    fn found(bytes: &[u8], last: bool) -> Option<Damage> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        look_through(file.path(), last).unwrap()
    }

    /// Wherever the last batch is cut, it may go; wherever a byte before it is another, that is told.
    #[test]
    fn a_cut_tail_is_no_damage_and_everything_else_is() {
        let (first, second) = (one(b"first"), one(b"second"));
        let whole = [&first[..], &second].concat();
        assert_eq!(found(&whole, true), None);
        assert_eq!(found(&[&whole[..], &[0; 200_000]].concat(), false), None, "room for more");
        for length in 0..=whole.len() {
            assert_eq!(found(&whole[..length], true), None, "cut at {length}");
            let cut = [&whole[..length], &[0; 70_000]].concat();
            assert_eq!(found(&cut, true), None, "cut at {length}, with room");
        }
        for place in 0..first.len() {
            // The sequence is in no sum.
            if (5..13).contains(&place) {
                continue;
            }
            let mut bytes = whole.clone();
            bytes[place] ^= 0x55;
            assert_eq!(found(&bytes, true).map(|damage| damage.position), Some(0), "byte {place}");
        }
        let mut bytes = whole.clone();
        bytes[first.len()] = 0x77;
        let damage = found(&bytes, true).unwrap();
        assert_eq!(damage.position, first.len() as u64, "the last batch is complete, so it was not cut");
        assert_eq!(found(&whole[..whole.len() - 1], false).unwrap().position, first.len() as u64);
    }

    fn what(bytes: &[u8]) -> Rest {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        rest(&file, 0).unwrap()
    }

    #[test]
    fn an_end_is_found_wherever_it_lies() {
        for before in [0, 1, CHUNK - 5, CHUNK, CHUNK + 8, 3 * CHUNK + 2] {
            assert_eq!(what(&[&vec![9; before][..], &one(b"x")].concat()), Rest::Complete, "{before}");
        }
        assert_eq!(what(&[]), Rest::Nothing);
        assert_eq!(what(&[0; 100]), Rest::Nothing);
        assert_eq!(what(&[0, 0, 1]), Rest::Cut);
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 40).unwrap();
        assert_eq!(rest(&file, 0).unwrap(), Rest::Nothing, "room costs nothing");
        file.write_all_at(&one(b"x"), 1 << 39).unwrap();
        assert_eq!(rest(&file, 5).unwrap(), Rest::Complete);
    }
}
