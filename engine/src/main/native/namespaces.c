/* Namespaces: "new TYPE", or "join TYPE PATH" for one that somebody else keeps. See namespaces(7). */
#define _GNU_SOURCE
#include "parts.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *type;
  uint64_t flag;
} TYPES[] = {{"mount", CLONE_NEWNS}, {"uts", CLONE_NEWUTS},     {"ipc", CLONE_NEWIPC},
             {"pid", CLONE_NEWPID},  {"network", CLONE_NEWNET}, {"cgroup", CLONE_NEWCGROUP}};

static uint64_t flag(const char *type) {
  for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
    if (!strcmp(TYPES[i].type, type))
      return TYPES[i].flag;
  fail_with("no such namespace: %s", type);
}

/* Those that clone3 makes; a cgroup namespace begins with the groups that its maker is in, so it comes later. */
uint64_t namespaces_new(const struct job *job) {
  uint64_t flags = 0;
  for (const struct step *step = NULL; (step = job_next(job, "new", step));)
    flags |= flag(step->args[0]);
  return flags & ~(uint64_t)CLONE_NEWCGROUP;
}

static void join(const struct job *job, bool processes) {
  for (const struct step *step = NULL; (step = job_next(job, "join", step));) {
    uint64_t which = flag(step->args[0]);
    if ((which == CLONE_NEWPID) != processes)
      continue;
    int fd = open(step->args[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, (int)which))
      fail("join the %s namespace %s", step->args[0], step->args[1]);
    close(fd);
  }
}

/* Only children enter a namespace of processes. */
void namespaces_join_processes(const struct job *job) {
  join(job, true);
}

void namespaces_join(const struct job *job) {
  join(job, false);
  for (const struct step *step = NULL; (step = job_next(job, "new", step));)
    if (flag(step->args[0]) == CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP))
      fail("make a cgroup namespace");
}
