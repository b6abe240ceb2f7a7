//! Where an HDF5 file begins, and where it says that it ends.

use std::io::{self, Read, Seek, SeekFrom};

use super::Hdf5Reader;

/// The length that the file was written with, by its superblock, as the HDF5 library checks it too; `None` for superblocks
/// with addresses of other than 8 bytes, which nobody writes, and for what is no superblock
/// (<https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>, "Disk Format: Level 0A").
pub(super) fn end_of_file(file: &mut (impl Read + Seek), file_bytes: u64) -> io::Result<Option<u64>> {
    for at in Hdf5Reader::signature_places(file_bytes) {
        let mut superblock = Vec::with_capacity(64);
        file.seek(SeekFrom::Start(at))?;
        file.by_ref().take(64).read_to_end(&mut superblock)?;
        if superblock.starts_with(Hdf5Reader::SIGNATURE) {
            return Ok(end_in(&superblock));
        }
    }
    Ok(None)
}

fn end_in(superblock: &[u8]) -> Option<u64> {
    let (address_bytes, end) = match superblock.get(8)? {
        0 => (13, 40),
        1 => (13, 44),
        2 | 3 => (9, 28),
        _ => return None,
    };
    let end: [u8; 8] = superblock.get(end..end + 8)?.try_into().ok()?;
    (*superblock.get(address_bytes)? == 8).then_some(u64::from_le_bytes(end))
}
