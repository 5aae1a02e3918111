package dev.muelle.region;

import dev.muelle.wire.AccessKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import java.util.Properties;

/** The access key of the account's root user, made at the first start. */
public final class RootKey {

  /** The account of whoever has this key. */
  public static final String ACCOUNT = "000000000000";

  private static final String BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

  private final String id;
  private final String secret;

  private RootKey(String id, String secret) {
    this.id = id;
    this.secret = secret;
  }

  /** Reads the key, or makes it if there is none. */
  static RootKey ensure(Path file, SecureRandom random) throws IOException {
    Optional<RootKey> present = read(file);
    if (present.isPresent()) {
      return present.get();
    }
    StringBuilder id = new StringBuilder("AKIA");
    for (int i = 0; i < 16; i++) {
      id.append(BASE_32.charAt(random.nextInt(BASE_32.length())));
    }
    byte[] secret = new byte[30];
    random.nextBytes(secret);
    RootKey key = new RootKey(id.toString(), Base64.getEncoder().encodeToString(secret));
    Path half = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(half);
    Files.createFile(
        half, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        half,
        "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n"
            .formatted(key.id, key.secret));
    Files.move(half, file);
    return key;
  }

  /** Reads the key of a region that was started before. */
  public static Optional<RootKey> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Properties properties = new Properties();
    try (var in = Files.newBufferedReader(file)) {
      properties.load(in);
    }
    return Optional.of(
        new RootKey(
            properties.getProperty("aws_access_key_id"),
            properties.getProperty("aws_secret_access_key")));
  }

  public String id() {
    return id;
  }

  /** The secret itself: for {@code ./muelle env} and signing, never for a log. */
  public String secret() {
    return secret;
  }

  AccessKeys keys() {
    AccessKeys.AccessKey key =
        new AccessKeys.AccessKey(
            id, secret, "", ACCOUNT, "arn:aws:iam::" + ACCOUNT + ":root", ACCOUNT);
    return asked -> asked.equals(id) ? Optional.of(key) : Optional.empty();
  }
}
