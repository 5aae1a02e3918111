/**
 * The only door to durable state: typed tables in scopes, transactions with optimistic versions,
 * and a feed of what changed. SQLite (WAL) underneath.
 */
@NullMarked
package dev.muelle.store;

import org.jspecify.annotations.NullMarked;
