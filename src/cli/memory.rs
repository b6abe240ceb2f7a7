//! What the system's allocator keeps of memory that is free.

/// Blocks from this size on go back to the system when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const RETURNED_BYTES: libc::c_int = 4 << 20;

/// What is free at the end of a pool goes back to the system from this size on. With less, the pages of a chunk's file would be
/// given back and asked for again with every file.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 8 << 20;

/// Pools of the allocator, each of which keeps some memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const POOLS: libc::c_int = 4;

/// Bounds what glibc keeps, so that the process takes little more than `--memory`. By itself it raises the size above which
/// blocks go back with each one that is freed, up to 32 MiB, and keeps them in a pool for every thread. The blocks that come and go
/// are kept by the engine, which counts them. Other systems' allocators are left as they are.
pub fn bound() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets three numbers of the allocator; called before any other thread is started.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, RETURNED_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, POOLS);
    }
}
