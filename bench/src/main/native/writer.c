/* Prints numbered lines at a rate, each with the moment of its writing: NUMBER MILLIS FILLING.
 * Arguments: when to begin (epoch ms), lines a second, lines, bytes a line. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  long long begin = atoll(argv[1]), rate = atoll(argv[2]), lines = atoll(argv[3]);
  int width = atoi(argv[4]);
  char line[4096];
  if (width < 64 || width > (int)sizeof line) return 2;
  static char out[1 << 16];
  unsigned long long seed = 88172645463325252ULL ^ ((unsigned long long)getpid() << 32) ^ (unsigned long long)begin;
  for (long long done = 0; done < lines;) {
    long long due = (now() - begin) * rate / 1000;
    if (due > lines) due = lines;
    if (due <= done) {
      struct timespec pause = {0, 10000000};
      nanosleep(&pause, NULL);
      continue;
    }
    size_t used = 0;
    long long moment = now();
    while (done < due && used + (size_t)width <= sizeof out) {
      /* As logs are: much that repeats, some of it new in each line. */
      seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
      int n = snprintf(line, sizeof line,
                       "%010lld %lld INFO [http-%llu] dev.muelle.web.Orders - request %016llx GET /api/v1/orders/%llu answered 200 in %llu us ",
                       done, moment, seed % 16, seed, seed % 1000000, seed / 7 % 90000);
      while (n < width - 1) {
        static const char rest[] = "user-agent=curl/8.5.0 accept=*/* zone=us-east-1a cache=miss ";
        line[n] = rest[n % (int)(sizeof rest - 1)];
        n++;
      }
      line[width - 1] = '\n';
      memcpy(out + used, line, (size_t)width);
      used += (size_t)width;
      done++;
    }
    for (size_t at = 0; at < used;) {
      ssize_t n = write(1, out + at, used - at);
      if (n < 0) return 1;
      at += (size_t)n;
    }
  }
  return 0;
}
