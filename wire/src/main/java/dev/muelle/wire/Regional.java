package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.Optional;

/** Turns away who signed for another region than the one that answers here. */
final class Regional implements Chain.Step {
  private final Optional<String> region;

  /**
   * A step.
   *
   * @param region empty where all of them answer
   */
  Regional(Optional<String> region) {
    this.region = region;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    String signed = exchange.caller().region();
    if (region.isPresent() && !region.get().equals(signed)) {
      throw new WireException(
          Fault.WRONG_SIGNATURE,
          "Credential should be scoped to a valid region, not '" + signed + "'. ");
    }
    return next.proceed(exchange);
  }
}
