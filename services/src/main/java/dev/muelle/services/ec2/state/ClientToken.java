package dev.muelle.services.ec2.state;

import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A creation that was done.
 *
 * @param request what was asked, to notice when something else is asked under the same token
 */
public record ClientToken(String request, String resource) {

  private static final int MAX_LENGTH = 64;

  /**
   * A request in the form in which two are compared: with an empty token, because the SDK fills in
   * a random one where there is none.
   */
  public static <R> String fingerprint(Codec<R> codec, R withoutToken) {
    return new String(codec.encode(withoutToken), StandardCharsets.UTF_8);
  }

  public static void put(Tx tx, @Nullable String token, String request, String resource) {
    if (token != null && !token.isEmpty()) {
      if (token.length() > MAX_LENGTH) {
        throw Refuse.invalidValue(
            token, "clientToken", "It must have at most " + MAX_LENGTH + " characters.");
      }
      tx.put(Tables.TOKENS, token, new ClientToken(request, resource));
    }
  }

  /** What was made is gone: its tokens may be used again. */
  public static void forget(Tx tx, String resource) {
    tx.find(Tables.TOKENS, "resource", resource)
        .forEach(row -> tx.delete(Tables.TOKENS, row.key()));
  }

  /** What was made under a token; empty if nothing was, or there is no token. */
  public static Optional<String> done(Tx tx, @Nullable String token, String request) {
    if (token == null || token.isEmpty()) {
      return Optional.empty();
    }
    Optional<ClientToken> present = tx.get(Tables.TOKENS, token).map(Row::value);
    if (present.isPresent() && !present.get().request().equals(request)) {
      throw Refuse.because(
          "IdempotentParameterMismatch",
          "The client token '" + token + "' was used before with different parameters");
    }
    return present.map(ClientToken::resource);
  }
}
