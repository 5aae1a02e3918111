/*
 * Stays with a container, whether or not the server lives. What it prints is appended to a file as it was read, lines and parts
 * of lines together, behind its time, stream and length (TIME stdout|stderr B LENGTH), and at its end its exit code is written
 * down. A disk that is full makes it wait, and the container wait in write(2), as one that is slow does.
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

enum {
  PIECE = 65536, /* as much as a pipe holds */
  PATIENCE = 30, /* seconds */
  SOON = 20,     /* ms */
  STREAK = 50,   /* pieces that come soon after each other */
  REST = 25      /* ms */
};

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

static void put(const char *stream, char *text, size_t length) {
  struct timespec now;
  struct tm parts;
  char date[32];
  char head[64];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  int size = snprintf(head, sizeof head, "%s.%09ldZ %s B %zu\n", date, now.tv_nsec, stream, length);
  struct iovec vectors[] = {{head, (size_t)size}, {text, length}};
  append(vectors, 2);
}

static long long millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static size_t taken; /* since the last rest */

/*
 * One that prints a little all the time is let print some more before it is read again: each piece costs as much as a hundred
 * lines. Its pipe has room meanwhile; one that fills it is read at once. Whether the container has ended.
 */
static bool rest_from(int process) {
  static long long last;
  static int streak;
  long long now = millis();
  streak = now - last < SOON ? streak + 1 : 0;
  bool little = taken < PIECE / 2;
  last = now;
  taken = 0;
  if (streak < STREAK || !little)
    return false;
  struct pollfd polled = {process, POLLIN, 0};
  int ready = poll(&polled, 1, REST);
  last = millis();
  return ready > 0;
}

/* Reads once; whether there may be more. */
static bool take(int *fd, const char *stream) {
  static char buffer[PIECE];
  ssize_t got = read(*fd, buffer, sizeof buffer);
  if (got > 0) {
    taken += (size_t)got;
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
    if (polled[2].revents || rest_from(process))
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
