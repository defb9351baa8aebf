//! Python text into the syntax tree: statements. Expressions are in `parse_expressions.rs`.
//!
//! **Decision.** tree-sitter, with the grammar that GitHub uses: it has no recursion of its own,
//! recovers from errors and knows Python 2's `print`. **Rejected:** `ruff_python_parser`, whose
//! typed tree needs no translation, but which takes three times as many crates and twice the time
//! to build, and whose tree overflows the stack when a hostile one is dropped.

use std::rc::Rc;

use tree_sitter::{Node, Parser};

use super::parse_expressions::Translator;
use super::syntax::*;

/// Location and kind of a syntax error.
#[derive(Debug)]
pub struct SyntaxError {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: usize,
    /// Problem found there.
    pub problem: String,
}

/// Parses a module.
pub fn parse(text: &str) -> Result<Block, SyntaxError> {
    let unusable = |problem: &str| SyntaxError { line: 1, column: 1, problem: problem.to_string() };
    let mut parser = Parser::new();
    let language = tree_sitter_python::LANGUAGE.into();
    parser.set_language(&language).map_err(|error| unusable(&error.to_string()))?;
    let tree = parser.parse(text, None).ok_or_else(|| unusable("the parser gave up"))?;
    let root = tree.root_node();
    if let Some(error) = first_error(root) {
        return Err(error);
    }
    Ok(Translator::new(text).block(root))
}

/// The first place that is not valid Python. The search has no recursion, because the tree may be
/// deep.
fn first_error(root: Node) -> Option<SyntaxError> {
    let mut node = root;
    if !node.has_error() {
        return None;
    }
    while !node.is_error() && !node.is_missing() {
        let mut cursor = node.walk();
        let child = node.children(&mut cursor).find(|child| child.has_error())?;
        node = child;
    }
    let location = node.start_position();
    let problem = if node.is_missing() {
        format!("{:?} is missing here", node.kind())
    } else {
        "the code from here on is not valid Python".to_string()
    };
    Some(SyntaxError { line: location.row as u32 + 1, column: location.column + 1, problem })
}

/// Line of a node, counted from 1.
pub fn line(node: Node) -> u32 {
    node.start_position().row as u32 + 1
}

/// Children with a name, without comments.
pub fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    let is_code = |child: &Node| !matches!(child.kind(), "comment" | "line_continuation");
    node.named_children(&mut cursor).filter(is_code).collect()
}

/// Children of a field that may occur several times.
fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).filter(Node::is_named).collect()
}

impl Translator<'_> {
    /// Statements of a suite.
    pub fn block(&mut self, node: Node) -> Block {
        let mut block = vec![];
        if !self.enter() {
            return block;
        }
        for child in children(node) {
            self.statement(child, &mut block);
        }
        self.leave();
        block
    }

    fn field_block(&mut self, node: Node, name: &str) -> Block {
        node.child_by_field_name(name).map_or_else(Block::new, |body| self.block(body))
    }

    fn statement(&mut self, node: Node, block: &mut Block) {
        let kind = match node.kind() {
            "import_statement" => return self.import(node, block),
            "import_from_statement" => return self.import_from(node, block),
            "expression_statement" => self.expression_statement(node),
            "if_statement" => self.if_statement(node),
            "for_statement" => StmtKind::For {
                target: self.field(node, "left"),
                items: self.field(node, "right"),
                body: self.field_block(node, "body"),
                otherwise: self.else_block(node),
            },
            "while_statement" => StmtKind::While {
                test: self.field(node, "condition"),
                body: self.field_block(node, "body"),
            },
            "with_statement" => self.with_statement(node),
            "try_statement" => self.try_statement(node),
            "function_definition" => StmtKind::Function(Rc::new(self.function(node, false))),
            "class_definition" => self.class(node),
            "decorated_definition" => self.decorated(node),
            "return_statement" => {
                let value = children(node).first().map(|&value| self.expression(value));
                StmtKind::Return(value)
            }
            "global_statement" | "nonlocal_statement" => {
                StmtKind::Global(children(node).iter().map(|name| self.text(*name)).collect())
            }
            "delete_statement" => {
                StmtKind::Delete(children(node).iter().map(|part| self.expression(*part)).collect())
            }
            "break_statement" => StmtKind::Break,
            "continue_statement" => StmtKind::Continue,
            _ => StmtKind::Other,
        };
        block.push(Stmt { line: line(node), kind });
    }

    fn import(&mut self, node: Node, block: &mut Block) {
        for child in fields(node, "name") {
            let (path, name) = self.imported(child);
            let first = path.split('.').next().unwrap_or_default().to_string();
            let kind = match name {
                Some(name) => StmtKind::Import { path, name },
                None => StmtKind::Import { path: first.clone(), name: first },
            };
            block.push(Stmt { line: line(node), kind });
        }
    }

    fn import_from(&mut self, node: Node, block: &mut Block) {
        let module = node.child_by_field_name("module_name").map(|name| self.text(name));
        let module = module.unwrap_or_default();
        if children(node).iter().any(|child| child.kind() == "wildcard_import") {
            block.push(Stmt { line: line(node), kind: StmtKind::ImportStar(module) });
            return;
        }
        for child in fields(node, "name") {
            let (name, alias) = self.imported(child);
            let path = format!("{module}.{name}");
            let kind = StmtKind::Import { path, name: alias.unwrap_or(name) };
            block.push(Stmt { line: line(node), kind });
        }
    }

    /// Path and alias of `path` or `path as alias`.
    fn imported(&self, node: Node) -> (String, Option<String>) {
        let path = node.child_by_field_name("name").unwrap_or(node);
        let alias = node.child_by_field_name("alias").map(|alias| self.text(alias));
        (self.text(path), alias)
    }

    fn expression_statement(&mut self, node: Node) -> StmtKind {
        let parts = children(node);
        let &[only] = parts.as_slice() else {
            return StmtKind::Expression(self.tuple(node));
        };
        match only.kind() {
            "assignment" => self.assignment(only),
            "augmented_assignment" => StmtKind::Augmented {
                target: self.field(only, "left"),
                operator: self.operator(only),
                value: self.field(only, "right"),
            },
            _ => StmtKind::Expression(self.expression(only)),
        }
    }

    /// `a = b = value`, or a bare annotation, which has no effect.
    fn assignment(&mut self, node: Node) -> StmtKind {
        let mut targets = vec![self.field(node, "left")];
        let mut right = node.child_by_field_name("right");
        while let Some(next) = right.filter(|right| right.kind() == "assignment") {
            targets.push(self.field(next, "left"));
            right = next.child_by_field_name("right");
        }
        match right {
            Some(value) => StmtKind::Assign { targets, value: self.expression(value) },
            None => StmtKind::Other,
        }
    }

    fn if_statement(&mut self, node: Node) -> StmtKind {
        let mut branches = vec![Branch {
            test: self.field(node, "condition"),
            body: self.field_block(node, "consequence"),
        }];
        for part in fields(node, "alternative") {
            if part.kind() == "elif_clause" {
                branches.push(Branch {
                    test: self.field(part, "condition"),
                    body: self.field_block(part, "consequence"),
                });
            }
        }
        StmtKind::If { branches, otherwise: self.else_block(node) }
    }

    fn else_block(&mut self, node: Node) -> Block {
        let clause = children(node).into_iter().find(|child| child.kind() == "else_clause");
        clause.map_or_else(Block::new, |clause| self.field_block(clause, "body"))
    }

    fn with_statement(&mut self, node: Node) -> StmtKind {
        let mut names = vec![];
        for clause in children(node).iter().filter(|child| child.kind() == "with_clause") {
            for item in children(*clause) {
                let value = item.child_by_field_name("value");
                let alias = value.and_then(|value| value.child_by_field_name("alias"));
                if let Some(&name) = alias.map(children).as_deref().and_then(<[Node]>::first) {
                    names.push(self.expression(name));
                }
            }
        }
        StmtKind::With { names, body: self.field_block(node, "body") }
    }

    fn try_statement(&mut self, node: Node) -> StmtKind {
        let mut body = self.field_block(node, "body");
        body.extend(self.else_block(node));
        for part in children(node).iter().filter(|part| part.kind() == "finally_clause") {
            if let Some(block) = children(*part).first() {
                body.extend(self.block(*block));
            }
        }
        StmtKind::Try(body)
    }

    fn decorated(&mut self, node: Node) -> StmtKind {
        let is_static = children(node)
            .iter()
            .any(|part| part.kind() == "decorator" && self.text(*part) == "@staticmethod");
        match node.child_by_field_name("definition") {
            Some(class) if class.kind() == "class_definition" => self.class(class),
            Some(function) => StmtKind::Function(Rc::new(self.function(function, is_static))),
            None => StmtKind::Other,
        }
    }

    fn function(&mut self, node: Node, is_static: bool) -> Function {
        let mut parameters = vec![];
        for part in node.child_by_field_name("parameters").map(children).unwrap_or_default() {
            parameters.extend(self.parameter(part));
        }
        Function {
            name: node.child_by_field_name("name").map(|name| self.text(name)).unwrap_or_default(),
            parameters,
            body: self.field_block(node, "body"),
            is_static,
        }
    }

    fn parameter(&mut self, node: Node) -> Option<Parameter> {
        let kind = match node.kind() {
            "list_splat_pattern" => ParameterKind::Rest,
            "dictionary_splat_pattern" => ParameterKind::Keywords,
            "typed_parameter" => return self.parameter(*children(node).first()?),
            "identifier" | "default_parameter" | "typed_default_parameter" => ParameterKind::Single,
            _ => return None,
        };
        let name = node.child_by_field_name("name").unwrap_or(node);
        let name = self.text(name).trim_start_matches('*').to_string();
        let default = node.child_by_field_name("value").map(|value| self.expression(value));
        Some(Parameter { name, default, kind })
    }

    fn class(&mut self, node: Node) -> StmtKind {
        let bases = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
        StmtKind::Class(Rc::new(Class {
            name: node.child_by_field_name("name").map(|name| self.text(name)).unwrap_or_default(),
            line: line(node),
            bases: bases.into_iter().map(|base| self.expression(base)).collect(),
            body: self.field_block(node, "body"),
        }))
    }
}
