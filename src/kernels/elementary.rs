//! Elementary functions in forms that the compiler vectorizes: no branches, no tables, no calls.
//! They are compiled for the instruction set of the loop around them. In `f64` they are those of
//! the standard library, which are exact and slow.

pub use functions::{exp, exp_m1, ln_1p, tail};

#[cfg(not(tallynet_f64))]
mod functions {
    use crate::Real;

    /// `eˣ`, to within two units in the last place; 0 below −87.5 and infinite from 89 on.
    #[inline(always)]
    pub fn exp(x: Real) -> Real {
        let (n, m1) = reduced(x.clamp(-87.5, 89.0));
        // Two factors, since n may reach 128, one more than the largest exponent.
        let y = (m1 + 1.0) * power_of_2(n >> 1) * power_of_2(n - (n >> 1));
        if x < -87.5 { 0.0 } else { y }
    }

    /// `eˣ − 1` for x up to 88, to within a few units in the last place, near 0 too.
    #[inline(always)]
    pub fn exp_m1(x: Real) -> Real {
        let (n, m1) = reduced(x.clamp(-30.0, 88.0));
        let power = power_of_2(n);
        power * m1 + (power - 1.0)
    }

    /// Splits `x = n·ln 2 + r` with `|r| ≤ ½·ln 2`; returns n, and `eʳ − 1` as a Taylor polynomial
    /// with a remainder below 2⁻²⁴.
    #[inline(always)]
    fn reduced(x: Real) -> (i32, Real) {
        // Adding 1.5·2²³ rounds to an integer, which the low bits then hold.
        const ROUND: f32 = 12_582_912.0;
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        // ln 2 in two parts, the first with few digits, so that its product with n is exact.
        let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
        let p = polynomial(r, [0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0]);
        (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32, p * r * r + r)
    }

    #[inline(always)]
    fn power_of_2(n: i32) -> Real {
        f32::from_bits((127i32.wrapping_add(n) as u32) << 23)
    }

    /// `ln(1 + x)` for x from 0 to 1: with `s = x / (2 + x)` the series `2·(s + s³/3 + s⁵/5 + …)`.
    #[inline(always)]
    pub fn ln_1p(x: Real) -> Real {
        let s = x / (2.0 + x);
        let odd = [1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0];
        2.0 * s * polynomial(s * s, odd)
    }

    /// `½·erfc(x)` for x ≥ 0, the upper tail of the normal distribution beyond `x·√2`:
    /// `½·t·e^((t − 1)·P(t) − x²)` with `t = 1 / (1 + x/2)`, which is exact at 0; the polynomial P
    /// is fitted to a relative error of 2·10⁻⁷.
    #[inline(always)]
    pub fn tail(x: Real) -> Real {
        #[rustfmt::skip]
        const FIT: [f32; 9] = [
            1.265_308_6, 0.269_689_8, -0.144_316_6, -0.041_658_51, -0.463_491_83,
            0.436_432_54, 0.112_339_966, -0.258_851_38, 0.081_305_98,
        ];
        let t = 1.0 / (1.0 + 0.5 * x);
        0.5 * t * exp((t - 1.0) * polynomial(t, FIT) - x * x)
    }

    /// Polynomial by Horner's scheme, the coefficient of the lowest power first.
    #[inline(always)]
    fn polynomial<const N: usize>(x: Real, coefficients: [Real; N]) -> Real {
        let mut sum = coefficients[N - 1];
        for i in (0..N - 1).rev() {
            sum = sum * x + coefficients[i];
        }
        sum
    }
}

#[cfg(tallynet_f64)]
mod functions {
    /// `eˣ`.
    pub fn exp(x: f64) -> f64 {
        x.exp()
    }
    /// `eˣ − 1`.
    pub fn exp_m1(x: f64) -> f64 {
        x.exp_m1()
    }
    /// `ln(1 + x)`.
    pub fn ln_1p(x: f64) -> f64 {
        x.ln_1p()
    }
    /// `½·erfc(x)`.
    pub fn tail(x: f64) -> f64 {
        0.5 * libm::erfc(x)
    }
}
