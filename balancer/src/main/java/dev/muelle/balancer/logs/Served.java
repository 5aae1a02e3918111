package dev.muelle.balancer.logs;

import dev.muelle.balancer.rules.Rewrites;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of one request. Times in nanoseconds; -1 for what did not come to pass.
 *
 * @param node the address at which the client found the load balancer
 * @param method empty if there was no request that could be read, and so are its other parts
 * @param url path and query, as the client sent them
 * @param httpVersion for example {@code HTTP/1.1}
 * @param requestNanos from its coming until it was sent to a target
 * @param targetNanos from then until the answer began
 * @param responseNanos from then until the answer was passed on
 * @param status what the client was told
 * @param targetStatus what the target said; 0 if nothing
 * @param targets each that was tried, the last one first answered or failed
 * @param targetStatuses theirs; only of targets that answered
 * @param received bytes from the client, with the head
 * @param sent bytes to the client, with the head
 * @param upgraded whether it became another protocol
 * @param rule the priority of the rule that applied; 0 for the default one, -1 if none was asked
 * @param actions in the order in which they were taken
 * @param certificate what {@code Tls.Identity.id} says of the one that was shown
 * @param error in ALB's words; empty if none
 * @param classification of requests that are not what the RFCs ask for; empty for the others
 * @param rewritten null unless the rule has rewrites and they came to a request
 * @param rewriting how they went, in ALB's words; empty if there are none
 */
public record Served(
    Instant created,
    Instant ended,
    String node,
    int listenerPort,
    String clientAddress,
    int clientPort,
    boolean secure,
    String method,
    String host,
    String url,
    String httpVersion,
    boolean grpc,
    String userAgent,
    String trace,
    long requestNanos,
    long targetNanos,
    long responseNanos,
    int status,
    int targetStatus,
    List<String> targets,
    List<Integer> targetStatuses,
    long received,
    long sent,
    boolean upgraded,
    int rule,
    List<String> actions,
    String redirect,
    String group,
    String cipherSuite,
    String tlsVersion,
    String serverName,
    String certificate,
    boolean resumed,
    String error,
    String classification,
    String classificationReason,
    String connection,
    Rewrites.@Nullable Rewritten rewritten,
    String rewriting) {

  /** About how much memory it takes; the rest is bounded. */
  public int weight() {
    int texts = url.length() + userAgent.length() + host.length() + trace.length();
    texts += redirect.length() + (rewritten == null ? 0 : rewritten.target().length());
    return 1024 + texts; // of a byte a character
  }
}
