package dev.muelle.engine.oci.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.blob.BlobStore;
import dev.muelle.engine.oci.image.Tidying.Candidate;
import dev.muelle.loop.Timers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that are ready, who uses them, and what goes when they become too many. An image's
 * note ({@code images/HEX}) is written when all its layers are unpacked, and removed before the
 * first of them is; the note's time is when the image was last used. Blobs are retained for images
 * that are noted and for pulls that are under way; a crash's remains are released at the next
 * start.
 */
final class Catalog {

  private static final Logger LOG = LoggerFactory.getLogger(Catalog.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int DOCUMENTS = 6; // manifest, configuration, and the newest indexes

  private final Path notes;
  private final Layers layers;
  private final BlobStore blobs;
  private final String owner;
  private final Timers timers;
  private final Shelf shelf;
  private final AtomicBoolean asked = new AtomicBoolean();

  /** Guards all below, and that nobody begins to use what is just being removed. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<String, StoredImage> known = new HashMap<>();
  private final Map<String, Long> usedMillis = new HashMap<>();
  private final Map<String, StoredImage> users = new HashMap<>();
  private final Set<Claim> claims = new HashSet<>();

  /**
   * Reads what there is.
   *
   * @param owner in whose name blobs are retained
   */
  Catalog(Path notes, Layers layers, BlobStore blobs, String owner, Timers timers, Shelf shelf)
      throws IOException {
    this.notes = notes;
    this.layers = layers;
    this.blobs = blobs;
    this.owner = owner;
    this.timers = timers;
    this.shelf = shelf;
    try (var files = Files.list(notes)) {
      for (Path file : files.toList()) {
        read(file);
      }
    }
    for (String digest : blobs.retained(owner)) {
      if (!documented(digest)) {
        blobs.release(digest, owner);
      }
    }
  }

  private void read(Path file) throws IOException {
    if (file.getFileName().toString().endsWith(".new")) {
      Files.delete(file);
      return;
    }
    StoredImage image = JSON.readValue(Files.readAllBytes(file), StoredImage.class);
    if (image.layers().stream().allMatch(layers::has)) {
      known.put(image.id(), image);
      usedMillis.put(image.id(), Files.getLastModifiedTime(file).toMillis());
    } else {
      Files.delete(file);
    }
  }

  private Path note(String id) {
    return notes.resolve(id.substring(id.indexOf(':') + 1));
  }

  Optional<StoredImage> find(String id) {
    lock.lock();
    try {
      return Optional.ofNullable(known.get(id));
    } finally {
      lock.unlock();
    }
  }

  /** Notes an image whose layers and documents are all there, and claimed. */
  void add(StoredImage image) throws IOException {
    lock.lock();
    try {
      write(image);
    } finally {
      lock.unlock();
    }
  }

  /** Keeps one more document for an image: an index that led to it. */
  void keep(String id, String document, Claim claim) throws IOException {
    lock.lock();
    try {
      StoredImage image = known.get(id);
      if (image == null || image.documents().contains(document)) {
        return;
      }
      List<String> documents = new ArrayList<>(image.documents());
      documents.add(document);
      if (documents.size() > DOCUMENTS) {
        claim.documents.add(documents.remove(2)); // after manifest and configuration, the oldest
      }
      write(new StoredImage(id, image.config(), image.layers(), documents));
    } finally {
      lock.unlock();
    }
  }

  private void write(StoredImage image) throws IOException {
    Path note = note(image.id());
    Path fresh = note.resolveSibling(note.getFileName() + ".new");
    try {
      Files.write(fresh, JSON.writeValueAsBytes(image));
      Files.move(fresh, note, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
    known.put(image.id(), image);
    touch(image.id());
  }

  /** The image was used now. */
  void touch(String id) throws IOException {
    lock.lock();
    try {
      if (known.containsKey(id)) {
        long now = timers.millis();
        usedMillis.put(id, now);
        Files.setLastModifiedTime(note(id), FileTime.fromMillis(now));
      }
    } finally {
      lock.unlock();
    }
  }

  /** From now on the image stays as it is, until {@link #leave}; empty if there is none. */
  Optional<StoredImage> use(String user, String id) throws IOException {
    lock.lock();
    try {
      StoredImage image = known.get(id);
      if (image != null) {
        users.put(user, image);
        touch(id);
      }
      return Optional.ofNullable(image);
    } finally {
      lock.unlock();
    }
  }

  void leave(String user) {
    lock.lock();
    try {
      users.remove(user);
    } finally {
      lock.unlock();
    }
  }

  /** Opens a claim on what a pull needs. */
  Claim claim() {
    Claim claim = new Claim();
    lock.lock();
    try {
      claims.add(claim);
    } finally {
      lock.unlock();
    }
    return claim;
  }

  /** What a pull needs and nobody else may remove; closed, the blobs that are not noted go. */
  final class Claim implements AutoCloseable {
    private final Set<String> layerIds = new HashSet<>();
    private final Set<String> documents = new HashSet<>();

    void layers(Collection<String> diffIds) {
      lock.lock();
      try {
        layerIds.addAll(diffIds);
      } finally {
        lock.unlock();
      }
    }

    void blob(String digest) {
      lock.lock();
      try {
        documents.add(digest);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() throws IOException {
      lock.lock();
      try {
        claims.remove(this);
        release(documents);
      } finally {
        lock.unlock();
      }
    }
  }

  private boolean documented(String digest) {
    return known.values().stream().anyMatch(image -> image.documents().contains(digest));
  }

  private void release(Collection<String> digests) throws IOException {
    for (String digest : digests) {
      if (!documented(digest) && claims.stream().noneMatch(c -> c.documents.contains(digest))) {
        blobs.release(digest, owner);
      }
    }
  }

  /** Looks soon, on a thread of its own, whether something has to go. */
  void tidySoon() {
    if (asked.compareAndSet(false, true)) {
      timers.after(
          Duration.ZERO,
          () -> {
            asked.set(false);
            try {
              tidy(shelf.bytes());
            } catch (IOException e) {
              LOG.warn("removing images that are not used", e);
            }
          });
    }
  }

  /**
   * Removes what was not used for the longest time until the rest is within the bound.
   *
   * @return whether anything went
   */
  boolean tidy(long bound) throws IOException {
    List<Path> gone = new ArrayList<>();
    lock.lock();
    try {
      Tidying.Plan plan =
          Tidying.plan(
              known.values().stream()
                  .map(image ->
                      new Candidate(
                          image.id(), image.layers(), usedMillis.getOrDefault(image.id(), 0L)))
                  .toList(),
              layers.sizes(),
              inUse(),
              bound,
              timers.millis() - shelf.atLeast().toMillis());
      Set<String> documents = new HashSet<>();
      for (String id : plan.images()) {
        Files.deleteIfExists(note(id));
        StoredImage image = known.remove(id);
        usedMillis.remove(id);
        if (image != null) {
          documents.addAll(image.documents());
        }
      }
      for (String layer : plan.layers()) {
        layers.forget(layer).ifPresent(gone::add);
      }
      release(documents);
    } finally {
      lock.unlock();
    }
    for (Path directory : gone) {
      Trees.delete(directory);
    }
    return !gone.isEmpty();
  }

  private Set<String> inUse() {
    Set<String> inUse = new HashSet<>();
    users.values().forEach(image -> inUse.addAll(image.layers()));
    claims.forEach(claim -> inUse.addAll(claim.layerIds));
    return inUse;
  }
}
