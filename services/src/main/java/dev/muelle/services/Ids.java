package dev.muelle.services;

import java.util.HexFormat;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** Makes identifiers in the forms that AWS uses; randomness is a parameter. */
public final class Ids {

  private final RandomGenerator random;

  public Ids(RandomGenerator random) {
    this.random = random;
  }

  /** This many lower-case hexadecimal digits (an even number). */
  public String hex(int digits) {
    byte[] bytes = new byte[digits / 2];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** {@code vpc-0123456789abcdef0}: a prefix and 17 hexadecimal digits, as EC2 makes them. */
  public String ec2(String prefix) {
    return prefix + "-0" + hex(16);
  }

  /** A random (version 4) UUID. */
  public String uuid() {
    long high = (random.nextLong() & ~0xF000L) | 0x4000L;
    long low = (random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }
}
