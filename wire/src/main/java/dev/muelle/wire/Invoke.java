package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.SdkPojo;

/** Decodes the request, calls the service in the caller's name, encodes the response. */
final class Invoke implements Chain.Step {

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    Operation operation = exchange.operation();
    SdkPojo request = exchange.protocol().decode(operation.request().get(), exchange);
    return ScopedValue.where(Caller.CURRENT, exchange.caller())
        .call(() ->
            switch (operation.call()) {
              case Operation.Call.Once once ->
                  exchange
                      .protocol()
                      .encode(operation, once(exchange, once, request), exchange.requestId());
              case Operation.Call.Streaming streaming ->
                  exchange.protocol().stream(
                      operation,
                      streaming.begin().apply(exchange.caller(), request),
                      exchange.requestId());
            });
  }

  private static SdkPojo once(Exchange exchange, Operation.Call.Once once, SdkPojo request) {
    return call(once, exchange.mount().implementation(exchange.caller()), request);
  }

  private static SdkPojo call(Operation.Call.Once once, SdkClient service, SdkPojo request) {
    try {
      return (SdkPojo) once.method().invokeExact(service, request);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // client interfaces declare no checked exceptions
    }
  }
}
