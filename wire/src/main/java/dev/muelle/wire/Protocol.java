package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import software.amazon.awssdk.core.SdkPojo;

/**
 * One of AWS's wire protocols, from the server's side: requests are decoded into the SDK's model
 * classes, responses and errors encoded from them.
 *
 * <p>restXml is a further member of this family: one more record here and one more line in {@link
 * ClientClassFile#protocol}.
 */
sealed interface Protocol permits AwsJson, AwsQuery, Ec2Query, RestJson, RpcV2Cbor {

  /**
   * Fills a request.
   *
   * @param builder the empty builder of the operation's request class
   * @return the built request
   * @throws WireException if the body cannot be understood
   */
  SdkPojo decode(SdkPojo builder, Exchange exchange);

  HttpResponse encode(Operation operation, SdkPojo response, String requestId);

  /**
   * An answer that goes on.
   *
   * @throws WireException if this protocol has none
   */
  default HttpResponse stream(Operation operation, EventStream stream, String requestId) {
    throw new WireException(
        Fault.NOT_IMPLEMENTED,
        "The operation " + operation.name() + " is not implemented in this protocol.");
  }

  HttpResponse encode(Failure failure, String xmlNamespace, String requestId);

  /** How this protocol says a fault of the wire layer. */
  Fault.Said say(Fault fault);
}
