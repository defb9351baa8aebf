//! Winograd's transforms of tiles of 6 × 6, in one dimension at a time.
//!
//! Short convolutions are products of polynomials, which can be multiplied by their values at a few
//! points: 0, ±p, ±q and ∞ (Toom and Cook; Winograd 1980; Lavin and Gray 2016). So the sums
//! `yₖ = Σᵢ d[k + i]·g[i]` of six data and `r` weights take six products, as transposition of that
//! algorithm shows:
//!
//! ```text
//! y = Aᵀ·((G·g) ∘ (Bᵀ·d))
//!
//!      1  1  1  1  1  0          1   0    0     point 0            p²q²  0  −p²−q²  0   1  0
//! Aᵀ = 0  p −p  q −q  0      G = 1   p    p²    over M′(point)     0   −pq²  −q²    p   1  0
//!      0  p² p² q² q² 0          1  −p    p²                Bᵀ =   0    pq²  −q²   −p   1  0
//!      0  p³−p³ q³−q³ 1          1   q    q²                       0   −qp²  −p²    q   1  0
//!                                1  −q    q²                       0    qp²  −p²   −q   1  0
//!                                0   0    1     point ∞            0  p²q²    0  −p²−q² 0  1
//! ```
//!
//! The rows of Bᵀ are the coefficients of `M(x) = x·(x² − p²)·(x² − q²)`, divided by `x − point`.
//! With four weights and three sums, G has a fourth column and Aᵀ is one row shorter. The points
//! `p = √½` and `q = √2` keep the powers, and so the rounding errors, small: 2.8 at most, where the
//! usual points 1 and 2 reach 8.

use super::super::simd::Simd;
use crate::Real;

/// Values of a transformed line.
pub(super) const POINTS: usize = 6;

const P: Real = std::f64::consts::FRAC_1_SQRT_2 as Real;
const Q: Real = std::f64::consts::SQRT_2 as Real;
const P_SQUARED: Real = 0.5;
const Q_SQUARED: Real = 2.0;
/// `1 / M′(±p)`.
const P_FACTOR: Real = -2.0 / 3.0;
/// `1 / M′(±q)`.
const Q_FACTOR: Real = 1.0 / 6.0;

/// Linear map of lines of `FROM` values to lines of `TO` values.
pub(super) trait Transform<const FROM: usize, const TO: usize> {
    /// Transforms a line of registers.
    fn line<S: Simd>(line: [S::Vector; FROM]) -> [S::Vector; TO];

    /// Transforms the columns of a tile, and then its rows.
    #[inline(always)]
    fn tile<S: Simd>(tile: [[S::Vector; FROM]; FROM]) -> [[S::Vector; TO]; TO] {
        let mut rows = [[S::splat(0.0); FROM]; TO];
        for j in 0..FROM {
            let mut column = [S::splat(0.0); FROM];
            for i in 0..FROM {
                column[i] = tile[i][j];
            }
            let column = Self::line::<S>(column);
            for i in 0..TO {
                rows[i][j] = column[i];
            }
        }
        let mut transformed = [[S::splat(0.0); TO]; TO];
        for i in 0..TO {
            transformed[i] = Self::line::<S>(rows[i]);
        }
        transformed
    }
}

/// Bᵀ.
pub(super) struct OfData;

impl Transform<POINTS, POINTS> for OfData {
    #[inline(always)]
    fn line<S: Simd>(d: [S::Vector; POINTS]) -> [S::Vector; POINTS] {
        let sum = S::splat(-P_SQUARED - Q_SQUARED);
        let even_p = S::mul_add(S::splat(-Q_SQUARED), d[2], d[4]);
        let odd_p = S::mul_add(S::splat(-Q_SQUARED), d[1], d[3]);
        let even_q = S::mul_add(S::splat(-P_SQUARED), d[2], d[4]);
        let odd_q = S::mul_add(S::splat(-P_SQUARED), d[1], d[3]);
        [
            S::add(S::mul_add(sum, d[2], d[4]), d[0]),
            S::mul_add(S::splat(P), odd_p, even_p),
            S::mul_add(S::splat(-P), odd_p, even_p),
            S::mul_add(S::splat(Q), odd_q, even_q),
            S::mul_add(S::splat(-Q), odd_q, even_q),
            S::add(S::mul_add(sum, d[3], d[5]), d[1]),
        ]
    }
}

/// G.
pub(super) struct OfWeights;

impl Transform<3, POINTS> for OfWeights {
    #[inline(always)]
    fn line<S: Simd>(g: [S::Vector; 3]) -> [S::Vector; POINTS] {
        let even = |square: Real| S::mul_add(S::splat(square), g[2], g[0]);
        let p = at_both_signs::<S>([even(P_SQUARED), g[1]], P, P_FACTOR);
        let q = at_both_signs::<S>([even(Q_SQUARED), g[1]], Q, Q_FACTOR);
        [g[0], p[0], p[1], q[0], q[1], g[2]]
    }
}

impl Transform<4, POINTS> for OfWeights {
    #[inline(always)]
    fn line<S: Simd>(g: [S::Vector; 4]) -> [S::Vector; POINTS] {
        let even = |square: Real| S::mul_add(S::splat(square), g[2], g[0]);
        let odd = |square: Real| S::mul_add(S::splat(square), g[3], g[1]);
        let p = at_both_signs::<S>([even(P_SQUARED), odd(P_SQUARED)], P, P_FACTOR);
        let q = at_both_signs::<S>([even(Q_SQUARED), odd(Q_SQUARED)], Q, Q_FACTOR);
        [g[0], p[0], p[1], q[0], q[1], g[3]]
    }
}

/// `factor·(even ± point·odd)`.
#[inline(always)]
fn at_both_signs<S: Simd>(
    [even, odd]: [S::Vector; 2],
    point: Real,
    factor: Real,
) -> [S::Vector; 2] {
    let even = S::mul_add(S::splat(factor), even, S::splat(0.0));
    [
        S::mul_add(S::splat(factor * point), odd, even),
        S::mul_add(S::splat(-factor * point), odd, even),
    ]
}

/// Aᵀ.
pub(super) struct OfProducts;

/// Sum and difference of the products at two opposite points.
struct Pair<V> {
    sum: V,
    difference: V,
}

impl<V: Copy> Pair<V> {
    #[inline(always)]
    fn new<S: Simd<Vector = V>>(plus: V, minus: V) -> Pair<V> {
        Pair { sum: S::add(plus, minus), difference: S::sub(plus, minus) }
    }
}

/// First, second and third sum without the product at ∞.
#[inline(always)]
fn sums<S: Simd>(zero: S::Vector, p: &Pair<S::Vector>, q: &Pair<S::Vector>) -> [S::Vector; 3] {
    let none = S::splat(0.0);
    let first = S::mul_add(S::splat(P), p.difference, none);
    let second = S::mul_add(S::splat(P_SQUARED), p.sum, none);
    [
        S::add(zero, S::add(p.sum, q.sum)),
        S::mul_add(S::splat(Q), q.difference, first),
        S::mul_add(S::splat(Q_SQUARED), q.sum, second),
    ]
}

impl Transform<POINTS, 4> for OfProducts {
    #[inline(always)]
    fn line<S: Simd>(m: [S::Vector; POINTS]) -> [S::Vector; 4] {
        let [p, q] = [Pair::new::<S>(m[1], m[2]), Pair::new::<S>(m[3], m[4])];
        let [zero, first, second] = sums::<S>(m[0], &p, &q);
        let third = S::mul_add(S::splat(P * P_SQUARED), p.difference, m[5]);
        [zero, first, second, S::mul_add(S::splat(Q * Q_SQUARED), q.difference, third)]
    }
}

impl Transform<POINTS, 3> for OfProducts {
    #[inline(always)]
    fn line<S: Simd>(m: [S::Vector; POINTS]) -> [S::Vector; 3] {
        let [p, q] = [Pair::new::<S>(m[1], m[2]), Pair::new::<S>(m[3], m[4])];
        let [zero, first, second] = sums::<S>(m[0], &p, &q);
        [zero, first, S::add(second, m[5])]
    }
}
