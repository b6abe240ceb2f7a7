//! The bytes of an object as a file that is open.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;

use super::object::PAGE_BYTES;
use super::{RemoteObject, Stat};

/// An object that is open for reading. Short reads come from pages that all readers share, long ones are asked for exactly.
pub(in crate::source) struct RemoteStream {
    object: RemoteObject,
    stat: Stat,
    at: u64,
    /// The page read last, with its number.
    page: Option<(u64, Arc<Bytes>)>,
    /// The whole object, where its server gives no parts.
    whole: Option<Arc<Bytes>>,
}

impl RemoteStream {
    pub fn new(object: RemoteObject, stat: Stat) -> Self {
        RemoteStream { object, stat, at: 0, page: None, whole: None }
    }

    fn page(&mut self, number: u64) -> io::Result<Arc<Bytes>> {
        match &self.page {
            Some((kept, page)) if *kept == number => Ok(Arc::clone(page)),
            _ => {
                let page = self.object.page(&self.stat, number)?;
                self.page = Some((number, Arc::clone(&page)));
                Ok(page)
            }
        }
    }
}

impl Read for RemoteStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.stat.bytes.saturating_sub(self.at);
        let wanted = (buffer.len() as u64).min(left);
        if wanted == 0 {
            return Ok(0);
        }
        if !self.object.has_parts() {
            self.whole = Some(self.object.kept_whole(&self.stat)?);
        }
        let bytes = if let Some(whole) = &self.whole {
            whole.slice(self.at as usize..(self.at + wanted) as usize)
        } else if wanted >= PAGE_BYTES {
            self.object.part(&self.stat, self.at..self.at + wanted)?
        } else {
            let (number, inside) = (self.at / PAGE_BYTES, (self.at % PAGE_BYTES) as usize);
            let page = self.page(number)?;
            page.slice(inside..page.len().min(inside + wanted as usize))
        };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for RemoteStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(back) => self.stat.bytes.checked_add_signed(back),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the start"))?;
        Ok(self.at)
    }
}
