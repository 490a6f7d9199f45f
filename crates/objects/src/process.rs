//! Ending the process without its exit handlers.

/// Ends the process at once: buffers of the C and Rust libraries are not
/// written out and no destructor runs. For processes in which another thread
/// is inside a library whose exit handlers would pull the ground from under it.
pub fn exit_now(status: i32) -> ! {
    #[cfg(unix)]
    // SAFETY: takes a number and does not return.
    unsafe {
        libc::_exit(status)
    }
    #[cfg(not(unix))]
    std::process::exit(status)
}
