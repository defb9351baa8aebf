//! Vector registers: a handful of operations, implemented for each instruction set.
//!
//! The operations name their instructions, because the compiler does not keep a tile of plain
//! arrays in registers, which costs two thirds of the speed. The types here are used only as type
//! arguments that the macro `kernel!` fills in, inside a function compiled for that instruction
//! set: this makes the calls below sound.

#[cfg(all(target_arch = "aarch64", not(tallynet_f64)))]
mod neon;
#[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
mod x86;

use crate::Real;
#[cfg(all(target_arch = "aarch64", not(tallynet_f64)))]
pub(crate) use neon::Neon;
#[cfg(all(target_arch = "x86_64", not(tallynet_f64)))]
pub(crate) use x86::{Avx2, Avx512};

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
    /// Number of registers: 16 or 32.
    const REGISTERS: usize;
    /// Register with the same value in every lane.
    fn splat(value: Real) -> Self::Vector;
    /// Loads the first [`Simd::LANES`] values of a slice.
    fn load(from: &[Real]) -> Self::Vector;
    /// Loads a row of `NV` registers. A closure would stay a call in [`Plain`], and make products
    /// four times as slow.
    #[inline(always)]
    fn load_row<const NV: usize>(from: &[Real]) -> [Self::Vector; NV] {
        let mut row = [Self::splat(0.0); NV];
        for v in 0..NV {
            row[v] = Self::load(&from[v * Self::LANES..]);
        }
        row
    }
    /// Stores to the first [`Simd::LANES`] values of a slice.
    fn store(values: Self::Vector, to: &mut [Real]);
    /// `a + b`.
    fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a − b`.
    fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a·b + c`, rounded once if there is an instruction for it.
    fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Loads quads that begin at the multiples of `stride`. A register of four lanes is one quad.
    #[inline(always)]
    fn load_quads(from: &[Real], _stride: usize) -> Self::Vector {
        Self::load(from)
    }
    /// Stores quads at the multiples of `stride`.
    #[inline(always)]
    fn store_quads(values: Self::Vector, to: &mut [Real], _stride: usize) {
        Self::store(values, to);
    }
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
    const REGISTERS: usize = 16;
    #[inline(always)]
    fn splat(value: Real) -> Self::Vector {
        [value; 4]
    }
    #[inline(always)]
    fn load(from: &[Real]) -> Self::Vector {
        [from[0], from[1], from[2], from[3]]
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
    fn transpose(r: [Self::Vector; QUAD]) -> [Self::Vector; QUAD] {
        [
            [r[0][0], r[1][0], r[2][0], r[3][0]],
            [r[0][1], r[1][1], r[2][1], r[3][1]],
            [r[0][2], r[1][2], r[2][2], r[3][2]],
            [r[0][3], r[1][3], r[2][3], r[3][3]],
        ]
    }
}
