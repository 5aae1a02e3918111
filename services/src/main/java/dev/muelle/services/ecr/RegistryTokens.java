package dev.muelle.services.ecr;

import dev.muelle.services.Scope;
import dev.muelle.wire.Caller;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Makes and checks the passwords of the registry. A token says for whom and until when, signed with
 * a secret of this server; nothing is stored per token.
 */
public final class RegistryTokens {

  /** As long as ECR's. */
  static final Duration LIFE = Duration.ofHours(12);

  private static final Duration TICKET_LIFE = Duration.ofHours(1);
  private static final String ALGORITHM = "HmacSHA256";
  private static final int SECRET_BYTES = 32;
  private static final int LONGEST = 4096;
  private static final String SEPARATOR = "\n"; // is in no part

  private final SecretKeySpec secret;
  private final InstantSource clock;

  private RegistryTokens(byte[] secret, InstantSource clock) {
    this.secret = new SecretKeySpec(secret, ALGORITHM);
    this.clock = clock;
  }

  /**
   * Reads the server's secret, or makes it at the first start.
   *
   * @param file readable by its owner only
   */
  public static RegistryTokens open(Path file, SecureRandom random, InstantSource clock)
      throws IOException {
    if (!Files.exists(file)) {
      byte[] secret = new byte[SECRET_BYTES];
      random.nextBytes(secret);
      Path half = file.resolveSibling(file.getFileName() + ".new");
      Files.deleteIfExists(half);
      Files.createFile(
          half, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.write(half, secret);
      Files.move(half, file, StandardCopyOption.ATOMIC_MOVE);
    }
    byte[] secret = Files.readAllBytes(file);
    if (secret.length != SECRET_BYTES) {
      throw new IOException(
          file + " is damaged: remove it, and clients will have to log in to the registry again");
    }
    return new RegistryTokens(secret, clock);
  }

  /** A password for the registry, and its end. */
  record Token(String password, Instant expiresAt) {
    @Override
    public String toString() {
      return "Token[until " + expiresAt + "]"; // never the password
    }
  }

  /** For whom a token was made. */
  record Holder(Scope scope, String arn) {}

  Token issue(Scope scope, Caller caller) {
    // Whole seconds: what the answer says and what is signed are the same instant.
    Instant end = Instant.ofEpochSecond(clock.instant().plus(LIFE).getEpochSecond());
    String said =
        String.join(
            SEPARATOR,
            "login",
            scope.account(),
            scope.region(),
            caller.arn(),
            String.valueOf(end.getEpochSecond()));
    return new Token(seal(said), end);
  }

  /** For whom the password is; empty if we did not make it, or it has expired. */
  Optional<Holder> check(String password) {
    String said = open(password);
    if (said == null) {
      return Optional.empty();
    }
    String[] parts = said.split(SEPARATOR, -1);
    if (parts.length != 5 || !parts[0].equals("login") || expired(parts[4])) {
      return Optional.empty();
    }
    return Optional.of(new Holder(new Scope(parts[1], parts[2]), parts[3]));
  }

  /** Lets whoever has it read one path for an hour. */
  String ticket(Scope scope, String path) {
    long end = clock.instant().plus(TICKET_LIFE).getEpochSecond();
    return seal(
        String.join(SEPARATOR, "read", scope.account(), scope.region(), path, String.valueOf(end)));
  }

  /** Whose registry the ticket opens for this path; empty if it does not. */
  Optional<Scope> checkTicket(String ticket, String path) {
    String said = open(ticket);
    if (said == null) {
      return Optional.empty();
    }
    String[] parts = said.split(SEPARATOR, -1);
    if (parts.length != 5
        || !parts[0].equals("read")
        || !parts[3].equals(path)
        || expired(parts[4])) {
      return Optional.empty();
    }
    return Optional.of(new Scope(parts[1], parts[2]));
  }

  private boolean expired(String epochSecond) {
    return clock.instant().getEpochSecond() >= Long.parseLong(epochSecond);
  }

  private String seal(String said) {
    byte[] bytes = said.getBytes(StandardCharsets.UTF_8);
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    return base64.encodeToString(bytes) + "." + base64.encodeToString(sign(bytes));
  }

  /** What was sealed; null if it was not us who did. */
  private @Nullable String open(String sealed) {
    int dot = sealed.indexOf('.');
    if (dot < 0 || sealed.length() > LONGEST) {
      return null;
    }
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(sealed.substring(0, dot));
      byte[] signature = Base64.getUrlDecoder().decode(sealed.substring(dot + 1));
      return MessageDigest.isEqual(sign(bytes), signature)
          ? new String(bytes, StandardCharsets.UTF_8)
          : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private byte[] sign(byte[] bytes) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(secret);
      return mac.doFinal(bytes);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
