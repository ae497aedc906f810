//! Which system calls work from inside: two filters of `seccomp(2)`, for every thread.
//!
//! The first ends the process for what no daemon does, and what only somebody who has taken it over
//! would: starting programs, looking into processes, loading code into the kernel. The second lets
//! what is listed through and answers `ENOSYS` to the rest, which libraries take for an older kernel
//! and get by with less.
//!
//! Some of the listed hold under a condition: sockets are Unix stream sockets, threads and signals
//! are this process's own, and memory is never executable. Nothing connects and nothing sends to an
//! address: a daemon is connected to, and whoever took it over would find the user's session bus
//! and agents for keys at Unix sockets.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What may be asked of a descriptor: not to block, and whether to outlive an exec. The numbers of
/// `asm-generic/ioctls.h`, whose type differs between C libraries: FIONBIO, FIOCLEX, FIONCLEX.
const IOCTLS: [u64; 3] = [0x5421, 0x5451, 0x5450];

/// Sets both filters; says whether they hold.
pub(super) fn restrict() -> bool {
    match set() {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "system calls are not filtered");
            false
        }
    }
}

fn set() -> Result<(), seccompiler::Error> {
    let fatal: Rules = FATAL.iter().map(|call| (*call, Vec::new())).collect();
    let fatal = filter(fatal, SeccompAction::Allow, SeccompAction::KillProcess)?;
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let allowed = filter(allowed()?, absent, SeccompAction::Allow)?;
    seccompiler::apply_filter_all_threads(&fatal)?;
    seccompiler::apply_filter_all_threads(&allowed)
}

fn filter(
    rules: Rules,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules, otherwise, listed, machine)?;
    Ok(BpfProgram::try_from(filter)?)
}

fn allowed() -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = EVERYWHERE
        .iter()
        .chain(OLDER)
        .map(|call| (*call, Vec::new()))
        .collect();
    let conditions = [
        (libc::SYS_socket, stream_of_unix()?),
        (libc::SYS_socketpair, stream_of_unix()?),
        // Only to who is at the other end already.
        (libc::SYS_sendto, vec![is_null(4)?]),
        (libc::SYS_tgkill, vec![is(0, own_id())?]),
        (libc::SYS_clone, vec![has(0, libc::CLONE_THREAD)?]),
        (libc::SYS_mmap, vec![has_not(2, libc::PROT_EXEC)?]),
        (libc::SYS_mprotect, vec![has_not(2, libc::PROT_EXEC)?]),
        (libc::SYS_prctl, vec![is(0, libc::PR_SET_NAME)?]),
        // Its own limits, to look at.
        (libc::SYS_prlimit64, vec![is(0, 0)?, is_null(2)?]),
    ];
    for (call, conditions) in conditions {
        rules.insert(call, vec![SeccompRule::new(conditions)?]);
    }
    let ioctls = IOCTLS
        .iter()
        .map(|request| Ok(SeccompRule::new(vec![equal(1, *request)?])?));
    let ioctls: Result<_, seccompiler::Error> = ioctls.collect();
    rules.insert(libc::SYS_ioctl, ioctls?);
    Ok(rules)
}

/// A Unix stream socket. The upper bits of the type are flags (`socket(2)`).
fn stream_of_unix() -> Result<Vec<SeccompCondition>, seccompiler::Error> {
    const TYPE: u64 = 0xf;
    let stream = u64::from(libc::SOCK_STREAM.cast_unsigned());
    let length = SeccompCmpArgLen::Dword;
    let is_stream = SeccompCondition::new(1, length, SeccompCmpOp::MaskedEq(TYPE), stream)?;
    Ok(vec![is(0, libc::AF_UNIX)?, is_stream])
}

/// This process, as it calls itself.
fn own_id() -> i32 {
    std::process::id().cast_signed()
}

type Condition = Result<SeccompCondition, seccompiler::Error>;

fn is(argument: u8, value: i32) -> Condition {
    equal(argument, u64::from(value.cast_unsigned()))
}

fn equal(argument: u8, value: u64) -> Condition {
    let length = SeccompCmpArgLen::Dword;
    Ok(SeccompCondition::new(
        argument,
        length,
        SeccompCmpOp::Eq,
        value,
    )?)
}

fn is_null(argument: u8) -> Condition {
    let length = SeccompCmpArgLen::Qword;
    Ok(SeccompCondition::new(
        argument,
        length,
        SeccompCmpOp::Eq,
        0,
    )?)
}

fn has(argument: u8, flag: i32) -> Condition {
    masked(argument, flag, u64::from(flag.cast_unsigned()))
}

fn has_not(argument: u8, flag: i32) -> Condition {
    masked(argument, flag, 0)
}

fn masked(argument: u8, mask: i32, value: u64) -> Condition {
    let operator = SeccompCmpOp::MaskedEq(u64::from(mask.cast_unsigned()));
    let length = SeccompCmpArgLen::Dword;
    Ok(SeccompCondition::new(argument, length, operator, value)?)
}

/// What ends the process.
#[rustfmt::skip]
const FATAL: &[i64] = &[
    // Programs.
    libc::SYS_execve, libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev,
    libc::SYS_process_madvise, libc::SYS_pidfd_getfd, libc::SYS_kcmp, libc::SYS_perf_event_open,
    // The kernel, and keys that it keeps.
    libc::SYS_bpf, libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key,
    libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module,
    libc::SYS_kexec_load, libc::SYS_userfaultfd, libc::SYS_reboot,
    // Calls that pass every filter by.
    libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register,
    // Another view of files and users.
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot,
    libc::SYS_move_mount, libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_fsmount,
    libc::SYS_fsconfig, libc::SYS_fspick, libc::SYS_mount_setattr,
    libc::SYS_setns, libc::SYS_unshare, libc::SYS_swapon, libc::SYS_swapoff,
    libc::SYS_setuid, libc::SYS_setgid, libc::SYS_setreuid, libc::SYS_setregid,
    libc::SYS_setresuid, libc::SYS_setresgid, libc::SYS_setgroups, libc::SYS_capset,
];

/// What works.
#[rustfmt::skip]
const EVERYWHERE: &[i64] = &[
    // Files.
    libc::SYS_openat, libc::SYS_close, libc::SYS_read, libc::SYS_write, libc::SYS_readv,
    libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64, libc::SYS_preadv, libc::SYS_pwritev,
    libc::SYS_lseek, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_statfs,
    libc::SYS_fstatfs, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat,
    libc::SYS_getdents64, libc::SYS_getcwd, libc::SYS_mkdirat, libc::SYS_unlinkat,
    libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_ftruncate, libc::SYS_fallocate,
    libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_flock, libc::SYS_fcntl, libc::SYS_fchmod,
    libc::SYS_fchown, libc::SYS_fadvise64, libc::SYS_copy_file_range,
    libc::SYS_sendfile, libc::SYS_umask, libc::SYS_dup, libc::SYS_dup3, libc::SYS_pipe2,
    // Sockets; making them and `sendto`, see above.
    libc::SYS_bind, libc::SYS_listen, libc::SYS_accept4, libc::SYS_recvfrom, libc::SYS_recvmsg,
    libc::SYS_shutdown, libc::SYS_getsockname, libc::SYS_getpeername, libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    // Waiting.
    libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2, libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_futex, libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep, libc::SYS_pidfd_open, libc::SYS_restart_syscall,
    // Memory.
    libc::SYS_brk, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_mlock,
    libc::SYS_mlock2, libc::SYS_munlock, libc::SYS_mincore, libc::SYS_membarrier,
    // Threads and signals of this process.
    libc::SYS_set_robust_list, libc::SYS_get_robust_list, libc::SYS_set_tid_address,
    libc::SYS_rseq, libc::SYS_sigaltstack, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn, libc::SYS_rt_sigpending, libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigsuspend, libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity, libc::SYS_exit, libc::SYS_exit_group,
    // What it is and what time it is.
    libc::SYS_getpid, libc::SYS_gettid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid,
    libc::SYS_getgid, libc::SYS_getegid, libc::SYS_getrusage, libc::SYS_sysinfo, libc::SYS_uname,
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_gettimeofday, libc::SYS_times,
    libc::SYS_getrandom,
];

/// What C libraries still use of the first calls of this machine.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER: &[i64] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink,
    libc::SYS_mkdir, libc::SYS_rmdir, libc::SYS_unlink, libc::SYS_rename,
    libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_wait, libc::SYS_dup2, libc::SYS_time,
    libc::SYS_getrlimit,
];

/// What C libraries still use of the first calls of this machine: nothing.
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];
