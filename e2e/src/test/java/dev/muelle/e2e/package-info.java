/**
 * The built product from outside, with the real clients: every test starts a region of its own with
 * {@code ./muelle up} in a directory of its own, and checks at the end that nothing is left of it.
 */
@NullMarked
package dev.muelle.e2e;

import org.jspecify.annotations.NullMarked;
