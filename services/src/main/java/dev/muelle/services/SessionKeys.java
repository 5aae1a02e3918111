package dev.muelle.services;

import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.wire.AccessKeys;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Access keys that speak for a role, for a while: what an instance finds in its metadata. They
 * outlive the server, as who has one knows nothing of that.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html">Temporary
 *     security credentials</a>
 */
public final class SessionKeys implements AccessKeys {

  /** How long a key is good for that an instance is given. */
  private static final Duration LIFE = Duration.ofHours(6);

  /** Whoever asks so long before the end is given another. */
  private static final Duration AHEAD = Duration.ofMinutes(15);

  private static final String LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  private static final int ID_LETTERS = 16;
  private static final int SECRET_BYTES = 30;
  private static final int TOKEN_BYTES = 96;

  private static final Table<Session> TABLE =
      Table.of("keys.sessions", StoredJson.codec(Session.class))
          .index("holder", Session::holder)
          .remember();

  private final Store store;
  private final InstantSource clock;
  private final RandomGenerator random;

  /**
   * A key with its end.
   *
   * @param holder who was given it, in words that nobody else has
   * @param arn of the role's session
   */
  public record Session(
      String holder,
      String accessKeyId,
      String secretAccessKey,
      String token,
      String account,
      String arn,
      String userId,
      Instant issued,
      Instant expires) {

    @Override
    public String toString() {
      return "Session[" + accessKeyId + " of " + arn + "]"; // never the secret
    }
  }

  /**
   * Session keys of all accounts.
   *
   * @param store of a scope of its own
   * @param random that nobody can foretell
   */
  public SessionKeys(Store store, InstantSource clock, RandomGenerator random) {
    this.store = store;
    this.clock = clock;
    this.random = random;
  }

  /**
   * The key that somebody has now, or a new one when that ends soon.
   *
   * @param userId the role's id and the session's name
   */
  public Session of(String holder, String account, String arn, String userId) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Optional<Session> present =
        store.read(tx -> tx.find(TABLE, "holder", holder)).stream()
            .map(Row::value)
            .filter(one -> one.expires().minus(AHEAD).isAfter(now))
            .filter(one -> one.arn().equals(arn) && one.userId().equals(userId))
            .findFirst();
    return present.orElseGet(() -> issue(holder, account, arn, userId, now));
  }

  private Session issue(String holder, String account, String arn, String userId, Instant now) {
    StringBuilder id = new StringBuilder("ASIA");
    for (int i = 0; i < ID_LETTERS; i++) {
      id.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
    }
    Session made =
        new Session(
            holder,
            id.toString(),
            secret(SECRET_BYTES),
            secret(TOKEN_BYTES),
            account,
            arn,
            userId,
            now,
            now.plus(LIFE));
    store.write(tx -> {
      tx.list(TABLE).stream()
          .filter(row -> !row.value().expires().isAfter(now))
          .forEach(row -> tx.delete(TABLE, row.key()));
      return tx.insert(TABLE, made.accessKeyId(), made);
    });
    return made;
  }

  private String secret(int bytes) {
    byte[] secret = new byte[bytes];
    random.nextBytes(secret);
    return Base64.getEncoder().encodeToString(secret);
  }

  @Override
  public Optional<AccessKey> find(String accessKeyId) {
    return store
        .read(tx -> tx.get(TABLE, accessKeyId))
        .map(Row::value)
        .filter(one -> one.expires().isAfter(clock.instant()))
        .map(one ->
            new AccessKey(
                one.accessKeyId(),
                one.secretAccessKey(),
                one.token(),
                one.account(),
                one.arn(),
                one.userId()));
  }

  /** Somebody is gone for ever, and his keys with him. */
  public void forget(String holder) {
    if (store.read(tx -> tx.find(TABLE, "holder", holder)).isEmpty()) {
      return; // most never asked for one
    }
    store.write(tx -> {
      tx.find(TABLE, "holder", holder).forEach(row -> tx.delete(TABLE, row.key()));
      return true;
    });
  }
}
