//! Statements: the script is evaluated on known and unknown values (abstract interpretation), and
//! nothing of it is executed.
//!
//! A value that is not known becomes an [`Unknown`](super::values::Unknown). Where one decides
//! which branch the script takes, all branches are evaluated; names that differ afterwards are
//! unknown, and so is all that such a block changes outside of itself.

use std::collections::HashMap;
use std::rc::Rc;

use super::Settings;
use super::source::Source;
use super::syntax::{Block, ExprKind, Stmt, StmtKind};
use super::values::{Heap, Id, Scope, Value, push};
use crate::datasets::ImageShape;

/// Largest number of operations: a statement, an expression or an item of a list each. About a
/// second.
const MAX_OPERATIONS: usize = 1_000_000;

/// Number of operations after which loops are not evaluated any further.
const LONG: usize = 300_000;

/// Largest depth of blocks and expressions within each other, calls included.
const MAX_DEPTH: usize = 160;

/// Error that stops evaluation, with the reason: a limit is reached.
#[derive(Debug)]
pub struct Stop {
    pub line: u32,
    pub reason: String,
}

/// Result of an evaluation, which a limit may stop.
pub type Read<T> = Result<T, Stop>;

/// Control flow after a statement.
#[derive(Debug)]
pub enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

/// Something about the script that its user should know.
#[derive(Debug, Clone)]
pub struct Remark {
    pub line: u32,
    pub text: String,
}

/// Block that may or may not run.
#[derive(Debug, Clone, Copy)]
pub struct UnknownBranch {
    /// Value that decides.
    pub reason: Id,
    /// Values with smaller ids were made outside of the block.
    pub models: Id,
    pub lists: Id,
    pub dicts: Id,
    pub objects: Id,
    pub instances: Id,
}

/// Value that a function returns under an unknown condition.
#[derive(Debug, Clone)]
pub struct EarlyReturn {
    pub reason: Id,
    pub value: Value,
}

/// State of evaluating a script.
pub struct Interpreter<'s> {
    pub settings: &'s Settings,
    pub source: &'s Source,
    /// Values given by `--set`, with the names that were used.
    pub given: HashMap<Rc<str>, Value>,
    pub used: Vec<Rc<str>>,
    pub heap: Heap,
    pub scope: Id,
    pub unknown_branch: Option<UnknownBranch>,
    /// Line that is being evaluated.
    pub line: u32,
    pub remarks: Vec<Remark>,
    /// Reason for which a model could not be read.
    pub refused: Option<Remark>,
    /// Functions of the file whose calls are being evaluated.
    pub calls: Vec<Id>,
    /// Functions and methods of the file, in order.
    pub codes: Vec<Id>,
    /// Values that the current function may have returned already.
    pub early_returns: Vec<EarlyReturn>,
    /// True while the variable of a loop is assigned, for which `--set` would not do.
    pub is_loop_variable: bool,
    /// True if an option has a name that only Keras 1 knows.
    pub is_keras_1: bool,
    /// Fraction of the data that the script splits off first.
    pub test_fraction: Option<f64>,
    /// Shape of the images of the first folder that the script reads.
    pub image_shape: Option<ImageShape>,
    operations: usize,
    depth: usize,
}

impl<'s> Interpreter<'s> {
    /// Interpreter before the first statement.
    pub fn new(settings: &'s Settings, source: &'s Source) -> Self {
        let mut heap = Heap::default();
        let scope = push(&mut heap.scopes, Scope::default());
        Interpreter {
            settings,
            source,
            given: HashMap::new(),
            used: vec![],
            heap,
            scope,
            unknown_branch: None,
            line: 1,
            remarks: vec![],
            refused: None,
            calls: vec![],
            codes: vec![],
            early_returns: vec![],
            is_loop_variable: false,
            is_keras_1: false,
            test_fraction: None,
            image_shape: None,
            operations: 0,
            depth: 0,
        }
    }

    /// Counts operations. Too many are the end.
    pub fn charge(&mut self, operations: usize) -> Read<()> {
        self.operations = self.operations.saturating_add(operations);
        if self.operations <= MAX_OPERATIONS {
            return Ok(());
        }
        Err(self.stop(format!(
            "evaluating the script takes more than {MAX_OPERATIONS} operations; a loop or a call \
                 here may not end"
        )))
    }

    /// True if so much has been evaluated that loops are not evaluated any further.
    pub fn is_long(&self) -> bool {
        self.operations > LONG
    }

    /// Error that stops evaluation in the current line.
    pub fn stop(&self, reason: String) -> Stop {
        Stop { line: self.line, reason }
    }

    /// Enters a block or an expression, to be left again.
    pub fn enter(&mut self, line: u32) -> Read<()> {
        self.line = line;
        self.charge(1)?;
        if self.depth >= MAX_DEPTH {
            let reason = "a function calls itself, or calls are nested too deep to be evaluated";
            return Err(self.stop(reason.to_string()));
        }
        self.depth += 1;
        Ok(())
    }

    /// Leaves what [`enter`](Self::enter) entered.
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Adds a remark about the current line.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(Remark { line: self.line, text: text.into() });
    }

    /// Takes out all remarks, each with its location.
    pub fn take_remarks(&mut self) -> Vec<String> {
        let remarks = std::mem::take(&mut self.remarks);
        let location = |line: u32| self.source.location(line);
        remarks.iter().map(|remark| format!("{}: {}", location(remark.line), remark.text)).collect()
    }

    /// An unknown value of the current line.
    pub fn unknown(&mut self, reason: impl Into<String>) -> Value {
        self.heap.unknown(self.line, reason)
    }

    pub fn block(&mut self, block: &Block) -> Read<Flow> {
        for statement in block {
            self.enter(statement.line)?;
            let flow = self.statement(statement)?;
            self.leave();
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Stmt) -> Read<Flow> {
        match &statement.kind {
            StmtKind::Return(None) => Ok(Flow::Return(Value::None)),
            StmtKind::Return(Some(value)) => Ok(Flow::Return(self.expression(value)?)),
            StmtKind::If { branches, otherwise } => self.if_statement(branches, otherwise),
            StmtKind::For { target, items, body, otherwise } => {
                match self.for_statement(target, items, body)? {
                    Flow::Next => self.block(otherwise),
                    Flow::Break => Ok(Flow::Next),
                    flow => Ok(flow),
                }
            }
            StmtKind::While { test, body } => self.while_statement(test, body),
            StmtKind::With { names, body } => {
                for name in names {
                    let value = self.unknown("the object of a with statement is not evaluated");
                    self.assign(name, value)?;
                }
                self.block(body)
            }
            StmtKind::Try(body) => self.block(body),
            StmtKind::Break => Ok(Flow::Break),
            StmtKind::Continue => Ok(Flow::Continue),
            other => {
                self.simple_statement(other)?;
                Ok(Flow::Next)
            }
        }
    }

    /// Statement after which the next one follows.
    fn simple_statement(&mut self, statement: &StmtKind) -> Read<()> {
        let scope = self.scope;
        match statement {
            StmtKind::Import { path, name } => {
                self.assign_name(name, Value::Path(path.as_str().into()));
            }
            StmtKind::ImportStar(module) => {
                self.heap.scopes[scope].stars.push(module.as_str().into());
            }
            StmtKind::Assign { targets, value } => {
                let value = self.expression(value)?;
                for target in targets {
                    self.assign(target, value.clone())?;
                }
            }
            StmtKind::Augmented { target, operator, value } => {
                let old = self.expression(target)?;
                let value = self.expression(value)?;
                let new = self.augmented(*operator, old, value)?;
                self.assign(target, new)?;
            }
            StmtKind::Expression(value) => {
                self.expression(value)?;
            }
            StmtKind::Function(code) => {
                let function = self.function(code, false);
                self.assign_name(&code.name, function);
            }
            StmtKind::Class(code) => self.class(code)?,
            StmtKind::Delete(targets) => {
                for target in targets {
                    if let ExprKind::Index(owner, _) = &target.kind {
                        let owner = self.expression(owner)?;
                        let unknown = self.unknown("an item is deleted in an unsupported way");
                        self.forget(&owner, unknown);
                    }
                }
            }
            StmtKind::Global(names) => {
                self.heap.scopes[scope].globals.extend(names.iter().cloned());
            }
            _ => {}
        }
        Ok(())
    }
}
