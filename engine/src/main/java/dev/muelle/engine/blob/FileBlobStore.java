package dev.muelle.engine.blob;

import dev.muelle.engine.blob.BlobStore.BlobException.Kind;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blobs as files: {@code sha256/ab/abcd…} holds what has that digest, {@code uploads/} what is on
 * its way in, and the store says who retains what. A blob's file is complete and durable before it
 * gets its name, and has its name before it has an owner; a file without owner (the process died in
 * between) is removed at the next start.
 *
 * <p>Serves any number of threads. Must not be called within a transaction of the store.
 */
public final class FileBlobStore implements BlobStore {

  private static final Logger LOG = LoggerFactory.getLogger(FileBlobStore.class);

  /** Key: digest, slash, owner. Value: the owner. */
  private static final Table<String> OWNERS =
      Table.of("blobs.owners", new Text()).index("owner", owner -> owner);

  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final Pattern UPLOAD_ID = Pattern.compile("[0-9a-f]{32}");
  private static final int UPLOAD_ID_BYTES = 16;
  private static final Duration UPLOAD_LIFE = Duration.ofDays(1);
  private static final int LOCKS = 64;

  /**
   * What may be asked of one store.
   *
   * @param blobBytes the largest blob
   * @param openUploads at any time
   * @param freeBytes that uploads leave free on the disk, for everything else that lives there
   */
  record Limits(long blobBytes, int openUploads, long freeBytes) {
    /** ECR's own limit of a layer is 52,000 MiB. */
    static final Limits DEFAULT = new Limits(52_000L << 20, 1_000, 64L << 20);
  }

  private final Path blobs;
  private final Path uploadDirectory;
  private final Store store;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final Limits limits;
  private final Map<String, Upload> uploads = new ConcurrentHashMap<>();

  /** By digest: file and owners of one blob change together. */
  private final List<ReentrantLock> locks =
      IntStream.range(0, LOCKS).mapToObj(i -> new ReentrantLock()).toList();

  private FileBlobStore(
      Path directory, Store store, InstantSource clock, RandomGenerator random, Limits limits) {
    this.blobs = directory.resolve("sha256");
    this.uploadDirectory = directory.resolve("uploads");
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.limits = limits;
  }

  /**
   * Opens the blobs of a directory, making it if there is none.
   *
   * @param store the whole server's; owners are kept in its table {@code blobs.owners}
   */
  public static FileBlobStore open(Path directory, Store store, InstantSource clock)
      throws IOException {
    return open(directory, store, clock, new SecureRandom(), Limits.DEFAULT);
  }

  static FileBlobStore open(
      Path directory, Store store, InstantSource clock, RandomGenerator random, Limits limits)
      throws IOException {
    FileBlobStore opened = new FileBlobStore(directory, store.in(""), clock, random, limits);
    var ownerOnly =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    Files.createDirectories(directory, ownerOnly);
    Files.createDirectories(opened.blobs);
    Files.createDirectories(opened.uploadDirectory);
    opened.reconcile();
    opened.findUploads();
    opened.dropStale();
    return opened;
  }

  // --- uploads

  @Override
  public String startUpload() throws IOException {
    dropStale();
    if (uploads.size() >= limits.openUploads()) {
      throw new BlobException(
          Kind.TOO_MANY_UPLOADS,
          "There are " + limits.openUploads() + " open uploads already; finish or cancel some.");
    }
    requireSpace();
    byte[] bytes = new byte[UPLOAD_ID_BYTES];
    random.nextBytes(bytes);
    String id = HexFormat.of().formatHex(bytes);
    Path file = uploadDirectory.resolve(id);
    Files.createFile(file);
    touch(file);
    uploads.put(id, new Upload(file, 0));
    return id;
  }

  @Override
  public Optional<Long> uploaded(String uploadId) {
    Upload upload = uploads.get(uploadId);
    return upload == null ? Optional.empty() : Optional.of(upload.size());
  }

  @Override
  public long append(String uploadId, InputStream bytes) throws IOException {
    Upload upload = find(uploadId);
    upload.lock.lock();
    try {
      requireOpen(uploadId, upload);
      touch(upload.file);
      long room = upload.size() + usableBytes() - limits.freeBytes();
      return append(uploadId, upload, bytes, room);
    } finally {
      upload.lock.unlock();
    }
  }

  private long append(String uploadId, Upload upload, InputStream bytes, long room)
      throws IOException {
    try {
      upload.append(bytes, Math.min(room, limits.blobBytes()));
      return upload.size();
    } catch (Upload.TooLarge e) {
      drop(uploadId, upload);
      throw room < limits.blobBytes() ? noSpace(e) : tooLarge(e);
    } catch (Upload.WriteFailed e) {
      drop(uploadId, upload);
      throw usableBytes() < limits.freeBytes() ? noSpace(e) : e;
    }
  }

  private BlobException tooLarge(Upload.TooLarge cause) {
    BlobException refused =
        new BlobException(
            Kind.TOO_LARGE, "A blob may have at most " + limits.blobBytes() + " bytes.");
    refused.initCause(cause);
    return refused;
  }

  private BlobException noSpace(IOException cause) {
    BlobException refused =
        new BlobException(
            Kind.NO_SPACE, "There is no space left on the disk that holds " + blobs.getParent());
    refused.initCause(cause);
    return refused;
  }

  @Override
  public void commit(String uploadId, String digest, String owner) throws IOException {
    Upload upload = find(uploadId);
    upload.lock.lock();
    try {
      requireOpen(uploadId, upload);
      String actual = upload.digest();
      if (!actual.equals(digest)) {
        drop(uploadId, upload);
        throw new BlobException(
            Kind.DIGEST_MISMATCH,
            "The uploaded bytes have the digest " + actual + ", not " + digest);
      }
      settle(uploadId, upload, digest, owner);
    } finally {
      upload.lock.unlock();
    }
  }

  private void settle(String uploadId, Upload upload, String digest, String owner)
      throws IOException {
    ReentrantLock lock = lock(digest);
    lock.lock();
    try {
      Path blob = path(digest);
      if (Files.exists(blob)) {
        upload.drop();
      } else {
        Path directory = directory(digest);
        Files.createDirectories(directory);
        upload.become(blob);
        sync(directory);
        sync(blobs);
      }
      uploads.remove(uploadId);
      own(digest, owner, blob);
    } finally {
      lock.unlock();
    }
  }

  private void own(String digest, String owner, Path blob) throws IOException {
    try {
      store.write(tx -> tx.put(OWNERS, key(digest, owner), owner));
    } catch (RuntimeException e) {
      if (owners(digest).isEmpty()) {
        Files.deleteIfExists(blob);
      }
      throw e;
    }
  }

  @Override
  public void cancelUpload(String uploadId) throws IOException {
    Upload upload = find(uploadId);
    upload.lock.lock();
    try {
      requireOpen(uploadId, upload);
      drop(uploadId, upload);
    } finally {
      upload.lock.unlock();
    }
  }

  @Override
  public String put(byte[] bytes, String owner) throws IOException {
    String id = startUpload();
    append(id, new ByteArrayInputStream(bytes));
    String digest = "sha256:" + HexFormat.of().formatHex(Upload.sha256().digest(bytes));
    commit(id, digest, owner);
    return digest;
  }

  private Upload find(String uploadId) throws BlobException {
    Upload upload = uploads.get(uploadId);
    if (upload == null) {
      throw unknown(uploadId);
    }
    return upload;
  }

  /** Whoever had the lock before may have ended it. */
  private static void requireOpen(String uploadId, Upload upload) throws BlobException {
    if (upload.gone()) {
      throw unknown(uploadId);
    }
  }

  private static BlobException unknown(String uploadId) {
    return new BlobException(Kind.UNKNOWN_UPLOAD, "There is no upload " + uploadId);
  }

  private void drop(String uploadId, Upload upload) throws IOException {
    uploads.remove(uploadId);
    upload.drop();
  }

  private void findUploads() throws IOException {
    for (Path file : list(uploadDirectory)) {
      String id = String.valueOf(file.getFileName());
      if (UPLOAD_ID.matcher(id).matches()) {
        uploads.put(id, new Upload(file, Files.size(file)));
      }
    }
  }

  private void dropStale() throws IOException {
    Instant oldest = clock.instant().minus(UPLOAD_LIFE);
    for (Map.Entry<String, Upload> entry : uploads.entrySet()) {
      Upload upload = entry.getValue();
      if (!upload.lock.tryLock()) {
        continue; // somebody is at it
      }
      try {
        if (!upload.gone() && Files.getLastModifiedTime(upload.file).toInstant().isBefore(oldest)) {
          drop(entry.getKey(), upload);
        }
      } finally {
        upload.lock.unlock();
      }
    }
  }

  /** Marks an upload as used now, by our clock rather than the file system's. */
  private void touch(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
  }

  private void requireSpace() throws IOException {
    if (usableBytes() < limits.freeBytes()) {
      throw new BlobException(
          Kind.NO_SPACE,
          "Less than "
              + (limits.freeBytes() >> 20)
              + " MiB are free on the disk that holds "
              + blobs.getParent());
    }
  }

  private long usableBytes() {
    return blobs.toFile().getUsableSpace(); // a FileStore needs a mount that this root can see
  }

  // --- blobs

  @Override
  public Optional<Path> file(String digest) {
    return DIGEST.matcher(digest).matches()
        ? Optional.of(path(digest)).filter(Files::exists)
        : Optional.empty();
  }

  @Override
  public boolean retain(String digest, String owner) {
    ReentrantLock lock = lock(digest);
    lock.lock();
    try {
      if (file(digest).isEmpty()) {
        return false;
      }
      store.write(tx -> tx.put(OWNERS, key(digest, owner), owner));
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void release(String digest, String owner) throws IOException {
    Optional<Path> file = file(digest);
    if (file.isEmpty()) {
      return;
    }
    ReentrantLock lock = lock(digest);
    lock.lock();
    try {
      boolean last =
          store.write(tx -> {
            tx.delete(OWNERS, key(digest, owner));
            return tx.list(OWNERS, digest + "/").isEmpty();
          });
      if (last) {
        Files.deleteIfExists(file.get());
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Set<String> retained(String owner) {
    return store.read(tx -> tx.find(OWNERS, "owner", owner)).stream()
        .map(row -> digest(row.key()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private List<Row<String>> owners(String digest) {
    return store.read(tx -> tx.list(OWNERS, digest + "/"));
  }

  /** Makes files and owners agree again after a sudden end. */
  private void reconcile() throws IOException {
    Set<String> owned = new HashSet<>();
    Set<String> lost = new TreeSet<>();
    for (Row<String> row : store.read(tx -> tx.list(OWNERS))) {
      String digest = digest(row.key());
      if (owned.contains(digest) || file(digest).isPresent()) {
        owned.add(digest);
      } else {
        lost.add(row.key());
      }
    }
    if (!lost.isEmpty()) {
      LOG.warn("{} blobs are missing from {}: {}", lost.size(), blobs, lost);
      store.write(tx -> {
        lost.forEach(key -> tx.delete(OWNERS, key));
        return lost.size();
      });
    }
    for (Path directory : list(blobs)) {
      for (Path file : list(directory)) {
        String digest = "sha256:" + file.getFileName();
        if (DIGEST.matcher(digest).matches() && !owned.contains(digest)) {
          Files.delete(file);
        }
      }
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  private Path path(String digest) {
    return directory(digest).resolve(hex(digest));
  }

  private Path directory(String digest) {
    return blobs.resolve(hex(digest).substring(0, 2));
  }

  private static String hex(String digest) {
    return digest.substring(digest.indexOf(':') + 1);
  }

  private ReentrantLock lock(String digest) {
    return locks.get(Math.floorMod(digest.hashCode(), LOCKS));
  }

  private static String key(String digest, String owner) {
    return digest + "/" + owner;
  }

  private static String digest(String key) {
    return key.substring(0, key.indexOf('/'));
  }

  /** Has the names in a directory on the disk when it returns. */
  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static final class Text implements Codec<String> {
    @Override
    public byte[] encode(String value) {
      return value.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String decode(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }
}
