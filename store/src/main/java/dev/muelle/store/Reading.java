package dev.muelle.store;

import dev.muelle.store.Images.Place;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a reader works with. As long as it reads remembered tables only, it needs no connection. If
 * it goes on to others, it must see both as they were at one moment: if a table that it has read
 * was changed meanwhile, it has to begin anew, this time with a connection from the start.
 */
final class Reading implements Session, AutoCloseable {

  /** The work is to be done again. */
  static final class Moved extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Moved() {
      super("what was read has changed", null, false, false);
    }
  }

  private final SharedStore shared;
  private final Set<Place> seen = new HashSet<>();
  private Images images;
  private @Nullable Statements reader;

  Reading(SharedStore shared) {
    this.shared = shared;
    shared.mustBeOpen();
    images = shared.images();
  }

  @Override
  public Statements statements() {
    return reader == null ? connect() : reader;
  }

  private Statements connect() {
    Statements connection = shared.takeReader();
    reader = connection;
    Images now = shared.snapshot(connection);
    for (Place place : seen) {
      if (now.all().get(place) != images.all().get(place)) {
        throw new Moved();
      }
    }
    images = now;
    return connection;
  }

  @Override
  public <T> @Nullable Image<T> image(Table<T> table, String scope) {
    Image<T> image = images.get(table, scope);
    if (image != null && reader == null) {
      seen.add(new Place(table.name(), scope));
    }
    return image;
  }

  @Override
  public void loaded(Table<?> table, String scope, Image<?> image) {
    Images more = images.with(table.name(), scope, image);
    shared.share(images, more);
    images = more;
  }

  @Override
  public void change(Table<?> table, String scope, Image<?> image) {
    throw new IllegalStateException("this transaction only reads");
  }

  @Override
  public void wrote(int length) {
    throw new IllegalStateException("this transaction only reads");
  }

  @Override
  public boolean firstWriteOf(Table<?> table) {
    throw new IllegalStateException("this transaction only reads");
  }

  @Override
  public void close() {
    if (reader != null) {
      try {
        reader.rollBack(); // gives up the snapshot
      } finally {
        shared.giveBack(reader);
        reader = null;
      }
    }
  }
}
