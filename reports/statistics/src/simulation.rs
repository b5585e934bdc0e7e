//! Draws for the simulations of tests, here and in the crates that use these statistics: the same on every machine.

/// A small generator of uniform numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Draw(pub u64);

impl Draw {
    /// From 0 to below 1.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal enough: twelve uniform ones.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }

    /// A series that depends on itself by `phi`, from its stationary law on.
    pub fn ar1(&mut self, n: usize, phi: f64) -> Vec<f64> {
        let mut last = self.normal() / (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                last = phi * last + self.normal();
                last
            })
            .collect()
    }
}
