//! Vector registers of 64-bit ARM.

use std::arch::aarch64::*;

use super::{QUAD, Real, Simd};

/// NEON, which every 64-bit ARM processor has: four lanes in each of 32 registers.
pub(crate) struct Neon;

// SAFETY, for each block: the processor has reported NEON before `kernel!` calls a body with this
// type argument. The slice indexing before a load or store has checked the bounds; both take any
// alignment.
impl Simd for Neon {
    type Vector = float32x4_t;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;
    #[inline(always)]
    fn splat(value: Real) -> Self::Vector {
        unsafe { vdupq_n_f32(value) }
    }
    #[inline(always)]
    fn load(from: &[Real]) -> Self::Vector {
        let from = &from[..4];
        unsafe { vld1q_f32(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(values: Self::Vector, to: &mut [Real]) {
        let to = &mut to[..4];
        unsafe { vst1q_f32(to.as_mut_ptr(), values) }
    }
    #[inline(always)]
    fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn transpose([a, b, c, d]: [Self::Vector; QUAD]) -> [Self::Vector; QUAD] {
        unsafe {
            let even_ab = vreinterpretq_f64_f32(vtrn1q_f32(a, b));
            let odd_ab = vreinterpretq_f64_f32(vtrn2q_f32(a, b));
            let even_cd = vreinterpretq_f64_f32(vtrn1q_f32(c, d));
            let odd_cd = vreinterpretq_f64_f32(vtrn2q_f32(c, d));
            [
                vreinterpretq_f32_f64(vtrn1q_f64(even_ab, even_cd)),
                vreinterpretq_f32_f64(vtrn1q_f64(odd_ab, odd_cd)),
                vreinterpretq_f32_f64(vtrn2q_f64(even_ab, even_cd)),
                vreinterpretq_f32_f64(vtrn2q_f64(odd_ab, odd_cd)),
            ]
        }
    }
}
