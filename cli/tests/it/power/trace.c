/*
 * Preloaded into a process, this library writes down, in the order in which they happened, what
 * the process does to the files of one directory and what it says on its sockets; and it makes the
 * process die, or a call fail, at a point that a test has named.
 *
 *   IPC_TEST_ROOT    the directory; only files directly in it count
 *   IPC_TEST_TRACE   where the record goes
 *   IPC_TEST_FAULT   POINT:FILE:FIRST:LAST:WHAT, the FIRSTth to LASTth time that POINT is reached
 *   IPC_TEST_ROOM    bytes by which the files may grow before the disk is full
 *
 * Order: one lock is held over each call and its record. A flush alone is two records, and the lock
 * is let go between them, so that it holds no reply of another thread back.
 *
 * Left out: the wal-index (-shm) is memory that a crash leaves to be made anew. A file that is
 * opened by a bare system call (locks, logs) is not seen; names that come about that way are, since
 * the directory is listed whenever it is flushed.
 *
 * Nothing is opened after the constructor but the directory itself, so that the process may confine
 * itself as it likes. System calls are made bare: the C library's own functions are these.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* As in trace.rs. */
enum kind { LOADED, OPENED, CREATED, WRITTEN, TRUNCATED, LISTED, FLUSH_BEGUN, FLUSH_ENDED,
            UNLINKED, RENAMED, REPLIED };

enum file { NONE, DIRECTORY, DATABASE, WAL, INDEX, OTHER, SOCKET };

struct record {
    uint32_t kind;
    uint32_t error;  /* what a flush came to */
    uint64_t object; /* the inode of the file, directory or socket */
    uint64_t offset; /* of a write; the flush that ends */
    uint64_t length; /* of what follows; of a file that was truncated or opened */
};

/* A call that a test can name; "written" and "flushed" are when it is over. */
static const char *const points[] = {"open", "write", "written", "truncate", "flush",
                                     "flushed", "unlink", "rename", "ack"};
enum point { AT_OPEN, AT_WRITE, AT_WRITTEN, AT_TRUNCATE, AT_FLUSH, AT_FLUSHED, AT_UNLINK, AT_RENAME, AT_ACK };

static const char *const files[] = {"none", "directory", "database", "wal", "index", "other", "socket"};

enum { GO_ON = 0, KILL = -1, TEAR = -2, CUT = -3 }; /* or the number of an error */

static const struct { const char *name; int number; } actions[] = {
    {"kill", KILL}, {"tear", TEAR}, {"cut", CUT},
    {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EACCES", EACCES},
};
enum { DESCRIPTORS = 4096, NAMES = 1 << 16 };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int trace = -1;
static char root[4096];
static struct { enum file file; uint64_t inode; } known[DESCRIPTORS];
static struct { int point, file, what; unsigned long first, last, reached; } fault;
static int64_t room = INT64_MAX;
static uint64_t flushes;

/* Lets the lock go, and leaves `errno` as the call has set it. */
static long leave(long result) {
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

static long fail(int error) {
    errno = error;
    return -1;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    syscall(SYS_exit_group, 137); /* where a filter keeps signals in; this runs as little */
}

static void put(const void *from, size_t length) {
    for (const char *at = from; length > 0;) {
        long written = syscall(SYS_write, trace, at, length);
        if (written <= 0) syscall(SYS_exit_group, 99); /* a trace with a gap proves nothing */
        at += written;
        length -= written;
    }
}

static void record(enum kind kind, uint64_t object, uint64_t offset, uint64_t length, int error) {
    struct record record = {kind, error, object, offset, length};
    if (trace >= 0) put(&record, sizeof record);
}

static void record_bytes(enum kind kind, uint64_t object, uint64_t offset, const void *from, size_t length) {
    record(kind, object, offset, length, 0);
    if (trace >= 0) put(from, length);
}

static int unknown(const char *word) {
    fprintf(stderr, "trace.c: what is %s?\n", word);
    _exit(98);
}

static int index_of(const char *word, const char *const *words, int count) {
    for (int at = 0; at < count; at++)
        if (strcmp(word, words[at]) == 0) return at;
    return unknown(word);
}

static int action(const char *word) {
    for (size_t at = 0; at < sizeof actions / sizeof *actions; at++)
        if (strcmp(word, actions[at].name) == 0) return actions[at].number;
    return unknown(word);
}

__attribute__((constructor)) static void load(void) {
    const char *directory = getenv("IPC_TEST_ROOT"), *path = getenv("IPC_TEST_TRACE");
    const char *wanted = getenv("IPC_TEST_FAULT"), *space = getenv("IPC_TEST_ROOM");
    if (directory == NULL) return;
    snprintf(root, sizeof root, "%s", directory);
    if (space != NULL) room = atoll(space);
    if (wanted != NULL) {
        char point[16], file[16], what[16];
        if (sscanf(wanted, "%15[^:]:%15[^:]:%lu:%lu:%15s", point, file, &fault.first, &fault.last, what) != 5)
            unknown(wanted);
        fault.point = index_of(point, points, sizeof points / sizeof *points);
        fault.file = strcmp(file, "any") == 0 ? -1 : index_of(file, files, sizeof files / sizeof *files);
        fault.what = action(what);
    }
    if (path != NULL) {
        int opened = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        /* Out of the way of descriptors that the process counts or closes. */
        trace = syscall(SYS_fcntl, opened, F_DUPFD_CLOEXEC, 900);
        syscall(SYS_close, opened);
        if (trace < 0) unknown(path);
        record(LOADED, 0, 0, 0, 0);
    }
}

/* What is to happen here. The caller holds the lock. */
static int reached(enum point point, enum file file) {
    if (fault.first == 0 || file == NONE || file == INDEX) return GO_ON;
    if (fault.point != (int)point || (fault.file != -1 && fault.file != (int)file)) return GO_ON;
    fault.reached++;
    if (fault.reached < fault.first || fault.reached > fault.last) return GO_ON;
    if (fault.what == KILL) die();
    return fault.what;
}

/* The name under the directory, if `path` is directly in it. */
static const char *name_in_root(const char *path) {
    size_t length = strlen(root);
    if (length == 0 || path == NULL || strncmp(path, root, length) != 0 || path[length] != '/') return NULL;
    const char *name = path + length + 1;
    return *name == '\0' || strchr(name, '/') != NULL ? NULL : name;
}

static enum file file_called(const char *name) {
    if (name == NULL) return NONE;
    if (strcmp(name, "messages.db-wal") == 0) return WAL;
    if (strcmp(name, "messages.db-shm") == 0) return INDEX;
    return strcmp(name, "messages.db") == 0 ? DATABASE : OTHER;
}

/* What a descriptor is, with its inode. The caller holds the lock. */
static enum file file_of(int fd, uint64_t *inode) {
    struct stat facts;
    if (root[0] == '\0' || fd < 0 || fd >= DESCRIPTORS) return NONE;
    if (known[fd].file != NONE) {
        *inode = known[fd].inode;
        return known[fd].file;
    }
    if (fstat(fd, &facts) != 0 || !S_ISSOCK(facts.st_mode)) return NONE;
    *inode = facts.st_ino;
    return SOCKET;
}

static int open_file(int at, const char *path, int flags, mode_t mode) {
    const char *name = name_in_root(path);
    struct stat facts;
    pthread_mutex_lock(&lock);
    enum file file = path != NULL && strcmp(path, root) == 0 ? DIRECTORY : file_called(name);
    int what = reached(AT_OPEN, file);
    if (what > 0) return leave(fail(what));
    int is_new = name != NULL && (flags & O_CREAT) != 0 && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int fd = syscall(SYS_openat, at, path, flags, mode);
    if (fd < 0) return leave(fd);
    if (file != NONE && fd < DESCRIPTORS && fstat(fd, &facts) == 0 && (file != OTHER || S_ISREG(facts.st_mode))) {
        known[fd].file = file;
        known[fd].inode = facts.st_ino;
        if (file == DIRECTORY || file == INDEX) return leave(fd);
        record_bytes(is_new ? CREATED : OPENED, facts.st_ino, 0, name, strlen(name));
        if ((flags & O_TRUNC) != 0) record(TRUNCATED, facts.st_ino, 0, 0, 0);
    }
    return leave(fd);
}

#define OPEN(NAME, AT, ...)                       \
    int NAME(__VA_ARGS__, int flags, ...) {       \
        va_list rest;                             \
        va_start(rest, flags);                    \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                             \
        return open_file(AT, path, flags, mode);  \
    }

OPEN(open, AT_FDCWD, const char *path)
OPEN(open64, AT_FDCWD, const char *path)
OPEN(openat, at, int at, const char *path)
OPEN(openat64, at, int at, const char *path)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < DESCRIPTORS) known[fd].file = NONE;
    return leave(syscall(SYS_close, fd));
}

/* Whether `length` more bytes at `offset` find room; takes it. */
static int finds_room(int fd, uint64_t offset, uint64_t length) {
    struct stat facts;
    if (room == INT64_MAX || fstat(fd, &facts) != 0) return 1;
    int64_t growth = (int64_t)(offset + length) - facts.st_size;
    if (growth <= 0) return 1;
    if (growth > room) return 0;
    room -= growth;
    return 1;
}

static ssize_t write_bare(int fd, const void *bytes, size_t length, off_t offset) {
    return offset < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

/* Writes to a file of the directory; where it stands, or at its end, if `offset` is -1. */
static ssize_t write_file(int fd, enum file file, uint64_t inode, const void *bytes, size_t length,
                          off_t offset) {
    struct stat facts;
    off_t start = offset;
    if (offset < 0) {
        start = syscall(SYS_lseek, fd, 0, SEEK_CUR);
        if ((syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &facts) == 0) start = facts.st_size;
    }
    int what = reached(AT_WRITE, file);
    if (what == GO_ON && !finds_room(fd, start, length)) what = ENOSPC;
    if (what > 0) return fail(what);
    if (what == TEAR) length /= 2;
    ssize_t written = write_bare(fd, bytes, length, offset);
    if (written > 0) record_bytes(WRITTEN, inode, start, bytes, written);
    if (what == TEAR) die();
    reached(AT_WRITTEN, file);
    return written;
}

/* Says something on a socket; the peer has it when it is recorded. */
static ssize_t reply(int fd, uint64_t inode, const struct msghdr *message) {
    static const char mark[] = "\"message_id\"";
    int is_ack = 0;
    for (size_t at = 0; at < message->msg_iovlen; at++)
        is_ack |= memmem(message->msg_iov[at].iov_base, message->msg_iov[at].iov_len, mark, sizeof mark - 1) != NULL;
    if (is_ack && reached(AT_ACK, SOCKET) == CUT) syscall(SYS_shutdown, fd, SHUT_RDWR);
    ssize_t said = syscall(SYS_writev, fd, message->msg_iov, message->msg_iovlen); /* the sandbox has no sendmsg */
    ssize_t left = said;
    for (size_t at = 0; at < message->msg_iovlen && left > 0; at++) {
        size_t part = message->msg_iov[at].iov_len;
        if (part > (size_t)left) part = left;
        record_bytes(REPLIED, inode, 0, message->msg_iov[at].iov_base, part);
        left -= part;
    }
    return said;
}

/* Every way to write comes here: to a file of the directory, to a socket, or past us. */
static ssize_t write_any(int fd, const void *bytes, size_t length, off_t offset, int flags, int is_send) {
    uint64_t inode = 0;
    pthread_mutex_lock(&lock);
    enum file file = file_of(fd, &inode);
    if (file == SOCKET) {
        struct iovec part = {(void *)bytes, length};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        return leave(reply(fd, inode, &message));
    }
    if (file != NONE && file != INDEX) return leave(write_file(fd, file, inode, bytes, length, offset));
    pthread_mutex_unlock(&lock);
    if (is_send) return syscall(SYS_sendto, fd, bytes, length, flags, NULL, 0);
    return write_bare(fd, bytes, length, offset);
}

ssize_t write(int fd, const void *from, size_t length) { return write_any(fd, from, length, -1, 0, 0); }
ssize_t pwrite(int fd, const void *from, size_t length, off_t at) { return write_any(fd, from, length, at, 0, 0); }
ssize_t pwrite64(int fd, const void *from, size_t length, off_t at) { return write_any(fd, from, length, at, 0, 0); }
ssize_t send(int fd, const void *from, size_t length, int flags) { return write_any(fd, from, length, -1, flags, 1); }

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    uint64_t inode = 0;
    pthread_mutex_lock(&lock);
    int ours = file_of(fd, &inode) == SOCKET && message->msg_name == NULL;
    return leave(ours ? reply(fd, inode, message) : syscall(SYS_sendmsg, fd, message, flags));
}

/* In pieces, as the system may do it too. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t all = 0;
    for (int at = 0; at < count; at++) {
        ssize_t written = write_any(fd, parts[at].iov_base, parts[at].iov_len, -1, 0, 0);
        if (written < 0) return all > 0 ? all : -1;
        all += written;
        if ((size_t)written < parts[at].iov_len) break;
    }
    return all;
}

static int truncate_file(int fd, off_t length) {
    uint64_t inode = 0;
    pthread_mutex_lock(&lock);
    enum file file = file_of(fd, &inode);
    int what = reached(AT_TRUNCATE, file);
    int done = what > 0 ? fail(what) : syscall(SYS_ftruncate, fd, length);
    if (done == 0 && file != NONE && file != INDEX) record(TRUNCATED, inode, 0, length, 0);
    return leave(done);
}

int ftruncate(int fd, off_t length) { return truncate_file(fd, length); }
int ftruncate64(int fd, off_t length) { return truncate_file(fd, length); }

/* Every regular file in the directory: its inode, a space, its name, a line each. */
static void list(int fd, uint64_t inode) {
    static char names[NAMES];
    size_t length = 0;
    int again = syscall(SYS_openat, fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = again < 0 ? NULL : fdopendir(again);
    if (directory == NULL) return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_type == DT_REG && length + sizeof entry->d_name + 32 < NAMES)
            length += sprintf(names + length, "%llu %s\n", (unsigned long long)entry->d_ino, entry->d_name);
    closedir(directory);
    record_bytes(LISTED, inode, 0, names, length);
}

static int flush_file(int fd, long call) {
    uint64_t inode = 0;
    pthread_mutex_lock(&lock);
    enum file file = file_of(fd, &inode);
    int what = reached(AT_FLUSH, file), done = -1;
    if (file == DIRECTORY) list(fd, inode);
    uint64_t flush = ++flushes;
    if (file != NONE) record(FLUSH_BEGUN, inode, flush, 0, 0);
    pthread_mutex_unlock(&lock);
    int error = what;
    if (what <= 0) {
        done = syscall(call, fd);
        error = errno;
    }
    pthread_mutex_lock(&lock);
    if (file != NONE) record(FLUSH_ENDED, inode, flush, 0, done == 0 ? 0 : error);
    reached(AT_FLUSHED, file);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int fsync(int fd) { return flush_file(fd, SYS_fsync); }
int fdatasync(int fd) { return flush_file(fd, SYS_fdatasync); }

static int unlink_file(int at, const char *path, int flags) {
    const char *name = name_in_root(path);
    enum file file = file_called(name);
    pthread_mutex_lock(&lock);
    int what = reached(AT_UNLINK, file);
    int done = what > 0 ? fail(what) : syscall(SYS_unlinkat, at, path, flags);
    if (done == 0 && file != NONE && file != INDEX) record_bytes(UNLINKED, 0, 0, name, strlen(name));
    return leave(done);
}

int unlink(const char *path) { return unlink_file(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlink_file(at, path, flags); }

int rename(const char *from, const char *to) {
    const char *old = name_in_root(from), *new = name_in_root(to);
    pthread_mutex_lock(&lock);
    int what = reached(AT_RENAME, file_called(old));
    int done = what > 0 ? fail(what) : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (done == 0 && old != NULL && new != NULL) {
        char names[512];
        int length = snprintf(names, sizeof names, "%s\n%s", old, new);
        record_bytes(RENAMED, 0, 0, names, length);
    }
    return leave(done);
}
