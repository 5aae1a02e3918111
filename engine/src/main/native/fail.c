#include "parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int fail_fd = 2;

static char words[2048];

static void say(const char *reason) {
  size_t length = strnlen(words, sizeof words);
  if (reason)
    length += (size_t)snprintf(words + length, sizeof words - length, ": %s", reason);
  if (length >= sizeof words)
    length = sizeof words - 1;
  ssize_t ignored = write(fail_fd, words, length);
  (void)ignored;
}

void fail(const char *format, ...) {
  int error = errno;
  va_list args;
  va_start(args, format);
  vsnprintf(words, sizeof words, format, args);
  va_end(args);
  say(strerror(error));
  _exit(1);
}

void fail_with(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(words, sizeof words, format, args);
  va_end(args);
  say(NULL);
  _exit(1);
}
