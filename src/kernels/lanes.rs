//! A vector register, as the kernels see it: a handful of operations, one implementation for each path.
//!
//! The optimizer does not keep a tile of arrays in registers (a third of the speed was measured), so the operations
//! name their instructions. A type here is only ever a type argument that the macro `kernel!` fills in, inside a
//! function compiled for its instruction set: that is what makes the calls below sound.

use crate::Real;

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
    /// The sum of all values, halves added to halves.
    fn sum(values: Self::V) -> Real;
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
    fn sum(v: Self::V) -> Real {
        (v[0] + v[2]) + (v[1] + v[3])
    }
}

#[cfg(all(target_arch = "x86_64", not(feature = "f64")))]
macro_rules! x86_lanes {
    ($name:ident, $v:ident, $n:literal, $splat:ident, $load:ident, $store:ident, $multiply_add:ident) => {
        pub(crate) struct $name;

        // SAFETY, for each block: the instruction needs only its instruction set, and a body with this type argument
        // is compiled and called by `kernel!` alone, after the processor has reported that set. The slice indexing in
        // front of a load or store has checked that the memory is there; both take any alignment.
        impl Lanes for $name {
            type V = std::arch::x86_64::$v;
            const N: usize = $n;
            #[inline(always)]
            fn splat(value: Real) -> Self::V {
                unsafe { std::arch::x86_64::$splat(value) }
            }
            #[inline(always)]
            fn load(from: &[Real]) -> Self::V {
                let from = &from[..$n];
                unsafe { std::arch::x86_64::$load(from.as_ptr()) }
            }
            #[inline(always)]
            fn store(values: Self::V, to: &mut [Real]) {
                let to = &mut to[..$n];
                unsafe { std::arch::x86_64::$store(to.as_mut_ptr(), values) }
            }
            #[inline(always)]
            fn multiply_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$multiply_add(a, b, c) }
            }
            #[inline(always)]
            fn sum(values: Self::V) -> Real {
                let mut each = [0.0; $n];
                Self::store(values, &mut each);
                let mut half = $n / 2;
                while half > 0 {
                    for i in 0..half {
                        each[i] += each[i + half];
                    }
                    half /= 2;
                }
                each[0]
            }
        }
    };
}

#[cfg(all(target_arch = "x86_64", not(feature = "f64")))]
x86_lanes!(Avx2, __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps);
#[cfg(all(target_arch = "x86_64", not(feature = "f64")))]
x86_lanes!(Avx512, __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps);

/// Rows of a square that [`turned`] turns.
pub(super) const SIDE: usize = 4;

/// The first values of four slices, which have as many or more, turned over the diagonal.
#[inline(always)]
pub(super) fn turned(rows: [&[Real]; SIDE]) -> [[Real; SIDE]; SIDE] {
    #[cfg(all(target_arch = "x86_64", not(feature = "f64")))]
    {
        use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps, _mm_storeu_ps};
        let [a, b, c, d] = [&rows[0][..SIDE], &rows[1][..SIDE], &rows[2][..SIDE], &rows[3][..SIDE]];
        let mut columns = [[0.0; SIDE]; SIDE];
        // SAFETY: every x86-64 has these instructions, which take any alignment; the slices and the rows of the result
        // hold the four numbers that each of them reads or writes.
        unsafe {
            let mut a = _mm_loadu_ps(a.as_ptr());
            let mut b = _mm_loadu_ps(b.as_ptr());
            let mut c = _mm_loadu_ps(c.as_ptr());
            let mut d = _mm_loadu_ps(d.as_ptr());
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            for (column, values) in columns.iter_mut().zip([a, b, c, d]) {
                _mm_storeu_ps(column.as_mut_ptr(), values);
            }
        }
        columns
    }
    #[cfg(not(all(target_arch = "x86_64", not(feature = "f64"))))]
    std::array::from_fn(|j| [rows[0][j], rows[1][j], rows[2][j], rows[3][j]])
}
