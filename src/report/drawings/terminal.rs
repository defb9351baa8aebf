//! `Terminal`: stdout, if a person reads it, and its colors.

use std::env;
use std::io::{IsTerminal, stdout};

/// Terminal at stdout.
///
/// ```
/// use tallynet::report::drawings::{Color, Colors, Terminal};
///
/// let gray = Color { red: 128, green: 128, blue: 128 };
/// let terminal = Terminal { colors: Colors::Palette };
/// assert_eq!(terminal.paint("x", Some(gray), None), "\x1b[38;5;244mx\x1b[0m");
/// assert_eq!(Terminal { colors: Colors::None }.paint("x", Some(gray), None), "x");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Colors that it may show.
    pub colors: Colors,
}

/// Colors of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// No colors and no other escape sequences.
    None,
    /// The 256 colors of xterm.
    Palette,
    /// All of 24 bits.
    True,
}

/// Color, each part from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

/// Levels of each part in xterm's cube of colors.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Terminal {
    /// The terminal at stdout; `None` if that is a pipe or a file. Without colors if this is said,
    /// or by a `NO_COLOR` that is not empty (<https://no-color.org>), or on a `dumb` terminal.
    pub fn at_stdout(is_without_color: bool) -> Option<Terminal> {
        if !stdout().is_terminal() {
            return None;
        }
        let variable = |name: &str| env::var(name).unwrap_or_default();
        let is_refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colors = if is_without_color || is_refused || variable("TERM") == "dumb" {
            Colors::None
        } else if matches!(variable("COLORTERM").as_str(), "truecolor" | "24bit") {
            Colors::True
        } else {
            Colors::Palette
        };
        Some(Terminal { colors })
    }

    /// True if it shows colors.
    pub fn has_colors(self) -> bool {
        self.colors != Colors::None
    }

    /// The text in these colors, if the terminal shows colors.
    pub fn paint(self, text: &str, front: Option<Color>, back: Option<Color>) -> String {
        let mut codes = vec![];
        for (layer, color) in [(38, front), (48, back)] {
            let Some(color) = color else { continue };
            match self.colors {
                Colors::None => {}
                Colors::Palette => codes.push(format!("{layer};5;{}", color.in_palette())),
                Colors::True => {
                    let Color { red, green, blue } = color;
                    codes.push(format!("{layer};2;{red};{green};{blue}"));
                }
            }
        }
        if codes.is_empty() {
            return text.to_string();
        }
        format!("\x1b[{}m{text}\x1b[0m", codes.join(";"))
    }
}

impl Color {
    /// Gray of this brightness.
    pub fn gray(brightness: u8) -> Color {
        Color { red: brightness, green: brightness, blue: brightness }
    }

    /// Nearest of xterm's 256 colors: of its 24 grays from 8 to 238, or of its cube.
    fn in_palette(self) -> u8 {
        let Color { red, green, blue } = self;
        if red == green && green == blue && (4..=246).contains(&red) {
            return 232 + ((red - 3) / 10).min(23);
        }
        16 + 36 * nearest(red) + 6 * nearest(green) + nearest(blue)
    }
}

/// Index of the nearest level of the cube.
fn nearest(part: u8) -> u8 {
    let mut best = 0;
    for (index, level) in (0..).zip(CUBE) {
        if part.abs_diff(level) < part.abs_diff(CUBE[best as usize]) {
            best = index;
        }
    }
    best
}
