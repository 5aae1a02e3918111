/* What the files of this program share. Each part of a start is a file; main.c puts them in their order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* job.c: what is to be done, as the server (Job.java) has written it down. */

struct step {
  const char *verb;
  int count;
  char **args;
};

struct job {
  struct step *steps;
  int count;
};

void job_read(struct job *job, int fd);

/* The next step with a verb after one; NULL for the first one, and from the last. */
const struct step *job_next(const struct job *job, const char *verb, const struct step *after);

/* The only argument of the only such step; NULL if there is none. */
const char *job_text(const struct job *job, const char *verb);

bool job_has(const struct job *job, const char *verb);

uint64_t number(const char *text);

/* fail.c: where to say why a start fails. */

extern int fail_fd;

/* Says it, with the reason in errno, and ends the process. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* The same without errno. */
__attribute__((noreturn, format(printf, 1, 2))) void fail_with(const char *format, ...);

/* groups.c: control groups. */

void groups_make(const struct job *job);
void groups_enter(const struct job *job);

/* namespaces.c */

uint64_t namespaces_new(const struct job *job);
void namespaces_join_processes(const struct job *job);
void namespaces_join(const struct job *job);

/* inroot.c: paths inside a container's root, wherever its links lead. */

/* An O_PATH descriptor of what is there; -1 and errno if nothing is. */
int inroot_find(int root, const char *path, uint64_t resolve);

/* The same; a directory, or a file, is made where there is nothing. */
int inroot_make(int root, const char *path, bool directory);

/* A path that leads to a descriptor's file and nowhere else. */
const char *by_descriptor(int fd);

/* files.c: what a container sees. Gives a descriptor of its root. */

int files_mount(const struct job *job);
void files_enter(const struct job *job, int root);
void files_sysctl(const struct job *job);

/* streams.c: what a container reads from and writes to. */

struct streams {
  int input;      /* ours to keep open; -1 */
  int outputs[2]; /* ours to read from: stdout or a terminal, stderr; -1 */
  int inside[3];  /* the container's; -1: its own /dev/null */
  int pass[2];    /* a socket by which its terminal comes; -1 */
};

void streams_open(const struct job *job, struct streams *streams);
void streams_take(const struct job *job, struct streams *streams, int root);
void streams_terminal(struct streams *streams);

/* identity.c: limits, user, capabilities, system calls. */

void identity_prepare(const struct job *job);
void identity_limits(const struct job *job);

/* Becomes the user, still with the means for identity_filter. */
void identity_user(const struct job *job);

/* Takes what is too much; afterwards only execve is left to do. */
void identity_confine(const struct job *job);

/* program.c: finds a program as execvp(3) does, by the container's own PATH. */

const char *program_find(const struct job *job, const char *name);

/* monitor.c: stays with a container until it has ended, and says how. */

__attribute__((noreturn)) void monitor(const struct job *job, struct streams *streams, pid_t pid);

void write_note(const char *path, const char *text);
