/*
 * Starts a container, and stays with it: "monitor NAME", with the job at descriptor 0. It is started where the container's root is mounted, in a mount
 * namespace that nobody else has, with a pipe at descriptor 3. There it answers one line: "+PID TIME OWN", the container's first
 * process, when that was started (proc(5)), and itself, once the container's program runs; or why it does not.
 *
 * NAME is there to be seen in the list of processes.
 */
#define _GNU_SOURCE
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER = 3 };

static void usual_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < NSIG; number++)
    signal(number, SIG_DFL); /* the server may have been started with some ignored */
}

/* The container's first process, to the point where it is the container's program. */
__attribute__((noreturn)) static void become(const struct job *job, struct streams *streams) {
  usual_signals();
  if (setsid() < 0)
    fail("setsid");
  umask(0); /* modes are as they are given */
  groups_enter(job);
  namespaces_join(job);
  identity_prepare(job);
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS && errno != EPERM && errno != EDQUOT)
    fail("a keyring of its own");
  const char *host = job_text(job, "hostname");
  if (sethostname(host, strlen(host)))
    fail("sethostname %s", host);
  files_sysctl(job);
  int root = files_mount(job);
  streams_take(job, streams, root);
  files_enter(job, root);
  if (fail_fd != ANSWER && (dup3(fail_fd, ANSWER, O_CLOEXEC) < 0))
    fail("dup3");
  fail_fd = ANSWER;
  if (syscall(SYS_close_range, ANSWER + 1, ~0U, 0)) /* before anything of the image's is followed; see CVE-2024-21626 */
    fail("close_range");
  umask(022);
  identity_limits(job);
  const char *directory = job_text(job, "directory");
  bool there = !chdir(directory);
  identity_user(job);
  if (!there && chdir(directory)) /* a place that root may not see, such as a user's on NFS */
    fail("chdir to `%s`", directory);
  char where[2];
  if (!getcwd(where, sizeof where) ? errno != ERANGE : where[0] != '/')
    fail_with("the working directory is outside of the container");
  const struct step *command = job_next(job, "command", NULL);
  const struct step *environment = job_next(job, "environment", NULL);
  const char *program = program_find(job, command->args[0]);
  identity_confine(job);
  execve(program, command->args, environment->args);
  fail("exec %s", program);
}

static pid_t start(const struct job *job, struct streams *streams, int words) {
  namespaces_join_processes(job);
  struct clone_args how = {.flags = namespaces_new(job), .exit_signal = SIGCHLD};
  pid_t pid = (pid_t)syscall(SYS_clone3, &how, sizeof how);
  if (pid < 0)
    fail("clone");
  if (pid == 0) {
    fail_fd = words;
    become(job, streams);
  }
  return pid;
}

/* When a process was started, in ticks since boot: the 22nd field, behind a name that may contain anything. */
static uint64_t start_time(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (got < 0)
    fail("read %s", path);
  close(fd);
  text[got] = 0;
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 22; field++)
    at = strchr(at + 1, ' ');
  return at ? strtoull(at + 1, NULL, 10) : 0;
}

static void answer(const char *text) {
  ssize_t ignored = write(ANSWER, text, strlen(text));
  (void)ignored; /* without a server there is nobody to tell; the next one removes the container */
  close(ANSWER);
}

/* Nothing on the pipe: it was closed by execve. Else these are the words of why not. */
static void await_program(pid_t pid, int words) {
  char text[2048];
  size_t length = 0;
  for (ssize_t got; length < sizeof text - 1 && (got = read(words, text + length, sizeof text - 1 - length)) != 0;)
    if (got > 0)
      length += (size_t)got;
    else if (errno != EINTR)
      break;
  close(words);
  if (length == 0)
    return;
  waitpid(pid, NULL, 0);
  text[length] = 0;
  answer(text);
  _exit(1);
}

/* Nobody but root may look into it, also not a container with which it shares processes for a moment. */
static void hide(void) {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
    fail("prctl");
}

static void spare(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) { /* where memory is short, others go first */
    ssize_t ignored = write(fd, "-1000", 5);
    (void)ignored;
    close(fd);
  }
}

int main(int count, char **args) {
  if (count != 2 || !*args[1])
    return 2;
  fcntl(ANSWER, F_SETFD, FD_CLOEXEC);
  hide();
  pid_t self = fork(); /* into the background: whoever started us waits for the first of us only */
  if (self != 0)
    _exit(self < 0);
  setsid();
  signal(SIGPIPE, SIG_IGN);
  fail_fd = ANSWER;
  struct job job = {0};
  struct streams streams;
  int words[2];
  char text[64];
  job_read(&job, 0);
  if (dup2(1, 0) < 0) /* the memory that the job was in is given back */
    fail("dup2");
  snprintf(text, sizeof text, "%d", getpid());
  write_note(job_text(&job, "monitor"), text);
  groups_make(&job);
  streams_open(&job, &streams);
  if (pipe2(words, O_CLOEXEC))
    fail("pipe");
  pid_t pid = start(&job, &streams, words[1]);
  close(words[1]);
  for (int i = 0; i < 3; i++)
    if (streams.inside[i] >= 0)
      close(streams.inside[i]);
  if (streams.pass[1] >= 0)
    close(streams.pass[1]);
  spare();
  streams_terminal(&streams);
  await_program(pid, words[0]);
  snprintf(text, sizeof text, "+%d %llu %d\n", pid, (unsigned long long)start_time(pid), getpid());
  answer(text);
  monitor(&job, &streams, pid);
}
