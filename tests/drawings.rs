//! Drawings at a terminal: seen by a person, and never written into a pipe or a file.
#![cfg(unix)]

#[path = "common/photo.rs"]
mod photo;
#[path = "common/terminal.rs"]
mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use photo::Photo;
use tallynet::datasets::ImageShape;
use tallynet::report::ConfusionMatrix;
use tallynet::report::drawings::{self, Bar, Colors, Curve, Terminal};
use tallynet::table::shortened;
use terminal::{Seen, at_terminal, tallynet};

/// Folder for a model of MNIST and images.
struct Place {
    folder: tempfile::TempDir,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program at a terminal; it succeeds.
    #[track_caller]
    fn at_terminal(&self, command: &mut Command) -> String {
        let Seen { code, screen, stderr } = at_terminal(command);
        assert_eq!(code, Some(0), "{stderr}");
        screen
    }

    #[track_caller]
    fn sees(&self, arguments: &[&str]) -> String {
        self.at_terminal(&mut tallynet(self.path(), arguments))
    }

    /// Standard output as a pipe gets it.
    #[track_caller]
    fn pipes(&self, arguments: &[&str]) -> String {
        let output = tallynet(self.path(), arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Trains the small model on MNIST.
    fn train(&self) {
        let data = data();
        let data = data.to_str().unwrap();
        self.pipes(&["train", "--epochs", "2", "--data", data, "--save", "digits.keras"]);
    }

    /// Photo of a thick black one on white paper, off-centre.
    fn write_one(&self, name: &str) {
        let (height, width) = (120, 160);
        let mut pixels = vec![250; height * width];
        for y in 20..80 {
            pixels[y * width + 100..y * width + 108].fill(20);
        }
        fs::write(self.path().join(name), Photo { height, width, pixels }.png()).unwrap();
    }
}

/// Text without escape sequences for colors.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain += before;
        rest = after.split_once('m').unwrap().1;
    }
    plain + rest
}

#[test]
fn a_training_ends_with_its_losses_and_the_confused_classes_at_a_terminal_alone() {
    let place = Place::new();
    let data = data();
    let arguments = ["train", "--epochs", "3", "--data", data.to_str().unwrap()];
    let piped = place.pipes(&arguments);
    let screen = place.sees(&arguments);
    // All that a pipe gets comes first, byte for byte.
    let drawn = screen.strip_prefix(&piped).expect("the result is the same");
    assert!(drawn.contains("\x1b[38;5;"), "{drawn}");
    let drawn = plain(drawn);
    let legend = drawn.lines().find(|line| line.contains("• loss")).expect("a legend");
    assert!(legend.contains("× val_loss"), "{drawn}");
    assert!(drawn.contains("epoch 1") && drawn.contains(" 3\n"), "{drawn}");
    assert!(drawn.contains("Confusion matrix"), "{drawn}");
    // A softmax on pixels takes nines for fours and fours for nines.
    let worst = drawn.lines().skip_while(|line| !line.starts_with("Classes confused most"));
    let worst: Vec<&str> = worst.collect();
    assert_eq!(worst.len(), 4, "{drawn}");
    assert!(worst.iter().any(|line| line.starts_with("  4 and 9: ")), "{drawn}");

    for flag in ["--quiet", "--json"] {
        let arguments = [&arguments[..], &[flag]].concat();
        let screen = place.sees(&arguments);
        assert!(!screen.contains("Confusion") && !screen.contains('\x1b'), "{screen}");
    }
    let screen = place.sees(&[&arguments[..], &["--no-color"]].concat());
    assert!(screen.contains("Confusion matrix") && !screen.contains('\x1b'), "{screen}");
}

#[test]
fn an_evaluation_and_a_prediction_are_drawn_with_the_colors_that_there_are() {
    let place = Place::new();
    place.train();
    place.write_one("one.png");
    let data = data();
    let evaluate = ["evaluate", "digits.keras", "--data", data.to_str().unwrap()];
    let piped = place.pipes(&evaluate);
    let screen = place.sees(&evaluate);
    assert!(screen.starts_with(&piped) && plain(&screen).contains("\n  4 and 9: "), "{screen}");
    assert_eq!(place.sees(&[&evaluate[..], &["--quiet"]].concat()), piped);
    // The matrix is not shown twice.
    let per_class = place.sees(&[&evaluate[..], &["--per-class"]].concat());
    assert_eq!(per_class.matches("Confusion matrix").count(), 1);

    let predict = ["predict", "digits.keras", "one.png"];
    let screen = place.sees(&predict);
    // 256 grays: black paper, white ink.
    assert!(screen.contains("\x1b[38;5;16;48;5;16m▀") && screen.contains("38;5;231"), "{screen}");
    let text = plain(&screen);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "one.png, as the model sees it: 1");
    assert_eq!(lines.len(), 15);
    assert_eq!(lines[1].matches('▀').count(), 28);
    assert!(lines[2].contains("  1  ") && lines[2].contains('█'), "{text}");

    let mut true_color = tallynet(place.path(), &predict);
    let screen = place.at_terminal(true_color.env("COLORTERM", "truecolor"));
    assert!(screen.contains("38;2;255;255;255"), "{screen}");
    let without_color = place.sees(&[&predict[..], &["--no-color"]].concat());
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = tallynet(place.path(), &predict);
        assert_eq!(place.at_terminal(command.env(variable, value)), without_color);
    }
    assert!(!without_color.contains('\x1b'));
    // Shades of a stroke, in the middle of the image.
    let column: Vec<char> =
        without_color.lines().skip(1).map(|line| line.chars().nth(14).unwrap_or(' ')).collect();
    assert!(column[..2].iter().all(|shade| *shade == ' '), "{without_color}");
    assert!(column[4..10].iter().all(|shade| *shade == '█'), "{without_color}");

    let table = place.pipes(&predict);
    assert!(table.starts_with("row  file     class"), "{table}");
    assert_eq!(place.sees(&[&predict[..], &["--quiet"]].concat()), table);
    // A file gets no drawing from a program at a terminal.
    assert_eq!(place.sees(&[&predict[..], &["-o", "y.csv"]].concat()), "");
    assert!(fs::read_to_string(place.path().join("y.csv")).unwrap().starts_with("row,file,class"));
}

#[test]
fn names_do_not_steer_the_terminal() {
    let place = Place::new();
    place.train();
    let name = "a\x1b[2J\n.png";
    place.write_one(name);
    let screen = place.sees(&["predict", "digits.keras", name, "--no-color"]);
    assert!(!screen.contains('\x1b'), "{screen:?}");
    assert!(screen.starts_with("a?[2J?.png, as the model sees it: 1\n"), "{screen:?}");
}

const WITHOUT_COLOR: Terminal = Terminal { colors: Colors::None };

#[test]
fn losses_that_are_few_many_or_not_finite_are_drawn_as_far_as_they_go() {
    let draw = |values: &[f64]| {
        drawings::curves(&[Curve { name: "loss", values, mark: '•' }], 1, WITHOUT_COLOR)
    };
    for nothing in [&[][..], &[0.5], &[f64::NAN, f64::NAN, f64::INFINITY]] {
        assert!(draw(nothing).is_empty(), "{nothing:?}");
    }
    let many: Vec<f64> = (0..1000).map(|epoch| 1.0 / f64::from(epoch + 1)).collect();
    let lines = draw(&many);
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    assert!(lines[10].trim_end().ends_with("1000"), "{lines:#?}");
    // A flat curve, and one with a gap.
    assert!(draw(&[0.25; 5]).iter().any(|line| line.contains("•••••")));
    let gap = draw(&[2.0, 1.0, f64::NAN, 1.0, 2.0]);
    let n_marks = gap[..10].iter().map(|line| line.matches('•').count()).sum::<usize>();
    assert!(n_marks > 10, "{gap:#?}");
    // Falling from the upper left to the lower right.
    let lines = draw(&[3.0, 2.0, 1.0]);
    assert!(lines[0].starts_with("3.0000 ┤•") && lines[9].ends_with('•'), "{lines:#?}");
}

#[test]
fn large_images_are_reduced_to_32_columns_in_their_colors() {
    let size = ImageShape { height: 224, width: 224, channels: 3 };
    let red: Vec<u8> = [250, 10, 10].repeat(224 * 224);
    let lines = drawings::half_blocks(&red, size, Terminal { colors: Colors::True });
    assert_eq!(lines.len(), 16);
    assert_eq!(lines[0].matches("\x1b[38;2;250;10;10;48;2;250;10;10m▀").count(), 32);
    // An odd last row has nothing below.
    let size = ImageShape { height: 1, width: 2, channels: 1 };
    let lines = drawings::half_blocks(&[255, 0], size, Terminal { colors: Colors::Palette });
    assert_eq!(lines, ["\x1b[38;5;231m▀\x1b[0m\x1b[38;5;16m▀\x1b[0m"]);
}

#[test]
fn many_classes_have_only_the_pairs_and_no_mistakes_are_told() {
    let mut matrix = ConfusionMatrix::new(500);
    for class in 0..500 {
        matrix.count(class, class);
    }
    let names: Vec<String> = (0..500).map(|class| format!("kind {class}")).collect();
    let lines = drawings::confusion(&matrix, &names, WITHOUT_COLOR);
    assert_eq!(lines, ["No class was predicted as another."]);
    matrix.count(7, 8);
    let lines = drawings::confusion(&matrix, &names, WITHOUT_COLOR);
    assert_eq!(lines[1], "  kind 7 and kind 8: 1 mistake (kind 7 predicted as kind 8: 1)");
    // Shares that are not numbers.
    let all = [f64::NAN, -1.0, 1.5].map(|share| Bar { name: "x".repeat(99), share });
    for line in drawings::bars(&all, WITHOUT_COLOR) {
        assert!(line.chars().count() < 60, "{line}");
    }
}

#[test]
fn a_long_text_is_cut_to_its_columns() {
    assert_eq!(shortened("tallynet", 5), "tall…");
    assert_eq!(shortened("tallynet", 8), "tallynet");
}
