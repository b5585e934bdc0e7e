//! What the programs print and how they end: every line survives its reader and looks as its reader can show it; every
//! exit code is an [`Exit`].
//!
//! A reader may go away before a program has ended: `| head`, `| grep -m1`, a terminal that is closed. What is printed is
//! then lost, and that is no reason to stop. `println!` would panic instead; the lints `clippy::print_stdout` and
//! `clippy::print_stderr`, and `clippy::disallowed_methods` for the bare handles, keep it out of everything but this crate.
#![allow(clippy::disallowed_methods, reason = "the handles that all others get from here")]

mod exit;
mod look;

use std::fmt::Display;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

pub use exit::Exit;
pub use look::{Look, height};

/// Prints a text on standard output. If its reader has gone, that is no error.
///
/// # Errors
/// It cannot be written for another reason, e.g. because the disk is full.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = Output(io::stdout().lock());
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line on standard error, unbuffered; a failure is ignored.
pub fn say(line: impl Display) {
    let _ = stderr().write_all(format!("{line}\n").as_bytes());
}

/// Standard error as a writer that never fails.
#[must_use]
pub fn stderr() -> Errors {
    Errors(io::stderr())
}

/// Standard output.
struct Output<W>(W);

impl<W: Write + AsFd> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if has_gone(self.0.as_fd(), &error) => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if has_gone(self.0.as_fd(), &error) => Ok(()),
            flushed => flushed,
        }
    }
}

/// Standard error; no write to it fails.
#[derive(Debug)]
pub struct Errors(io::Stderr);

impl Write for Errors {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(_) => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Whether the reader of `fd` has gone: the pipe or socket is closed, or the terminal was hung up.
fn has_gone(fd: BorrowedFd<'_>, error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    if matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected) {
        return true;
    }
    // EIO of a terminal means that it was hung up; of a disk, that it is broken, which is an error.
    let hung_up = error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
    hung_up
        && rustix::fs::fstat(fd)
            .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_char_device())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let mut out = Output(ours);
        out.write_all(b"a line\n").unwrap();
        out.flush().unwrap();
    }

    #[test]
    fn a_disk_that_is_full_is_one() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = Output(full).write_all(b"a line\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
