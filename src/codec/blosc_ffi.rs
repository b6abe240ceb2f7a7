//! The calls into c-blosc.
//!
//! The `_ctx` functions keep their state on the stack, heed no environment variables and may run on many threads at once
//! (c-blosc's `blosc.h`).

use std::ffi::CStr;
use std::os::raw::c_int;

use blosc_src::{blosc_cbuffer_validate, blosc_compress_ctx, blosc_decompress_ctx};

/// One internal thread: the caller runs many calls side by side.
const THREADS: c_int = 1;

/// What is compressed at once. The library's own choice, 32 KiB at zstd's level 1, makes frames as large or larger, and takes
/// up to two times as long: each block begins without knowledge of the one before.
const BLOCK_BYTES: usize = 512 << 10;

/// Bytes that a frame may be longer than its data: the header.
pub(super) const MAX_OVERHEAD: usize = blosc_src::BLOSC_MAX_OVERHEAD as usize;

/// Makes one Blosc frame at the beginning of `frame`, which has room for all of `data` and [`MAX_OVERHEAD`], and gives its
/// length. `None` when the library refuses its arguments.
pub(super) fn compress(
    data: &[u8],
    type_bytes: usize,
    (codec, level, shuffle): (&CStr, u8, u8),
    frame: &mut [u8],
) -> Option<usize> {
    // SAFETY: `data` is readable and `frame` writable for their lengths, which are the sizes passed; they do not overlap;
    // `codec` ends with a zero byte.
    let written = unsafe {
        blosc_compress_ctx(
            c_int::from(level),
            c_int::from(shuffle),
            type_bytes,
            data.len(),
            data.as_ptr().cast(),
            frame.as_mut_ptr().cast(),
            frame.len(),
            codec.as_ptr(),
            BLOCK_BYTES,
            THREADS,
        )
    };
    usize::try_from(written).ok().filter(|written| (1..=frame.len()).contains(written))
}

/// The number of bytes that a frame holds when its header agrees with its length.
pub(super) fn validate(frame: &[u8]) -> Option<usize> {
    let mut bytes = 0;
    // SAFETY: `frame` is readable for the length passed, and the function checks that a header is in it.
    let outcome = unsafe { blosc_cbuffer_validate(frame.as_ptr().cast(), frame.len(), &raw mut bytes) };
    (outcome == 0).then_some(bytes)
}

/// Fills `target` from a frame that [`validate`] says has as many bytes. Whether all of them came.
pub(super) fn decompress(frame: &[u8], target: &mut [u8]) -> bool {
    if validate(frame) != Some(target.len()) {
        return false;
    }
    // SAFETY: the frame was validated, which makes the attempt safe whatever it holds; the library writes at most
    // `target.len()` bytes to `target`; the two do not overlap.
    let written =
        unsafe { blosc_decompress_ctx(frame.as_ptr().cast(), target.as_mut_ptr().cast(), target.len(), THREADS) };
    usize::try_from(written) == Ok(target.len())
}
