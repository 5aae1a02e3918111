package dev.muelle.store;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the one writer works with; nobody sees its images before it has committed. */
final class Writing implements Session {

  private static final int PAGE = 4_096; // a change takes one at least

  private final SharedStore shared;
  private final Set<String> written = new HashSet<>();
  private Images images;
  private long bytes;

  Writing(SharedStore shared) {
    this.shared = shared;
    images = shared.images();
  }

  Images images() {
    return images;
  }

  /** About how much of the log this will take. */
  long bytes() {
    return bytes;
  }

  @Override
  public void wrote(int length) {
    bytes += PAGE + length;
  }

  /** Tables that were written for the first time. */
  Set<String> written() {
    return written;
  }

  @Override
  public Statements statements() {
    return shared.writer();
  }

  @Override
  public <T> @Nullable Image<T> image(Table<T> table, String scope) {
    return images.get(table, scope);
  }

  @Override
  public void loaded(Table<?> table, String scope, Image<?> image) {
    change(table, scope, image);
  }

  @Override
  public void change(Table<?> table, String scope, Image<?> image) {
    images = images.with(table.name(), scope, image);
  }

  @Override
  public boolean firstWriteOf(Table<?> table) {
    return !shared.wasWritten(table) && written.add(table.name());
  }
}
