//! Optimizer state in Keras's files.
//!
//! Names and shapes in the file say which of three orders its variables have:
//!
//! ```text
//! Keras 3            iteration, learning rate unless scheduled, slots, for Nadam a product
//! TF-Keras 2.11-15   iteration, slots
//! older, or legacy   iteration, slots one vector after the other; sometimes other scalars
//! ```
//!
//! The first two store slots in the order of [`Optimizer::interleaves_slots`]; `.h5` files call
//! their first variable `iteration`, older ones `iter`, `iterations` or `param_0`.

use super::{floats, read_array, strings};
use crate::Result;
use crate::formats::{Origin, invalid, misfit};
use crate::hdf5::{Member, Object};
use crate::model::{Compiled, Sequential};
use crate::optimizers::{LearningRate, Optimizer, OptimizerState};
use crate::params::Entry;

/// Variables of the optimizer in the order of the file.
struct Stored<'a> {
    variables: Vec<Object<'a>>,
    /// True for the order of Keras 1 and 2 before TensorFlow 2.11.
    is_old: bool,
}

/// Reads the optimizer state into the model, all of it or nothing.
///
/// # Errors
/// State that is damaged, or that another optimizer or another model left.
pub fn read(model: &mut Sequential, root: &Object, warnings: &mut Vec<String>) -> Result<()> {
    let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &model.compiled else {
        return Ok(());
    };
    let rule = optimizer.as_optimizer();
    let stored = stored(root)?;
    let arrays: Vec<&Object> =
        stored.variables.iter().filter(|variable| !variable.shape().is_empty()).collect();
    let mut state = state.clone();
    read_scalars(&mut state, rule, &stored, warnings)?;
    let parts = slot_parts(model, rule, rule.interleaves_slots() && !stored.is_old);
    let was_never_used = arrays.is_empty() && state.iteration == 0;
    if !was_never_used {
        check_count(model, rule, &arrays, parts.len())?;
        let is_theano = Origin::of_hdf5(root)?.is_theano();
        for (SlotPart { slot, entry }, array) in parts.iter().zip(arrays) {
            let name = model.full_name(entry);
            let values = read_array(array, &name, &entry.spec.shape, is_theano)?;
            state.slots[*slot][entry.range.clone()].copy_from_slice(&values);
        }
    }
    if let Some(compiled) = &mut model.compiled {
        compiled.state = state;
    }
    Ok(())
}

fn stored<'a>(root: &Object<'a>) -> Result<Stored<'a>> {
    let mut variables = vec![];
    // A wrapper that scales the loss has variables of its own beside those of the optimizer.
    for path in ["optimizer/inner_optimizer/vars", "optimizer/vars"] {
        let Some(group) = root.group(path)? else { continue };
        for number in 0.. {
            let Some(variable) = group.dataset(&number.to_string())? else { break };
            variables.push(variable);
        }
        return Ok(Stored { variables, is_old: false });
    }
    let Some(group) = root.group("optimizer_weights")? else {
        return Ok(Stored { variables, is_old: false });
    };
    let mut names = strings(&group, "weight_names")?;
    // The wrapper's own variables come first.
    let start = names.iter().rposition(|name| is_iteration(name));
    names.drain(..start.unwrap_or(0));
    for name in &names {
        let variable = group
            .dataset(name)?
            .ok_or_else(|| misfit(name, format!("the array {name} is missing")))?;
        variables.push(variable);
    }
    Ok(Stored { variables, is_old: start.is_none() })
}

/// True for the name that the count of the steps has since TensorFlow 2.11.
fn is_iteration(name: &str) -> bool {
    matches!(name.rsplit('/').next(), Some("iteration" | "iteration:0"))
}

/// Reads the iteration and the learning rate, and checks them.
fn read_scalars(
    state: &mut OptimizerState,
    rule: &dyn Optimizer,
    stored: &Stored,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let mut scalars = stored.variables.iter().filter(|variable| variable.shape().is_empty());
    if let Some(iteration) = scalars.next() {
        state.iteration = read_scalar(iteration)? as u64;
    } else if !stored.variables.is_empty() {
        // Keras 2.0 to 2.2 kept it for some optimizers only.
        warnings.push("the file does not say how many steps its optimizer took".to_string());
    }
    if stored.is_old {
        return state.validate();
    }
    let second = stored.variables.get(1).filter(|variable| variable.shape().is_empty());
    if let Some(rate) = second
        && has_constant_rate(rule)
    {
        scalars.next();
        let rate = read_scalar(rate)?;
        // The file stores 32 bits. Keep the learning rate of the config (64 bits) if it rounds to
        // that.
        if rate as f32 != state.learning_rate as f32 {
            state.learning_rate = rate;
        }
    }
    state.validate()?;
    if let (Some(last), Some(expected)) = (scalars.next(), rule.last_variable(state.iteration)) {
        let found = read_scalar(last)?;
        let is_close = (found - expected).abs() < 1e-3;
        if !is_close {
            let class = rule.class_name();
            let steps = state.iteration;
            warnings.push(format!(
                "{class}'s u_product is {found} in the file; after {steps} steps it is {expected}"
            ));
        }
    }
    Ok(())
}

/// Checks that the arrays are those that the rule keeps. TF-Keras's SGD keeps velocities that it
/// does not use, and Keras 2's Adam one number for each array that amsgrad would need.
fn check_count(
    model: &Sequential,
    rule: &dyn Optimizer,
    arrays: &[&Object],
    needed: usize,
) -> Result<()> {
    let n_trainable = trainable(model).count();
    let extra = arrays.get(needed..).unwrap_or_default();
    let is_unused = needed == 0 || extra.iter().all(|array| array.shape() == [1]);
    if arrays.len() == needed || (extra.len() == n_trainable && is_unused) {
        return Ok(());
    }
    let class = rule.class_name();
    let found = arrays.len();
    Err(invalid(format!("the file holds {found} optimizer arrays, and {class} needs {needed}")))
}

/// The value of a scalar dataset.
fn read_scalar(dataset: &Object) -> Result<f64> {
    let value = dataset.read_numbers(1, |number| number)?.pop();
    value.ok_or_else(|| invalid(format!("`{}` holds no number", dataset.path())))
}

fn trainable(model: &Sequential) -> impl Iterator<Item = &Entry> {
    model.parameters.entries.iter().filter(|entry| entry.spec.trainable)
}

/// One parameter array's part of one vector of the optimizer state.
struct SlotPart<'m> {
    slot: usize,
    entry: &'m Entry,
}

/// The optimizer state in the order of a file: one vector after the other, or the first two array
/// by array.
fn slot_parts<'m>(
    model: &'m Sequential,
    rule: &dyn Optimizer,
    is_interleaved: bool,
) -> Vec<SlotPart<'m>> {
    let mut parts = vec![];
    for slot in 0..rule.slots().len() {
        parts.extend(trainable(model).map(|entry| SlotPart { slot, entry }));
    }
    if is_interleaved {
        parts.sort_by_key(|part| (part.slot / 2, part.entry.range.start));
    }
    parts
}

/// True if the learning rate is a number, which Keras 3 keeps among the optimizer's variables.
fn has_constant_rate(rule: &dyn Optimizer) -> bool {
    matches!(rule.learning_rate(), LearningRate::Constant(_))
}

/// The optimizer's variables in Keras 3's order; `None` without an optimizer.
pub fn write(model: &Sequential) -> Option<Vec<Member>> {
    let Compiled { optimizer, state, .. } = model.compiled.as_ref()?;
    let rule = optimizer.as_ref()?.as_optimizer();
    let scalar = |value: f64| Member::Floats { shape: vec![], values: vec![value as f32] };
    let mut variables = vec![Member::Integer(state.iteration as i64)];
    if has_constant_rate(rule) {
        variables.push(scalar(state.learning_rate));
    }
    for SlotPart { slot, entry } in slot_parts(model, rule, rule.interleaves_slots()) {
        variables.push(floats(entry, &state.slots[slot]));
    }
    variables.extend(rule.last_variable(state.iteration).map(scalar));
    Some(variables)
}
