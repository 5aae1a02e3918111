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
    SdkPojo response =
        ScopedValue.where(Caller.CURRENT, exchange.caller())
            .call(
                () -> call(operation, exchange.mount().implementation(exchange.caller()), request));
    return exchange.protocol().encode(operation, response, exchange.requestId());
  }

  private static SdkPojo call(Operation operation, SdkClient service, SdkPojo request) {
    try {
      return (SdkPojo) operation.call().invokeExact(service, request);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // client interfaces declare no checked exceptions
    }
  }
}
