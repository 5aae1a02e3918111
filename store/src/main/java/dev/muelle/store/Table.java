package dev.muelle.store;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A typed table: values of one type under string keys, ordered by key (UTF-8 byte order), with
 * secondary indexes computed from the value. Tables are made on first use.
 *
 * @param name {@code service.things}, for example {@code ecs.tasks}; unique within the store
 * @param indexes by name; a function that gives null leaves the value out of that index
 * @param remembered whether all of the table is in memory, too, so that reading costs almost
 *     nothing: for tables of immutable values that are read over and over, and do not grow without
 *     end
 */
public record Table<T>(
    String name,
    Codec<T> codec,
    Map<String, Function<? super T, @Nullable String>> indexes,
    boolean remembered) {

  public Table {
    if (!name.matches("[a-z0-9]+\\.[a-z0-9_]+")) {
      throw new IllegalArgumentException("table name " + name + ": expected service.things");
    }
    indexes = Map.copyOf(indexes);
  }

  public static <T> Table<T> of(String name, Codec<T> codec) {
    return new Table<>(name, codec, Map.of(), false);
  }

  /** This table with one more index. */
  public Table<T> index(String index, Function<? super T, @Nullable String> key) {
    Map<String, Function<? super T, @Nullable String>> more = new LinkedHashMap<>(indexes);
    more.put(index, key);
    return new Table<>(name, codec, more, remembered);
  }

  /** This table, kept in memory as a whole. */
  public Table<T> remember() {
    return new Table<>(name, codec, indexes, true);
  }
}
