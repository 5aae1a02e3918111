package dev.muelle.store;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * A remembered table of one scope as it is at one moment: its rows by key, and by each index.
 * Immutable; what a change makes of it shares almost everything with what was before, so that a
 * transaction can have an image of its own, and a reader can keep the one that it began with.
 */
final class Image<T> {

  /** The order of SQLite: by bytes of UTF-8, which differs from Java's beyond the BMP only. */
  static final Comparator<String> BY_BYTES = Image::compare;

  private final Table<T> table;
  private final TreePMap<String, Row<T>> rows;

  /** By index, then by what the index makes of the values, then by key. */
  private final Map<String, TreePMap<String, TreePMap<String, Row<T>>>> indexes;

  private Image(
      Table<T> table,
      TreePMap<String, Row<T>> rows,
      Map<String, TreePMap<String, TreePMap<String, Row<T>>>> indexes) {
    this.table = table;
    this.rows = rows;
    this.indexes = indexes;
  }

  static <T> Image<T> of(Table<T> table, Iterable<Row<T>> stored) {
    Map<String, TreePMap<String, TreePMap<String, Row<T>>>> indexes = new HashMap<>();
    table.indexes().keySet().forEach(index -> indexes.put(index, TreePMap.empty()));
    Image<T> image = new Image<>(table, TreePMap.empty(BY_BYTES), indexes);
    for (Row<T> row : stored) {
      image = image.with(row);
    }
    return image;
  }

  private static int compare(String left, String right) {
    int length = Math.min(left.length(), right.length());
    for (int i = 0; i < length; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        // Code points beyond the BMP are the highest, though their surrogates are not.
        boolean high = Character.isSurrogate(a);
        return high == Character.isSurrogate(b) ? Character.compare(a, b) : high ? 1 : -1;
      }
    }
    return Integer.compare(left.length(), right.length());
  }

  /** Whether it has all the indexes of a table of its name. */
  boolean serves(Table<?> asked) {
    return indexes.keySet().containsAll(asked.indexes().keySet());
  }

  @Nullable Row<T> get(String key) {
    return rows.get(key);
  }

  int count() {
    return rows.size();
  }

  List<Row<T>> all() {
    return List.copyOf(rows.values());
  }

  /** Those with {@code from <= key < to}; to the end if {@code to} is null. */
  List<Row<T>> range(String from, @Nullable String to, boolean reverse, int limit) {
    if (to != null && compare(from, to) >= 0) {
      return List.of();
    }
    TreePMap<String, Row<T>> part =
        to == null ? rows.tailMap(from, true) : rows.subMap(from, true, to, false);
    TreePMap<String, Row<T>> ordered = reverse ? part.descendingMap() : part;
    return ordered.values().stream().limit(limit).toList();
  }

  List<Row<T>> find(String index, String value) {
    TreePMap<String, Row<T>> found = Objects.requireNonNull(indexes.get(index)).get(value);
    return found == null ? List.of() : List.copyOf(found.values());
  }

  /** With a row added, or in place of the one that has its key. */
  Image<T> with(Row<T> row) {
    return new Image<>(
        table, rows.plus(row.key(), row), reindexed(row.key(), rows.get(row.key()), row));
  }

  Image<T> without(String key) {
    return new Image<>(table, rows.minus(key), reindexed(key, rows.get(key), null));
  }

  private Map<String, TreePMap<String, TreePMap<String, Row<T>>>> reindexed(
      String key, @Nullable Row<T> before, @Nullable Row<T> after) {
    if (indexes.isEmpty()) {
      return indexes;
    }
    Map<String, TreePMap<String, TreePMap<String, Row<T>>>> changed = new HashMap<>(indexes);
    for (Map.Entry<String, Function<? super T, @Nullable String>> function :
        table.indexes().entrySet()) {
      TreePMap<String, TreePMap<String, Row<T>>> index =
          Objects.requireNonNull(changed.get(function.getKey()));
      String old = before == null ? null : function.getValue().apply(before.value());
      String now = after == null ? null : function.getValue().apply(after.value());
      if (old != null && !old.equals(now)) {
        TreePMap<String, Row<T>> left = Objects.requireNonNull(index.get(old)).minus(key);
        index = left.isEmpty() ? index.minus(old) : index.plus(old, left);
      }
      if (now != null && after != null) {
        TreePMap<String, Row<T>> there = index.get(now);
        TreePMap<String, Row<T>> rest = there == null ? TreePMap.empty(BY_BYTES) : there;
        index = index.plus(now, rest.plus(key, after));
      }
      changed.put(function.getKey(), index);
    }
    return changed;
  }
}
