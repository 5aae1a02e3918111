/**
 * Tasks as callers see them: RunTask, StartTask, StopTask, where a task is placed, its network, its
 * protection and the sessions of ECS Exec. What becomes of a task that was written down is the
 * agent's work.
 */
@NullMarked
package dev.muelle.services.ecs.task;

import org.jspecify.annotations.NullMarked;
