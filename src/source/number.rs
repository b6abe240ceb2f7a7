//! One voxel's value, from any voxel type and to any.

use super::error::Number;
use super::plan::Cast;
use crate::volume::Block;

/// A voxel type of Rust. Integers go through `i128`, which holds all of them, floats through `f64`.
pub(super) trait Voxel: Copy {
    const BYTES: usize;
    const IS_FLOAT: bool;

    fn load(bytes: &[u8]) -> Self;
    fn store(self, bytes: &mut [u8]);

    /// Of integer types only; floats lose their fraction.
    fn integer(self) -> i128;
    fn real(self) -> f64;

    /// The value as this type. Where it does not fit, `None` by [`Cast::Exact`].
    fn from_integer(value: i128, cast: Cast) -> Option<Self>;

    /// The value as this type. Where it does not fit, `None` by [`Cast::Exact`]; no integer is like a number that is not finite,
    /// except that infinities saturate.
    fn from_real(value: f64, cast: Cast) -> Option<Self>;

    fn number(self) -> Number {
        if Self::IS_FLOAT { Number::Real(self.real()) } else { Number::Integer(self.integer()) }
    }
}

macro_rules! common {
    ($type:ty, $is_float:literal) => {
        const BYTES: usize = size_of::<$type>();
        const IS_FLOAT: bool = $is_float;

        #[inline(always)]
        fn load(bytes: &[u8]) -> Self {
            <$type>::from_le_bytes(bytes.try_into().expect("callers cut the bytes of one voxel"))
        }

        #[inline(always)]
        fn store(self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.to_le_bytes());
        }

        #[inline(always)]
        fn integer(self) -> i128 {
            self as i128
        }

        #[inline(always)]
        fn real(self) -> f64 {
            self as f64
        }
    };
}

macro_rules! integer_voxel {
    ($($type:ty),*) => {$(
        impl Voxel for $type {
            common!($type, false);

            #[inline(always)]
            fn from_integer(value: i128, cast: Cast) -> Option<Self> {
                match cast {
                    Cast::Exact => <$type>::try_from(value).ok(),
                    Cast::Saturate => Some(value.clamp(<$type>::MIN as i128, <$type>::MAX as i128) as $type),
                    Cast::Wrap => Some(value as $type),
                }
            }

            #[inline(always)]
            fn from_real(value: f64, cast: Cast) -> Option<Self> {
                match cast {
                    // Float to integer casts of Rust saturate, and the largest integers are no floats: 2⁶⁴ as f64 as u64 is
                    // 2⁶⁴ − 1. Coming back as a float tells most of it, the way over i128 the rest.
                    Cast::Exact => (value as i128 as f64 == value).then_some(value as i128).and_then(|v| v.try_into().ok()),
                    Cast::Saturate => (!value.is_nan()).then_some(value.round() as $type),
                    Cast::Wrap => value.is_finite().then_some(value as i128 as $type),
                }
            }
        }
    )*};
}

macro_rules! float_voxel {
    ($($type:ty),*) => {$(
        impl Voxel for $type {
            common!($type, true);

            #[inline(always)]
            fn from_integer(value: i128, cast: Cast) -> Option<Self> {
                let nearest = value as $type;
                (cast != Cast::Exact || nearest as i128 == value).then_some(nearest)
            }

            #[inline(always)]
            fn from_real(value: f64, cast: Cast) -> Option<Self> {
                let nearest = value as $type;
                (cast != Cast::Exact || nearest as f64 == value || value.is_nan()).then_some(nearest)
            }
        }
    )*};
}

integer_voxel!(u8, i8, u16, i16, u32, i32, u64, i64);
float_voxel!(f32, f64);

/// Calls a generic function with the Rust type of a [`crate::volume::Dtype`].
macro_rules! with_voxel {
    ($dtype:expr, $type:ident => $call:expr) => {
        match $dtype {
            $crate::volume::Dtype::Uint8 => {
                type $type = u8;
                $call
            }
            $crate::volume::Dtype::Int8 => {
                type $type = i8;
                $call
            }
            $crate::volume::Dtype::Uint16 => {
                type $type = u16;
                $call
            }
            $crate::volume::Dtype::Int16 => {
                type $type = i16;
                $call
            }
            $crate::volume::Dtype::Uint32 => {
                type $type = u32;
                $call
            }
            $crate::volume::Dtype::Int32 => {
                type $type = i32;
                $call
            }
            $crate::volume::Dtype::Uint64 => {
                type $type = u64;
                $call
            }
            $crate::volume::Dtype::Int64 => {
                type $type = i64;
                $call
            }
            $crate::volume::Dtype::Float32 => {
                type $type = f32;
                $call
            }
            $crate::volume::Dtype::Float64 => {
                type $type = f64;
                $call
            }
        }
    };
}

pub(super) use with_voxel;

/// The values of a block as floats, x fastest; integers above 2⁵³ lose their last digits.
pub fn reals(block: &Block) -> Vec<f64> {
    fn all<V: Voxel>(bytes: &[u8]) -> Vec<f64> {
        bytes.chunks_exact(V::BYTES).map(|voxel| V::load(voxel).real()).collect()
    }
    with_voxel!(block.dtype(), V => all::<V>(block.as_bytes()))
}

/// The values of a block, x fastest.
pub(super) fn numbers(block: &Block) -> Vec<Number> {
    fn all<V: Voxel>(bytes: &[u8]) -> Vec<Number> {
        bytes.chunks_exact(V::BYTES).map(|voxel| V::load(voxel).number()).collect()
    }
    with_voxel!(block.dtype(), V => all::<V>(block.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_at_the_ends_of_a_type_fit_and_those_behind_do_not() {
        assert_eq!(u8::from_integer(255, Cast::Exact), Some(255));
        assert_eq!(u8::from_integer(256, Cast::Exact), None);
        assert_eq!(u8::from_integer(300, Cast::Wrap), Some(44));
        assert_eq!(u8::from_integer(-1, Cast::Saturate), Some(0));
        assert_eq!(i8::from_integer(200, Cast::Wrap), Some(-56));
        assert_eq!(u64::from_integer(u64::MAX as i128, Cast::Exact), Some(u64::MAX));
        assert_eq!(u64::from_integer(i128::from(u64::MAX) + 1, Cast::Saturate), Some(u64::MAX));
    }

    #[test]
    fn floats_fit_exactly_only_when_whole_and_in_range() {
        let two_64 = 18_446_744_073_709_551_616.0;
        let cases = [(3.0, Some(3)), (3.5, None), (-0.0, Some(0)), (-1.0, None), (two_64, None), (f64::NAN, None)];
        for (value, expected) in cases {
            assert_eq!(u64::from_real(value, Cast::Exact), expected, "{value}");
        }
        assert_eq!(u64::from_real(two_64 - 2048.0, Cast::Exact), Some(u64::MAX - 2047));
        assert_eq!(u64::from_real(f64::INFINITY, Cast::Exact), None);
        assert_eq!(i64::from_real(-9_223_372_036_854_775_808.0, Cast::Exact), Some(i64::MIN));
    }

    #[test]
    fn floats_saturate_to_the_nearest_and_wrap_like_c() {
        let cases = [(2.5, 3, 2), (-0.6, 0, 0), (300.7, 255, 44), (-3.0, 0, 253)];
        for (value, saturated, wrapped) in cases {
            assert_eq!(u8::from_real(value, Cast::Saturate), Some(saturated), "{value}");
            assert_eq!(u8::from_real(value, Cast::Wrap), Some(wrapped), "{value}");
        }
        assert_eq!(u8::from_real(f64::INFINITY, Cast::Saturate), Some(255));
        assert_eq!(u8::from_real(f64::NAN, Cast::Saturate), None);
        assert_eq!(u8::from_real(f64::INFINITY, Cast::Wrap), None);
    }

    #[test]
    fn floats_take_integers_that_they_can_hold() {
        assert_eq!(f32::from_integer(1 << 24, Cast::Exact), Some(16_777_216.0));
        assert_eq!(f32::from_integer((1 << 24) + 1, Cast::Exact), None);
        assert_eq!(f32::from_integer((1 << 24) + 1, Cast::Saturate), Some(16_777_216.0));
        assert_eq!(f32::from_real(0.1, Cast::Exact), None);
        assert_eq!(f32::from_real(0.5, Cast::Exact), Some(0.5));
    }
}
