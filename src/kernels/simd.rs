//! Vector registers: a handful of operations, implemented for each instruction set.
//!
//! The operations name their instructions, because the compiler does not keep a tile of plain
//! arrays in registers, which costs two thirds of the speed. The types here are used only as type
//! arguments that the macro `kernel!` fills in, inside a function compiled for that instruction
//! set: this makes the calls below sound.

use crate::Real;

/// Lanes of a quad: the adjacent lanes that a transpose moves together.
pub(super) const QUAD: usize = 4;

/// Lanes of the widest register.
pub(super) const MAX_LANES: usize = 16;

/// Operations of an instruction set.
pub(crate) trait Simd {
    /// Vector register.
    type Vector: Copy;
    /// Number of values in a register.
    const LANES: usize;
    /// Register with the same value in every lane.
    fn splat(value: Real) -> Self::Vector;
    /// Loads the first [`Simd::LANES`] values of a slice.
    fn load(from: &[Real]) -> Self::Vector;
    /// Loads a row of `NV` registers.
    fn load_row<const NV: usize>(from: &[Real]) -> [Self::Vector; NV];
    /// Stores to the first [`Simd::LANES`] values of a slice.
    fn store(values: Self::Vector, to: &mut [Real]);
    /// `a + b`.
    fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a − b`.
    fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a·b + c`, rounded once if there is an instruction for it.
    fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Loads quads that begin at the multiples of `stride`.
    fn load_quads(from: &[Real], stride: usize) -> Self::Vector;
    /// Stores quads at the multiples of `stride`.
    fn store_quads(values: Self::Vector, to: &mut [Real], stride: usize);
    /// Transposes each of the 4 × 4 matrices that four registers of quads hold.
    fn transpose(rows: [Self::Vector; QUAD]) -> [Self::Vector; QUAD];
    /// Sum of the lanes of each register.
    #[inline(always)]
    fn sums(values: [Self::Vector; QUAD]) -> [Real; QUAD] {
        let one = Self::splat(1.0);
        let [a, b, c, d] = Self::transpose(values);
        let ab = Self::mul_add(one, a, b);
        let cd = Self::mul_add(one, c, d);
        let mut lanes = [0.0; MAX_LANES];
        Self::store(Self::mul_add(one, ab, cd), &mut lanes);
        let mut sums = [0.0; QUAD];
        for quad in lanes[..Self::LANES].chunks_exact(QUAD) {
            for i in 0..QUAD {
                sums[i] += quad[i];
            }
        }
        sums
    }
}

/// Any processor: four lanes that the compiler maps to its registers.
pub(crate) struct Plain;

impl Simd for Plain {
    type Vector = [Real; 4];
    const LANES: usize = 4;
    #[inline(always)]
    fn splat(value: Real) -> Self::Vector {
        [value; 4]
    }
    #[inline(always)]
    fn load(from: &[Real]) -> Self::Vector {
        [from[0], from[1], from[2], from[3]]
    }
    /// Without a closure, which here would stay a call and make products four times as slow.
    #[inline(always)]
    fn load_row<const NV: usize>(from: &[Real]) -> [Self::Vector; NV] {
        let mut row = [Self::splat(0.0); NV];
        for v in 0..NV {
            row[v] = Self::load(&from[v * Self::LANES..]);
        }
        row
    }
    #[inline(always)]
    fn store(values: Self::Vector, to: &mut [Real]) {
        to[..4].copy_from_slice(&values);
    }
    #[inline(always)]
    fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
    }
    #[inline(always)]
    fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
    }
    #[inline(always)]
    fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        [a[0] * b[0] + c[0], a[1] * b[1] + c[1], a[2] * b[2] + c[2], a[3] * b[3] + c[3]]
    }
    #[inline(always)]
    fn load_quads(from: &[Real], _stride: usize) -> Self::Vector {
        Self::load(from)
    }
    #[inline(always)]
    fn store_quads(values: Self::Vector, to: &mut [Real], _stride: usize) {
        Self::store(values, to);
    }
    #[inline(always)]
    fn transpose(r: [Self::Vector; QUAD]) -> [Self::Vector; QUAD] {
        [
            [r[0][0], r[1][0], r[2][0], r[3][0]],
            [r[0][1], r[1][1], r[2][1], r[3][1]],
            [r[0][2], r[1][2], r[2][2], r[3][2]],
            [r[0][3], r[1][3], r[2][3], r[3][3]],
        ]
    }
}

#[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
mod x86 {
    use std::arch::x86_64::*;

    use super::{QUAD, Real, Simd};

    macro_rules! simd {
        (
            $(#[$doc:meta])*
            $name:ident: $vector:ident of $n:literal, $splat:ident, $load:ident, $store:ident,
            $add:ident, $sub:ident, $mul_add:ident, $unpack_low:ident, $unpack_high:ident, $shuffle:ident, $widen:ident,
            $insert:ident, $extract:ident, $($quad:literal)*
        ) => {
            $(#[$doc])*
            pub(crate) struct $name;

            // SAFETY, for each block: the instructions need only their instruction set, and a body
            // with this type argument is compiled and called by `kernel!` alone, after the
            // processor has reported that set. The slice indexing before a load or store has
            // checked the bounds; all of them take any alignment.
            impl Simd for $name {
                type Vector = $vector;
                const LANES: usize = $n;
                #[inline(always)]
                fn splat(value: Real) -> Self::Vector {
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                fn load(from: &[Real]) -> Self::Vector {
                    let from = &from[..$n];
                    unsafe { $load(from.as_ptr()) }
                }
                /// Without a loop, with which convolutions take 5 % longer.
                #[inline(always)]
                fn load_row<const NV: usize>(from: &[Real]) -> [Self::Vector; NV] {
                    std::array::from_fn(|v| Self::load(&from[v * $n..]))
                }
                #[inline(always)]
                fn store(values: Self::Vector, to: &mut [Real]) {
                    let to = &mut to[..$n];
                    unsafe { $store(to.as_mut_ptr(), values) }
                }
                #[inline(always)]
                fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                    unsafe { $add(a, b) }
                }
                #[inline(always)]
                fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                    unsafe { $sub(a, b) }
                }
                #[inline(always)]
                fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                    unsafe { $mul_add(a, b, c) }
                }
                #[inline(always)]
                fn load_quads(from: &[Real], stride: usize) -> Self::Vector {
                    let from = &from[..($n / QUAD - 1) * stride + QUAD];
                    unsafe {
                        let values = $widen(_mm_loadu_ps(from.as_ptr()));
                        $(
                            let quad = _mm_loadu_ps(from[$quad * stride..].as_ptr());
                            let values = $insert::<$quad>(values, quad);
                        )*
                        values
                    }
                }
                #[inline(always)]
                fn store_quads(values: Self::Vector, to: &mut [Real], stride: usize) {
                    let to = &mut to[..($n / QUAD - 1) * stride + QUAD];
                    unsafe {
                        _mm_storeu_ps(to.as_mut_ptr(), $extract::<0>(values));
                        $(
                            let quad = $extract::<$quad>(values);
                            _mm_storeu_ps(to[$quad * stride..].as_mut_ptr(), quad);
                        )*
                    }
                }
                #[inline(always)]
                fn transpose([a, b, c, d]: [Self::Vector; QUAD]) -> [Self::Vector; QUAD] {
                    const FIRST: i32 = 0b01_00_01_00;
                    const LAST: i32 = 0b11_10_11_10;
                    unsafe {
                        let (ab, cd) = ($unpack_low(a, b), $unpack_low(c, d));
                        let (ab_high, cd_high) = ($unpack_high(a, b), $unpack_high(c, d));
                        [
                            $shuffle::<FIRST>(ab, cd),
                            $shuffle::<LAST>(ab, cd),
                            $shuffle::<FIRST>(ab_high, cd_high),
                            $shuffle::<LAST>(ab_high, cd_high),
                        ]
                    }
                }
            }
        };
    }

    simd! {
        /// AVX2 with FMA.
        Avx2: __m256 of 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps,
        _mm256_sub_ps, _mm256_fmadd_ps, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps, _mm256_castps128_ps256,
        _mm256_insertf128_ps, _mm256_extractf128_ps, 1
    }
    simd! {
        /// AVX-512F.
        Avx512: __m512 of 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps,
        _mm512_sub_ps, _mm512_fmadd_ps, _mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps, _mm512_castps128_ps512,
        _mm512_insertf32x4, _mm512_extractf32x4_ps, 1 2 3
    }
}
#[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
pub(crate) use x86::{Avx2, Avx512};
