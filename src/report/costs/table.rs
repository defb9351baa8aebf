//! Table of multiply-adds, stated by the formulas and counted in a run.

use super::{Extent, MultiplyAddCount};
use crate::Result;
use crate::kernels::counting::MultiplyAdds;
use crate::table::{table, with_commas};

/// Table of the multiply-adds of one sample by formula and by count, which ends with the verdict.
///
/// # Errors
/// A layer whose two numbers differ.
pub fn multiply_add_table(counts: &[MultiplyAddCount]) -> Result<String> {
    let mut rows = vec![];
    let mut total = MultiplyAdds::default();
    let mut parts = false;
    let mut left_out = vec![];
    for count in counts {
        count.check()?;
        total = total.plus(count.counted.unwrap_or_default());
        let formula = if count.formula.is_empty() { "none" } else { &count.formula };
        let mut row = vec![count.name.clone(), formula.to_string()];
        row.extend(cells(count.stated, count.counted));
        row.push(match count.extent {
            Extent::Whole => String::new(),
            Extent::Part(n) => {
                parts = true;
                format!("1 of {} parts", with_commas(n))
            }
            Extent::TooLarge | Extent::Unknown => {
                left_out.push(&*count.name);
                "not run".to_string()
            }
        });
        rows.push(row);
    }
    let mut row = vec!["Total".to_string(), String::new()];
    row.extend(cells(Some(total), Some(total)));
    row.push(String::new());
    rows.push(row);
    let heads =
        ["Multiply-adds", "formula", ">forward", ">counted", ">backward", ">counted", "run"];
    // The last column is for what is not run, or in part.
    let n_columns = if parts || !left_out.is_empty() { heads.len() } else { heads.len() - 1 };
    for row in &mut rows {
        row.truncate(n_columns);
    }
    let mut text = table(&heads[..n_columns], &rows);
    text += "Verified: the reference kernels, run on one sample, did exactly the multiply-adds of \
             the formulas.";
    if parts {
        text += "\nA part is one unit, or one pair of a channel and a filter; its count is \
                 multiplied by the number of parts.";
    }
    if !left_out.is_empty() {
        text += &format!("\nNot run, and not in the total: {}.", left_out.join(", "));
    }
    Ok(text)
}

/// Forward and backward, each stated and counted.
fn cells(stated: Option<MultiplyAdds>, counted: Option<MultiplyAdds>) -> [String; 4] {
    let cell = |counts: Option<MultiplyAdds>, pass: fn(&MultiplyAdds) -> usize| match counts {
        Some(counts) => with_commas(pass(&counts)),
        None => "-".to_string(),
    };
    let forward = |counts: &MultiplyAdds| counts.forward;
    let backward = MultiplyAdds::backward;
    [cell(stated, forward), cell(counted, forward), cell(stated, backward), cell(counted, backward)]
}
