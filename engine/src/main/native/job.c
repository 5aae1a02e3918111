/*
 * A job is a file of texts that end with a zero byte: a verb, how many arguments follow, the arguments; and so on. No text can
 * be taken for another one's part, whatever a container's environment or command says.
 */
#include "parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *take(char **at, char *end) {
  char *text = *at;
  char *zero = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
  if (!zero)
    fail_with("the job is cut off");
  *at = zero + 1;
  return text;
}

uint64_t number(const char *text) {
  char *end;
  uint64_t value = strtoull(text, &end, 10);
  if (!*text || *end)
    fail_with("not a number: %s", text);
  return value;
}

static void *room(size_t size) {
  void *memory = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail("memory");
  return memory;
}

void job_read(struct job *job, int fd) {
  struct stat stat;
  if (fstat(fd, &stat))
    fail("the job");
  size_t size = (size_t)stat.st_size;
  char *text = room(size);
  for (size_t got = 0; got < size;) {
    ssize_t more = pread(fd, text + got, size - got, (off_t)got);
    if (more <= 0)
      fail("read the job");
    got += (size_t)more;
  }
  size_t texts = 0;
  for (size_t i = 0; i < size; i++)
    texts += !text[i];
  job->steps = room((texts / 2 + 1) * sizeof *job->steps);
  char **args = room((texts + 1) * sizeof *args * 2); /* each list ends with NULL, as execve wants it */
  char *at = text, *end = text + size;
  while (at < end) {
    struct step *step = &job->steps[job->count++];
    step->verb = take(&at, end);
    uint64_t count = number(take(&at, end));
    if (count > texts)
      fail_with("the job is cut off");
    step->count = (int)count;
    step->args = args;
    for (uint64_t i = 0; i < count; i++)
      *args++ = take(&at, end);
    *args++ = NULL;
  }
}

const struct step *job_next(const struct job *job, const char *verb, const struct step *after) {
  for (const struct step *step = after ? after + 1 : job->steps; step < job->steps + job->count; step++)
    if (!strcmp(step->verb, verb))
      return step;
  return NULL;
}

const char *job_text(const struct job *job, const char *verb) {
  const struct step *step = job_next(job, verb, NULL);
  return step && step->count == 1 ? step->args[0] : NULL;
}

bool job_has(const struct job *job, const char *verb) {
  return job_next(job, verb, NULL);
}
