//! Pure functions on slices: what the layers' formulas come down to. Single-threaded, without
//! allocation.
//!
//! Every kernel is written once, over the few vector operations of `lanes`, and compiled once for
//! each [`Path`]: for any processor, for AVX2 with FMA, and for AVX-512. The path is chosen at run
//! time, so one portable binary is the fast one. Rejected: one text a path (three to keep equal, of
//! which a developer's machine may run two), and `target-cpu=native` (a binary that crashes
//! elsewhere). This file, `lanes` and a prefetch in `rows` hold the crate's only `unsafe`.
//!
//! For one path a result's bits depend on nothing but the inputs: every sum runs in a fixed order,
//! block sizes are constants, and a row's result does not depend on how many rows come with it. In
//! `f64` the plain path runs.

pub mod convolution;
pub mod elementary;
pub(crate) mod lanes;
pub mod matmul;
mod narrow;
pub mod normalization;
pub mod pooling;
pub mod rows;
mod sparse;
mod tiles;
mod windows;

use std::sync::OnceLock;

/// The instruction set that the kernels run with. It is part of a fingerprint, since each rounds in
/// its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// No assumption about the processor.
    Plain,
    /// AVX2 and FMA: 8 lanes of `f32`.
    Avx2,
    /// AVX-512F: 16 lanes of `f32`.
    Avx512,
}

impl Path {
    /// `plain`, `avx2` or `avx512`, as `TALLYNET_KERNEL` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Path::Plain => "plain",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }

    fn available(self) -> bool {
        match self {
            Path::Plain => true,
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            Path::Avx512 => is_x86_feature_detected!("avx512f") && Path::Avx2.available(),
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}

/// The path of this process: the widest that the processor has, or the one that `TALLYNET_KERNEL`
/// names.
///
/// A name that is unknown, or that this processor cannot run, counts as not given; [`check_choice`]
/// reports it.
pub fn path() -> Path {
    static PATH: OnceLock<Path> = OnceLock::new();
    *PATH.get_or_init(|| {
        let widest = [Path::Avx512, Path::Avx2]
            .into_iter()
            .find(|path| path.available())
            .unwrap_or(Path::Plain);
        chosen().ok().flatten().unwrap_or(widest)
    })
}

/// Whether `TALLYNET_KERNEL`, if set, names a path that can run here; if not, what to set instead.
pub fn check_choice() -> crate::Result<()> {
    chosen().map(|_| ()).map_err(|problem| crate::Error::option("TALLYNET_KERNEL", problem))
}

fn chosen() -> Result<Option<Path>, String> {
    let Ok(name) = std::env::var("TALLYNET_KERNEL") else { return Ok(None) };
    let all = [Path::Plain, Path::Avx2, Path::Avx512];
    let usable: Vec<_> =
        all.iter().filter(|path| path.available()).map(|path| path.name()).collect();
    match all.into_iter().find(|path| path.name() == name) {
        Some(path) if path.available() => Ok(Some(path)),
        known => Err(format!(
            "TALLYNET_KERNEL is {name:?}, which {}; here it can be {}",
            if known.is_some() {
                "this processor or build cannot run"
            } else {
                "is no kernel path"
            },
            usable.join(", ")
        )),
    }
}

/// Compiles the generic function `$body` for each path and picks one at run time.
macro_rules! kernel {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? = $body:ident) => {
        $(#[$doc])*
        $vis fn $name($($arg: $ty),*) $(-> $out)? {
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) $(-> $out)? {
                $body::<$crate::kernels::lanes::Avx2>($($arg),*)
            }
            #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
            #[target_feature(enable = "avx512f,avx2,fma")]
            fn avx512($($arg: $ty),*) $(-> $out)? {
                $body::<$crate::kernels::lanes::Avx512>($($arg),*)
            }
            match $crate::kernels::path() {
                // SAFETY: `path` returns `Avx2` only after the processor has reported `avx2` and
                // `fma`, which are all that this safe function asks of its caller.
                #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
                $crate::kernels::Path::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: the same for `Avx512` and the features `avx512f`, `avx2` and `fma`.
                #[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
                $crate::kernels::Path::Avx512 => unsafe { avx512($($arg),*) },
                _ => $body::<$crate::kernels::lanes::Plain>($($arg),*),
            }
        }
    };
}
pub(crate) use kernel;
