/*
 * Whatever is mounted into a container, the way there is the image's, or another container's that writes to a shared volume
 * meanwhile. The kernel looks paths up as if the container's root was the root of everything (openat2(2)), and what was found is
 * used by its descriptor, so that nobody can exchange it afterwards.
 */
#define _GNU_SOURCE
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int find(int root, const char *path, uint64_t resolve) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
  int fd;
  do /* somebody renames directories at this moment */
    fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
  while (fd < 0 && (errno == EAGAIN || errno == EINTR));
  return fd;
}

int inroot_find(int root, const char *path, uint64_t resolve) {
  return find(root, path, resolve);
}

enum { MOST_LINKS = 40 };

static int make(int root, const char *path, bool directory, int links);

/* A link to where nothing is, as many an image has it for /etc/resolv.conf: that is made, inside the root. */
static int follow(int root, int parent, const char *above, const char *name, bool directory, int links) {
  char text[PATH_MAX], path[PATH_MAX];
  ssize_t length = links < MOST_LINKS ? readlinkat(parent, name, text, sizeof text - 1) : -1;
  if (length <= 0) {
    errno = ELOOP;
    return -1;
  }
  text[length] = 0;
  if (snprintf(path, sizeof path, "%s/%s", *text == '/' ? "" : above, text) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return make(root, path, directory, links + 1);
}

int inroot_make(int root, const char *path, bool directory) {
  return make(root, path, directory, 0);
}

static int make(int root, const char *path, bool directory, int links) {
  int found = find(root, path, 0);
  if (found >= 0 || errno != ENOENT)
    return found;
  char so[PATH_MAX];
  if (snprintf(so, sizeof so, "%s", path) >= (int)sizeof so) {
    errno = ENAMETOOLONG;
    return -1;
  }
  size_t length = strlen(so);
  while (length > 1 && so[length - 1] == '/')
    so[--length] = 0;
  char *slash = strrchr(so, '/');
  const char *name = slash ? slash + 1 : so;
  if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
    errno = EINVAL;
    return -1;
  }
  if (slash)
    *slash = 0;
  int parent = slash && slash != so ? make(root, so, true, links) : dup(root);
  if (parent < 0)
    return -1;
  int result;
  if (directory)
    result = mkdirat(parent, name, 0755);
  else
    result = mknodat(parent, name, S_IFREG | 0644, 0);
  int error = result ? errno : 0;
  found = error && error != EEXIST ? -1 : find(root, path, 0);
  if (found < 0 && error == EEXIST && errno == ENOENT)
    found = follow(root, parent, slash && slash != so ? so : "", name, directory, links);
  else if (found < 0 && error && error != EEXIST)
    errno = error;
  error = errno;
  close(parent);
  errno = error;
  return found;
}

const char *by_descriptor(int fd) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return path;
}
