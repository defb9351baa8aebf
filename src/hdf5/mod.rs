//! The part of HDF5 that Keras files need: [`open`] reads a tree of groups and datasets from bytes
//! that may be hostile, [`write`](write()) makes a file that Keras and h5py open. Stand-alone: it
//! imports nothing of the crate, and has an [`Error`] of its own.
//!
//! **Decision.** The reader and the writer are our own, written from the *HDF5 File Format
//! Specification Version 3.0*; comments name its sections. **Rejected:** the C library behind the
//! crate `hdf5` (a system dependency), and the crates in pure Rust, of which the
//! first two were tried and the others read:
//!
//! - `hdf5-reader` 0.12.1 is the closest: no panic on 1.8 million damaged files. But it copies
//!   overlapping structures each time a file names them (2 MB of names became 3.6 GB, 222 kB of
//!   strings 447 MB), keeps every header that it ever parsed, follows soft links, fills in numbers
//!   that were never written, and does not read float16. The checks needed in front of it read
//!   headers, links, attributes and types a second time: 390 lines of code, and nine crates.
//! - `hdf5-pure` 0.47.0 reads a float16 dataset as empty without an error, allocates the sizes that
//!   a file declares (a 32 kB file with a few wrong bytes asked for 1.6 TB and ended the process),
//!   and is 127,000 lines that take three quarters of a minute to build. `rust-hdf5` 0.7.9 is as
//!   large; `hdf5-rust` 1.1.2 keeps no attributes of groups.
//!
//! **Read:** superblocks 0 to 3 after a user block of any size; groups of symbol tables and of link
//! messages; both object headers with continuation blocks; contiguous and compact numbers, and
//! chunks found by the version 1 B-tree, with deflate, shuffle and Fletcher-32; floats of 16, 32
//! and 64 bits, bfloat16 as Keras stores it, and integers, in both byte orders; attributes of text.
//! **Refused by name:** soft and external links, external and virtual data, the structures that
//! only `libver="latest"` writes (dense storage of more than eight links or attributes, newer chunk
//! indexes), shared messages, other filters and types.
//!
//! **Hostile files.** Three rules bound the time and memory of every read and exclude panics:
//!
//! 1. Bytes are read only through `Cursor`, which checks bounds; no indexing, no recursion.
//! 2. One operation has a byte budget of four times the length of the file for structures and
//!    chunks. In an honest file no byte belongs to two of them, so only loops, shared subtrees and
//!    overlaps exhaust it.
//! 3. The caller gives the largest count of numbers that it expects. No buffer exceeds a small
//!    multiple of that and the length of the file, whatever shapes and chunks the file declares.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attributes;
mod btree;
mod chunks;
mod cursor;
mod filters;
mod groups;
mod header;
mod numbers;
mod read;
mod types;
mod write;

pub use numbers::Number;
pub use read::{Object, is_hdf5, open};
pub use write::{Group, Member, write};

/// The first 8 bytes of every HDF5 file (section "Disk Format: Level 0A - Format Signature and
/// Superblock").
pub const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Result of everything in this module that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Reason why a file cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}\n  {help}")]
pub struct Error {
    /// Problem found, its place, and what was expected instead.
    pub found: String,
    /// Remedy.
    pub help: &'static str,
}

impl Error {
    /// A file whose bytes contradict the format.
    fn damaged(found: impl Into<String>) -> Error {
        let help = "the file is damaged or cut short: copy it again, or save the model again";
        Error { found: found.into(), help }
    }

    /// An intact file that uses a part of the format that is not supported.
    fn unsupported(found: impl Into<String>) -> Error {
        let help = "load the model in Keras and save it again with model.save; \
                    that writes the plain form read here";
        Error { found: found.into(), help }
    }

    /// A sound file with other contents than the caller asked for.
    fn mismatch(found: impl Into<String>) -> Error {
        let help = "give the file that was saved with this model, by Keras or by tallynet";
        Error { found: found.into(), help }
    }

    /// Prefixes the path of the object.
    fn within(self, path: &str) -> Error {
        Error { found: format!("`{path}`: {}", self.found), ..self }
    }
}
