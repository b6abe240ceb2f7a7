//! Voxels of one type to voxels of another: a look-up, `v · scale + offset` or a range of contrast, then the cast.
//!
//! Integers that are not scaled never become floats, so 64-bit ids come through exactly.

use super::error::{Number, PlanMistake};
use super::number::{Voxel, with_voxel};
use super::{Cast, Lut};
use crate::volume::{Block, Dtype};

/// How values come from a source's voxel type to the channel's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conversion {
    pub values: Values,
    pub cast: Cast,
    pub dtype: Dtype,
}

/// What becomes of each value before the cast: a look-up, then `(v · scale + offset) / divisor`, but at least `least`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    lut: Option<Lut>,
    scale: f64,
    offset: f64,
    /// A division of its own, so that a range of contrast rounds once: `(v − lo) · max / (hi − lo)`.
    divisor: f64,
    least: f64,
}

impl Default for Values {
    fn default() -> Self {
        Values { lut: None, scale: 1.0, offset: 0.0, divisor: 1.0, least: f64::NEG_INFINITY }
    }
}

impl Values {
    /// The values, scaled before all else.
    pub fn before_scale(&self, factor: f64, offset: f64) -> Result<Values, PlanMistake> {
        if self.lut.is_some() {
            return Err(PlanMistake::LutAfterValues);
        }
        let (scale, offset) = (self.scale * factor, self.scale * offset + self.offset);
        let scaled = Values { lut: None, scale, offset, ..*self };
        let is_finite = scaled.scale.is_finite() && scaled.offset.is_finite();
        is_finite.then_some(scaled).ok_or(PlanMistake::NotFinite)
    }

    /// The values from `lo` to `hi`, spread over 0 to the largest of the type. Nothing may be done after that.
    pub fn before_range(&self, lo: f64, hi: f64, dtype: Dtype) -> Result<Values, PlanMistake> {
        if *self != Values::default() {
            return Err(PlanMistake::ValuesAfterRange);
        }
        let max = match dtype {
            Dtype::Float32 | Dtype::Float64 => return Err(PlanMistake::RangeOfFloats { dtype }),
            Dtype::Uint8 => f64::from(u8::MAX),
            Dtype::Int8 => f64::from(i8::MAX),
            Dtype::Uint16 => f64::from(u16::MAX),
            Dtype::Int16 => f64::from(i16::MAX),
            Dtype::Uint32 => f64::from(u32::MAX),
            Dtype::Int32 => f64::from(i32::MAX),
            Dtype::Uint64 => u64::MAX as f64,
            Dtype::Int64 => i64::MAX as f64,
        };
        let values = Values { lut: None, scale: max, offset: -lo * max, divisor: hi - lo, least: 0.0 };
        let is_usable = lo < hi && values.offset.is_finite() && values.divisor.is_finite();
        is_usable.then_some(values).ok_or(PlanMistake::NoRange { lo, hi })
    }

    /// What becomes of a value.
    #[inline(always)]
    fn of(&self, value: f64) -> f64 {
        let scaled = (value * self.scale + self.offset) / self.divisor;
        // Not `max`, which makes numbers of what is none.
        if scaled < self.least { self.least } else { scaled }
    }

    fn is_scaled(&self) -> bool {
        *self != Values { lut: self.lut.clone(), ..Values::default() }
    }

    /// The values, looked up before all else.
    pub fn before_lut(&self, lut: &Lut) -> Result<Values, PlanMistake> {
        match self.lut {
            None => Ok(Values { lut: Some(lut.clone()), ..*self }),
            Some(_) => Err(PlanMistake::LutAfterValues),
        }
    }

    pub fn is_lut(&self) -> bool {
        self.lut.is_some()
    }
}

/// The first voxel, `(x, y, z)` counted from the source's first, whose value is no value of the wanted type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Misfit {
    pub value: Number,
    pub at: (i64, i64, i64),
}

impl Conversion {
    /// Whether voxels of this type stay as they are.
    pub fn is_identity(&self, from: Dtype) -> bool {
        from == self.dtype && self.values == Values::default()
    }

    /// Converts every voxel of `source` into `target`, which has the wanted type, the first of them to `(x, y, z)`.
    ///
    /// # Panics
    /// When the source does not lie inside the target.
    pub fn paste(&self, source: &Block, target: &mut Block, at: (i64, i64, i64)) -> Result<(), Misfit> {
        assert_eq!(self.dtype, target.dtype(), "the target has the wanted type");
        with_voxel!(source.dtype(), From => with_voxel!(self.dtype, To => self.paste_as::<From, To>(source, target, at)))
    }

    fn paste_as<From: Voxel, To: Voxel>(
        &self,
        source: &Block,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), Misfit> {
        let (from, to) = (source.size(), target.size());
        if from.voxels() == 0 {
            return Ok(());
        }
        let (from_row, to_row) = (from.x as usize * From::BYTES, to.x as usize * To::BYTES);
        let rows = (0..from.z as i64).flat_map(|layer| (0..from.y as i64).map(move |row| (layer, row)));
        for ((layer, row), source) in rows.zip(source.as_bytes().chunks_exact(from_row)) {
            let start = ((z + layer) as usize * to.y as usize + (y + row) as usize) * to_row + x as usize * To::BYTES;
            let target = &mut target.as_bytes_mut()[start..start + from.x as usize * To::BYTES];
            if let Some((column, value)) = self.convert::<From, To>(source, target) {
                return Err(Misfit { value, at: (column as i64, row, layer) });
            }
        }
        Ok(())
    }

    /// The rule is chosen outside the loops, so that each of them is one plain pass.
    fn convert<From: Voxel, To: Voxel>(&self, from: &[u8], to: &mut [u8]) -> Option<(usize, Number)> {
        if let Some(lut) = &self.values.lut {
            return self.look_up::<From, To>(lut, from, to);
        }
        let is_scaled = self.values.is_scaled();
        let scaled = |value: From| self.values.of(value.real());
        match (is_scaled || From::IS_FLOAT, self.cast) {
            (false, Cast::Exact) => each(from, to, |v: From| To::from_integer(v.integer(), Cast::Exact)),
            (false, Cast::Saturate) => each(from, to, |v: From| To::from_integer(v.integer(), Cast::Saturate)),
            (false, Cast::Wrap) => each(from, to, |v: From| To::from_integer(v.integer(), Cast::Wrap)),
            (true, Cast::Exact) => each(from, to, |v: From| To::from_real(scaled(v), Cast::Exact)),
            (true, Cast::Saturate) => each(from, to, |v: From| To::from_real(scaled(v), Cast::Saturate)),
            (true, Cast::Wrap) => each(from, to, |v: From| To::from_real(scaled(v), Cast::Wrap)),
        }
        .map(|(index, value)| (index, if is_scaled { Number::Real(scaled(value)) } else { value.number() }))
    }

    fn look_up<From: Voxel, To: Voxel>(&self, lut: &Lut, from: &[u8], to: &mut [u8]) -> Option<(usize, Number)> {
        let is_scaled = self.values.is_scaled();
        let scaled = |value: i128| self.values.of(value as f64);
        let misfit = if is_scaled {
            each(from, to, |v: From| To::from_real(scaled(lut.get(v.integer())), self.cast))
        } else {
            each(from, to, |v: From| To::from_integer(lut.get(v.integer()), self.cast))
        };
        misfit.map(|(index, value)| {
            let found = lut.get(value.integer());
            (index, if is_scaled { Number::Real(scaled(found)) } else { Number::Integer(found) })
        })
    }
}

/// The little-endian bytes of one voxel with this value, when it is a value of the type.
pub(super) fn voxel_bytes(value: f64, dtype: Dtype) -> Option<Vec<u8>> {
    fn bytes<To: Voxel>(value: f64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; To::BYTES];
        // A fill for a float channel is meant to be rounded to it.
        let cast = if To::IS_FLOAT { Cast::Saturate } else { Cast::Exact };
        To::from_real(value, cast)?.store(&mut bytes);
        Some(bytes)
    }
    with_voxel!(dtype, To => bytes::<To>(value))
}

/// Converts voxel by voxel; the first that does not fit, with its number.
#[inline(always)]
fn each<From: Voxel, To: Voxel>(
    from: &[u8],
    to: &mut [u8],
    convert: impl Fn(From) -> Option<To>,
) -> Option<(usize, From)> {
    let voxels = from.chunks_exact(From::BYTES).map(|bytes| From::load(bytes));
    for (index, (to, value)) in to.chunks_exact_mut(To::BYTES).zip(voxels).enumerate() {
        match convert(value) {
            Some(converted) => converted.store(to),
            None => return Some((index, value)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Size;

    impl Conversion {
        fn apply(&self, source: &Block) -> Result<Block, Misfit> {
            let mut target = Block::zeros(self.dtype, source.size());
            self.paste(source, &mut target, (0, 0, 0)).map(|()| target)
        }
    }

    fn conversion(dtype: Dtype, cast: Cast) -> Conversion {
        Conversion { values: Values::default(), cast, dtype }
    }

    #[test]
    fn a_range_is_spread_over_the_channel() {
        // numpy: np.floor(np.clip((v - lo) * 255 / (hi - lo), 0, 255) + 0.5)
        let expected =
            |v: f64, lo: f64, hi: f64, max: f64| (((v - lo) * max / (hi - lo)).clamp(0.0, max) + 0.5).floor();
        let source: Vec<u16> = (0..=1000).map(|n| n * 65).chain([65535]).collect();
        let bytes = source.iter().flat_map(|value| value.to_le_bytes()).collect();
        let block = Block::from_bytes(Dtype::Uint16, Size::new(source.len() as u64, 1, 1), bytes).unwrap();
        let spread = |lo, hi, dtype| {
            let values = Values::default().before_range(lo, hi, dtype).unwrap();
            Conversion { values, cast: Cast::Saturate, dtype }.apply(&block).unwrap()
        };
        for (lo, hi) in [(0.0, 65535.0), (1200.0, 9000.0), (650.0, 652.0), (-10.0, 1950.5), (0.0, 130.0)] {
            let bytes: Vec<u8> = source.iter().map(|v| expected(f64::from(*v), lo, hi, 255.0) as u8).collect();
            assert_eq!(spread(lo, hi, Dtype::Uint8).as_bytes(), bytes, "{lo} to {hi}");
            let words = source.iter().flat_map(|v| (expected(f64::from(*v), lo, hi, 65535.0) as u16).to_le_bytes());
            assert_eq!(spread(lo, hi, Dtype::Uint16).as_bytes(), words.collect::<Vec<u8>>(), "{lo} to {hi}");
            let signed: Vec<u8> = source.iter().map(|v| expected(f64::from(*v), lo, hi, 127.0) as u8).collect();
            assert_eq!(spread(lo, hi, Dtype::Int8).as_bytes(), signed, "{lo} to {hi}");
        }
    }

    #[test]
    fn a_range_comes_last_and_has_a_width() {
        let range = |lo, hi| Values::default().before_range(lo, hi, Dtype::Uint8);
        for (lo, hi) in [(5.0, 5.0), (6.0, 5.0), (f64::NAN, 5.0), (0.0, f64::INFINITY)] {
            assert!(matches!(range(lo, hi), Err(PlanMistake::NoRange { .. })), "{lo} to {hi}");
        }
        let scaled = Values::default().before_scale(2.0, 0.0).unwrap();
        assert_eq!(scaled.before_range(0.0, 1.0, Dtype::Uint8), Err(PlanMistake::ValuesAfterRange));
        let floats = Values::default().before_range(0.0, 1.0, Dtype::Float32);
        assert_eq!(floats, Err(PlanMistake::RangeOfFloats { dtype: Dtype::Float32 }));
        // Twice the value, then 100 to 200 over everything.
        let values = range(100.0, 200.0).unwrap().before_scale(2.0, 0.0).unwrap();
        let block = Block::from_bytes(Dtype::Uint8, Size::new(4, 1, 1), vec![49, 50, 75, 101]).unwrap();
        let spread = Conversion { values, cast: Cast::Saturate, dtype: Dtype::Uint8 }.apply(&block).unwrap();
        assert_eq!(spread.as_bytes(), [0, 0, 128, 255]);
    }

    fn conversion_scaled(scale: f64, offset: f64, cast: Cast) -> Conversion {
        let values = Values::default().before_scale(scale, offset).unwrap();
        Conversion { values, cast, dtype: Dtype::Uint8 }
    }

    fn block_u64(values: &[u64], size: Size) -> Block {
        Block::from_bytes(Dtype::Uint64, size, values.iter().flat_map(|value| value.to_le_bytes()).collect()).unwrap()
    }

    #[test]
    fn every_small_value_goes_from_every_type_to_every_type() {
        for from in Dtype::ALL {
            for to in Dtype::ALL {
                let start = Block::filled(from, Size::new(3, 2, 1), &voxel_bytes(100.0, from).unwrap());
                let expected = Block::filled(to, Size::new(3, 2, 1), &voxel_bytes(100.0, to).unwrap());
                for cast in [Cast::Exact, Cast::Saturate, Cast::Wrap] {
                    assert_eq!(conversion(to, cast).apply(&start), Ok(expected.clone()), "{from} to {to}");
                }
            }
        }
    }

    #[test]
    fn large_ids_stay_exact() {
        let id = (1 << 53) + 1;
        let block = block_u64(&[id], Size::new(1, 1, 1));
        let signed = conversion(Dtype::Int64, Cast::Exact).apply(&block).unwrap();
        assert_eq!(signed.as_bytes(), id.to_le_bytes());
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_with_its_voxel() {
        let block = block_u64(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 70_000, 11, 12], Size::new(2, 3, 2));
        let misfit = conversion(Dtype::Uint16, Cast::Exact).apply(&block).unwrap_err();
        assert_eq!(misfit, Misfit { value: Number::Integer(70_000), at: (1, 1, 1) });
    }

    #[test]
    fn a_small_block_is_pasted_into_its_place() {
        let block = block_u64(&[1, 2, 3, 4], Size::new(2, 2, 1));
        let mut target = Block::zeros(Dtype::Uint16, Size::new(3, 3, 2));
        conversion(Dtype::Uint16, Cast::Exact).paste(&block, &mut target, (1, 1, 1)).unwrap();
        let low: Vec<u8> = target.as_bytes().chunks(2).map(|voxel| voxel[0]).collect();
        assert_eq!(low, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 4]);
    }

    #[test]
    fn values_are_scaled_before_the_cast() {
        let block = block_u64(&[10, 20, 30], Size::new(3, 1, 1));
        let scaled = conversion_scaled(0.1, -1.0, Cast::Saturate);
        assert_eq!(scaled.apply(&block).unwrap().as_bytes(), [0, 1, 2]);
        let exact = conversion_scaled(0.5, 0.25, Cast::Exact);
        assert_eq!(exact.apply(&block).unwrap_err(), Misfit { value: Number::Real(5.25), at: (0, 0, 0) });
    }

    #[test]
    fn values_are_looked_up_and_then_scaled() {
        let block = block_u64(&[0, 1, 2, u64::MAX], Size::new(4, 1, 1));
        let lut = Lut::new([(0, 40), (1, -5)].into());
        let plain = Values::default().before_lut(&lut).unwrap();
        let scaled = Values::default().before_scale(0.5, 1.0).unwrap().before_lut(&lut).unwrap();
        let apply =
            |values: &Values, cast| Conversion { values: values.clone(), cast, dtype: Dtype::Uint8 }.apply(&block);
        assert_eq!(apply(&plain, Cast::Saturate).unwrap().as_bytes(), [40, 0, 2, 255]);
        assert_eq!(apply(&scaled, Cast::Saturate).unwrap().as_bytes(), [21, 0, 2, 255]);
        assert_eq!(apply(&plain, Cast::Exact).unwrap_err(), Misfit { value: Number::Integer(-5), at: (1, 0, 0) });
        assert_eq!(plain.before_scale(2.0, 0.0), Err(PlanMistake::LutAfterValues));
    }

    #[test]
    fn scales_one_after_the_other_are_one_scale() {
        // First · 2 + 1, then · 10 + 3.
        let values = Values::default().before_scale(10.0, 3.0).unwrap().before_scale(2.0, 1.0).unwrap();
        assert_eq!((values.scale, values.offset), (20.0, 13.0));
    }

    #[test]
    fn a_fill_must_be_a_value_of_the_type() {
        assert_eq!(voxel_bytes(513.0, Dtype::Uint16), Some(vec![1, 2]));
        for (fill, dtype) in
            [(256.0, Dtype::Uint8), (-1.0, Dtype::Uint64), (0.5, Dtype::Uint8), (f64::NAN, Dtype::Uint8)]
        {
            assert_eq!(voxel_bytes(fill, dtype), None, "{fill} as {dtype}");
        }
        assert_eq!(voxel_bytes(0.1, Dtype::Float32), Some(0.1f32.to_le_bytes().to_vec()));
    }
}
