package dev.muelle.wire;

import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * The door for AWS's API requests: verifies, decodes, dispatches to the mounted services, and
 * renders what they answer or throw. Serves any number of threads.
 *
 * <p>Errors of its own are listed in {@code Fault}; an operation that the mounted service does not
 * override is answered with HTTP 501 {@code NotImplemented}.
 */
public final class AwsHandler implements HttpHandler {

  /** Bytes of a request body that are accepted if nothing else is said: 16 MiB. */
  public static final int DEFAULT_BODY_LIMIT = 16 << 20;

  private final Chain.Next chain;

  /**
   * A handler with the default body limit.
   *
   * @param random for request ids; may be any generator, calls to it are serialised
   */
  public AwsHandler(Mounts mounts, Access access, InstantSource clock, RandomGenerator random) {
    this(mounts, access, clock, random, DEFAULT_BODY_LIMIT);
  }

  /**
   * A handler with a body limit of its own.
   *
   * @param bodyLimit in bytes; a longer body is answered with 413 {@code RequestEntityTooLarge} and
   *     is not read further
   */
  public AwsHandler(
      Mounts mounts, Access access, InstantSource clock, RandomGenerator random, int bodyLimit) {
    this(mounts, access, clock, random, bodyLimit, Optional.empty());
  }

  private AwsHandler(
      Mounts mounts,
      Access access,
      InstantSource clock,
      RandomGenerator random,
      int bodyLimit,
      Optional<String> region) {
    chain =
        Chain.of(
            new NameRequest(random), // first, so that every answer and every log line has the id
            new RenderErrors(), // above all that may fail, below the id that errors carry
            new Recognize(mounts), // errors from here on are in the caller's own protocol
            new ReadBody(bodyLimit), // before the signature, which covers the body
            new ReadForm(mounts), // the query protocols have the operation in the body
            new Authenticate(access, clock), // strangers learn nothing about what is below
            new Regional(region), // behind that: it looks at the region that was signed for
            new Route(mounts, access), // finds service and operation, both or an error
            new Invoke()); // decodes, calls, encodes
  }

  /** A handler that answers for one region only, as what AWS has under a region's names does. */
  public static AwsHandler of(
      String region, Mounts mounts, Access access, InstantSource clock, RandomGenerator random) {
    return new AwsHandler(mounts, access, clock, random, DEFAULT_BODY_LIMIT, Optional.of(region));
  }

  @Override
  public HttpResponse handle(HttpRequest request) throws IOException {
    return chain.proceed(new Exchange(request));
  }
}
