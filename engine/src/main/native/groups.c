/* Control groups: "group DIRECTORY" is made and entered, "set FILE VALUE" is written in between. See cgroups(7). */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(char *path) {
  if (!mkdir(path, 0755) || errno == EEXIST)
    return;
  char *slash = strrchr(path, '/');
  if (errno != ENOENT || !slash || slash == path)
    fail("mkdir %s", path);
  *slash = 0;
  make(path);
  *slash = '/';
  if (mkdir(path, 0755) && errno != EEXIST)
    fail("mkdir %s", path);
}

static void put(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    fail("open %s", path);
  if (write(fd, value, strlen(value)) < 0)
    fail("write %s to %s", value, path);
  close(fd);
}

void groups_make(const struct job *job) {
  for (const struct step *step = NULL; (step = job_next(job, "group", step));)
    make(step->args[0]);
  for (const struct step *step = NULL; (step = job_next(job, "set", step));)
    put(step->args[0], step->args[1]);
}

void groups_enter(const struct job *job) {
  char path[PATH_MAX];
  for (const struct step *step = NULL; (step = job_next(job, "group", step));) {
    snprintf(path, sizeof path, "%s/cgroup.procs", step->args[0]);
    put(path, "0");
  }
}
