//! Syntax tree of the part of Python that is read. Other syntax is kept as `Other`, by its name.

use std::rc::Rc;

/// Statements of a suite.
pub type Block = Vec<Stmt>;

/// A statement and its line, counted from 1.
#[derive(Debug)]
pub struct Stmt {
    pub line: u32,
    pub kind: StmtKind,
}

/// Statement, by its syntax. Those that are not named here are `Other`.
#[derive(Debug)]
pub enum StmtKind {
    /// `import path as name`; without `as`, the name is the first part of the path, and so is what
    /// it is bound to.
    Import {
        path: String,
        name: String,
    },
    /// `from module import *`.
    ImportStar(String),
    Assign {
        targets: Vec<Expr>,
        value: Expr,
    },
    Augmented {
        target: Expr,
        operator: Operator,
        value: Expr,
    },
    Expression(Expr),
    Return(Option<Expr>),
    /// Conditions with their blocks, in order, and the block of `else`.
    If {
        branches: Vec<Branch>,
        otherwise: Block,
    },
    For {
        target: Expr,
        items: Expr,
        body: Block,
        otherwise: Block,
    },
    While {
        test: Expr,
        body: Block,
    },
    /// `with`: the names that it binds, and its block.
    With {
        names: Vec<Expr>,
        body: Block,
    },
    /// `try` without its handlers: `try`, `else` and `finally` in one block.
    Try(Block),
    Function(Rc<Function>),
    Class(Rc<Class>),
    /// `global` and `nonlocal`.
    Global(Vec<String>),
    Delete(Vec<Expr>),
    Break,
    Continue,
    /// A statement without effect on a model: `pass`, `print`, `assert`, `raise`.
    Other,
}

/// `if` or `elif`: a condition and its block.
#[derive(Debug)]
pub struct Branch {
    pub test: Expr,
    pub body: Block,
}

/// Definition of a function or method.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub body: Block,
    /// True for a `staticmethod`, which has no parameter for the instance.
    pub is_static: bool,
}

/// Parameter of a function, with its default.
#[derive(Debug)]
pub struct Parameter {
    pub name: String,
    pub default: Option<Expr>,
    pub kind: ParameterKind,
}

/// Arguments that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// One argument.
    Single,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    Keywords,
}

/// Definition of a class.
#[derive(Debug)]
pub struct Class {
    pub name: String,
    pub line: u32,
    pub bases: Vec<Expr>,
    pub body: Block,
}

/// An expression and its line, counted from 1.
#[derive(Debug)]
pub struct Expr {
    pub line: u32,
    pub kind: ExprKind,
}

/// Expression, by its syntax. Those that are not named here are `Other`.
#[derive(Debug)]
pub enum ExprKind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    /// An f-string: strings and expressions in order.
    Format(Vec<Expr>),
    Name(String),
    Attribute(Box<Expr>, String),
    Index(Box<Expr>, Vec<Expr>),
    Slice(Box<Slice>),
    Ellipsis,
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<Pair>),
    /// `*items` in a list, a tuple or the arguments of a call.
    Splat(Box<Expr>),
    Unary(Operator, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Logical(Logical, Box<Expr>, Box<Expr>),
    /// `a < b <= c`: the first operand, then each comparison with its right side.
    Compare(Box<Expr>, Vec<Comparison>),
    Conditional(Box<Conditional>),
    Comprehension(Box<Comprehension>),
    Call(Box<Expr>, Vec<Argument>),
    Lambda,
    /// Syntax that is not supported, by its name.
    Other(&'static str),
}

/// `start:stop:step`.
#[derive(Debug)]
pub struct Slice {
    pub start: Option<Expr>,
    pub stop: Option<Expr>,
    pub step: Option<Expr>,
}

/// `key: value`, or `**value` without a key.
#[derive(Debug)]
pub struct Pair {
    pub key: Option<Expr>,
    pub value: Expr,
}

/// `then if test else otherwise`.
#[derive(Debug)]
pub struct Conditional {
    pub test: Expr,
    pub then: Expr,
    pub otherwise: Expr,
}

/// A comprehension of a list, a set or a generator; of a dictionary if it has a key.
#[derive(Debug)]
pub struct Comprehension {
    pub key: Option<Expr>,
    pub value: Expr,
    pub clauses: Vec<Clause>,
}

/// Clause of a comprehension: `for target in items`, or `if condition`.
#[derive(Debug)]
pub enum Clause {
    For { target: Expr, items: Expr },
    If(Expr),
}

/// Argument of a call.
#[derive(Debug)]
pub struct Argument {
    pub kind: ArgumentKind,
    pub value: Expr,
}

/// Way in which an argument is bound to a parameter.
#[derive(Debug)]
pub enum ArgumentKind {
    Positional,
    Keyword(String),
    /// `**value`.
    Keywords,
}

/// Comparison with the operand before it.
#[derive(Debug)]
pub struct Comparison {
    pub operator: Compare,
    pub right: Expr,
}

/// Arithmetic operator, or `not`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
    Not,
    /// `@`, shifts and the operators on bits.
    Other,
}

/// Operator that may skip its right operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    And,
    Or,
}

/// Comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}
