//! HDF5 as far as Keras files need it: [`open`] reads a tree of groups and datasets out of bytes
//! that may be hostile, [`write`](write()) makes a file that Keras and h5py open.
//!
//! **Decision.** The reader and the writer are our own, written from the *HDF5 File Format
//! Specification Version 3.0*; comments name its sections. **Rejected:** the C library behind the
//! crate `hdf5` (a system dependency and unsafe code), and the crates in pure Rust, of which the
//! first two were tried and the others read:
//!
//! - `hdf5-reader` 0.12.1 comes nearest: 1.8 million damaged files and no panic. But it copies what
//!   overlaps as often as a file names it (2 MB of names became 3.6 GB, 222 kB of texts 447 MB),
//!   keeps every header that it ever parsed, follows soft links, fills in numbers that were never
//!   written, and knows no float16. What had to stand in front of it read headers, links,
//!   attributes and types once more: 390 lines of the 960 here, and nine crates.
//! - `hdf5-pure` 0.47.0 reads float16 numbers as none at all without an error, allocates what a
//!   file declares (a 32 kB file with a few wrong bytes asked for 1.6 TB and ended the process),
//!   and is 127,000 lines that take three quarters of a minute to build. `rust-hdf5` 0.7.9 is as
//!   large; `hdf5-rust` 1.1.2 keeps no attributes of groups.
//!
//! **Read:** superblocks 0 to 3 behind a user block of any size; groups of symbol tables and of
//! link messages; both object headers with continuation blocks; contiguous and compact numbers, and
//! chunks found by the version 1 B-tree, with deflate, shuffle and Fletcher-32; floats of 16, 32
//! and 64 bits, bfloat16 as Keras stores it, and integers, in both byte orders; attributes of text.
//! **Refused by name:** soft and external links, external and virtual data, and what only
//! `libver="latest"` writes: links and attributes in dense storage (more than eight), the newer
//! indexes of chunks; shared messages, other filters and types.
//!
//! **Hostile files.** Three rules keep every reading finite, small and free of panics:
//!
//! 1. Bytes are reached only through `Cursor`, which checks each step; there is no indexing, and no
//!    recursion.
//! 2. One operation may read structures and chunks worth four times the length of the file. In an
//!    honest file no byte belongs to two of them, so only loops, shared subtrees and overlaps run
//!    into this.
//! 3. The caller says how many numbers it expects at most. No buffer exceeds a small multiple of
//!    that and the length of the file, whatever shapes and chunks the file declares.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unsafe_code
)]

mod attributes;
mod btree;
mod chunks;
mod cursor;
mod filters;
mod groups;
mod header;
mod read;
mod types;
mod write;

pub(super) use read::find;
pub use read::{Object, open};
pub use write::{Node, Tree, write};

/// The first 8 bytes of every HDF5 file (section "Disk Format: Level 0A - Format Signature and
/// Superblock").
pub const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// The result of everything in this module that can fail.
pub type Result<T> = std::result::Result<T, Fault>;

/// Why a file cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}\n  {remedy}")]
pub struct Fault {
    /// What was found, where, and what was expected instead.
    pub found: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Fault {
    /// A file whose bytes contradict the format.
    fn damaged(found: impl Into<String>) -> Fault {
        let remedy = "the file is damaged or cut short: copy it again, or save the model again";
        Fault { found: found.into(), remedy }
    }

    /// A file that is right but uses a part of the format that is not read here.
    fn unsupported(found: impl Into<String>) -> Fault {
        let remedy = "load the model in Keras and save it again with model.save; that writes the plain form read here";
        Fault { found: found.into(), remedy }
    }

    /// A file that is right but holds something else than was asked for.
    fn other(found: impl Into<String>) -> Fault {
        Fault {
            found: found.into(),
            remedy: "give the file that was saved with this model, by Keras or by tallynet",
        }
    }

    /// Puts the path of the object in front.
    fn within(self, path: &str) -> Fault {
        Fault { found: format!("`{path}`: {}", self.found), ..self }
    }
}
