package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * The one edge at which errors become answers. Exceptions of the SDK say what a caller did wrong;
 * anything else is our fault and is told only to the log, under the request's id.
 */
final class RenderErrors implements Chain.Step {
  private static final Logger LOG = LoggerFactory.getLogger(RenderErrors.class);

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    Failure failure;
    try {
      return next.proceed(exchange);
    } catch (WireException e) {
      failure = said(exchange, e.fault(), e.said());
    } catch (AwsServiceException e) {
      failure = modelled(exchange, e);
    } catch (UnsupportedOperationException e) {
      failure = notBuilt(exchange, e) ? notImplemented(exchange) : unexpected(exchange, e);
    } catch (RuntimeException | StackOverflowError e) {
      failure = unexpected(exchange, e);
    }
    String namespace = exchange.service().map(ServiceModel::xmlNamespace).orElse("");
    return exchange.protocol().encode(failure, namespace, exchange.requestId());
  }

  private static Failure said(Exchange exchange, Fault fault, String message) {
    Fault.Said said = exchange.protocol().say(fault);
    return new Failure(
        said.code(), said.status(), said.message().isEmpty() ? message : said.message(), null);
  }

  /** Was it thrown by the interface's own default method? Then nobody has overridden it. */
  private static boolean notBuilt(Exchange exchange, UnsupportedOperationException e) {
    StackTraceElement[] trace = e.getStackTrace();
    return trace.length > 0
        && exchange
            .service()
            .map(service -> service.client().getName().equals(trace[0].getClassName()))
            .orElse(false);
  }

  private static Failure notImplemented(Exchange exchange) {
    Operation operation = exchange.operation();
    return said(
        exchange,
        Fault.NOT_IMPLEMENTED,
        "The operation "
            + operation.name()
            + " of the service "
            + operation.service().signingName()
            + " is not implemented.");
  }

  private static Failure modelled(Exchange exchange, AwsServiceException e) {
    ClientClassFile.WireError modelled =
        exchange
            .service()
            .map(service -> service.errors().get(e.getClass().getName()))
            .orElse(null);
    AwsErrorDetails details = e.awsErrorDetails();
    String code = details == null ? null : details.errorCode();
    int status = e.statusCode();
    if (code == null) {
      if (modelled == null) {
        return unexpected(exchange, e); // an exception of another service, or one without a code
      }
      code = modelled.code();
    }
    if (status == 0) {
      status = modelled == null || modelled.status() == 0 ? 400 : modelled.status();
    }
    String message = details == null ? null : details.errorMessage();
    if (message == null) {
      message = e.toBuilder().message();
    }
    return new Failure(code, status, message == null ? "" : message, e);
  }

  private static Failure unexpected(Exchange exchange, Throwable e) {
    LOG.error("Request {} failed unexpectedly", exchange.requestId(), e);
    return said(
        exchange,
        Fault.INTERNAL,
        "The request processing has failed because of an unknown error, exception or failure.");
  }
}
