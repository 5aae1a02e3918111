package dev.muelle.services.ecr;

import dev.muelle.engine.blob.BlobStore;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecr.model.Repository;
import software.amazon.awssdk.services.ecr.model.Tag;

/**
 * What the parts of one region's registry share: where they keep their rows and blobs, and whose
 * turn it is. A row and its blob cannot change in one transaction, so whoever changes both holds
 * the repository's lock; a blob is retained before a row says so, and released after.
 */
final class Base {

  /** By name. */
  static final Table<RepositoryRow> REPOSITORIES =
      Table.of("ecr.repositories", StoredJson.codec(RepositoryRow.class));

  /** By repository and digest. */
  static final Table<ImageRow> IMAGES = Table.of("ecr.images", StoredJson.codec(ImageRow.class));

  /** By repository and tag. */
  static final Table<TagRow> TAGS = Table.of("ecr.tags", StoredJson.codec(TagRow.class));

  /** By repository and digest: layers and configurations that were pushed or mounted. */
  static final Table<LayerRow> LAYERS = Table.of("ecr.layers", StoredJson.codec(LayerRow.class));

  /** By upload id. */
  static final Table<UploadRow> UPLOADS =
      Table.of("ecr.uploads", StoredJson.codec(UploadRow.class));

  /** By name: repositories whose rows are gone and whose blobs are being released. */
  static final Table<LeavingRow> LEAVING =
      Table.of("ecr.leaving", StoredJson.codec(LeavingRow.class));

  record RepositoryRow(Repository repository, List<Tag> tags) {}

  /**
   * An image, index or artifact.
   *
   * @param size in bytes, as DescribeImages shows it
   * @param layers digests of the layers and of the configuration
   * @param children digests of the images that an index lists
   */
  record ImageRow(
      String digest,
      String mediaType,
      @Nullable String artifactType,
      @Nullable String subject,
      long size,
      Instant pushedAt,
      List<String> layers,
      List<String> children) {}

  record TagRow(String tag, String digest) {}

  record LayerRow(String digest, long size, Instant pushedAt) {}

  /** Which repository an upload is for, so that no other sees it. */
  record UploadRow(String repository) {}

  record LeavingRow(String repository) {}

  private static final int LOCKS = 64;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final BlobStore blobs;
  private final List<ReentrantLock> locks =
      IntStream.range(0, LOCKS).mapToObj(i -> new ReentrantLock()).toList();

  Base(Scope scope, Store store, InstantSource clock, BlobStore blobs) {
    this.scope = scope;
    this.store = store.in(scope.storeScope());
    this.clock = clock;
    this.blobs = blobs;
  }

  Scope scope() {
    return scope;
  }

  Store store() {
    return store;
  }

  BlobStore blobs() {
    return blobs;
  }

  Instant now() {
    return clock.instant();
  }

  /** As whom a repository retains its blobs. */
  String owner(String repository) {
    return "ecr/" + scope.storeScope() + "/" + repository;
  }

  /** The key of something in a repository; no repository's name holds a space. */
  static String key(String repository, String what) {
    return repository + " " + what;
  }

  /** The prefix of the keys of everything in a repository. */
  static String prefix(String repository) {
    return key(repository, "");
  }

  /** Work on rows and blobs together. */
  interface Work<T> {
    T run() throws IOException;
  }

  /** Does the work while nobody else changes the repository's blobs. */
  <T> T locked(String repository, Work<T> work) throws IOException {
    ReentrantLock lock = locks.get(Math.floorMod(repository.hashCode(), LOCKS));
    lock.lock();
    try {
      return work.run();
    } finally {
      lock.unlock();
    }
  }

  /** The same for callers that cannot throw {@link IOException}. */
  static <T> T unchecked(Work<T> work) {
    try {
      return work.run();
    } catch (BlobStore.BlobException e) {
      throw Refuse.blob(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
