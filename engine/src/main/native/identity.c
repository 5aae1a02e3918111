/*
 * Who the container's process is, and what it may do. Everything that is taken is taken for good: see capabilities(7),
 * seccomp(2), credentials(7).
 */
#define _GNU_SOURCE
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LAST_CAPABILITY = 63, MOST_GROUPS = 65536 };

static struct sock_filter instructions[BPF_MAXINSNS];
static struct sock_fprog filter;

/* Read while the machine's files are still to be seen. */
void identity_prepare(const struct job *job) {
  const char *path = job_text(job, "filter");
  if (!path)
    return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, instructions, sizeof instructions);
  if (size < 0)
    fail("read %s", path);
  if (size == 0 || size % (ssize_t)sizeof *instructions)
    fail_with("not a filter: %s", path);
  close(fd);
  filter = (struct sock_fprog){(unsigned short)((size_t)size / sizeof *instructions), instructions};
}

/* "limit NUMBER SOFT HARD" */
void identity_limits(const struct job *job) {
  for (const struct step *step = NULL; (step = job_next(job, "limit", step));) {
    struct rlimit limit = {number(step->args[1]), number(step->args[2])};
    if (setrlimit((int)number(step->args[0]), &limit))
      fail("setrlimit %s", step->args[0]);
  }
}

static void set_capabilities(uint64_t effective, uint64_t permitted) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, 0},
      {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0},
  };
  if (syscall(SYS_capset, &header, data))
    fail("capset");
}

static uint64_t permitted(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data))
    fail("capget");
  return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

/* "capabilities BOUNDING EFFECTIVE"; "user UID GID GID…" */
void identity_user(const struct job *job) {
  uint64_t bounding = number(job_next(job, "capabilities", NULL)->args[0]);
  for (int one = 0; one <= LAST_CAPABILITY; one++)
    if (!(bounding >> one & 1) && prctl(PR_CAPBSET_DROP, one, 0, 0, 0)) {
      if (errno == EINVAL)
        break; /* this kernel has no more */
      fail("drop a capability");
    }
  static gid_t groups[MOST_GROUPS];
  const struct step *who = job_next(job, "user", NULL);
  size_t count = 0;
  for (int i = 2; i < who->count && count < MOST_GROUPS; i++)
    groups[count++] = (gid_t)number(who->args[i]);
  uid_t user = (uid_t)number(who->args[0]);
  gid_t group = (gid_t)number(who->args[1]);
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(count, groups) || setresgid(group, group, group) ||
      setresuid(user, user, user))
    fail("become user %s", who->args[0]);
}

/*
 * The filter is set while the means for it (CAP_SYS_ADMIN) are there, which a process needs that may still gain privileges; what
 * follows it are two system calls that every container may make.
 */
void identity_confine(const struct job *job) {
  uint64_t kept = number(job_next(job, "capabilities", NULL)->args[1]);
  if (job_has(job, "nonewprivileges") && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    fail("give up new privileges");
  uint64_t all = permitted();
  if (kept & ~all)
    fail_with("capabilities that the server does not have itself");
  set_capabilities(all, all);
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) || (filter.len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter)))
    fail("set the filter of system calls");
  set_capabilities(kept, kept);
}
