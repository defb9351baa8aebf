//! Section "Version 1 B-trees": the index of an old group, and that of the chunks of a dataset.

use super::Result;
use super::cursor::{Cursor, Source};

/// A B-tree to walk through.
pub struct BTree {
    /// Address of the root node.
    pub root: usize,
    /// Node type: 0 for groups, 1 for chunks.
    pub node_type: usize,
    /// Bytes of a key.
    pub key_size: usize,
}

impl BTree {
    /// Calls `visit` for each child of the leaves, in no particular order, with the key before the
    /// child and the child's address.
    pub fn for_each<'a>(
        &self,
        source: &Source<'a>,
        mut visit: impl FnMut(Cursor<'a>, usize) -> Result<()>,
    ) -> Result<()> {
        let mut nodes = vec![(self.root, None)];
        while let Some((address, expected_level)) = nodes.pop() {
            let mut head = source.take(address, 24, "B-tree node")?;
            head.signature(b"TREE")?;
            let node_type = head.uint(1)?;
            let level = head.uint(1)?;
            let n_children = head.uint(2)?;
            if node_type != self.node_type {
                return Err(head.damaged("indexes something else than its owner says"));
            }
            // Levels that count down end each cycle after at most 256 nodes; the byte budget ends
            // wide trees.
            if expected_level.is_some_and(|expected| expected != level) {
                return Err(head.damaged(format!(
                    "has level {level}, which does not follow from its parent's"
                )));
            }
            let length = n_children * (self.key_size + 8) + self.key_size;
            let mut entries = source.take(address.saturating_add(24), length, "B-tree node")?;
            for _ in 0..n_children {
                let key = entries.part(self.key_size)?;
                let child = entries.uint(8)?;
                match level.checked_sub(1) {
                    None => visit(key, child)?,
                    level_below => nodes.push((child, level_below)),
                }
            }
        }
        Ok(())
    }
}
