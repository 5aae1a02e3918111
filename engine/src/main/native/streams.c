/*
 * What a container reads from and writes to: pipes, a terminal of its own, or nothing, which is the /dev/null of its own /dev:
 * nobody gets a file of the machine's, whose mode root in the container could change.
 */
#define _GNU_SOURCE
#include "parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void make_pipe(int *reading, int *writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC))
    fail("pipe");
  *reading = ends[0];
  *writing = ends[1];
}

void streams_open(const struct job *job, struct streams *streams) {
  *streams = (struct streams){-1, {-1, -1}, {-1, -1, -1}, {-1, -1}};
  if (job_has(job, "terminal")) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, streams->pass))
      fail("socketpair");
    return;
  }
  if (job_has(job, "open"))
    make_pipe(&streams->inside[0], &streams->input);
  if (job_has(job, "log")) {
    make_pipe(&streams->outputs[0], &streams->inside[1]);
    make_pipe(&streams->outputs[1], &streams->inside[2]);
  }
}

static void pass(int socket, int fd) {
  union {
    char bytes[CMSG_SPACE(sizeof fd)];
    struct cmsghdr align;
  } control = {0};
  char byte = 0;
  struct iovec vector = {&byte, 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1)
    fail("pass the terminal");
}

/* The monitor's side of it. */
void streams_terminal(struct streams *streams) {
  if (streams->pass[0] < 0)
    return;
  int fd = -1;
  union {
    char bytes[CMSG_SPACE(sizeof fd)];
    struct cmsghdr align;
  } control = {0};
  char byte;
  struct iovec vector = {&byte, 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (recvmsg(streams->pass[0], &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  streams->outputs[0] = fd; /* without one, what the container says on its error pipe tells why */
  close(streams->pass[0]);
}

/* A terminal in the container's own /dev/pts, which is its /dev/console as well. */
static void take_terminal(struct streams *streams, int root, uid_t user) {
  int multiplexer = inroot_find(root, "/dev/pts/ptmx", 0);
  int unlocked = 0;
  int master = multiplexer < 0 ? -1 : open(by_descriptor(multiplexer), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked))
    fail("open a terminal");
  int inside = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (inside < 0 || fchown(inside, user, (gid_t)-1))
    fail("open a terminal");
  int console = inroot_make(root, "/dev/console", false);
  char source[64];
  snprintf(source, sizeof source, "%s", by_descriptor(inside));
  if (console < 0 || mount(source, by_descriptor(console), NULL, MS_BIND, NULL))
    fail("mount /dev/console");
  close(console);
  close(multiplexer);
  pass(streams->pass[1], master);
  close(master);
  if (ioctl(inside, TIOCSCTTY, 0))
    fail("take the terminal");
  for (int i = 0; i < 3; i++)
    streams->inside[i] = inside;
}

/* The container's side: from now on 0, 1 and 2 are its own. */
void streams_take(const struct job *job, struct streams *streams, int root) {
  const struct step *who = job_next(job, "user", NULL);
  uid_t user = (uid_t)number(who->args[0]);
  if (job_has(job, "terminal"))
    take_terminal(streams, root, user);
  else
    for (int i = 0; i < 3; i++) /* so that it may open /dev/stdout */
      if (streams->inside[i] >= 0 && fchown(streams->inside[i], user, (gid_t)-1))
        fail("chown a pipe");
  int nothing = inroot_find(root, "/dev/null", 0);
  struct stat stat_;
  if (nothing < 0 || fstat(nothing, &stat_) || !S_ISCHR(stat_.st_mode) || stat_.st_rdev != makedev(1, 3))
    fail("open /dev/null");
  int own = open(by_descriptor(nothing), O_RDWR | O_CLOEXEC);
  if (own < 0)
    fail("open /dev/null");
  close(nothing);
  for (int i = 0; i < 3; i++)
    if (dup2(streams->inside[i] < 0 ? own : streams->inside[i], i) < 0)
      fail("dup2");
}
