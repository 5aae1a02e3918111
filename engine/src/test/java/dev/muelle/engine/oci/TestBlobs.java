package dev.muelle.engine.oci;

import dev.muelle.engine.blob.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Blobs as plain files; nobody's retaining counts. */
final class TestBlobs implements BlobStore {
  private final Path directory;
  private final AtomicInteger uploads = new AtomicInteger();

  TestBlobs(Path directory) throws IOException {
    this.directory = Files.createDirectories(directory);
  }

  static String sha256(byte[] bytes) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String startUpload() throws IOException {
    String id = "upload-" + uploads.incrementAndGet();
    Files.createFile(directory.resolve(id));
    return id;
  }

  @Override
  public Optional<Long> uploaded(String uploadId) throws IOException {
    Path file = directory.resolve(uploadId);
    return Files.exists(file) ? Optional.of(Files.size(file)) : Optional.empty();
  }

  @Override
  public long append(String uploadId, InputStream bytes) throws IOException {
    try (var out = Files.newOutputStream(directory.resolve(uploadId), StandardOpenOption.APPEND)) {
      bytes.transferTo(out);
    }
    return Files.size(directory.resolve(uploadId));
  }

  @Override
  public void commit(String uploadId, String digest, String owner) throws IOException {
    Path upload = directory.resolve(uploadId);
    if (!sha256(Files.readAllBytes(upload)).equals(digest)) {
      throw new BlobException(BlobException.Kind.DIGEST_MISMATCH, "not " + digest);
    }
    Files.move(upload, directory.resolve(digest.substring(7)));
  }

  @Override
  public void cancelUpload(String uploadId) throws IOException {
    Files.deleteIfExists(directory.resolve(uploadId));
  }

  @Override
  public String put(byte[] bytes, String owner) throws IOException {
    String digest = sha256(bytes);
    Files.write(directory.resolve(digest.substring(7)), bytes);
    return digest;
  }

  @Override
  public Optional<Path> file(String digest) {
    return Optional.of(directory.resolve(digest.substring(7))).filter(Files::exists);
  }

  @Override
  public boolean retain(String digest, String owner) {
    return file(digest).isPresent();
  }

  @Override
  public void release(String digest, String owner) {}

  @Override
  public Set<String> retained(String owner) {
    return Set.of();
  }
}
