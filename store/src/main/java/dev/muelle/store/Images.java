package dev.muelle.store;

import org.jspecify.annotations.Nullable;
import org.pcollections.HashPMap;
import org.pcollections.HashTreePMap;

/** All remembered tables that were read so far, at one moment; immutable. */
record Images(HashPMap<Place, Image<?>> all) {

  static final Images NONE = new Images(HashTreePMap.empty());

  /** A table of a scope. */
  record Place(String table, String scope) {}

  @SuppressWarnings("unchecked") // a table has one type
  <T> @Nullable Image<T> get(Table<T> table, String scope) {
    Image<?> image = all.get(new Place(table.name(), scope));
    return image != null && image.serves(table) ? (Image<T>) image : null;
  }

  Images with(String table, String scope, Image<?> image) {
    return new Images(all.plus(new Place(table, scope), image));
  }
}
