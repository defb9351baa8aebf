//! Layers of a model as `summary --json` and `verify --json` print them. Shapes begin with the
//! batch axis; `null` is an axis that the data decide, `None` in Keras. `counted_for_input` is the
//! shape of the sample that the costs are for.

use serde_json::{Value, json};
use tallynet::model::{MultiplyAdds, ParamCount, Sequential};
use tallynet::report::{Extent, LayerCost, MultiplyAddCount, Verification};

/// Name, class and shapes of a layer.
pub fn layer(model: &Sequential, i: usize) -> Value {
    let layer = &model.layers()[i];
    json!({
        "name": layer.name(),
        "class": layer.spec.class_name(),
        "input_shape": model.batch_shape(i),
        "output_shape": model.batch_shape(i + 1),
    })
}

/// Multiply-adds of one sample; `null` if they are not known.
pub fn multiply_adds(counts: Option<MultiplyAdds>) -> Value {
    let Some(counts) = counts else { return Value::Null };
    json!({
        "forward": counts.forward,
        "on_padding": counts.on_padding,
        "kernel_gradient": counts.kernel_gradient,
        "input_gradient": counts.input_gradient,
        "forward_and_backward": counts.forward_and_backward(),
    })
}

/// Description of a model: each layer with its parameters and its costs, and the totals.
pub fn summary(model: &Sequential) -> Value {
    let mut layers = vec![];
    for (i, (built, cost)) in model.layers().iter().zip(model.costs()).enumerate() {
        let explanation = built.explain_cost();
        let count = built.count_params();
        let mut arrays = vec![];
        for param in &built.params {
            arrays.push(json!({
                "name": param.name,
                "shape": param.shape,
                "count": param.count(),
                "trainable": param.trainable,
            }));
        }
        let mut line = layer(model, i);
        line["parameters"] = json!({
            "total": count.total,
            "trainable": count.trainable,
            "formula": built.explanation.formula,
            "reason": one_line(&built.explanation.reason),
            "arrays": arrays,
        });
        line["multiply_adds"] = multiply_adds(cost.multiply_adds);
        if cost.multiply_adds.is_some() {
            line["multiply_adds"]["formula"] = json!(explanation.formula);
        }
        line["other_work"] = json!(explanation.elementwise);
        add_memory(&mut line, &cost);
        layers.push(line);
    }
    let ParamCount { total, trainable } = model.total_params();
    let cost = model.total_cost();
    let mut totals = json!({
        "parameters": { "total": total, "trainable": trainable },
        "multiply_adds": multiply_adds(cost.multiply_adds),
    });
    add_memory(&mut totals, &cost);
    json!({
        "input_shape": model.batch_shape(0),
        "counted_for_input": model.input_shape(),
        "layers": layers,
        "totals": totals,
    })
}

/// A text without line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn add_memory(line: &mut Value, cost: &LayerCost) {
    line["activations"] = json!(cost.activations);
    line["activation_bytes"] = json!(cost.activation_bytes());
    line["parameter_bytes"] = json!(cost.param_bytes());
}

/// The counts of each layer, the totals, and the verdict.
pub fn verification(
    model: &Sequential,
    verification: &Verification,
    costs: &[MultiplyAddCount],
) -> Value {
    let mut layers = vec![];
    let mut all_agree = true;
    for (i, (params, cost)) in verification.layers.iter().zip(costs).enumerate() {
        let agrees = params.agrees() && cost.agrees();
        all_agree &= agrees;
        let mut arrays = vec![];
        for array in &params.arrays {
            arrays.push(json!({
                "name": array.name, "shape": array.shape, "counted": array.counted,
            }));
        }
        let mut line = layer(model, i);
        line["parameters"] = json!({
            "formula": params.formula,
            "by_formula": params.by_formula,
            "in_summary": params.in_summary,
            "counted": params.counted,
            "arrays": arrays,
        });
        line["multiply_adds"] = json!({
            "formula": cost.formula,
            "by_formula": multiply_adds(cost.stated),
            "counted": multiply_adds(cost.counted),
            "run": match cost.extent {
                Extent::Whole => json!("whole"),
                Extent::Part(n) => json!(format!("1 of {n} equal parts")),
                Extent::TooLarge => json!("none: too large"),
                Extent::Unknown => json!("none: not known"),
            },
        });
        line["verified"] = json!(agrees);
        layers.push(line);
    }
    json!({
        "layers": layers,
        "totals": {
            "parameters": verification.counted(),
            "multiply_adds": multiply_adds(model.total_cost().multiply_adds),
        },
        "verified": all_agree,
        "fingerprint": verification.fingerprint,
    })
}
