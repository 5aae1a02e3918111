package dev.muelle.engine.blob;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A blob on its way in. Its file alone is its state; the running hash is made anew from it. */
final class Upload {

  private static final int CHUNK = 64 * 1024;

  /** Held by whoever works on the file; one client at a time appends, the others wait. */
  final ReentrantLock lock = new ReentrantLock();

  final Path file;
  private @Nullable MessageDigest hash;
  private long size;
  private boolean gone;

  /** A new one, whose file was just made, or one that an earlier process left. */
  Upload(Path file, long size) {
    this.file = file;
    this.size = size;
  }

  long size() {
    return size;
  }

  boolean gone() {
    return gone;
  }

  /** The file could not be written; the upload is of no more use. */
  static final class WriteFailed extends IOException {
    private static final long serialVersionUID = 1L;

    WriteFailed(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** The upload would become larger than is allowed. */
  static final class TooLarge extends IOException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Appends all of {@code bytes}. What arrived before {@code bytes} broke off stays.
   *
   * @throws WriteFailed if the file cannot take them
   * @throws TooLarge at the first byte over {@code limit}
   */
  void append(InputStream bytes, long limit) throws IOException {
    MessageDigest running = hash();
    try (FileChannel out = open()) {
      byte[] chunk = new byte[CHUNK];
      for (int n = bytes.read(chunk); n >= 0; n = bytes.read(chunk)) {
        if (size + n > limit) {
          throw new TooLarge();
        }
        write(out, ByteBuffer.wrap(chunk, 0, n));
        running.update(chunk, 0, n);
        size += n;
      }
    }
  }

  private FileChannel open() throws WriteFailed {
    try {
      FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE);
      out.position(size);
      return out;
    } catch (IOException e) {
      throw new WriteFailed(e);
    }
  }

  private static void write(FileChannel out, ByteBuffer bytes) throws WriteFailed {
    try {
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    } catch (IOException e) {
      throw new WriteFailed(e);
    }
  }

  /** The digest of all bytes so far. */
  String digest() throws IOException {
    MessageDigest running = hash();
    byte[] value = running.digest(); // resets it, so the next one reads the file again
    hash = null;
    return "sha256:" + HexFormat.of().formatHex(value);
  }

  /** Deletes the file. */
  void drop() throws IOException {
    gone = true;
    Files.deleteIfExists(file);
  }

  /** Makes the bytes durable and gives the file its final name. */
  void become(Path blob) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(file, blob, StandardCopyOption.ATOMIC_MOVE);
    gone = true;
  }

  private MessageDigest hash() throws IOException {
    MessageDigest running = hash;
    if (running == null) {
      running = sha256();
      if (size > 0) {
        try (InputStream in = Files.newInputStream(file)) {
          byte[] chunk = new byte[CHUNK];
          for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
            running.update(chunk, 0, n);
          }
        }
      }
      hash = running;
    }
    return running;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
