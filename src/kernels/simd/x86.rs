//! Vector registers of x86-64.

use std::arch::x86_64::*;

use super::{QUAD, Real, Simd};

macro_rules! simd {
    (
        $(#[$doc:meta])*
        $name:ident: $registers:literal $vector:ident of $n:literal, $splat:ident, $load:ident,
        $store:ident, $add:ident, $sub:ident, $mul_add:ident, $unpack_low:ident,
        $unpack_high:ident, $shuffle:ident, $widen:ident,
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
            const REGISTERS: usize = $registers;
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
    Avx2: 16 __m256 of 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps,
    _mm256_sub_ps, _mm256_fmadd_ps, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps,
    _mm256_castps128_ps256,
    _mm256_insertf128_ps, _mm256_extractf128_ps, 1
}
simd! {
    /// AVX-512F.
    Avx512: 32 __m512 of 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps,
    _mm512_sub_ps, _mm512_fmadd_ps, _mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps,
    _mm512_castps128_ps512,
    _mm512_insertf32x4, _mm512_extractf32x4_ps, 1 2 3
}
