package dev.muelle.wire;

import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import software.amazon.awssdk.core.SdkPojo;

/**
 * <a href="https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html">Smithy RPC v2
 * CBOR</a>: service and operation are in the path, everything else is one CBOR map. The aws command
 * speaks it to CloudWatch, whose errors then carry their older name in a header, too (<a
 * href="https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait">awsQueryCompatible</a>).
 */
record RpcV2Cbor(Shapes shapes) implements Protocol {

  /** In the header Smithy-Protocol. */
  static final String NAME = "rpc-v2-cbor";

  /** The tag of times, RFC 8949 section 3.4.2. */
  static final int EPOCH_SECONDS = 1;

  private static final Document DOCUMENT = new Document(new CBORFactory(), "CBOR map");

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    try {
      return DOCUMENT.read(exchange.content(), builder, shapes);
    } catch (IOException e) { // it is all in memory: only the form can be broken
      throw new WireException(Fault.MALFORMED, "The body is not valid CBOR.");
    }
  }

  @Override
  public HttpResponse encode(Operation operation, SdkPojo response, String requestId) {
    return answer(200, requestId, DOCUMENT.write(response));
  }

  @Override
  public HttpResponse encode(Failure failure, String xmlNamespace, String requestId) {
    return answer(failure.status(), requestId, DOCUMENT.write(failure))
        .header("x-amzn-query-error", failure.code() + ";" + failure.type());
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inJson();
  }

  private static HttpResponse answer(int status, String requestId, byte[] body) {
    return HttpResponse.of(status)
        .header("x-amzn-RequestId", requestId)
        .header("Smithy-Protocol", NAME)
        .header("Content-Type", "application/cbor")
        .body(body);
  }
}
