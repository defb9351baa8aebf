//! Compute kernels: pure functions on slices, single-threaded, without allocation.
//!
//! Every kernel is written once and compiled once for each [`InstructionSet`]: for any processor,
//! for AVX2 with FMA and for AVX-512, or for ARM's NEON. The set is chosen at run time, so one
//! portable binary is the fast one. The products use the vector operations of `simd`; the other
//! loops are vectorized by the compiler. Rejected: one source for each set (three to keep equal,
//! while a developer's machine may run only two), and `target-cpu=native` (a binary that crashes
//! elsewhere). The crate's only `unsafe` is in this file, in `simd` and in a prefetch in `rows`.
//! `reference` is the specification of matrix product, convolution and pooling that the tests
//! compare kernels with.
//!
//! Products follow BLIS (Van Zee and van de Geijn 2015), and so do their names:
//!
//! ```text
//!                     panel: NR columns of B, packed row by row
//!                   ┌────┬────┬────┬────┐
//!                KC │    │    │    │    │  B: KC rows are packed at a time
//!                   └────┴────┴────┴────┘
//!                    NC: panels that stay in the second-level cache
//!          KC
//!       ┌──────┐    ┌────┬────┬────┬────┐
//!    MR │      │    │tile│    │    │    │  C: a tile of MR × NR sums stays in registers
//!       ├──────┤    ├────┼────┼────┼────┤     during the loop over the inner dimension
//!    MR │      │    │    │    │    │    │
//!       └──────┘    └────┴────┴────┴────┘
//!       A, read in place: a broadcast needs no packing
//! ```
//!
//! With one instruction set the bits of a result depend on the inputs only: every sum runs in a
//! fixed order, block sizes are constants, and the result of a row does not depend on the number of
//! rows computed with it. The `f64` build runs the plain kernels.

// An index that runs over the registers of a tile stands for all of its arrays.
#![allow(clippy::needless_range_loop)]

pub mod convolution;
pub mod counting;
pub mod elementary;
mod few_filters;
mod filters;
mod lhs;
pub mod matmul;
mod max_pool_2x2;
pub mod normalization;
mod overlap_add;
mod panels;
pub mod pooling;
pub mod reference;
pub mod rows;
pub(crate) mod simd;
mod small_n;
mod sparse;
mod tiles;
mod windows;
mod winograd;

use std::sync::OnceLock;

use crate::{Error, Result};

/// Environment variable that names the instruction set.
const VARIABLE: &str = "TALLYNET_KERNEL";

/// Instruction set that the kernels run with. It is part of a fingerprint, since each one rounds
/// differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// Any processor.
    Plain,
    /// AVX2 and FMA: 8 lanes of `f32`.
    Avx2,
    /// AVX-512F: 16 lanes of `f32`.
    Avx512,
    /// NEON of 64-bit ARM: 4 lanes of `f32`.
    Neon,
}

impl InstructionSet {
    /// All sets, the fastest of a processor last.
    const ALL: [InstructionSet; 4] = [Self::Plain, Self::Avx2, Self::Avx512, Self::Neon];

    /// Name in `TALLYNET_KERNEL` and in fingerprints: `plain`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// True if this build has the set and this processor runs it.
    fn is_available(self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && Self::Avx2.is_available(),
            #[cfg(all(target_arch = "aarch64", not(tallynet_f64)))]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            _ => false,
        }
    }
}

/// Instruction set of this process: the one that `TALLYNET_KERNEL` names, or else the widest that
/// the processor has.
///
/// A name that is unknown or cannot run here is ignored; [`check_choice`] reports it.
pub fn instruction_set() -> InstructionSet {
    static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
    *CHOSEN.get_or_init(|| match requested() {
        Ok(Some(requested)) => requested,
        _ => available().last().unwrap_or(InstructionSet::Plain),
    })
}

/// Checks the value of `TALLYNET_KERNEL`.
///
/// # Errors
/// If it is set and names no instruction set, or one that cannot run here.
pub fn check_choice() -> Result<()> {
    requested().map(|_| ())
}

fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

fn requested() -> Result<Option<InstructionSet>> {
    let Ok(name) = std::env::var(VARIABLE) else { return Ok(None) };
    if let Some(set) = available().find(|set| set.name() == name) {
        return Ok(Some(set));
    }
    let problem = if InstructionSet::ALL.iter().any(|set| set.name() == name) {
        "this processor or build cannot run"
    } else {
        "is not an instruction set"
    };
    let usable: Vec<_> = available().map(InstructionSet::name).collect();
    let usable = usable.join(", ");
    let message = format!("{VARIABLE} is {name:?}, which {problem}; here it can be {usable}");
    Err(Error::option(VARIABLE, message))
}

/// Compiles a function for each instruction set and chooses one at run time.
///
/// A body that uses vector operations has their type as a parameter: `fn product<S: Simd>(…)`. In
/// any other body the compiler vectorizes the loops, which requires that closures are inlined.
macro_rules! kernel {
    (
        $(#[$doc:meta])*
        $vis:vis fn $name:ident<$S:ident: Simd>($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)?
        $body:block
    ) => {
        $(#[$doc])*
        $vis fn $name($($arg: $ty),*) $(-> $out)? {
            #[inline(always)]
            fn body<$S: $crate::kernels::simd::Simd>($($arg: $ty),*) $(-> $out)? $body
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) $(-> $out)? {
                body::<$crate::kernels::simd::Avx2>($($arg),*)
            }
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            #[target_feature(enable = "avx512f,avx2,fma")]
            fn avx512($($arg: $ty),*) $(-> $out)? {
                body::<$crate::kernels::simd::Avx512>($($arg),*)
            }
            #[cfg(all(target_arch = "aarch64", not(tallynet_f64)))]
            fn neon($($arg: $ty),*) $(-> $out)? {
                body::<$crate::kernels::simd::Neon>($($arg),*)
            }
            match $crate::kernels::instruction_set() {
                // SAFETY: `instruction_set` returns `Avx2` only after the processor has reported
                // `avx2` and `fma`, which are all that this safe function asks of its caller.
                #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
                $crate::kernels::InstructionSet::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: the same for `Avx512` and the features `avx512f`, `avx2` and `fma`.
                #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
                $crate::kernels::InstructionSet::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(all(target_arch = "aarch64", not(tallynet_f64)))]
                $crate::kernels::InstructionSet::Neon => neon($($arg),*),
                _ => body::<$crate::kernels::simd::Plain>($($arg),*),
            }
        }
    };
    (
        $(#[$doc:meta])*
        $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)?
        $body:block
    ) => {
        $crate::kernels::kernel! {
            $(#[$doc])*
            $vis fn $name<_S: Simd>($($arg: $ty),*) $(-> $out)? $body
        }
    };
}
pub(crate) use kernel;
