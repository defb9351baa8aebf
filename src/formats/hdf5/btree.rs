//! Section "Version 1 B-trees": the index of an old group, and that of the chunks of a dataset.

use super::Result;
use super::cursor::{Cursor, Source};

/// Visits the leaves in any order: the key before each child, of so many bytes, and the child's
/// address.
pub fn leaves<'a>(
    source: &Source<'a>,
    root: usize,
    kind: usize,
    key: usize,
    mut visit: impl FnMut(Cursor<'a>, usize) -> Result<()>,
) -> Result<()> {
    let mut nodes = vec![(root, None)];
    while let Some((address, expected)) = nodes.pop() {
        let mut head = source.take(address, 24, "B-tree node")?;
        head.letters(b"TREE")?;
        let (found, level, count) = (head.uint(1)?, head.uint(1)?, head.uint(2)?);
        if found != kind {
            return Err(head.damaged("indexes something else than its owner says"));
        }
        // Levels that count down end every cycle after at most 256 steps; the allowance ends the
        // wide ones.
        if expected.is_some_and(|expected| expected != level) {
            return Err(
                head.damaged(format!("has level {level}, which does not follow from its parent's"))
            );
        }
        let mut entries =
            source.take(address.saturating_add(24), count * (key + 8) + key, "B-tree node")?;
        for _ in 0..count {
            let (key, child) = (entries.part(key)?, entries.uint(8)?);
            match level.checked_sub(1) {
                None => visit(key, child)?,
                below => nodes.push((child, below)),
            }
        }
    }
    Ok(())
}
