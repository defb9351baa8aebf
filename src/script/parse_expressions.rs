//! Python text into the syntax tree: expressions.

use tree_sitter::Node;

use super::parse::{children, line};
use super::parse_literals::integer;
use super::syntax::*;

/// Depth of expressions and blocks within each other that is translated. Deeper ones are `Other`,
/// so that no function that walks over the tree can overflow the stack.
const MAX_DEPTH: usize = 100;

/// Translator from tree-sitter's tree.
pub struct Translator<'s> {
    source: &'s str,
    depth: usize,
}

impl<'s> Translator<'s> {
    pub fn new(source: &'s str) -> Self {
        Translator { source, depth: 0 }
    }

    /// Enters an expression or a block, to be left again; false if it is too deep.
    pub fn enter(&mut self) -> bool {
        let is_shallow = self.depth < MAX_DEPTH;
        self.depth += usize::from(is_shallow);
        is_shallow
    }

    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    pub fn text(&self, node: Node) -> String {
        self.source.get(node.byte_range()).unwrap_or_default().to_string()
    }

    /// Expression in a field of a node.
    pub fn field(&mut self, node: Node, name: &str) -> Expr {
        match node.child_by_field_name(name) {
            Some(child) => self.expression(child),
            None => Expr { line: line(node), kind: ExprKind::Other("an incomplete expression") },
        }
    }

    fn boxed(&mut self, node: Node, name: &str) -> Box<Expr> {
        Box::new(self.field(node, name))
    }

    fn all(&mut self, node: Node) -> Vec<Expr> {
        children(node).into_iter().map(|child| self.expression(child)).collect()
    }

    /// All children of a node as a tuple.
    pub fn tuple(&mut self, node: Node) -> Expr {
        Expr { line: line(node), kind: ExprKind::Tuple(self.all(node)) }
    }

    pub fn expression(&mut self, node: Node) -> Expr {
        // Parentheses do not count as depth, and have no node of their own.
        let mut node = node;
        while node.kind() == "parenthesized_expression" {
            let Some(&inner) = children(node).first() else { break };
            node = inner;
        }
        let is_shallow = self.enter();
        let kind = if is_shallow {
            self.kind(node)
        } else {
            ExprKind::Other("an expression that is nested too deep")
        };
        if is_shallow {
            self.leave();
        }
        Expr { line: line(node), kind }
    }

    fn kind(&mut self, node: Node) -> ExprKind {
        match node.kind() {
            "identifier" => ExprKind::Name(self.text(node)),
            "integer" => integer(&self.text(node)),
            "float" => match self.text(node).replace('_', "").parse() {
                Ok(value) => ExprKind::Float(value),
                Err(_) => ExprKind::Other("a complex number"),
            },
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "none" => ExprKind::None,
            "ellipsis" => ExprKind::Ellipsis,
            "string" | "concatenated_string" => self.string(node),
            "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" => {
                ExprKind::Tuple(self.all(node))
            }
            "list" | "list_pattern" | "set" => ExprKind::List(self.all(node)),
            "dictionary" => ExprKind::Dict(self.pairs(node)),
            "list_splat" | "list_splat_pattern" | "parenthesized_list_splat" => self.splat(node),
            "attribute" => {
                let name = node.child_by_field_name("attribute").map(|name| self.text(name));
                ExprKind::Attribute(self.boxed(node, "object"), name.unwrap_or_default())
            }
            "subscript" => self.subscript(node),
            "slice" => ExprKind::Slice(Box::new(self.slice(node))),
            "call" => self.call(node),
            "lambda" => ExprKind::Lambda,
            "list_comprehension"
            | "set_comprehension"
            | "generator_expression"
            | "dictionary_comprehension" => self.comprehension(node),
            "named_expression" => self.field(node, "value").kind,
            _ => self.operation(node),
        }
    }

    fn operation(&mut self, node: Node) -> ExprKind {
        match node.kind() {
            "unary_operator" => ExprKind::Unary(self.operator(node), self.boxed(node, "argument")),
            "not_operator" => ExprKind::Unary(Operator::Not, self.boxed(node, "argument")),
            "binary_operator" => ExprKind::Binary(
                self.operator(node),
                self.boxed(node, "left"),
                self.boxed(node, "right"),
            ),
            "boolean_operator" => {
                let operator = node.child_by_field_name("operator").map(|word| word.kind());
                let logical = if operator == Some("and") { Logical::And } else { Logical::Or };
                ExprKind::Logical(logical, self.boxed(node, "left"), self.boxed(node, "right"))
            }
            "comparison_operator" => self.comparison(node),
            "conditional_expression" => match children(node).as_slice() {
                &[then, test, otherwise] => ExprKind::Conditional(Box::new(Conditional {
                    test: self.expression(test),
                    then: self.expression(then),
                    otherwise: self.expression(otherwise),
                })),
                _ => ExprKind::Other("an incomplete expression"),
            },
            "await" => ExprKind::Other("await"),
            "yield" => ExprKind::Other("yield"),
            _ => ExprKind::Other("an expression of another kind"),
        }
    }

    fn splat(&mut self, node: Node) -> ExprKind {
        match children(node).first() {
            Some(&items) => ExprKind::Splat(Box::new(self.expression(items))),
            None => ExprKind::Other("an incomplete expression"),
        }
    }

    fn pairs(&mut self, node: Node) -> Vec<Pair> {
        let mut pairs = vec![];
        for child in children(node) {
            match child.kind() {
                "pair" => pairs.push(Pair {
                    key: Some(self.field(child, "key")),
                    value: self.field(child, "value"),
                }),
                _ => pairs.extend(
                    children(child)
                        .first()
                        .map(|&value| Pair { key: None, value: self.expression(value) }),
                ),
            }
        }
        pairs
    }

    fn subscript(&mut self, node: Node) -> ExprKind {
        let value = self.boxed(node, "value");
        let mut cursor = node.walk();
        let places: Vec<_> = node.children_by_field_name("subscript", &mut cursor).collect();
        let indices = places.into_iter().map(|place| self.expression(place)).collect();
        ExprKind::Index(value, indices)
    }

    /// `start:stop:step`, whose parts have no names: they are told apart by the colons.
    fn slice(&mut self, node: Node) -> Slice {
        let mut parts = [None, None, None];
        let mut at = 0;
        let mut cursor = node.walk();
        let tokens: Vec<_> = node.children(&mut cursor).collect();
        for token in tokens {
            if token.kind() == ":" {
                at += 1;
            } else if at < parts.len() && token.is_named() && token.kind() != "comment" {
                parts[at] = Some(self.expression(token));
            }
        }
        let [start, stop, step] = parts;
        Slice { start, stop, step }
    }

    fn call(&mut self, node: Node) -> ExprKind {
        let function = self.boxed(node, "function");
        let Some(list) = node.child_by_field_name("arguments") else {
            return ExprKind::Call(function, vec![]);
        };
        if list.kind() == "generator_expression" {
            let value = self.expression(list);
            return ExprKind::Call(
                function,
                vec![Argument { kind: ArgumentKind::Positional, value }],
            );
        }
        let arguments = children(list).into_iter().filter_map(|part| self.argument(part)).collect();
        ExprKind::Call(function, arguments)
    }

    fn argument(&mut self, node: Node) -> Option<Argument> {
        Some(match node.kind() {
            "keyword_argument" => {
                let name = self.text(node.child_by_field_name("name")?);
                Argument { kind: ArgumentKind::Keyword(name), value: self.field(node, "value") }
            }
            "dictionary_splat" => Argument {
                kind: ArgumentKind::Keywords,
                value: self.expression(*children(node).first()?),
            },
            _ => Argument { kind: ArgumentKind::Positional, value: self.expression(node) },
        })
    }

    fn comparison(&mut self, node: Node) -> ExprKind {
        let mut operands = self.all(node);
        if operands.len() < 2 {
            return ExprKind::Other("an incomplete expression");
        }
        let first = operands.remove(0);
        let mut cursor = node.walk();
        let operators: Vec<_> = node.children_by_field_name("operators", &mut cursor).collect();
        let mut comparisons = vec![];
        for (operator, right) in operators.iter().zip(operands) {
            let operator = match operator.kind() {
                "==" => Compare::Equal,
                "!=" | "<>" => Compare::NotEqual,
                "<" => Compare::Less,
                "<=" => Compare::LessOrEqual,
                ">" => Compare::Greater,
                ">=" => Compare::GreaterOrEqual,
                "in" => Compare::In,
                "not in" => Compare::NotIn,
                "is" => Compare::Is,
                _ => Compare::IsNot,
            };
            comparisons.push(Comparison { operator, right });
        }
        ExprKind::Compare(Box::new(first), comparisons)
    }

    fn comprehension(&mut self, node: Node) -> ExprKind {
        let Some(body) = node.child_by_field_name("body") else {
            return ExprKind::Other("an incomplete expression");
        };
        let (key, value) = if body.kind() == "pair" {
            (Some(self.field(body, "key")), self.field(body, "value"))
        } else {
            (None, self.expression(body))
        };
        let mut clauses = vec![];
        for part in children(node) {
            match part.kind() {
                "for_in_clause" => clauses.push(Clause::For {
                    target: self.field(part, "left"),
                    items: self.field(part, "right"),
                }),
                "if_clause" => {
                    let test = children(part).first().map(|&test| self.expression(test));
                    clauses.extend(test.map(Clause::If));
                }
                _ => {}
            }
        }
        ExprKind::Comprehension(Box::new(Comprehension { key, value, clauses }))
    }

    /// Operator of a unary, binary or augmented operation.
    pub fn operator(&self, node: Node) -> Operator {
        let token = node.child_by_field_name("operator").map_or("", |token| token.kind());
        match token.trim_end_matches('=') {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "//" => Operator::FloorDivide,
            "%" => Operator::Modulo,
            "**" => Operator::Power,
            _ => Operator::Other,
        }
    }
}
