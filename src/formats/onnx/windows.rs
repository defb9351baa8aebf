//! Convolutions, pools and images of other sizes. ONNX's operators have channels first.

use super::graph::{Graph, int, ints, text};
use super::messages::AttributeProto;
use crate::formats::stages::Stage;
use crate::kernels::convolution::{Axis, Convolution};
use crate::kernels::pooling::{Pool, Pooling};
use crate::layers::Interpolation;
use crate::{Real, Result};

/// Windows of an image, or of a sequence, whose height of 1 is not an axis.
struct Windows(Vec<Axis>);

impl Windows {
    /// Windows over the current value.
    fn over(graph: &Graph, rows: Axis, columns: Axis) -> Windows {
        if graph.dims().len() > 2 { Windows(vec![rows, columns]) } else { Windows(vec![columns]) }
    }

    fn of_each(&self, number: impl Fn(&Axis) -> usize) -> Vec<i64> {
        self.0.iter().map(|axis| number(axis) as i64).collect()
    }

    /// Attributes that convolutions and pools share.
    fn attributes(&self) -> Vec<AttributeProto> {
        let before = self.of_each(|axis| axis.before);
        vec![
            ints("kernel_shape", self.of_each(|axis| axis.kernel)),
            ints("strides", self.of_each(|axis| axis.stride)),
            ints("pads", [before, self.of_each(Axis::after)].concat()),
        ]
    }

    /// True for one window that is the whole input.
    fn is_global(&self) -> bool {
        self.0.iter().all(|axis| axis.kernel == axis.input && axis.output == 1 && axis.before == 0)
    }

    /// Axes of an output sample.
    fn output(&self, channels: usize) -> Vec<usize> {
        self.0.iter().map(|axis| axis.output).chain([channels]).collect()
    }
}

pub fn convolution(graph: &mut Graph, stage: &Stage, sizes: &Convolution) -> Result<()> {
    let Convolution { rows, columns, channels, filters } = *sizes;
    let windows = Windows::over(graph, rows, columns);
    let (kernel, bias) = (stage.needed("kernel")?, stage.weight("bias"));
    graph.channels_first();
    let size: Vec<usize> = windows.0.iter().map(|axis| axis.kernel).collect();
    let positions: usize = size.iter().product();
    // From positions × channels × filters to ONNX's filters × channels × positions.
    let mut values = Vec::with_capacity(kernel.values.len());
    for filter in 0..filters {
        for channel in 0..channels {
            for position in 0..positions {
                values.push(kernel.values[(position * channels + channel) * filters + filter]);
            }
        }
    }
    let kernel = graph.weight("kernel", &[&[filters, channels], &size[..]].concat(), &values);
    let bias = bias.map(|bias| graph.weight("bias", bias.shape, bias.values));
    let weights: Vec<&str> = [&kernel].into_iter().chain(&bias).map(|name| name.as_str()).collect();
    let mut attributes = windows.attributes();
    attributes.push(ints("dilations", windows.of_each(|axis| axis.dilation)));
    graph.apply_to(&windows.output(filters), "Conv", &weights, attributes);
    Ok(())
}

pub fn pooling(graph: &mut Graph, pooling: &Pooling) {
    let windows = Windows::over(graph, pooling.rows, pooling.columns);
    let is_average = pooling.pool == Pool::Average;
    graph.channels_first();
    let output = windows.output(pooling.channels);
    if windows.is_global() {
        let op = if is_average { "GlobalAveragePool" } else { "GlobalMaxPool" };
        graph.apply_to(&output, op, &[], vec![]);
        return;
    }
    let mut attributes = windows.attributes();
    let op = if is_average {
        attributes.push(int("count_include_pad", 0));
        "AveragePool"
    } else {
        "MaxPool"
    };
    graph.apply_to(&output, op, &[], attributes);
}

pub fn up_sampling(graph: &mut Graph, size: [usize; 2], interpolation: Interpolation) {
    graph.channels_first();
    let [height, width, channels] = *graph.dims() else { return };
    let output = [height * size[0], width * size[1], channels];
    let scales = graph.constant("scales", &[4], &[1.0, 1.0, size[0] as Real, size[1] as Real]);
    let attributes = match interpolation {
        Interpolation::Nearest => vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ],
        Interpolation::Bilinear => {
            vec![text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")]
        }
    };
    // The region of interest is left out.
    graph.apply_to(&output, "Resize", &["", &scales], attributes);
}

pub fn zero_padding(graph: &mut Graph, padding: [[usize; 2]; 2]) {
    let [[top, bottom], [left, right]] = padding;
    let [height, width, channels] = *graph.dims() else { return };
    let before = graph.in_layout(vec![0, top as i64, left as i64, 0]);
    let after = graph.in_layout(vec![0, bottom as i64, right as i64, 0]);
    let pads = graph.integers("pads", [before, after].concat());
    let output = [top + height + bottom, left + width + right, channels];
    graph.apply_to(&output, "Pad", &[&pads], vec![text("mode", "constant")]);
}
