package dev.muelle.examples.escalado;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;

/**
 * Burns CPU time: as much as it was told, whatever the processor and however little of it the task
 * may use. The kernel says how much a thread has had.
 */
final class Work {

  /** Nanoseconds on a processor, nanoseconds waiting for one, how often. */
  private static final Path OWN = Path.of("/proc/thread-self/schedstat");

  private static final int ROUNDS = 50; // some hundred microseconds

  private Work() {}

  /** To be called by a platform thread: a virtual one has no time of its own. */
  static byte[] burn(Duration cpu) throws IOException {
    long end = used() + cpu.toNanos();
    byte[] last = new byte[4096];
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      do {
        for (int round = 0; round < ROUNDS; round++) {
          digest.update(last);
        }
        digest.digest(last, 0, digest.getDigestLength());
      } while (used() < end);
      return last;
    } catch (NoSuchAlgorithmException | java.security.DigestException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  /** Nanoseconds that this thread has run. */
  static long used() throws IOException {
    String said = Files.readString(OWN, StandardCharsets.US_ASCII);
    return Long.parseLong(said.substring(0, said.indexOf(' ')));
  }
}
