package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** Gives the request its id: a random UUID, as AWS's are. */
final class NameRequest implements Chain.Step {
  private final RandomGenerator random;

  NameRequest(RandomGenerator random) {
    this.random = random;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    exchange.requestId(uuid());
    return next.proceed(exchange);
  }

  private synchronized String uuid() {
    long high = (random.nextLong() & ~0xF000L) | 0x4000L; // version 4, RFC 9562
    long low = (random.nextLong() & ~(3L << 62)) | (2L << 62);
    return new UUID(high, low).toString();
  }
}
