/* Many small files in one call, outside the interpreter lock: the compiled part of `bulk.py`, which says what each does.

Rules
1. Every function goes through files in order and stops before the first that is anything but ordinary, or that the
   system refuses; it returns how many it did. What stopped it is for the caller to find out, who does that file himself.
2. No Python object is touched while the lock is not held.
*/

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#define MTIME st_mtimespec
#define CTIME st_ctimespec
#else
#define MTIME st_mtim
#define CTIME st_ctim
#endif

#define OPEN_AT_A_TIME 32
#define BACK_BYTES 32768 /* what a thread's stack has room for everywhere */
#define NO_TIME INT64_MIN

typedef struct {
    int base; /* the folder that names begin in, or -1 */
    Py_ssize_t count;
    PyObject **held; /* bytes */
    const char **names;
    int64_t *sizes;
    int64_t *times; /* nanoseconds, or NO_TIME */
} Files;

static void
files_free(Files *files)
{
    for (Py_ssize_t i = 0; files->held != NULL && i < files->count; i++) {
        Py_XDECREF(files->held[i]);
    }
    PyMem_Free(files->held);
    PyMem_Free(files->names);
    PyMem_Free(files->sizes);
    PyMem_Free(files->times);
    if (files->base >= 0) {
        close(files->base);
    }
}

/* A number for each path; NULL with an exception. */
static int64_t *
numbers_from(PyObject *list, Py_ssize_t count)
{
    int64_t *numbers;
    if (PyList_GET_SIZE(list) != count) {
        PyErr_SetString(PyExc_ValueError, "not as many numbers as paths");
        return NULL;
    }
    numbers = PyMem_New(int64_t, count + 1);
    if (numbers == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        numbers[i] = PyLong_AsLongLong(PyList_GET_ITEM(list, i));
        if (numbers[i] == -1 && PyErr_Occurred()) {
            PyMem_Free(numbers);
            return NULL;
        }
    }
    return numbers;
}

/* What was given as C sees it, of which `sizes` or `times` may be NULL; 0 with an exception. A folder that cannot be
   opened holds no files that could be. `files_free` in any case. */
static int
files_from(PyObject *base, PyObject *paths, PyObject *sizes, PyObject *times, Files *files)
{
    PyObject *folder;
    *files = (Files){.base = -1};
    if (!PyUnicode_FSConverter(base, &folder)) {
        return 0;
    }
    const char *name = PyBytes_AS_STRING(folder);
    Py_BEGIN_ALLOW_THREADS
    files->base = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    Py_END_ALLOW_THREADS
    Py_DECREF(folder);
    files->count = PyList_GET_SIZE(paths);
    files->held = PyMem_Calloc(files->count + 1, sizeof(PyObject *));
    files->names = PyMem_New(const char *, files->count + 1);
    if (files->held == NULL || files->names == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < files->count; i++) {
        if (!PyUnicode_FSConverter(PyList_GET_ITEM(paths, i), &files->held[i])) {
            return 0;
        }
        files->names[i] = PyBytes_AS_STRING(files->held[i]);
    }
    return (sizes == NULL || (files->sizes = numbers_from(sizes, files->count)) != NULL)
        && (times == NULL || (files->times = numbers_from(times, files->count)) != NULL);
}

/* Whether the sizes are some, and all of it finds room; 0 with an exception. */
static int
fits(const Files *files, const Py_buffer *bytes)
{
    int64_t left = bytes->len;
    for (Py_ssize_t i = 0; i < files->count; i++) {
        int64_t size = files->sizes[i];
        if (size < 0 || size > left) {
            PyErr_SetString(PyExc_ValueError, size < 0 ? "a size is less than nothing" : "the buffer is too small");
            return 0;
        }
        left -= size;
    }
    return 1;
}

static int
holds(const Py_buffer *times, Py_ssize_t count)
{
    if (times->len / (Py_ssize_t)sizeof(int64_t) >= count) {
        return 1;
    }
    PyErr_SetString(PyExc_ValueError, "there is no room for the times");
    return 0;
}

static int64_t
nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* What `utimensat` takes: when it was read last, and when its content changed. */
static void
both_from(int64_t time, struct timespec both[2])
{
    int64_t seconds = time / 1000000000, rest = time % 1000000000;
    both[0].tv_sec = rest < 0 ? seconds - 1 : seconds;
    both[0].tv_nsec = rest < 0 ? rest + 1000000000 : rest;
    both[1] = both[0];
}

/* same */

/* Whether a file holds these bytes from there on. */
static int
same_bytes(int file, const char *bytes, int64_t size, int64_t offset)
{
    char back[BACK_BYTES];
    while (size > 0) {
        ssize_t count = pread(file, back, size < BACK_BYTES ? size : BACK_BYTES, offset);
        if (count <= 0 || memcmp(back, bytes, count) != 0) {
            return 0;
        }
        bytes += count;
        offset += count;
        size -= count;
    }
    return 1;
}

static PyObject *
bulk_same(PyObject *module, PyObject *args)
{
    Py_buffer with;
    long long offset;
    int file, same;
    if (!PyArg_ParseTuple(args, "iLy*", &file, &offset, &with)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    same = same_bytes(file, with.buf, with.len, offset);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&with);
    return PyBool_FromLong(same);
}

/* write */

/* When anything of a file that holds just these bytes had changed last once they were read back; NO_TIME of others. */
static int64_t
read_back(int file, const char *bytes, int64_t size)
{
    struct stat status;
    if (!same_bytes(file, bytes, size, 0) || fstat(file, &status) != 0 || status.st_size != size) {
        return NO_TIME;
    }
    return nanoseconds(status.CTIME);
}

/* `changed`: NULL, or told what `read_back` says. */
static int
write_one(int base, const char *name, const char *bytes, int64_t size, int64_t time, mode_t mode, int64_t *changed)
{
    struct timespec both[2];
    int file = openat(base, name, (changed ? O_RDWR : O_WRONLY) | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
    int64_t done = 0;
    if (file < 0) {
        return 0;
    }
    while (done < size) {
        ssize_t count = pwrite(file, bytes + done, size - done, done);
        if (count <= 0) {
            break;
        }
        done += count;
    }
    if (time != NO_TIME) {
        both_from(time, both);
        (void)futimens(file, both); /* it is looked at again before anybody sees it */
    }
    if (changed != NULL) {
        *changed = done == size ? read_back(file, bytes, size) : NO_TIME;
    }
    return (close(file) == 0) & (done == size);
}

static PyObject *
bulk_write(PyObject *module, PyObject *args)
{
    PyObject *base, *paths, *sizes, *times, *done = NULL;
    Py_buffer from, changed;
    Files files;
    unsigned int mode;
    if (!PyArg_ParseTuple(args, "OO!O!O!y*Iw*", &base, &PyList_Type, &paths, &PyList_Type, &sizes, &PyList_Type, &times,
            &from, &mode, &changed)) {
        return NULL;
    }
    if (files_from(base, paths, sizes, times, &files) && fits(&files, &from)
        && (changed.len == 0 || holds(&changed, files.count))) {
        Py_ssize_t count = 0;
        const char *bytes = from.buf;
        int64_t *told = changed.len ? changed.buf : NULL; /* nothing to tell: nothing is read back */
        Py_BEGIN_ALLOW_THREADS
        while (count < files.count
            && write_one(files.base, files.names[count], bytes, files.sizes[count], files.times[count], mode,
                told ? told + count : NULL)) {
            bytes += files.sizes[count++];
        }
        Py_END_ALLOW_THREADS
        done = PyLong_FromSsize_t(count);
    }
    files_free(&files);
    PyBuffer_Release(&from);
    PyBuffer_Release(&changed);
    return done;
}

/* read */

/* Out of memory, so that it is read from the device; whether that can be told. */
static int
dropped(int file, int64_t size)
{
#if defined(RWF_NOWAIT) && defined(POSIX_FADV_DONTNEED)
    char byte;
    struct iovec one = {&byte, 1};
    if (posix_fadvise(file, 0, size, POSIX_FADV_DONTNEED) != 0) {
        return 0;
    }
    if (preadv2(file, &one, 1, 0, RWF_NOWAIT) >= 0 || errno != EAGAIN) {
        return 0;
    }
    posix_fadvise(file, 0, size, POSIX_FADV_WILLNEED);
    return 1;
#else
    return 0;
#endif
}

static int
open_one(int base, const char *name, int64_t size, int flags, int drop)
{
    struct stat status;
    int file = openat(base, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags);
    if (file < 0) {
        return -1;
    }
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || (drop && !dropped(file, size))) {
        close(file);
        return -1;
    }
    return file;
}

/* All of a file that has just that size; `times`: when its content and when anything of it changed last. */
static int
read_one(int file, char *bytes, int64_t size, int64_t *times)
{
    struct stat status;
    int64_t done = 0;
    while (done < size) {
        ssize_t count = pread(file, bytes + done, size - done, done);
        if (count <= 0) {
            return 0;
        }
        done += count;
    }
    if (fstat(file, &status) != 0 || status.st_size != size) {
        return 0;
    }
    times[0] = nanoseconds(status.MTIME);
    times[1] = nanoseconds(status.CTIME);
    return 1;
}

static Py_ssize_t
read_all(const Files *files, char *bytes, int64_t *times, int flags, int drop)
{
    int open_files[OPEN_AT_A_TIME];
    Py_ssize_t done = 0;
    for (int going = 1; going && done < files->count;) {
        int opened = 0, read = 0;
        while (opened < OPEN_AT_A_TIME && done + opened < files->count) {
            int file = open_one(files->base, files->names[done + opened], files->sizes[done + opened], flags, drop);
            if (file < 0) {
                going = 0;
                break;
            }
            open_files[opened++] = file;
        }
        while (read < opened && read_one(open_files[read], bytes, files->sizes[done], times + 2 * done)) {
            bytes += files->sizes[done++];
            read++;
        }
        going &= read == opened;
        while (opened > 0) {
            close(open_files[--opened]);
        }
    }
    return done;
}

static PyObject *
bulk_read(PyObject *module, PyObject *args)
{
    PyObject *base, *paths, *sizes, *done = NULL;
    Py_buffer into, times;
    Files files;
    int follow, drop;
    if (!PyArg_ParseTuple(
            args, "OO!O!w*w*pp", &base, &PyList_Type, &paths, &PyList_Type, &sizes, &into, &times, &follow, &drop)) {
        return NULL;
    }
    if (files_from(base, paths, sizes, NULL, &files) && fits(&files, &into) && holds(&times, 2 * files.count)) {
        Py_ssize_t count;
        Py_BEGIN_ALLOW_THREADS
        count = read_all(&files, into.buf, times.buf, follow ? 0 : O_NOFOLLOW, drop);
        Py_END_ALLOW_THREADS
        done = PyLong_FromSsize_t(count);
    }
    files_free(&files);
    PyBuffer_Release(&into);
    PyBuffer_Release(&times);
    return done;
}

/* look */

static int
look_one(int base, const char *name, int64_t size, int64_t *times, int follow)
{
    struct stat status;
    if (fstatat(base, name, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)
        || status.st_size != size || (follow && faccessat(base, name, R_OK, AT_EACCESS) != 0)) {
        return 0;
    }
    times[0] = nanoseconds(status.MTIME);
    times[1] = nanoseconds(status.CTIME);
    return 1;
}

static PyObject *
bulk_look(PyObject *module, PyObject *args)
{
    PyObject *base, *paths, *sizes, *done = NULL;
    Py_buffer times;
    Files files;
    int follow;
    if (!PyArg_ParseTuple(
            args, "OO!O!w*p", &base, &PyList_Type, &paths, &PyList_Type, &sizes, &times, &follow)) {
        return NULL;
    }
    if (files_from(base, paths, sizes, NULL, &files) && holds(&times, 2 * files.count)) {
        Py_ssize_t count = 0;
        int64_t *told = times.buf;
        Py_BEGIN_ALLOW_THREADS
        while (count < files.count
            && look_one(files.base, files.names[count], files.sizes[count], told + 2 * count, follow)) {
            count++;
        }
        Py_END_ALLOW_THREADS
        done = PyLong_FromSsize_t(count);
    }
    files_free(&files);
    PyBuffer_Release(&times);
    return done;
}

/* dress */

static int
dress_one(int base, const char *name, mode_t mode, gid_t group, int64_t time)
{
    struct stat status;
    struct timespec both[2];
    if (fstatat(base, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) || status.st_gid != group) {
        return 0;
    }
    if ((status.st_mode & 07777) != mode && fchmodat(base, name, mode, 0) != 0) {
        return 0;
    }
    if (time == NO_TIME || time == nanoseconds(status.MTIME)) {
        return 1;
    }
    both_from(time, both);
    return utimensat(base, name, both, AT_SYMLINK_NOFOLLOW) == 0;
}

static PyObject *
bulk_dress(PyObject *module, PyObject *args)
{
    PyObject *base, *paths, *times, *done = NULL;
    unsigned int mode, group;
    Files files;
    if (!PyArg_ParseTuple(args, "OO!O!II", &base, &PyList_Type, &paths, &PyList_Type, &times, &mode, &group)) {
        return NULL;
    }
    if (files_from(base, paths, NULL, times, &files)) {
        Py_ssize_t count = 0;
        Py_BEGIN_ALLOW_THREADS
        while (count < files.count && dress_one(files.base, files.names[count], mode, group, files.times[count])) {
            count++;
        }
        Py_END_ALLOW_THREADS
        done = PyLong_FromSsize_t(count);
    }
    files_free(&files);
    return done;
}

static PyMethodDef methods[] = {
    {"same", bulk_same, METH_VARARGS, "same(file, offset, bytes) -> whether that is what it holds there"},
    {"write", bulk_write, METH_VARARGS, "write(base, paths, sizes, times, bytes, mode, changed) -> how many were written"},
    {"read", bulk_read, METH_VARARGS, "read(base, paths, sizes, into, times, follow, drop) -> how many were read"},
    {"look", bulk_look, METH_VARARGS, "look(base, paths, sizes, times, follow) -> how many are there and have that size"},
    {"dress", bulk_dress, METH_VARARGS, "dress(base, paths, times, mode, group) -> how many were dressed"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "stagedoor._bulk", "The compiled part of stagedoor.bulk.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__bulk(void)
{
    return PyModuleDef_Init(&module);
}
