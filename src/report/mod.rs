//! Reports for people: progress on a terminal, and findings about data.

mod findings;
mod progress;

pub use findings::findings;
pub use progress::Progress;
