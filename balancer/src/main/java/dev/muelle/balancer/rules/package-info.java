/**
 * What listeners' rules are written in: patterns, conditions, and rewrites of what targets hear.
 */
@NullMarked
package dev.muelle.balancer.rules;

import org.jspecify.annotations.NullMarked;
