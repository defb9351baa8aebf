//! Output: results to stdout, the rest to stderr, and the checks before a file is written.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tallynet::formats;
use tallynet::training::ranks;

use super::{Failure, Outcome};

/// Prints a result. A reader that closed the pipe (`| head`) is not a failure.
pub fn result(text: &str) -> Outcome {
    if !ranks::is_first() {
        return Ok(());
    }
    let text = without_controls(text, begins_color);
    let mut stdout = stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure { message: format!("cannot write to stdout: {error}"), code: 1 })
        }
        _ => Ok(()),
    }
}

/// `Saved model.keras`.
pub fn saved(path: &Path) -> String {
    let remark = if formats::holds_weights(path) { "" } else { " (architecture only, no weights)" };
    format!("Saved {}{remark}", path.display())
}

/// A word of a command line that is printed, in quotes if a shell would change it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-/,=:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Prints a notice; errors are ignored.
pub fn notice(text: &str) {
    if ranks::is_first() {
        report(text);
    }
}

/// Prints to stderr, on any rank; errors are ignored.
pub fn report(text: &str) {
    let _ = writeln!(stderr(), "{}", without_controls(text, |_| false));
}

/// Text in which a control character is `?`: names in a file that somebody sent must not move the
/// cursor, hide text or change the terminal's title. Line breaks, tabs and what `is_kept` stay.
fn without_controls(text: &str, is_kept: fn(&str) -> bool) -> Cow<'_, str> {
    let is_control = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        if is_control(letter) && !is_kept(&text[at..]) {
            printed.push('?');
        } else {
            printed.push(letter);
        }
    }
    Cow::Owned(printed)
}

/// True if the text begins with an escape sequence of a drawing: colors of the text and of its
/// background (`ESC [ 38;5;244 m`), or the end of colors.
fn begins_color(text: &str) -> bool {
    let sequence = text.strip_prefix("\x1b[").and_then(|rest| rest.split_once('m'));
    let Some((codes, _)) = sequence else { return false };
    let is_numbers = codes.chars().all(|letter| letter.is_ascii_digit() || letter == ';');
    let parts: Vec<&str> = codes.split(';').collect();
    is_numbers && (parts == ["0"] || are_colors(&parts))
}

/// True for the codes of colors, of the palette or of 24 bits.
fn are_colors(codes: &[&str]) -> bool {
    match codes {
        [] => true,
        ["38" | "48", "5", _, rest @ ..] | ["38" | "48", "2", _, _, _, rest @ ..] => {
            are_colors(rest)
        }
        _ => false,
    }
}

/// Progress bar of this length on stderr, if that is a terminal; else a hidden one.
pub fn bar(length: u64, template: &str, is_quiet: bool) -> ProgressBar {
    if is_quiet || !ranks::is_first() || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// Prints the warnings that came up while a file was read.
pub fn warnings(path: &Path, warnings: &[String]) {
    for warning in warnings {
        notice(&format!("warning: {}: {warning}", path.display()));
    }
}

/// Refuses an output path that is one of `others`: files that are read, and other outputs.
pub fn refuse_overwriting(flag: &str, path: &Path, others: &[PathBuf]) -> Outcome {
    for other in others {
        if is_same_file(path, other) {
            let (path, other) = (path.display(), other.display());
            return Err(Failure::usage(format!("{flag} {path} would overwrite {other}")));
        }
    }
    Ok(())
}

/// True if both paths name the same file, through symbolic or hard links too.
fn is_same_file(one: &Path, other: &Path) -> bool {
    if let (Ok(one), Ok(other)) = (formats::resolve_links(one), formats::resolve_links(other))
        && one == other
    {
        return true;
    }
    // Only regular files are opened: opening a pipe would block.
    one.is_file() && other.is_file() && same_file::is_same_file(one, other).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::{begins_color, without_controls};

    #[test]
    fn only_colors_and_line_breaks_reach_a_terminal() {
        let colored = "\x1b[38;5;244;48;2;1;2;3mx\x1b[0m\n\ty\n";
        assert_eq!(without_controls(colored, begins_color), colored);
        assert_eq!(without_controls("\x1b[8mx\x1b[38;5;1;8my", begins_color), "?[8mx?[38;5;1;8my");
        let hostile = "a\x1b]0;title\x07b\x1b[2Jc\x1b[1;1Hd\re\u{9b}2Jf\x1b[";
        assert_eq!(without_controls(hostile, begins_color), "a?]0;title?b?[2Jc?[1;1Hd?e?2Jf?[");
    }
}
