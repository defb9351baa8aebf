//! A model as a picture in SVG: its layers as Keras's `plot_model` draws them with `show_shapes`,
//! and the number of parameters and of multiply-adds of each.
//!
//! **Decision.** The drawing is a column of boxes of one width, written as text. Rejected:
//! Graphviz, which Keras calls and few machines have, and a crate for SVG, which would add a
//! dependency for four kinds of element. Text has a font of fixed width, since nothing else tells
//! here how wide it is; what is longer than its box ends in `…`, and a tooltip shows it whole.

use unicode_width::UnicodeWidthStr;

use crate::model::{BuiltLayer, ParamCount, Sequential};
use crate::report::LayerCost;
use crate::table::{shortened, with_commas};

/// Width of a character, relative to the size of the font; a little more than that of common fonts.
const ADVANCE: f64 = 0.62;
const TITLE_SIZE: f64 = 16.0;
const CELL_SIZE: f64 = 14.0;
/// Blank to the left and right of a text.
const PADDING: f64 = 12.0;
const ROW: f64 = 34.0;
/// Length of an arrow.
const GAP: f64 = 42.0;
const MARGIN: f64 = 20.0;
/// Columns of the longest title and of the longest cell that are drawn whole.
const MAX_TITLE: usize = 80;
const MAX_CELL: usize = 48;

/// Styles; those of the dark scheme replace colors only.
const STYLE: &str = r#"<style>
.tallynet-plot { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.tallynet-plot text { font-size: 14px; fill: #1b1f24; }
.tallynet-plot tspan { font-weight: bold; }
.tallynet-plot .title { font-size: 16px; font-weight: bold; fill: #ffffff; }
.tallynet-plot .page, .tallynet-plot .cell { fill: #ffffff; }
.tallynet-plot .head, .tallynet-plot .arrow { fill: #1b1f24; }
.tallynet-plot .head, .tallynet-plot .cell, .tallynet-plot .arrow { stroke: #1b1f24; }
@media (prefers-color-scheme: dark) {
.tallynet-plot text { fill: #e6edf3; }
.tallynet-plot .title { fill: #0d1117; }
.tallynet-plot .page, .tallynet-plot .cell { fill: #0d1117; }
.tallynet-plot .head, .tallynet-plot .arrow { fill: #b9c4cf; }
.tallynet-plot .head, .tallynet-plot .cell, .tallynet-plot .arrow { stroke: #b9c4cf; }
}
</style>
"#;

/// The picture of a model, an XML document in SVG 1.1.
///
/// ```
/// let model = tallynet::model::presets::named("mnist-softmax")?.build(0)?;
/// let svg = tallynet::report::plot(&model);
/// assert!(svg.starts_with("<svg") && svg.contains("dense_1 (Dense)"));
/// # Ok::<(), tallynet::Error>(())
/// ```
pub fn plot(model: &Sequential) -> String {
    let mut boxes = vec![];
    for (i, (layer, cost)) in model.layers().iter().zip(model.costs()).enumerate() {
        boxes.push(LayerBox::new(model, i, layer, &cost));
    }
    let width = boxes.iter().map(LayerBox::width).fold(0.0, f64::max).ceil();
    let n = boxes.len() as f64;
    let height = (n * (3.0 * ROW + GAP) - GAP).max(0.0);
    let page = Size { width: width + 2.0 * MARGIN, height: height + 2.0 * MARGIN };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tallynet-plot\" role=\"img\" \
         width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n<title>{2}: {3} layers, {4} \
         parameters</title>\n{STYLE}<rect class=\"page\" width=\"{0}\" height=\"{1}\"/>\n",
        page.width,
        page.height,
        escaped(&model.name),
        boxes.len(),
        with_commas(model.count_params())
    );
    let mut top = MARGIN;
    for (i, each) in boxes.iter().enumerate() {
        if i > 0 {
            svg += &arrow(page.width / 2.0, top);
            top += GAP;
        }
        svg += &each.draw(top, width);
        top += 3.0 * ROW;
    }
    svg + "</svg>\n"
}

struct Size {
    width: f64,
    height: f64,
}

/// Texts of a layer's box.
struct LayerBox {
    name: String,
    /// ` (Dense)`.
    class: String,
    /// Two rows of two cells, each a label and a value.
    cells: [[Cell; 2]; 2],
}

struct Cell {
    label: &'static str,
    value: String,
}

impl LayerBox {
    fn new(model: &Sequential, i: usize, layer: &BuiltLayer, cost: &LayerCost) -> LayerBox {
        let ParamCount { total, trainable } = layer.count_params();
        let mut params = with_commas(total);
        if trainable < total {
            params += &format!(", {} not trained", with_commas(total - trainable));
        }
        let multiply_adds = match cost.multiply_adds {
            Some(counts) => with_commas(counts.forward),
            None => "not known".to_string(),
        };
        LayerBox {
            name: layer.name(),
            class: format!(" ({})", layer.spec.class_name()),
            cells: [
                [
                    Cell { label: "Input shape", value: model.shape_text(i) },
                    Cell { label: "Output shape", value: model.shape_text(i + 1) },
                ],
                [
                    Cell { label: "Parameters", value: params },
                    Cell { label: "Multiply-adds", value: multiply_adds },
                ],
            ],
        }
    }

    /// Width that shows all texts, up to their maximum.
    fn width(&self) -> f64 {
        let columns = self.cells.iter().flatten().map(Cell::columns).max().unwrap_or(0);
        let cells = 2.0 * (columns.min(MAX_CELL) as f64 * CELL_SIZE * ADVANCE + 2.0 * PADDING);
        let title = (self.name.width() + self.class.width()).min(MAX_TITLE);
        cells.max(title as f64 * TITLE_SIZE * ADVANCE + 2.0 * PADDING)
    }

    fn draw(&self, top: f64, width: f64) -> String {
        let mut svg = format!(
            "<rect class=\"head\" x=\"{MARGIN}\" y=\"{top}\" width=\"{width}\" height=\"{ROW}\"/>\n"
        );
        let LayerBox { name, class, .. } = self;
        let columns = columns_in(width, TITLE_SIZE).saturating_sub(class.width());
        let title = escaped(&(shortened(name, columns) + class));
        let center = Point { x: MARGIN + width / 2.0, y: top + ROW / 2.0 };
        svg += &text(center, " class=\"title\"", &title, &format!("{name}{class}"));
        let half = width / 2.0;
        for (row, cells) in self.cells.iter().enumerate() {
            let top = top + (row + 1) as f64 * ROW;
            for (column, cell) in cells.iter().enumerate() {
                let left = MARGIN + column as f64 * half;
                svg += &format!(
                    "<rect class=\"cell\" x=\"{left}\" y=\"{top}\" width=\"{half}\" \
                     height=\"{ROW}\"/>\n"
                );
                let center = Point { x: left + half / 2.0, y: top + ROW / 2.0 };
                svg += &cell.draw(center, columns_in(half, CELL_SIZE));
            }
        }
        svg
    }
}

impl Cell {
    /// Columns of `label: value`.
    fn columns(&self) -> usize {
        self.label.width() + 2 + self.value.width()
    }

    fn draw(&self, center: Point, columns: usize) -> String {
        let value = shortened(&self.value, columns.saturating_sub(self.label.width() + 2));
        let content = format!("{}: <tspan>{}</tspan>", self.label, escaped(&value));
        text(center, "", &content, &format!("{}: {}", self.label, self.value))
    }
}

struct Point {
    x: f64,
    y: f64,
}

/// A text around a point, with a tooltip.
fn text(center: Point, attributes: &str, content: &str, tooltip: &str) -> String {
    // Half of the height of a capital below the center: `dominant-baseline` is not known
    // everywhere.
    let Point { x, y } = center;
    format!(
        "<text{attributes} x=\"{x}\" y=\"{}\" text-anchor=\"middle\"><title>{}</title>{content}\
         </text>\n",
        y + 5.0,
        escaped(tooltip)
    )
}

/// An arrow down to the next box.
fn arrow(x: f64, top: f64) -> String {
    let end = top + GAP;
    format!(
        "<path class=\"arrow\" stroke-width=\"2\" d=\"M{x} {top}V{}\"/>\n<path class=\"arrow\" \
         d=\"M{} {}L{x} {end}L{} {}Z\"/>\n",
        end - 8.0,
        x - 6.0,
        end - 10.0,
        x + 6.0,
        end - 10.0
    )
}

/// Columns of text that fit this width.
fn columns_in(width: f64, size: f64) -> usize {
    ((width - 2.0 * PADDING) / (size * ADVANCE) + 1e-9) as usize
}

/// Text as XML holds it. Characters that XML forbids, such as control characters, become U+FFFD,
/// and so do those that reverse the direction of the text after them.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\u{FFFE}' | '\u{FFFF}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                safe.push('\u{FFFD}');
            }
            _ if character.is_control() => safe.push('\u{FFFD}'),
            _ => safe.push(character),
        }
    }
    safe
}
