#include "parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As runc, and so Docker and Amazon ECS, say it. */
#define WORDS "unable to start container process: exec: \"%s\": "

static bool runs(const char *path) {
  struct stat stat_;
  return !stat(path, &stat_) && S_ISREG(stat_.st_mode) && !access(path, X_OK);
}

static const char *search(const struct job *job) {
  const char *path = NULL;
  for (const struct step *step = NULL; (step = job_next(job, "environment", step));)
    for (int i = 0; i < step->count; i++)
      if (!strncmp(step->args[i], "PATH=", 5))
        path = step->args[i] + 5;
  return path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

const char *program_find(const struct job *job, const char *name) {
  static char found[PATH_MAX];
  if (strchr(name, '/')) {
    if (access(name, F_OK))
      fail_with(WORDS "stat %s: %s", name, name, errno == ENOENT ? "no such file or directory" : strerror(errno));
    if (!runs(name))
      fail_with(WORDS "permission denied", name);
    return name;
  }
  for (const char *at = search(job); *name; at++) {
    size_t length = strcspn(at, ":");
    if (snprintf(found, sizeof found, "%.*s/%s", length ? (int)length : 1, length ? at : ".", name) < (int)sizeof found &&
        runs(found))
      return found;
    at += length;
    if (!*at)
      break;
  }
  fail_with(WORDS "executable file not found in $PATH", name);
}
