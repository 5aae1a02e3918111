/**
 * A forum of users, threads and posts: one program, or three. {@link dev.muelle.examples.foro.Foro}
 * serves the parts that it is told to.
 */
@NullMarked
package dev.muelle.examples.foro;

import org.jspecify.annotations.NullMarked;
