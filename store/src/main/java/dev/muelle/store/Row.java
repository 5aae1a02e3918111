package dev.muelle.store;

/**
 * A stored value.
 *
 * @param version counts the writes to this key, from 1
 */
public record Row<T>(String key, long version, T value) {}
