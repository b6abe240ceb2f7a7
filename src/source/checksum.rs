//! One short text for all voxels of a block, to compare a result with an earlier one.

use md5::{Digest, Md5};

use crate::volume::Block;

/// The MD5 digest of a block's voxels as they lie in memory (little-endian, `[z, y, x]`), in 32 hex digits. Neither size nor
/// voxel type go into it, so it is what `md5sum` says of a `.raw` file of the voxels, and in Python
/// `hashlib.md5(array.astype("<u2").tobytes()).hexdigest()` for a C-ordered array of `uint16`.
pub fn checksum(block: &Block) -> String {
    format!("{:x}", Md5::digest(block.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Dtype, Size};

    #[test]
    fn the_checksum_is_that_of_the_bytes() {
        // printf '\1\2\3\4' | md5sum
        let block = Block::from_bytes(Dtype::Uint16, Size::new(2, 1, 1), vec![1, 2, 3, 4]).unwrap();
        assert_eq!(checksum(&block), "08d6c05a21512a79a1dfeb9d2a8f262f");
    }
}
