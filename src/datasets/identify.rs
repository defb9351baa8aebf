//! Identification of files that are not of the format that their name or their user says, from
//! their first bytes: for models and for data alike.
//!
//! A reader asks here only after it has found that the bytes are not in its own format, so formats
//! that another part of tallynet reads are named too.

use std::io::Cursor;
use std::path::Path;

use zip::ZipArchive;

use crate::Error;

/// Format of a file, and the way from it to a file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Format, with its article: `a web page (HTML)`.
    pub what: &'static str,
    /// Next step of the user.
    pub help: &'static str,
}

impl Identity {
    /// Error that says what the file is and what to do.
    pub fn error(self) -> Error {
        Error::format(format!("this is {}", self.what), self.help)
    }
}

const fn identity(what: &'static str, help: &'static str) -> Option<Identity> {
    Some(Identity { what, help })
}

const EXTRACT: &str = "extract it and give the file inside";
const FROM_PICKLE: &str = "load it in Python, and save the model with model.save(\"model.keras\"), \
                           or the arrays with numpy.savez";
const FROM_TENSORFLOW: &str = "load it in TensorFlow 2.15 or older with \
                               tf.keras.models.load_model, and save it as model.keras";
const FROM_PYTORCH: &str = "PyTorch's models are not supported; its weights can come as arrays: \
                            numpy.savez with the names that `tallynet convert MODEL x.npz` writes";
const FROM_EXPORT: &str = "use the Keras or tallynet model that it was made from";
const ONLY_DATA: &str = "these are data, not a model: give them with --data, or to `predict`";
const ONLY_TABLE: &str = "it is not a model. Train with: tallynet train MODEL --data FILE.csv \
                          --target COLUMN; or give it to `predict` after a saved model";
const ONLY_MODEL: &str = "this is a model, not data: give it as MODEL";
const IMAGE: &str = "one image is not a data set: make a folder for each class, put its images \
                     there, and give the folder of these folders with --data";

/// Format of a kind of file that begins with fixed bytes.
struct Magic {
    offset: usize,
    bytes: &'static [u8],
    identity: Identity,
}

const fn magic(
    offset: usize,
    bytes: &'static [u8],
    what: &'static str,
    help: &'static str,
) -> Magic {
    Magic { offset, bytes, identity: Identity { what, help } }
}

/// The first bytes of a legacy PyTorch file: a pickled number.
const PYTORCH: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

const FOUR_FILES: &str = "give the folder of its four files";

#[rustfmt::skip]
const MAGIC: &[Magic] = &[
    magic(0, b"\x1f\x8b", "a file compressed with gzip", "decompress it: gunzip FILE.gz"),
    magic(0, b"BZh", "a file compressed with bzip2", EXTRACT),
    magic(0, b"\xfd7zXZ\0", "a file compressed with xz", EXTRACT),
    magic(0, b"\x28\xb5\x2f\xfd", "a file compressed with zstd", EXTRACT),
    magic(0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", EXTRACT),
    magic(0, b"Rar!", "a RAR archive", EXTRACT),
    magic(257, b"ustar", "a tar archive", "extract it, and give the file inside: tar xf FILE"),
    magic(4, b"TFL3", "a TensorFlow Lite model",
        "its training and its layers are lost; use the Keras model that it was made from"),
    magic(0, PYTORCH, "a PyTorch file", FROM_PYTORCH),
    magic(0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", ONLY_MODEL),
    magic(0, b"\x93NUMPY", "a NumPy array (.npy)", ONLY_DATA),
    magic(0, b"\x89PNG", "a PNG image", IMAGE),
    magic(0, b"\xff\xd8\xff", "a JPEG image", IMAGE),
    magic(0, b"GIF8", "a GIF image", IMAGE),
    magic(0, b"\0\0\x08\x01", "a file of MNIST's labels (IDX)", FOUR_FILES),
    magic(0, b"\0\0\x08\x03", "a file of MNIST's images (IDX)", FOUR_FILES),
    magic(0, b"MATLAB 5.0", "a MATLAB file", "save its arrays with numpy.savez"),
    magic(0, b"PAR1", "a Parquet table", "save its columns with numpy.savez"),
    magic(0, b"%PDF", "a PDF document", "download the file itself"),
];

/// Format of these bytes; `None` if they are of no format known here.
pub fn identify(bytes: &[u8]) -> Option<Identity> {
    if let Some(identity) = stand_in(bytes) {
        return Some(identity);
    }
    for Magic { offset, bytes: magic, identity } in MAGIC {
        if bytes.get(*offset..).is_some_and(|rest| rest.starts_with(magic)) {
            return Some(*identity);
        }
    }
    if bytes.starts_with(b"PK") {
        return identify_zip(bytes);
    }
    match bytes {
        [0x80, 2..=5, .., b'.'] => identity("a Python pickle", FROM_PICKLE),
        // Protocol buffers: the version of the format, then a message or a text.
        [0x08, 0x01, 0x12, ..] => identity("TensorFlow's saved_model.pb", FROM_TENSORFLOW),
        [0x08, 0x02..=0x0f, 0x12 | 0x22 | 0x3a, ..] => {
            identity("an ONNX model, which is written and not read", FROM_EXPORT)
        }
        _ => identify_text(bytes),
    }
}

/// Identity of bytes that are no content of any kind, but stand in its place: nothing, zeros, a
/// pointer, an error page.
pub fn stand_in(bytes: &[u8]) -> Option<Identity> {
    if bytes.is_empty() {
        return identity(
            "an empty file",
            "download it again, or save it again with Keras or tallynet",
        );
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return identity("nothing but zeros", "the download broke off: download it again");
    }
    let text = beginning(bytes);
    let lower = text.to_ascii_lowercase();
    if text.starts_with("version https://git-lfs") {
        return identity(
            "a pointer of Git LFS, and not the file that it stands for",
            "fetch the file itself: git lfs pull, or the repository's download button",
        );
    }
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return identity(
            "a web page (HTML)",
            "the address led to a page and not to the file: use its download link, \
             and sign in first where the page asks for it",
        );
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error") {
        return identity("an XML document", "download the file itself");
    }
    None
}

/// Text at the beginning of a file, without blanks before it.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    text.trim_start_matches('\u{feff}').trim_start().to_string()
}

/// Format of a zip archive, from the names of its members.
fn identify_zip(bytes: &[u8]) -> Option<Identity> {
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return identity("a zip archive that is damaged or cut off", "download or save it again");
    };
    let has = |end: &str| archive.file_names().any(|name| name.ends_with(end));
    if has("config.json") && has("model.weights.h5") {
        return identity("a Keras archive", ONLY_MODEL);
    }
    if has("data.pkl") {
        return identity("a PyTorch file", FROM_PYTORCH);
    }
    if has("saved_model.pb") {
        return identity("a zip archive of TensorFlow's SavedModel", FROM_TENSORFLOW);
    }
    if archive.file_names().next().is_some() && archive.file_names().all(|n| n.ends_with(".npy")) {
        return identity("an archive of NumPy arrays (.npz)", ONLY_DATA);
    }
    if has("[Content_Types].xml") {
        return identity("an office document", "save its table as CSV, or as arrays in Python");
    }
    if has("config.json") {
        return identity(
            "a Keras archive without its model.weights.h5",
            "download or save it again",
        );
    }
    identity("a zip archive that is not a Keras archive", EXTRACT)
}

/// Format of a text.
fn identify_text(bytes: &[u8]) -> Option<Identity> {
    let text = &beginning(bytes)[..];
    if text.starts_with("/*") && text.contains("Written by tallynet") {
        return identity("an exported C header, which is written and not read", FROM_EXPORT);
    }
    if text.starts_with('{') {
        return identify_json(text);
    }
    if ["import ", "from ", "#!/usr/bin/env python"].iter().any(|word| text.starts_with(word)) {
        return identity("a Python program", "run it, and save its model with model.save");
    }
    if is_csv(text) {
        return identity("a table in text (CSV)", ONLY_TABLE);
    }
    None
}

/// Format of a JSON object, from the keys at its beginning.
fn identify_json(text: &str) -> Option<Identity> {
    let has = |key: &str| text.contains(&format!("\"{key}\""));
    if has("modelTopology") || has("weightsManifest") {
        return identity("a TensorFlow.js model", ONLY_MODEL);
    }
    if has("nbformat") || has("cells") {
        return identity("a Jupyter notebook", "run it, and save its model with model.save");
    }
    if has("class_name") {
        return identity("the description of a Keras model (JSON)", ONLY_MODEL);
    }
    identity(
        "a JSON object with no class_name, so no description of a model",
        "use a file that model.save wrote",
    )
}

/// True if the first two lines hold the same number of fields, and more than one.
fn is_csv(text: &str) -> bool {
    let is_text = text.chars().all(|c| !c.is_control() || c.is_whitespace());
    let lines: Vec<&str> = text.lines().take(2).collect();
    let [first, second] = lines[..] else { return false };
    let separators = |line: &str| line.matches([',', ';', '\t']).count();
    is_text && separators(first) > 0 && separators(first) == separators(second)
}

/// Format of a folder; `None` if it holds nothing that is known here.
pub fn identify_folder(folder: &Path) -> Option<Identity> {
    if folder.join("saved_model.pb").exists() {
        return identity("a folder of TensorFlow's SavedModel", FROM_TENSORFLOW);
    }
    if folder.join("config.json").exists() && folder.join("model.weights.h5").exists() {
        return identity(
            "the unpacked folder of a .keras archive",
            "pack its three files again: cd FOLDER && zip -0 ../model.keras *",
        );
    }
    if folder.join("model.json").exists() {
        return identity("a folder that holds a model.json", "give the file model.json in it");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8]) -> &'static str {
        identify(bytes).map_or("nothing", |identity| identity.what)
    }

    #[test]
    fn names_what_people_mistake_for_models_and_data() {
        let mut tar = vec![b'x'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, name) in [
            (&b""[..], "an empty file"),
            (b"\0\0\0\0", "nothing but zeros"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
            (b"\xef\xbb\xbf\n<html>", "a web page"),
            (b"\x1f\x8b\x08", "a file compressed with gzip"),
            (&tar, "a tar archive"),
            (b"\x08\x01\x12\x00", "TensorFlow's saved_model.pb"),
            (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
            (b"\x80\x04\x95abc.", "a Python pickle"),
            (PYTORCH, "a PyTorch file"),
            (b"\x1c\0\0\0TFL3\0", "a TensorFlow Lite model"),
            (b"{\"modelTopology\": {}}", "a TensorFlow.js model"),
            (b"a,b\n1,2\n", "a table in text"),
            (
                b"/* m.h: the model \"m\", in C99. Written by tallynet 0.1.0.",
                "an exported C header",
            ),
            (b"PK\x03\x04", "a zip archive that is damaged"),
            (b"\x89PNG\r\n", "a PNG image"),
            (b"\x93NUMPY\x01", "a NumPy array"),
        ] {
            assert!(what(bytes).starts_with(name), "{} instead of {name}", what(bytes));
        }
        assert_eq!(identify(&[1, 2, 3, 4]), None);
        assert_eq!(identify("Größe".as_bytes()), None);
    }
}
