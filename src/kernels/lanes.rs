//! A vector register, as the kernels see it: a handful of operations, one implementation for each
//! path.
//!
//! The optimizer does not keep a tile of arrays in registers (a third of the speed was measured),
//! so the operations name their instructions. A type here is only ever a type argument that the
//! macro `kernel!` fills in, inside a function compiled for its instruction set: that is what makes
//! the calls below sound.

use crate::Real;

/// Neighbours that the operations for turning a matrix move as one.
pub(super) const FOUR: usize = 4;

/// The most values that a register holds.
const MOST_LANES: usize = 16;

/// What a kernel's body is compiled for.
pub(crate) trait Lanes {
    /// The register.
    type V: Copy;
    /// How many values it holds.
    const N: usize;
    /// All values the same.
    fn splat(value: Real) -> Self::V;
    /// The first [`Lanes::N`] values of a slice that has at least as many.
    fn load(from: &[Real]) -> Self::V;
    /// Writes them to the front of a slice.
    fn store(values: Self::V, to: &mut [Real]);
    /// `a·b + c`, rounded once where there is an instruction for it.
    fn multiply_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Four neighbours from each of `N / 4` places of a slice, which are so far apart.
    fn load_fours(from: &[Real], apart: usize) -> Self::V;
    /// Writes them to such places.
    fn store_fours(values: Self::V, to: &mut [Real], apart: usize);
    /// Turns squares of four times four lanes over their diagonals.
    fn turn(rows: [Self::V; FOUR]) -> [Self::V; FOUR];
    /// The sum of each register's values.
    #[inline(always)]
    fn sums(values: [Self::V; FOUR]) -> [Real; FOUR] {
        let ([a, b, c, d], one) = (Self::turn(values), Self::splat(1.0));
        let (ab, cd) = (Self::multiply_add(one, a, b), Self::multiply_add(one, c, d));
        let mut each = [0.0; MOST_LANES];
        Self::store(Self::multiply_add(one, ab, cd), &mut each);
        let mut sums = [0.0; FOUR];
        for fours in each[..Self::N].chunks_exact(FOUR) {
            for i in 0..FOUR {
                sums[i] += fours[i];
            }
        }
        sums
    }
}

/// Any processor: four lanes that the compiler maps to what it has.
pub(crate) struct Plain;

impl Lanes for Plain {
    type V = [Real; 4];
    const N: usize = 4;
    #[inline(always)]
    fn splat(value: Real) -> Self::V {
        [value; 4]
    }
    #[inline(always)]
    fn load(from: &[Real]) -> Self::V {
        [from[0], from[1], from[2], from[3]]
    }
    #[inline(always)]
    fn store(values: Self::V, to: &mut [Real]) {
        to[..4].copy_from_slice(&values);
    }
    #[inline(always)]
    fn multiply_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        [a[0] * b[0] + c[0], a[1] * b[1] + c[1], a[2] * b[2] + c[2], a[3] * b[3] + c[3]]
    }
    #[inline(always)]
    fn load_fours(from: &[Real], _apart: usize) -> Self::V {
        Self::load(from)
    }
    #[inline(always)]
    fn store_fours(values: Self::V, to: &mut [Real], _apart: usize) {
        Self::store(values, to);
    }
    #[inline(always)]
    fn turn(r: [Self::V; FOUR]) -> [Self::V; FOUR] {
        [0, 1, 2, 3].map(|j| [r[0][j], r[1][j], r[2][j], r[3][j]])
    }
}

#[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
mod x86 {
    use std::arch::x86_64::*;

    use super::{FOUR, Lanes, Real};

    macro_rules! lanes {
        ($(#[$doc:meta])* $name:ident: $v:ident of $n:literal, $splat:ident, $load:ident, $store:ident, $multiply_add:ident,
         $low:ident, $high:ident, $shuffle:ident, $widen:ident, $insert:ident, $extract:ident, $($quarter:literal)*) => {
            $(#[$doc])*
            pub(crate) struct $name;

            // SAFETY, for each block: the instructions need only their instruction set, and a body
            // with this type argument is compiled and called by `kernel!` alone, after the
            // processor has reported that set. The slice indexing in front of a load or store has
            // checked that the memory is there; all take any alignment.
            impl Lanes for $name {
                type V = $v;
                const N: usize = $n;
                #[inline(always)]
                fn splat(value: Real) -> Self::V {
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                fn load(from: &[Real]) -> Self::V {
                    let from = &from[..$n];
                    unsafe { $load(from.as_ptr()) }
                }
                #[inline(always)]
                fn store(values: Self::V, to: &mut [Real]) {
                    let to = &mut to[..$n];
                    unsafe { $store(to.as_mut_ptr(), values) }
                }
                #[inline(always)]
                fn multiply_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                    unsafe { $multiply_add(a, b, c) }
                }
                #[inline(always)]
                fn load_fours(from: &[Real], apart: usize) -> Self::V {
                    let from = &from[..($n / FOUR - 1) * apart + FOUR];
                    unsafe {
                        let values = $widen(_mm_loadu_ps(from.as_ptr()));
                        $(let values = $insert::<$quarter>(values, _mm_loadu_ps(from[$quarter * apart..].as_ptr()));)*
                        values
                    }
                }
                #[inline(always)]
                fn store_fours(values: Self::V, to: &mut [Real], apart: usize) {
                    let to = &mut to[..($n / FOUR - 1) * apart + FOUR];
                    unsafe {
                        _mm_storeu_ps(to.as_mut_ptr(), $extract::<0>(values));
                        $(_mm_storeu_ps(to[$quarter * apart..].as_mut_ptr(), $extract::<$quarter>(values));)*
                    }
                }
                #[inline(always)]
                fn turn([a, b, c, d]: [Self::V; FOUR]) -> [Self::V; FOUR] {
                    const FIRST: i32 = 0b01_00_01_00;
                    const LAST: i32 = 0b11_10_11_10;
                    unsafe {
                        let (low, high) = ([$low(a, b), $low(c, d)], [$high(a, b), $high(c, d)]);
                        [
                            $shuffle::<FIRST>(low[0], low[1]),
                            $shuffle::<LAST>(low[0], low[1]),
                            $shuffle::<FIRST>(high[0], high[1]),
                            $shuffle::<LAST>(high[0], high[1]),
                        ]
                    }
                }
            }
        };
    }

    lanes! {
        /// AVX2 with FMA.
        Avx2: __m256 of 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_unpacklo_ps,
        _mm256_unpackhi_ps, _mm256_shuffle_ps, _mm256_castps128_ps256, _mm256_insertf128_ps, _mm256_extractf128_ps, 1
    }
    lanes! {
        /// AVX-512F.
        Avx512: __m512 of 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_unpacklo_ps,
        _mm512_unpackhi_ps, _mm512_shuffle_ps, _mm512_castps128_ps512, _mm512_insertf32x4, _mm512_extractf32x4_ps, 1 2 3
    }
}
#[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
pub(crate) use x86::{Avx2, Avx512};
