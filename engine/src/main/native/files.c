/*
 * What a container sees: its root with everything that is mounted into it, in the order of the job. Made in a mount namespace
 * that is already the container's own; the machine's mounts go when all is done.
 */
#define _GNU_SOURCE
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const unsigned long REMOUNT = MS_REMOUNT | MS_BIND;

/* Changes the flags of a mount alone; those that it has, and that only an owner could take away, stay. */
static void restrict_mount(const char *at, unsigned long flags, const char *name) {
  struct statvfs now;
  if (statvfs(at, &now))
    fail("statvfs %s", name);
  unsigned long kept = now.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME);
  if (mount(NULL, at, NULL, REMOUNT | flags | kept, NULL))
    fail("remount %s", name);
}

/* "mount TYPE SOURCE TARGET FLAGS OPTIONS" */
static void mount_new(int root, const struct step *step) {
  const char *type = step->args[0], *source = step->args[1], *target = step->args[2];
  unsigned long flags = number(step->args[3]);
  int at = inroot_make(root, target, true);
  if (at < 0)
    fail("mount %s at %s", type, target);
  if (!strcmp(type, "proc") || !strcmp(type, "sysfs")) { /* what hides their files later must find them there */
    int plain = inroot_find(root, target, RESOLVE_NO_SYMLINKS);
    if (plain < 0)
      fail_with("%s must be mounted on an ordinary directory: %s", type, target);
    close(plain);
  }
  if (mount(source, by_descriptor(at), type, flags, *step->args[4] ? step->args[4] : NULL))
    fail("mount %s at %s", type, target);
  close(at);
}

/* "bind SOURCE TARGET FLAGS" */
static void mount_bind(int root, const struct step *step) {
  const char *source = step->args[0], *target = step->args[1];
  unsigned long flags = number(step->args[2]);
  struct stat stat_;
  if (stat(source, &stat_))
    fail("mount %s", source);
  int at = inroot_make(root, target, S_ISDIR(stat_.st_mode));
  if (at < 0 || mount(source, by_descriptor(at), NULL, MS_BIND | (flags & MS_REC), NULL))
    fail("mount %s at %s", source, target);
  close(at);
  if (flags & ~(unsigned long)MS_REC) {
    at = inroot_find(root, target, 0); /* the descriptor before is of what lies below */
    if (at < 0)
      fail("mount at %s", target);
    restrict_mount(by_descriptor(at), flags & ~(unsigned long)MS_REC, target);
    close(at);
  }
}

/* "restrict TARGET FLAGS": a file system that was mounted to be filled. */
static void mount_restrict(int root, const struct step *step) {
  int at = inroot_find(root, step->args[0], 0);
  if (at < 0)
    fail("mount at %s", step->args[0]);
  restrict_mount(by_descriptor(at), number(step->args[1]), step->args[0]);
  close(at);
}

/* Splits a path's last part off; gives a descriptor of its directory, which is made. */
static int parent_of(int root, const char *path, const char **name) {
  char so[PATH_MAX];
  const char *slash = strrchr(path, '/');
  if (!slash || !slash[1] || !strcmp(slash, "/.") || !strcmp(slash, "/..") ||
      snprintf(so, sizeof so, "%.*s", (int)(slash - path), path) >= (int)sizeof so)
    fail_with("not a place for a file: %s", path);
  *name = slash + 1;
  int at = inroot_make(root, *so ? so : "/", true);
  if (at < 0)
    fail("make %s", so);
  return at;
}

/* "device PATH MODE MAJOR MINOR": of characters, and root's. */
static void make_device(int root, const struct step *step) {
  const char *name;
  int at = parent_of(root, step->args[0], &name);
  mode_t mode = S_IFCHR | (mode_t)number(step->args[1]);
  dev_t device = makedev((unsigned)number(step->args[2]), (unsigned)number(step->args[3]));
  if (mknodat(at, name, mode, device)) {
    struct stat there;
    if (errno != EEXIST || fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) || !S_ISCHR(there.st_mode) ||
        there.st_rdev != device)
      fail("make the device %s", step->args[0]);
  }
  close(at);
}

/* "link TEXT PATH" */
static void make_link(int root, const struct step *step) {
  const char *name;
  int at = parent_of(root, step->args[1], &name);
  if (symlinkat(step->args[0], at, name) && errno != EEXIST)
    fail("link %s", step->args[1]);
  close(at);
}

/* "mask PATH": a directory becomes an empty one, a file the container's own /dev/null. */
static void mask(int root, const struct step *step) {
  int at = inroot_find(root, step->args[0], 0);
  if (at < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return;
    fail("mask %s", step->args[0]);
  }
  struct stat stat_;
  if (fstat(at, &stat_))
    fail("mask %s", step->args[0]);
  if (S_ISDIR(stat_.st_mode)) {
    if (mount("tmpfs", by_descriptor(at), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k"))
      fail("mask %s", step->args[0]);
  } else {
    int nothing = inroot_find(root, "/dev/null", 0);
    char source[64];
    snprintf(source, sizeof source, "%s", by_descriptor(nothing));
    if (nothing < 0 || mount(source, by_descriptor(at), NULL, MS_BIND, NULL))
      fail("mask %s", step->args[0]);
    close(nothing);
  }
  close(at);
}

/* "readonly PATH" */
static void make_readonly(int root, const struct step *step) {
  int at = inroot_find(root, step->args[0], 0);
  if (at < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return;
    fail("make %s read-only", step->args[0]);
  }
  char place[64];
  snprintf(place, sizeof place, "%s", by_descriptor(at));
  if (mount(place, place, NULL, MS_BIND | MS_REC, NULL))
    fail("make %s read-only", step->args[0]);
  close(at);
  at = inroot_find(root, step->args[0], 0);
  if (at < 0)
    fail("make %s read-only", step->args[0]);
  restrict_mount(by_descriptor(at), MS_RDONLY, step->args[0]);
  close(at);
}

static const struct {
  const char *verb;
  void (*apply)(int root, const struct step *step);
} VERBS[] = {{"mount", mount_new},  {"bind", mount_bind}, {"restrict", mount_restrict},  {"device", make_device},
             {"link", make_link}, {"mask", mask},       {"readonly", make_readonly}};

int files_mount(const struct job *job) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) /* nothing comes from outside, nothing gets out */
    fail("make mounts private");
  const char *path = job_text(job, "root");
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    fail("open %s", path);
  for (int i = 0; i < job->count; i++)
    for (size_t v = 0; v < sizeof VERBS / sizeof *VERBS; v++)
      if (!strcmp(job->steps[i].verb, VERBS[v].verb))
        VERBS[v].apply(root, &job->steps[i]);
  return root;
}

/* Kernel parameters of the container's namespaces, by the machine's own /proc, where no image leads us elsewhere. */
void files_sysctl(const struct job *job) {
  int base = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (const struct step *step = NULL; (step = job_next(job, "sysctl", step));) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", step->args[0]);
    for (char *dot = path; (dot = strchr(dot, '.'));)
      *dot = '/';
    struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, base, path, &how, sizeof how);
    if (fd < 0)
      fail("open sysctl %s", step->args[0]);
    if (write(fd, step->args[1], strlen(step->args[1])) < 0)
      fail("write sysctl %s", step->args[0]);
    close(fd);
  }
  close(base);
}

/* The machine's root ends up above the container's, from where it is taken out of sight; see pivot_root(2). */
void files_enter(const struct job *job, int root) {
  int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fchdir(root) || syscall(SYS_pivot_root, ".", ".") || fchdir(old) || umount2(".", MNT_DETACH) || chdir("/"))
    fail("pivot_root");
  close(old);
  close(root);
  if (job_has(job, "readonlyroot"))
    restrict_mount("/", MS_RDONLY, "/");
}
