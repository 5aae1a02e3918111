/* Sends requests of HTTP/1.1 at a fixed rate, whether or not earlier ones were answered, or each as soon as the one before
 * was, and prints what their answers took since each was due: REQUESTS PER_SECOND P50 P99 P99.9 MOST FAILED, in milliseconds.
 * A request that is due while its connection still waits leaves as soon as it may; its waiting counts. The first fifth is not
 * counted. Arguments: port of 127.0.0.1, path, connections, requests a second (0: each as soon as it may), seconds, and a file
 * for a line of each request, in the columns of h2load: when it was due (us), nothing, what it took (us). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct connection {
  int fd;
  long long next; /* the number of the request that it sends next, at a fixed rate */
  long long due;  /* when what it waits for was */
  int waits;      /* for an answer */
  long long left; /* bytes of the answer's body; -1 before its head is whole */
  size_t filled;
  char head[8192];
};

static long long begin, interval; /* ns */
static int count;
static char request[1024];
static size_t length;
static long long failed;
static struct sample {
  unsigned took; /* us */
  unsigned due;  /* us since the beginning */
} *samples;
static long long taken, room, counted; /* counted: since when, ns */
static const long long MOST = 250000; /* requests a second that are kept */

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *why) {
  perror(why);
  exit(1);
}

static long long due(long long number) { return begin + number * interval; }

static void ask(struct connection *c) {
  c->due = interval ? due(c->next) : now();
  if (write(c->fd, request, length) != (ssize_t)length) fail("write");
  c->waits = 1;
  c->left = -1;
  c->filled = 0;
}

static void answered(struct connection *c, long long moment) {
  if (c->due >= counted && taken < room)
    samples[taken++] = (struct sample){(unsigned)((moment - c->due) / 1000), (unsigned)((c->due - begin) / 1000)};
  c->waits = 0;
  c->next += count;
}

static void receive(struct connection *c) {
  static char body[1 << 17];
  for (;;) {
    int heading = c->left < 0;
    size_t place = heading ? sizeof c->head - 1 - c->filled : sizeof body;
    ssize_t n = recv(c->fd, heading ? c->head + c->filled : body, place, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) fail("an answer was cut off");
    if (!heading) {
      c->left -= n;
    } else {
      c->filled += (size_t)n;
      c->head[c->filled] = 0;
      char *end = strstr(c->head, "\r\n\r\n");
      if (!end) continue;
      char *size = strcasestr(c->head, "\r\ncontent-length:");
      if (!size || size > end) fail("an answer without a length");
      if (strncmp(c->head, "HTTP/1.1 200", 12)) failed++;
      c->left = atoll(size + 17) - (c->head + c->filled - end - 4);
    }
    if (c->left == 0) {
      answered(c, now());
      return;
    }
    if ((size_t)n < place) return; /* epoll tells of more */
  }
}

static int smaller(const void *a, const void *b) {
  unsigned x = ((const struct sample *)a)->took, y = ((const struct sample *)b)->took;
  return (x > y) - (x < y);
}

static double part(double share) { return samples[(long long)((double)(taken - 1) * share)].took / 1000.0; }

static void log_each(const char *path) {
  FILE *log = fopen(path, "w");
  if (!log) fail(path);
  for (long long i = 0; i < taken; i++) fprintf(log, "%u\t-\t%u\n", samples[i].due, samples[i].took);
  if (fclose(log) != 0) fail(path);
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) return 2;
  count = atoi(argv[3]);
  long long rate = atoll(argv[4]), lasts = atoll(argv[5]) * 1000000000LL, total = rate * atoll(argv[5]), asked = 0;
  if (count < 1 || rate < 0 || lasts < 1) return 2;
  length = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench.localhost\r\n\r\n", argv[2]);
  if (length >= sizeof request) return 2;
  prctl(PR_SET_TIMERSLACK, 1L, 0L, 0L, 0L);
  room = MOST * atoll(argv[5]);
  samples = malloc((size_t)room * sizeof *samples);
  struct connection *all = calloc((size_t)count, sizeof *all);
  int poll = epoll_create1(0);
  if (!samples || !all || poll < 0) fail("begin");
  for (int i = 0; i < count; i++) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    int yes = 1;
    all[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (all[i].fd < 0 || connect(all[i].fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    all[i].next = i;
    if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event)) fail("epoll_ctl");
  }
  interval = rate ? 1000000000LL / rate : 0;
  begin = now();
  counted = begin + lasts / 5;
  struct epoll_event events[64];
  long long number = 0, open = 0; /* the next that is due; asked and not answered */
  for (int i = 0; i < count && !rate; i++, open++, asked++) ask(&all[i]);
  for (;;) {
    long long moment = now();
    int over = rate ? number == total : moment - begin >= lasts;
    if (over && open == 0) break;
    for (; number < total && due(number) <= moment; number++) {
      struct connection *c = &all[number % count];
      if (!c->waits && c->next == number) {
        ask(c);
        asked++;
        open++;
      }
    }
    long long pause = number < total ? due(number) - now() : 1000000000LL;
    struct timespec until = {pause > 0 ? pause / 1000000000 : 0, pause > 0 ? pause % 1000000000 : 0};
    int n = epoll_pwait2(poll, events, 64, &until, NULL);
    if (n < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < n; i++) {
      struct connection *c = events[i].data.ptr;
      receive(c);
      if (c->waits) continue;
      open--;
      if (rate ? c->next < number : !over) { /* it is late, or the next one's turn */
        ask(c);
        asked++;
        open++;
      }
    }
  }
  double lasted = (double)(now() - begin) / 1e9;
  if (!taken) return 1;
  if (argc == 7) log_each(argv[6]);
  qsort(samples, (size_t)taken, sizeof *samples, smaller);
  printf("%lld %.0f %.3f %.3f %.3f %.3f %lld\n", asked, (double)asked / lasted, part(0.5), part(0.99), part(0.999), part(1), failed);
  return 0;
}
