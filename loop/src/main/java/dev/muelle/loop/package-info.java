/**
 * Level-triggered control loops and the timers that drive them. Every controller in Muelle is a
 * Loop: woken by a change or a timer, it re-reads the store, decides purely, applies, and is
 * idempotent. Time comes from Timers, so that tests run the same loops on virtual time.
 */
@NullMarked
package dev.muelle.loop;

import org.jspecify.annotations.NullMarked;
