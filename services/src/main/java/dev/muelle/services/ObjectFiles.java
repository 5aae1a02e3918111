package dev.muelle.services;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Objects as files {@code objects/<bucket>/<key>} below the data directory, until S3 keeps them. A
 * bucket is there if its directory is.
 */
public final class ObjectFiles implements Objects {

  /** Where paths of links begin. */
  public static final String LINKS = "/_muelle/objects/";

  private static final Duration LINKED = Duration.ofMinutes(10);
  private static final long MAX_LINKED = 100L << 20;

  private final Path root;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final String host;
  private final Map<String, Linked> links = new LinkedHashMap<>();
  private long linked;

  private record Linked(byte[] content, Instant until) {}

  /**
   * Objects below a directory.
   *
   * @param random that nobody can guess
   * @param host and port of this server, for links
   */
  public ObjectFiles(Path root, InstantSource clock, RandomGenerator random, String host) {
    this.root = root;
    this.clock = clock;
    this.random = random;
    this.host = host;
  }

  /** A key is a path, but never one that leads out of its bucket. */
  private Path file(String bucket, String key) throws IOException {
    if (!bucket.matches("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]") || bucket.contains("..")) {
      throw new IOException("'" + bucket + "' is not a name of a bucket");
    }
    for (String part : key.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0) {
        throw new IOException("'" + key + "' is not a key that a file can have");
      }
    }
    return root.resolve(bucket).resolve(key);
  }

  @Override
  public Optional<byte[]> read(String bucket, String key, int most) throws IOException {
    Path file = file(bucket, key);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(most + 1);
      if (content.length > most) {
        throw new IOException("it has more than " + most + " bytes");
      }
      return Optional.of(content);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  @Override
  public void write(String bucket, String key, byte[] content) throws IOException {
    Path file = file(bucket, key);
    if (!Files.isDirectory(root.resolve(bucket))) {
      throw new NoSuchFileException(bucket, null, "there is no such bucket");
    }
    Path directory = Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
    Path half = Files.createTempFile(directory, ".half-", "");
    try {
      Files.write(half, content);
      Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(half);
    }
  }

  @Override
  public synchronized String link(byte[] content) {
    forget();
    byte[] name = new byte[24];
    random.nextBytes(name);
    String token = HexFormat.of().formatHex(name);
    links.put(token, new Linked(content, clock.instant().plus(LINKED)));
    linked += content.length;
    forget();
    return "http://" + host + LINKS + token;
  }

  /** Lets go of what is too old, and of the oldest if all together is too much. */
  private void forget() {
    Instant now = clock.instant();
    Iterator<Linked> oldest = links.values().iterator();
    while (oldest.hasNext()) {
      Linked one = oldest.next();
      if (one.until().isAfter(now) && (linked <= MAX_LINKED || !oldest.hasNext())) {
        return;
      }
      oldest.remove();
      linked -= one.content().length;
    }
  }

  /** Answers who follows a link. */
  public synchronized HttpResponse follow(String path) {
    forget();
    Linked found = links.get(path.substring(LINKS.length()));
    return found == null
        ? HttpResponse.of(403, "text/plain", "Request has expired\n")
        : HttpResponse.of(200, "application/octet-stream", found.content());
  }
}
