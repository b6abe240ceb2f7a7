//! Numbers at fixed places of a binary header.

/// A header in one byte order, which is at least as long as the format says.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub header: &'a [u8],
    pub is_big_endian: bool,
}

impl Fields<'_> {
    pub fn i16(self, at: usize) -> i16 {
        let bytes = self.bytes(at);
        if self.is_big_endian { i16::from_be_bytes(bytes) } else { i16::from_le_bytes(bytes) }
    }

    pub fn i32(self, at: usize) -> i32 {
        let bytes = self.bytes(at);
        if self.is_big_endian { i32::from_be_bytes(bytes) } else { i32::from_le_bytes(bytes) }
    }

    pub fn i64(self, at: usize) -> i64 {
        let bytes = self.bytes(at);
        if self.is_big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) }
    }

    pub fn f32(self, at: usize) -> f32 {
        f32::from_bits(self.i32(at) as u32)
    }

    fn bytes<const N: usize>(self, at: usize) -> [u8; N] {
        *self.header[at..].first_chunk().expect("headers are as long as their format says")
    }
}
