//! Names of columns: what is meant by a name that no column has.

use crate::{Error, Result};

/// Maximum number of names that a message lists.
const LISTED: usize = 12;

/// Index of the column with this name. A number means a position, counted from 1, if no column has
/// it as its name. An unknown name is an error with the nearest one.
pub fn find(names: &[String], name: &str) -> Result<usize> {
    if let Some(index) = names.iter().position(|known| known == name) {
        return Ok(index);
    }
    match name.parse::<usize>() {
        Ok(position) if (1..=names.len()).contains(&position) => Ok(position - 1),
        _ => Err(unknown(names, name)),
    }
}

/// Error of a name that no column has.
pub fn unknown(names: &[String], name: &str) -> Error {
    let problem = match nearest(names, name) {
        Some(near) => format!("there is no column {name:?}; do you mean {near:?}?"),
        None => format!("there is no column {name:?}"),
    };
    let help = format!("the columns are {}", list(names));
    Error::format(problem, help)
}

/// The first few of these strings, in quotes, and the number of the others.
pub fn list(strings: &[String]) -> String {
    let listed: Vec<String> = strings.iter().take(LISTED).map(|text| format!("{text:?}")).collect();
    let mut line = listed.join(", ");
    if strings.len() > LISTED {
        line += &format!(" and {} more", strings.len() - LISTED);
    }
    line
}

/// The name with the smallest edit distance, if that is at most a third of its length.
fn nearest<'a>(names: &'a [String], name: &str) -> Option<&'a str> {
    if name.len() > 100 {
        return None;
    }
    let mut best = None;
    for known in names.iter().filter(|known| known.len() <= 100) {
        let distance = edit_distance(&known.to_lowercase(), &name.to_lowercase());
        let allowed = known.chars().count().div_ceil(3);
        if distance <= allowed && best.is_none_or(|(smallest, _)| distance < smallest) {
            best = Some((distance, known.as_str()));
        }
    }
    best.map(|(_, known)| known)
}

/// Number of characters to insert, delete or replace (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut distances: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = distances[0];
        distances[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = distances[j + 1];
            distances[j + 1] = replaced.min(diagonal + 1).min(distances[j] + 1);
        }
    }
    distances[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_name_then_by_position_then_the_nearest() {
        let names: Vec<String> = ["age", "1", "species"].map(String::from).to_vec();
        assert_eq!(find(&names, "1").unwrap(), 1);
        assert_eq!(find(&names, "3").unwrap(), 2);
        let message = find(&names, "Spezies").unwrap_err().to_string();
        assert!(message.contains("do you mean \"species\"?"), "{message}");
        assert!(!find(&names, "weight").unwrap_err().to_string().contains("mean"));
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
