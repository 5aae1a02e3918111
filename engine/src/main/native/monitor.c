/*
 * Stays with a container, whether or not the server lives. What it prints is appended to a file, each line with its time and
 * stream (TIME stdout|stderr P|F TEXT; P: the line goes on), and at its end its exit code is written down. A disk that is full
 * makes it wait, and the container wait in write(2), as one that is slow does.
 */
#define _GNU_SOURCE
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 16384, LINES = 128, PATIENCE = 30 };

static int log_fd = -1;
static bool ended;
static char note[PATH_MAX];

static void rest(void) {
  struct timespec second = {1, 0};
  nanosleep(&second, NULL);
}

/* When the container has ended, nobody waits for a full disk for ever. */
static void append(struct iovec *vectors, int count) {
  int failures = 0;
  while (count > 0) {
    ssize_t written = writev(log_fd, vectors, count);
    if (written < 0) {
      if (errno == EINTR)
        continue;
      if (ended && ++failures > PATIENCE)
        return;
      rest();
      continue;
    }
    for (size_t left = (size_t)written; count > 0;) {
      if (left < vectors->iov_len) {
        vectors->iov_base = (char *)vectors->iov_base + left;
        vectors->iov_len -= left;
        break;
      }
      left -= vectors->iov_len;
      vectors++;
      count--;
    }
  }
}

static char heads[2][64]; /* of a whole line, and of one that goes on */

static size_t make_heads(const char *stream) {
  struct timespec now;
  struct tm parts;
  char date[32];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  for (int goes_on = 0; goes_on < 2; goes_on++)
    snprintf(heads[goes_on], sizeof heads[0], "%s.%09ldZ %s %c ", date, now.tv_nsec, stream, goes_on ? 'P' : 'F');
  return strlen(heads[0]);
}

static void put(const char *stream, char *text, size_t length) {
  static struct iovec vectors[LINES * 3];
  size_t head = make_heads(stream);
  int count = 0;
  while (length > 0) {
    char *end = memchr(text, '\n', length);
    size_t line = end ? (size_t)(end - text) + 1 : length;
    vectors[count++] = (struct iovec){heads[!end], head};
    vectors[count++] = (struct iovec){text, line};
    if (!end)
      vectors[count++] = (struct iovec){"\n", 1};
    text += line;
    length -= line;
    if (count > (LINES - 1) * 3 || length == 0) {
      append(vectors, count);
      count = 0;
    }
  }
}

/* Reads once; whether there may be more. */
static bool take(int *fd, const char *stream) {
  static char buffer[PIECE];
  ssize_t got = read(*fd, buffer, sizeof buffer);
  if (got > 0) {
    if (log_fd >= 0)
      put(stream, buffer, (size_t)got);
    return true;
  }
  if (got < 0 && errno == EINTR)
    return true;
  if (got < 0 && errno == EAGAIN)
    return false;
  close(*fd); /* nobody has the other side open; of a terminal that is EIO */
  *fd = -1;
  return false;
}

static const char *const NAMES[] = {"stdout", "stderr"};

/* What was written before the end is in the pipes. */
static void take_rest(struct streams *streams) {
  for (int i = 0; i < 2; i++) {
    if (streams->outputs[i] < 0)
      continue;
    fcntl(streams->outputs[i], F_SETFL, O_NONBLOCK);
    while (streams->outputs[i] >= 0 && take(&streams->outputs[i], NAMES[i]))
      ;
  }
}

void write_note(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  size_t length = strlen(text);
  if (fd < 0 || write(fd, text, length) != (ssize_t)length || close(fd))
    fail("write %s", path);
}

/* Whole, or not at all. Without a place to write to, the container was removed. */
static void tell(int code) {
  char text[16];
  int length = snprintf(text, sizeof text, "%d", code);
  while (true) {
    int fd = open("exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, text, (size_t)length) == length;
    int error = errno;
    if (fd >= 0)
      close(fd);
    if (written && !rename("exit.new", note))
      return;
    if (written)
      error = errno;
    if (error == ENOENT)
      return;
    rest();
  }
}

void monitor(const struct job *job, struct streams *streams, pid_t pid) {
  snprintf(note, sizeof note, "%s", job_text(job, "exit"));
  const char *log = job_text(job, "log");
  if (log && (log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
    fail("open %s", log);
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  while (process >= 0) {
    struct pollfd polled[] = {
        {streams->outputs[0], POLLIN, 0}, {streams->outputs[1], POLLIN, 0}, {process, POLLIN, 0}};
    if (poll(polled, 3, -1) < 0)
      continue;
    for (int i = 0; i < 2; i++)
      if (polled[i].revents)
        take(&streams->outputs[i], NAMES[i]);
    if (polled[2].revents)
      break;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  ended = true;
  take_rest(streams);
  if (log_fd >= 0)
    close(log_fd);
  tell(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  _exit(0);
}
