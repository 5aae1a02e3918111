package dev.muelle.engine.blob;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Content-addressed, immutable byte sequences. A blob lives as long as somebody retains it; an
 * upload that nobody finishes within a day is dropped.
 */
public interface BlobStore {

  /**
   * Opens an upload; its id survives a restart, so that a client may resume.
   *
   * @throws BlobException if too many are open, or the disk is nearly full
   */
  String startUpload() throws IOException;

  /** Bytes received so far; empty if there is no such upload. */
  Optional<Long> uploaded(String uploadId) throws IOException;

  /**
   * Appends to an upload.
   *
   * @return bytes received so far
   * @throws BlobException if the upload is unknown, would exceed the size limit, or finds the disk
   *     full; in the latter two cases it is gone. If {@code bytes} breaks off, what arrived stays
   */
  long append(String uploadId, InputStream bytes) throws IOException;

  /**
   * Makes the upload a blob, durably and atomically, retained by {@code owner}.
   *
   * @throws BlobException if the bytes do not have this digest; the upload is gone then
   */
  void commit(String uploadId, String digest, String owner) throws IOException;

  void cancelUpload(String uploadId) throws IOException;

  /** Stores a small blob at once, retained by {@code owner}; returns its digest. */
  String put(byte[] bytes, String owner) throws IOException;

  /** The file that holds a blob; it must only be read. */
  Optional<Path> file(String digest);

  /** Adds an owner; false if there is no such blob. */
  boolean retain(String digest, String owner) throws IOException;

  /** Takes an owner away from one blob; the last one takes the blob along. */
  void release(String digest, String owner) throws IOException;

  /** Digests that this owner retains. */
  Set<String> retained(String owner);

  /** What a client can do something about: unknown upload, wrong digest, too large, no space. */
  final class BlobException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What went wrong. */
    public enum Kind {
      UNKNOWN_UPLOAD,
      DIGEST_MISMATCH,
      TOO_LARGE,
      TOO_MANY_UPLOADS,
      /** The disk is (nearly) full; nothing of the upload is left. */
      NO_SPACE
    }

    private final Kind kind;

    public BlobException(Kind kind, String message) {
      super(message);
      this.kind = kind;
    }

    public Kind kind() {
      return kind;
    }
  }
}
