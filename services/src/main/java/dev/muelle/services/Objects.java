package dev.muelle.services;

import java.io.IOException;
import java.util.Optional;

/**
 * The objects in buckets, as far as services read and write them themselves: what S3 will keep.
 * Until then they are files.
 */
public interface Objects {

  /**
   * An object's content; empty if there is no such object.
   *
   * @param most how many bytes it may have
   * @throws IOException if it cannot be read, or has more bytes
   */
  Optional<byte[]> read(String bucket, String key, int most) throws IOException;

  /** Makes an object, or replaces it: whoever reads sees the one before or the new one, whole. */
  void write(String bucket, String key, byte[] content) throws IOException;

  /**
   * Where anybody who knows the address can get this for ten minutes, as from a URL of S3 that was
   * signed in advance.
   */
  String link(byte[] content);
}
