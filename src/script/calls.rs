//! Calls: of functions and classes of the file, and of everything else.

use super::arguments::PARSER;
use super::batched::batch_size_of_call;
use super::evaluate::{Flow, Interpreter, Read};
use super::syntax::{Argument, ArgumentKind, Expr, ExprKind, Parameter, ParameterKind};
use super::values::{Arguments, Entry, Id, Instance, Keyword, Value, push};

impl Interpreter<'_> {
    pub fn call_expression(&mut self, function: &Expr, arguments: &[Argument]) -> Read<Value> {
        let (owner, callee) = match &function.kind {
            ExprKind::Attribute(owner, name) => {
                let owner = self.expression(owner)?;
                let callee = self.attribute(owner.clone(), name);
                (Some(owner), callee)
            }
            _ => (None, self.expression(function)?),
        };
        let mut arguments = self.arguments(arguments)?;
        arguments.line = function.line;
        self.line = function.line;
        let name = match &function.kind {
            ExprKind::Attribute(_, name) | ExprKind::Name(name) => name.as_str(),
            _ => "",
        };
        let batch_size = batch_size_of_call(name, &arguments);
        let value = match (owner, &callee) {
            (Some(owner @ Value::Unknown(_)), Value::Unknown(_)) => {
                self.method_of_unknown(&owner, name, &arguments)
            }
            _ => self.call(callee, arguments)?,
        };
        if let Some(rows) = batch_size {
            self.set_batch_size(&value, rows);
        }
        Ok(value)
    }

    fn arguments(&mut self, arguments: &[Argument]) -> Read<Arguments> {
        let mut values = Arguments::default();
        for argument in arguments {
            if let ArgumentKind::Positional = argument.kind {
                let items = self.items(std::slice::from_ref(&argument.value))?;
                values.positional.extend(items);
                continue;
            }
            let value = self.expression(&argument.value)?;
            match (&argument.kind, value) {
                (ArgumentKind::Keyword(name), value) => {
                    values.keywords.push(Keyword { name: name.as_str().into(), value });
                }
                (_, Value::Dict(id)) => {
                    self.charge(self.heap.dicts[id].len())?;
                    for Entry { key, value } in self.heap.dicts[id].clone() {
                        if let Value::String(name) = key {
                            values.keywords.push(Keyword { name, value });
                        }
                    }
                }
                (_, value) => {
                    let value = self.not_known("** in a call", &[&value]);
                    values.keywords.push(Keyword { name: "**".into(), value });
                }
            }
        }
        Ok(values)
    }

    /// Calls a value.
    pub fn call(&mut self, callee: Value, arguments: Arguments) -> Read<Value> {
        match callee {
            Value::Function(id) => self.call_function(id, None, arguments),
            Value::Class(id) => self.instantiate(id, arguments),
            Value::Method(id) => {
                let method = self.heap.methods[id].clone();
                self.call_method(method.receiver, &method.name, arguments)
            }
            Value::Path(path) => match path.strip_prefix("builtins.") {
                Some(name) => self.builtin(name, &arguments),
                None => self.call_path(&path, arguments),
            },
            Value::Object(id) => Ok(self.call_layer(id, &arguments)),
            Value::Unknown(id) => {
                self.suspect(&arguments, "a function that is not known");
                Ok(self.heap.derived(id))
            }
            other => {
                let kind = self.heap.kind(&other);
                Ok(self.unknown(format!("a call of {kind} is not supported")))
            }
        }
    }

    /// Remarks that an unsupported function gets a model that is not complete.
    pub fn suspect(&mut self, arguments: &Arguments, function: &str) {
        if let (Some(list), true) = (arguments.positional.first(), function.ends_with("shuffle")) {
            let unknown = self.unknown(format!("{function} shuffles it, so its order is unknown"));
            self.forget(list, unknown);
        }
        for value in &arguments.positional {
            if let Value::Model(id) = value
                && self.heap.models[*id].compile.is_none()
            {
                let text = format!(
                    "the model is passed to {function}, which is not supported; layers that it \
                     adds are missing"
                );
                return self.remark(text);
            }
        }
    }

    /// Calls a function of the file. Without arguments for its parameters, they are unknown.
    pub fn call_function(
        &mut self,
        id: Id,
        instance: Option<Value>,
        arguments: Arguments,
    ) -> Read<Value> {
        if self.unknown_branch.is_some() && self.calls.contains(&id) {
            return Ok(self.unknown("a function calls itself under an unknown condition"));
        }
        self.calls.push(id);
        self.heap.functions[id].was_called = true;
        let code = self.heap.functions[id].code.clone();
        let scope = self.child_scope(self.heap.functions[id].scope);
        let outer = std::mem::replace(&mut self.scope, scope);
        let outer_branch = self.unknown_branch;
        let outer_returns = std::mem::take(&mut self.early_returns);
        self.bind(&code, instance, arguments)?;
        let flow = self.block(&code.body)?;
        self.scope = outer;
        self.unknown_branch = outer_branch;
        self.calls.pop();
        let early = std::mem::replace(&mut self.early_returns, outer_returns);
        let mut values = vec![match flow {
            Flow::Return(value) => value,
            _ => Value::None,
        }];
        let Some(reason) = early.first().map(|early| early.reason) else {
            return Ok(values.remove(0));
        };
        values.extend(early.into_iter().map(|early| early.value));
        Ok(self.merge_all(reason, values))
    }

    /// Binds the parameters of a function in the current scope.
    fn bind(
        &mut self,
        code: &super::syntax::Function,
        instance: Option<Value>,
        arguments: Arguments,
    ) -> Read<()> {
        let mut positional = instance.into_iter().chain(arguments.positional);
        let mut keywords = arguments.keywords;
        for parameter in &code.parameters {
            let name = parameter.name.as_str();
            let value = match parameter.kind {
                ParameterKind::Rest => {
                    let rest = positional.by_ref().collect();
                    self.heap.tuple(rest)
                }
                ParameterKind::Keywords => {
                    let rest = keywords.drain(..).map(|keyword| Entry {
                        key: Value::String(keyword.name),
                        value: keyword.value,
                    });
                    let rest = rest.collect();
                    self.heap.dict(rest)
                }
                ParameterKind::Single => {
                    let by_name = keywords.iter().position(|keyword| &*keyword.name == name);
                    match (positional.next(), by_name) {
                        (Some(value), _) => value,
                        (None, Some(at)) => keywords.remove(at).value,
                        (None, None) => self.default_of(parameter, &code.name)?,
                    }
                }
            };
            self.assign_name(name, value);
        }
        Ok(())
    }

    /// Value of a parameter without an argument.
    fn default_of(&mut self, parameter: &Parameter, function: &str) -> Read<Value> {
        if let Some(default) = &parameter.default {
            return self.expression(default);
        }
        let name = &parameter.name;
        let reason = format!("the parameter {name} of {function} is given nowhere in the script");
        Ok(self.unknown(reason))
    }

    /// An instance of a class of the file, after its `__init__`. A class derived from another
    /// library's is an object that is not supported.
    fn instantiate(&mut self, id: Id, arguments: Arguments) -> Read<Value> {
        let class = &self.heap.classes[id];
        if class.base.is_some() {
            let path = format!("script.{}", class.name);
            return Ok(self.heap.object(&path, arguments));
        }
        let init = class.members.get("__init__").cloned();
        let instance = Instance { class: id, attributes: Default::default() };
        let instance = Value::Instance(push(&mut self.heap.instances, instance));
        if let Some(Value::Function(init)) = init {
            self.call_function(init, Some(instance.clone()), arguments)?;
        }
        Ok(instance)
    }

    fn call_method(&mut self, receiver: Value, name: &str, arguments: Arguments) -> Read<Value> {
        match &receiver {
            Value::String(text) => {
                self.charge(text.len() / 64)?;
                Ok(self.text_method(text, name, &arguments))
            }
            Value::List(id) => self.list_method(*id, name, &arguments),
            Value::Dict(id) => self.dict_method(*id, name, &arguments),
            Value::Array(id) => Ok(self.array_method(*id, name, &arguments)),
            Value::Model(id) => self.model_method(*id, name, arguments),
            Value::Instance(id) => {
                let class = self.heap.instances[*id].class;
                match self.heap.classes[class].members.get(name) {
                    Some(Value::Function(function)) => {
                        self.call_function(*function, Some(receiver.clone()), arguments)
                    }
                    _ => Ok(self.unknown(format!("the method {name} is not in the script"))),
                }
            }
            Value::Object(id) if &*self.heap.objects[*id].path == PARSER => {
                Ok(self.parser_method(*id, name, &arguments))
            }
            Value::Object(_) => Ok(self.method_of_unknown(&receiver, name, &arguments)),
            other => {
                let kind = self.heap.kind(other);
                Ok(self.unknown(format!("the method {name} of {kind} is not supported")))
            }
        }
    }

    /// Attribute of a value.
    pub fn attribute(&mut self, owner: Value, name: &str) -> Value {
        match &owner {
            Value::Path(path) => {
                let short = format!("{}.{name}", super::values::last_part(path));
                self.given(&short).unwrap_or_else(|| Value::Path(format!("{path}.{name}").into()))
            }
            Value::Array(id) => self.array_attribute(*id, name),
            Value::Model(id) if name == "layers" => {
                let layers = self.heap.models[*id].layers.iter();
                let layers = layers.map(|added| added.layer.clone()).collect();
                self.heap.list(layers)
            }
            Value::Instance(id) => {
                let instance = &self.heap.instances[*id];
                let found = instance.attributes.get(name);
                let member = || self.heap.classes[instance.class].members.get(name);
                match found.or_else(member).cloned() {
                    Some(Value::Function(function))
                        if self.heap.functions[function].takes_instance =>
                    {
                        self.heap.method(owner, name)
                    }
                    Some(value) => value,
                    None => self.unknown(format!("the attribute {name} is never set")),
                }
            }
            Value::Class(id) => match self.heap.classes[*id].members.get(name).cloned() {
                Some(value) => value,
                None => self.unknown(format!("the attribute {name} is never set")),
            },
            Value::Object(id) => match self.heap.objects[*id].arguments.named(name).cloned() {
                Some(value) => value,
                None => self.heap.method(owner, name),
            },
            Value::Unknown(id) => self.attribute_of_unknown(*id, name),
            Value::Tensor(_) => self.unknown(format!("{name} of the output of a layer")),
            Value::Int(_) | Value::Float(_) if name == "shape" => self.unknown(
                "a number has no shape; --set \"NAME.shape=(ROWS, COLUMNS)\" gives that of data",
            ),
            _ => self.heap.method(owner, name),
        }
    }
}
