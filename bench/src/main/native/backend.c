/* The backend behind every load balancer that is measured: answers HTTP/1.1 requests without bodies, on one thread, for as
 * little as a web server may take, so that it is the load balancers that are measured. "/large" is 64 KiB, "/one/port" the
 * port that was asked, all else 512 bytes; the fields are those of nginx. Arguments: the first of its ports of 127.0.0.1,
 * and how many there are. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SMALL = 512, LARGE = 65536 };

struct end {
  int fd;
  int port;
  int listens;
  int closes;     /* after its answer: HTTP/1.0, as health checks are, or asked for */
  size_t filled;  /* of request */
  char request[8192];
  const char *answer; /* what of it did not leave yet */
  size_t left;
  char own[256]; /* the answer that no other port gives */
};

static char small[1024], large[LARGE + 1024];
static size_t small_length, large_length;
static int queue;

static void fail(const char *why) {
  perror(why);
  exit(1);
}

static size_t head(char *to, size_t room, size_t length) {
  return (size_t)snprintf(to, room,
      "HTTP/1.1 200 OK\r\nServer: backend\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
      "Content-Length: %zu\r\nConnection: keep-alive\r\n\r\n", length);
}

static void watch(struct end *end, unsigned events, int how) {
  struct epoll_event event = {.events = events, .data.ptr = end};
  if (epoll_ctl(queue, how, end->fd, &event) != 0) fail("epoll_ctl");
}

static void finish(struct end *end) {
  close(end->fd);
  free(end);
}

static void choose(struct end *end) {
  if (strncmp(end->request, "GET /large ", 11) == 0) {
    end->answer = large;
    end->left = large_length;
  } else if (strncmp(end->request, "GET /one/port ", 14) == 0) {
    char port[8];
    size_t digits = (size_t)snprintf(port, sizeof port, "%d", end->port);
    end->left = head(end->own, sizeof end->own, digits) + digits;
    strcat(end->own, port);
    end->answer = end->own;
  } else {
    end->answer = small;
    end->left = small_length;
  }
}

/* Sends what is left; whether the end is still there and has nothing left. */
static int send_rest(struct end *end, int waited) {
  while (end->left > 0) {
    ssize_t sent = send(end->fd, end->answer, end->left, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        if (!waited) watch(end, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        return 0;
      }
      finish(end);
      return 0;
    }
    end->answer += sent;
    end->left -= (size_t)sent;
  }
  if (end->closes) {
    finish(end);
    return 0;
  }
  if (waited) watch(end, EPOLLIN, EPOLL_CTL_MOD);
  return 1;
}

/* Answers every request that is whole, until one answer has to wait. */
static void answer(struct end *end) {
  char *over;
  while ((over = strstr(end->request, "\r\n\r\n")) != NULL) {
    *over = 0;
    end->closes = strstr(end->request, " HTTP/1.0") != NULL || strcasestr(end->request, "\nConnection: close") != NULL;
    choose(end);
    end->filled -= (size_t)(over + 4 - end->request);
    memmove(end->request, over + 4, end->filled + 1);
    if (!send_rest(end, 0)) return;
  }
  if (end->filled == sizeof end->request - 1) finish(end);
}

static void receive(struct end *end) {
  ssize_t got = recv(end->fd, end->request + end->filled, sizeof end->request - 1 - end->filled, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    finish(end);
    return;
  }
  end->filled += (size_t)got;
  end->request[end->filled] = 0;
  answer(end);
}

static void accept_all(struct end *listener) {
  int fd;
  while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct end *end = calloc(1, sizeof *end);
    if (end == NULL) fail("calloc");
    end->fd = fd;
    end->port = listener->port;
    watch(end, EPOLLIN, EPOLL_CTL_ADD);
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: backend FIRST_PORT PORTS\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  small_length = head(small, sizeof small, SMALL);
  memset(small + small_length, 'x', SMALL);
  small_length += SMALL;
  large_length = head(large, sizeof large, LARGE);
  memset(large + large_length, 'y', LARGE);
  large_length += LARGE;
  queue = epoll_create1(EPOLL_CLOEXEC);
  int first = atoi(arguments[1]);
  for (int port = first; port < first + atoi(arguments[2]); port++) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct end *listener = calloc(1, sizeof *listener);
    int on = 1;
    if (listener == NULL) fail("calloc");
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    listener->port = port;
    listener->listens = 1;
    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener->fd, 4096) != 0) fail(arguments[1]);
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
  }
  struct epoll_event events[64];
  for (;;) {
    int ready = epoll_wait(queue, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      struct end *end = events[i].data.ptr;
      if (end->listens) accept_all(end);
      else if (end->left == 0) receive(end);
      else if (send_rest(end, 1)) answer(end);
    }
  }
}
