package dev.muelle.engine.blob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.blob.BlobStore.BlobException;
import dev.muelle.engine.blob.BlobStore.BlobException.Kind;
import dev.muelle.engine.blob.FileBlobStore.Limits;
import dev.muelle.store.SqliteStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBlobStoreTest {

  private static final Limits SMALL = new Limits(1 << 20, 3, 0);

  @TempDir private Path directory;
  private Instant now = Instant.parse("2026-11-21T08:00:00Z");
  private SqliteStore store;
  private FileBlobStore blobs;

  @BeforeEach
  void open() throws IOException {
    store = SqliteStore.open(directory.resolve("db"));
    blobs = blobs(directory.resolve("blobs"), SMALL);
  }

  private FileBlobStore blobs(Path where, Limits limits) throws IOException {
    return FileBlobStore.open(where, store, () -> now, new Random(7), limits);
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void restart() throws IOException {
    store.close();
    open();
  }

  @Test
  void anUploadInPiecesBecomesABlob() throws IOException {
    String id = blobs.startUpload();
    assertEquals(3, blobs.append(id, bytes("abc")));
    assertEquals(Optional.of(3L), blobs.uploaded(id));
    assertEquals(6, blobs.append(id, bytes("def")));
    blobs.commit(id, digest("abcdef"), "a");
    assertEquals("abcdef", Files.readString(blobs.file(digest("abcdef")).orElseThrow()));
    assertEquals(Set.of(digest("abcdef")), blobs.retained("a"));
    assertEquals(Optional.empty(), blobs.uploaded(id));
    assertEquals(List.of(), files("blobs/uploads"));
  }

  @Test
  void anUploadIsResumedAfterARestart() throws IOException {
    String id = blobs.startUpload();
    blobs.append(id, bytes("abc"));
    restart();
    assertEquals(Optional.of(3L), blobs.uploaded(id));
    blobs.append(id, bytes("def"));
    blobs.commit(id, digest("abcdef"), "a");
    assertTrue(blobs.file(digest("abcdef")).isPresent());
  }

  @Test
  void whatArrivedBeforeTheClientBrokeOffStays() throws IOException {
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("connection reset");
          }
        };
    String id = blobs.startUpload();
    assertThrows(
        IOException.class, () -> blobs.append(id, new SequenceInputStream(bytes("abc"), broken)));
    assertEquals(Optional.of(3L), blobs.uploaded(id));
    blobs.append(id, bytes("def"));
    blobs.commit(id, digest("abcdef"), "a");
    assertTrue(blobs.file(digest("abcdef")).isPresent());
  }

  @Test
  void aWrongDigestLeavesNothing() throws IOException {
    String id = blobs.startUpload();
    blobs.append(id, bytes("abc"));
    refused(Kind.DIGEST_MISMATCH, () -> blobs.commit(id, digest("other"), "a"));
    refused(Kind.UNKNOWN_UPLOAD, () -> blobs.append(id, bytes("def")));
    assertEquals(List.of(), files("blobs"));
  }

  @Test
  void digestsThatAreNoneNeverReachTheDisk() throws IOException {
    Files.writeString(directory.resolve("secret"), "secret");
    for (String hostile : List.of("sha256:../../secret", "../secret", "sha256:", "md5:abc", "")) {
      assertTrue(blobs.file(hostile).isEmpty(), hostile);
      assertFalse(blobs.retain(hostile, "a"), hostile);
      blobs.release(hostile, "a");
      String id = blobs.startUpload();
      refused(Kind.DIGEST_MISMATCH, () -> blobs.commit(id, hostile, "a"));
    }
    refused(Kind.UNKNOWN_UPLOAD, () -> blobs.append("../../secret", bytes("x")));
    assertEquals("secret", Files.readString(directory.resolve("secret")));
  }

  @Test
  void theLastOwnerTakesTheBlobAlong() throws IOException {
    String digest = blobs.put("abc".getBytes(StandardCharsets.UTF_8), "a");
    assertEquals(digest("abc"), digest);
    assertTrue(blobs.retain(digest, "b"));
    blobs.release(digest, "a");
    blobs.release(digest, "a");
    assertEquals(Set.of(), blobs.retained("a"));
    assertTrue(blobs.file(digest).isPresent());
    blobs.release(digest, "b");
    assertTrue(blobs.file(digest).isEmpty());
    assertFalse(blobs.retain(digest, "b"));
  }

  @Test
  void ownersAndBlobsSurviveARestart() throws IOException {
    String digest = blobs.put("abc".getBytes(StandardCharsets.UTF_8), "a");
    restart();
    assertEquals(Set.of(digest), blobs.retained("a"));
    assertTrue(blobs.file(digest).isPresent());
  }

  @Test
  void aFileWithoutOwnerIsRemovedAtTheStart() throws IOException {
    String kept = blobs.put("kept".getBytes(StandardCharsets.UTF_8), "a");
    Path orphan = directory.resolve("blobs/sha256/ba/" + digest("abc").substring(7));
    Files.createDirectories(orphan.getParent());
    Files.writeString(orphan, "abc");
    restart();
    assertFalse(Files.exists(orphan));
    assertTrue(blobs.file(kept).isPresent());
  }

  @Test
  void anOwnerWithoutFileIsForgottenAtTheStart() throws IOException {
    String digest = blobs.put("abc".getBytes(StandardCharsets.UTF_8), "a");
    Files.delete(blobs.file(digest).orElseThrow());
    restart();
    assertEquals(Set.of(), blobs.retained("a"));
  }

  @Test
  void tooLargeIsRefusedAndLeavesNothing() throws IOException {
    String id = blobs.startUpload();
    blobs.append(id, new ByteArrayInputStream(new byte[1 << 20]));
    refused(Kind.TOO_LARGE, () -> blobs.append(id, bytes("x")));
    assertEquals(List.of(), files("blobs"));
  }

  @Test
  void openUploadsAreLimitedAndStaleOnesDropped() throws IOException {
    String first = blobs.startUpload();
    now = now.plus(Duration.ofHours(23));
    blobs.startUpload();
    blobs.startUpload();
    refused(Kind.TOO_MANY_UPLOADS, blobs::startUpload);
    now = now.plus(Duration.ofHours(2));
    blobs.startUpload();
    assertEquals(Optional.empty(), blobs.uploaded(first));
    now = now.plus(Duration.ofDays(2));
    restart();
    assertEquals(List.of(), files("blobs/uploads"));
  }

  @Test
  void cancelledUploadsAreGone() throws IOException {
    String id = blobs.startUpload();
    blobs.append(id, bytes("abc"));
    blobs.cancelUpload(id);
    refused(Kind.UNKNOWN_UPLOAD, () -> blobs.cancelUpload(id));
    assertEquals(List.of(), files("blobs"));
  }

  @Test
  void manyMayUploadAndReleaseTheSameBlobAtOnce() throws Exception {
    FileBlobStore many = blobs(directory.resolve("many"), new Limits(1 << 20, 100, 0));
    byte[] content = new byte[100_000];
    new Random(1).nextBytes(content);
    String digest = many.put(content, "keeper");
    List<Future<?>> all = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 20; i++) {
        String owner = "owner" + i;
        all.add(
            threads.submit(
                (Callable<?>)
                    () -> {
                      for (int round = 0; round < 5; round++) {
                        many.put(content, owner);
                        assertArrayEquals(
                            content, Files.readAllBytes(many.file(digest).orElseThrow()));
                        many.release(digest, owner);
                      }
                      return null;
                    }));
      }
    }
    for (Future<?> one : all) {
      one.get();
    }
    assertTrue(many.file(digest).isPresent());
    many.release(digest, "keeper");
    assertTrue(many.file(digest).isEmpty());
    assertEquals(List.of(), files("many"));
  }

  @Test
  void aFullDiskIsSaidAndLeavesNothing() throws Exception {
    Path disk = Files.createDirectory(directory.resolve("disk"));
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.toString());
    try {
      for (long reserve : List.of(0L, 256L << 10)) {
        FileBlobStore full = blobs(disk, new Limits(10 << 20, 3, reserve));
        String id = full.startUpload();
        refused(Kind.NO_SPACE, () -> full.append(id, new ByteArrayInputStream(new byte[2 << 20])));
        assertEquals(List.of(), files("disk"));
        full.put(new byte[1000], "a"); // and there is space again
        full.release(full.retained("a").iterator().next(), "a");
      }
    } finally {
      run("umount", disk.toString());
    }
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertEquals(0, process.waitFor(), () -> String.join(" ", command));
  }

  private List<String> files(String under) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve(under))) {
      return files.filter(Files::isRegularFile).map(Path::toString).toList();
    }
  }

  private interface Attempt {
    void run() throws IOException;
  }

  private static void refused(Kind kind, Attempt attempt) {
    assertEquals(kind, assertThrows(BlobException.class, attempt::run).kind());
  }

  private static InputStream bytes(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String digest(String text) {
    return "sha256:"
        + HexFormat.of().formatHex(Upload.sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
  }
}
