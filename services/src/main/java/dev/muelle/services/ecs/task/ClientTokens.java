package dev.muelle.services.ecs.task;

import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ConflictException;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * What calls of RunTask have made, by the tokens that their callers gave them, so that a call that
 * is repeated makes nothing more. A token holds for a day, and no longer than its tasks can be
 * described. The SDKs and the CLI send one with every call.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html">Ensuring
 *     idempotency</a>
 */
public final class ClientTokens {

  private static final Pattern VALID = Pattern.compile("[!-~]+");
  private static final Duration KEPT = Duration.ofHours(24);

  /**
   * What was made.
   *
   * @param request what was asked for, as a digest
   * @param task the first one: as long as it is described, the token is known
   */
  record Token(String request, String task, List<String> taskArns, Instant at) {}

  /** Keyed {@code cluster/token}. */
  private static final Table<Token> TABLE =
      Table.of("ecs.client_tokens", StoredJson.codec(Token.class)).index("task", Token::task);

  private ClientTokens() {}

  /**
   * Refuses what is no token.
   *
   * @param most characters
   */
  public static void check(@Nullable String token, int most) {
    if (token != null && token.length() > most) {
      throw Refuse.invalid("idempotency token longer than " + most + ".");
    }
    if (token != null && !VALID.matcher(token).matches()) {
      throw Refuse.invalid("A clientToken has the characters 33 to 126 of ASCII.");
    }
  }

  /**
   * The tasks that the same call made before; nothing if it is the first.
   *
   * @throws ConflictException if the token came with another call
   */
  static Optional<List<Task>> made(Tx tx, String cluster, RunTaskRequest request, Instant now) {
    if (request.clientToken() == null) {
      return Optional.empty();
    }
    Optional<Token> token =
        tx.get(TABLE, key(cluster, request))
            .map(Row::value)
            .filter(known -> now.isBefore(known.at().plus(KEPT)));
    if (token.isPresent() && !token.get().request().equals(digest(request))) {
      throw ConflictException.builder()
          .message(
              "The provided clientToken is already in use with a different RunTask request. Run"
                  + " RunTask with a unique clientToken, or with the clientToken and the original"
                  + " set of parameters.")
          .resourceIds(token.get().taskArns())
          .build();
    }
    return token.map(known ->
        known.taskArns().stream()
            .flatMap(arn -> tx.get(TaskRecord.TABLE, TaskRecord.idOf(arn)).stream())
            .map(row -> row.value().task())
            .toList());
  }

  /** A call has made these; if it is none, the next one may try again. */
  static void remember(
      Tx tx, String cluster, RunTaskRequest request, List<TaskRecord> made, Instant now) {
    if (request.clientToken() != null && !made.isEmpty()) {
      tx.put(
          TABLE,
          key(cluster, request),
          new Token(
              digest(request),
              made.getFirst().id(),
              made.stream().map(task -> task.task().taskArn()).toList(),
              now));
    }
  }

  /** A task is described no longer. */
  public static void forget(Tx tx, String taskId) {
    tx.find(TABLE, "task", taskId).forEach(row -> tx.delete(TABLE, row.key()));
  }

  private static String key(String cluster, RunTaskRequest request) {
    return cluster + "/" + request.clientToken();
  }

  private static String digest(RunTaskRequest request) {
    // not null: the SDK puts a token of its own where there is none
    return digest(RunTaskRequest.class, request.toBuilder().clientToken("").build());
  }

  /** What a request asks for, to know it again. */
  public static <T> String digest(Class<T> type, T request) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(StoredJson.codec(type).encode(request)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
