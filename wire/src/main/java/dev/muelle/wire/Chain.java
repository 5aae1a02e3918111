package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.List;

/** The request path: a list of steps, each free to answer itself or to pass on. */
final class Chain {

  /** What is below a step. */
  @FunctionalInterface
  interface Next {
    HttpResponse proceed(Exchange exchange) throws IOException;
  }

  /** One step. */
  @FunctionalInterface
  interface Step {
    HttpResponse take(Exchange exchange, Next next) throws IOException;
  }

  private Chain() {}

  /** The steps, first one outermost. */
  static Next of(Step... steps) {
    Next next =
        exchange -> {
          throw new IllegalStateException("the last step must answer");
        };
    for (Step step : List.of(steps).reversed()) {
      Next below = next;
      next = exchange -> step.take(exchange, below);
    }
    return next;
  }
}
