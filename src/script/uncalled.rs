//! Choice of a script's model; functions that the script never calls are called to find one.

use super::evaluate::{Interpreter, Read};
use super::syntax::Block;
use super::values::{Arguments, Id, Instance, Value, push};

impl Interpreter<'_> {
    /// Evaluates the script, and its functions too if it builds no model outside of them.
    pub fn run(&mut self, block: &Block) -> Read<Option<Id>> {
        self.block(block)?;
        if self.chosen().is_none() {
            self.call_uncalled()?;
        }
        Ok(self.chosen())
    }

    /// Calls functions and methods that nothing in the script calls, until one builds a model.
    fn call_uncalled(&mut self) -> Read<()> {
        for class in 0..self.heap.classes.len() {
            if self.heap.classes[class].base.is_none() {
                self.call_methods(class)?;
            }
            if self.chosen().is_some() {
                return Ok(());
            }
        }
        for id in self.codes.clone() {
            let function = &self.heap.functions[id];
            if !function.was_called && !function.takes_instance {
                self.call_function(id, None, Arguments::default())?;
            }
            if self.chosen().is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Creates an instance of a class and calls its methods that were not called.
    fn call_methods(&mut self, class: Id) -> Read<()> {
        let instance = Instance { class, attributes: Default::default() };
        let instance = Value::Instance(push(&mut self.heap.instances, instance));
        let members = &self.heap.classes[class].members;
        let init = members.get("__init__").cloned();
        let mut methods: Vec<Id> = members
            .values()
            .filter_map(|member| match member {
                Value::Function(id) => Some(*id),
                _ => None,
            })
            .collect();
        methods.sort_unstable();
        if let Some(Value::Function(init)) = init {
            self.call_function(init, Some(instance.clone()), Arguments::default())?;
        }
        for method in methods {
            let function = &self.heap.functions[method];
            if function.was_called {
                continue;
            }
            let owner = if function.takes_instance { Some(instance.clone()) } else { None };
            self.call_function(method, owner, Arguments::default())?;
        }
        Ok(())
    }

    /// The last model that the script fits; or else the last that it compiles, or the last.
    fn chosen(&self) -> Option<Id> {
        let models = &self.heap.models;
        let last = |is_meant: &dyn Fn(&super::model::Model) -> bool| {
            models.iter().rposition(|model| !model.layers.is_empty() && is_meant(model))
        };
        last(&|model| model.fit.is_some())
            .or_else(|| last(&|model| model.compile.is_some()))
            .or_else(|| last(&|_| true))
    }

    /// Remarks which model was taken if there are several.
    pub fn remark_choice(&mut self, id: Id) {
        let model = &self.heap.models[id];
        let is_part = |other: Id| {
            model.layers.iter().any(|added| matches!(added.layer, Value::Model(id) if id == other))
        };
        let models = self.heap.models.iter().enumerate();
        let count =
            models.filter(|(other, model)| !model.layers.is_empty() && !is_part(*other)).count();
        if count < 2 {
            return;
        }
        self.line = model.line;
        let name = model.variable.as_deref().unwrap_or("the model of this line");
        let text =
            format!("of {count} models, {name} is read, the last that is trained or compiled");
        self.remark(text);
    }
}
