package dev.muelle.services.sns;

import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of what there is: a hundred at most, as SNS has them.
 *
 * @param next where the next one begins; null if this is the last
 */
record Page<T>(List<Row<T>> rows, @Nullable String next) {

  private static final int SIZE = 100;

  /** Rows whose key begins with this, after the last page. */
  static <T> Page<T> of(Tx tx, Table<T> table, String prefix, @Nullable String token) {
    String from = token == null || token.isEmpty() ? prefix : prefix + after(token) + '\0';
    List<Row<T>> found = tx.range(table, from, prefix + '\uffff', false, SIZE + 1);
    if (found.size() <= SIZE) {
      return new Page<>(found, null);
    }
    List<Row<T>> page = found.subList(0, SIZE);
    String last = page.getLast().key().substring(prefix.length());
    return new Page<>(
        page, Base64.getUrlEncoder().encodeToString(last.getBytes(StandardCharsets.UTF_8)));
  }

  private static String after(String token) {
    try {
      return new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw Refuse.invalid("NextToken");
    }
  }
}
