package dev.muelle.balancer;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Stands before an action: only for requests that it opens to is the action done. What it asks of
 * them, and of whom else it has to inquire, is its own affair.
 */
public interface Gate {

  /**
   * Looks at a request. Called on an event loop, so it does not block: what takes its time is done
   * elsewhere.
   *
   * @param then is told once, from any thread, within a time that is bounded
   */
  void knock(Knock knock, Consumer<Opening> then);

  /**
   * A request.
   *
   * @param host as the client named it; empty if it did not
   * @param target path and query
   * @param cookie the value of the cookie with this name; null if it is not there
   */
  record Knock(String host, String target, Function<String, @Nullable String> cookie) {}

  /** Whether the action is done. */
  sealed interface Opening {

    /**
     * It is.
     *
     * @param fields what targets are told, by the lower-case names of header fields. What a client
     *     sends by these names, or by any that begin with {@code prefix}, they never hear
     * @param cookies what the client is told besides the answer, as values of Set-Cookie
     */
    record Open(String prefix, Map<String, String> fields, List<String> cookies)
        implements Opening {}

    /**
     * It is not: this is the answer.
     *
     * @param location where the client is sent; empty if it is not
     * @param cookies as values of Set-Cookie
     * @param error only to be told of; empty if none
     */
    record Shut(int status, String location, List<String> cookies, String error)
        implements Opening {}
  }
}
