//! Unpacking a `.gz` once, into the folder where it lies or else into a cache.
//!
//! The reader of MNIST's files knows unpacked ones only, so a packed one becomes a file: beside itself, where the next
//! run and other programs find it, or, where nothing can be created there, in a cache folder. It appears under its name
//! only when it is whole and checked (written to a temporary file, synced, renamed), so two runs at once do no harm. In
//! the cache each file lies in a folder named after the checksum and size of its `.gz`, so sets never mix.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::{CrcReader, bufread::MultiGzDecoder};
use tempfile::NamedTempFile;

use super::mnist::Idx;
use super::{what_is, wrong};

/// The unpacked form of `packed`: either already in the cache, or a new file. An error of kind `InvalidData` says what
/// is wrong with the content.
pub(super) fn unpacked(packed: &Path, idx: &Idx) -> io::Result<PathBuf> {
    let mut target = packed.with_file_name(idx.name);
    let temporary = match temporary_beside(&target, packed) {
        Ok(temporary) => temporary,
        Err(_) => {
            let mut sum = CrcReader::new(File::open(packed)?);
            io::copy(&mut sum, &mut io::sink())?;
            let folder = cache().join(format!("{:08x}-{}", sum.crc().sum(), sum.crc().amount()));
            target = folder.join(idx.name);
            if File::open(&target).is_ok_and(|file| idx.check(&file).is_ok()) {
                return Ok(target);
            }
            fs::create_dir_all(&folder).and_then(|()| temporary_beside(&target, packed)).map_err(|refusal| {
                let tried = format!("no file can be created beside it, nor in {} ({refusal})", folder.display());
                let problem = format!("it cannot be unpacked: {tried}; set TALLYNET_CACHE to a folder that allows it");
                io::Error::new(refusal.kind(), problem)
            })?
        }
    };
    inflate(packed, temporary.as_file(), idx)?;
    temporary.as_file().sync_all()?;
    temporary.persist(&target)?;
    Ok(target)
}

/// Whether `packed` unpacks to what it should.
pub(super) fn is_sound(packed: &Path, idx: &Idx) -> bool {
    tempfile::tempfile().is_ok_and(|file| inflate(packed, &file, idx).is_ok())
}

/// A temporary file that whoever may read `packed` may read too. Its name ends like those of MNIST's files, so that
/// version control ignores one left by a crash as it ignores them.
fn temporary_beside(target: &Path, packed: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix("-ubyte").permissions(fs::metadata(packed)?.permissions());
    builder.tempfile_in(target.with_file_name(""))
}

/// Unpacks and checks. It stops as soon as there is more than there should be: a small `.gz` can unpack to terabytes.
fn inflate(packed: &Path, mut file: &File, idx: &Idx) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(packed)?);
    let (start, length) = (reader.fill_buf()?, idx.length());
    if !start.starts_with(&[0x1f, 0x8b]) {
        return Err(wrong(format!("a gzip file is expected here, but {}", what_is(start))));
    }
    match io::copy(&mut MultiGzDecoder::new(reader).take(length + 1), &mut file) {
        Ok(written) if written > length => Err(wrong(format!("too long: it unpacks to more than {length} bytes"))),
        // Writing never fails in these ways, so it is the decoder that did.
        Err(error)
            if [ErrorKind::InvalidInput, ErrorKind::InvalidData, ErrorKind::UnexpectedEof].contains(&error.kind()) =>
        {
            Err(wrong(format!("the gzip file is damaged or cut off ({error})")))
        }
        Err(error) => Err(error),
        Ok(_) => idx.check(file),
    }
}

fn cache() -> PathBuf {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("XDG_CACHE_HOME").or_else(|| env::home_dir().map(|home| home.join(".cache")));
    variable("TALLYNET_CACHE").unwrap_or_else(|| home().unwrap_or_else(env::temp_dir).join("tallynet"))
}
