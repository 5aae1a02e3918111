package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import software.amazon.awssdk.core.SdkPojo;

/**
 * <a href="https://smithy.io/2.0/aws/protocols/aws-query-protocol.html">awsQuery</a>: a form with
 * dotted names goes in, XML in a result wrapper comes out.
 */
record AwsQuery() implements Protocol {

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    return new QueryReader(exchange.form(), false).request(builder);
  }

  @Override
  public HttpResponse encode(Operation operation, SdkPojo response, String requestId) {
    XmlWriter out = new XmlWriter();
    out.open(operation.name() + "Response", operation.service().xmlNamespace());
    out.open(operation.name() + "Result");
    out.members(response);
    out.close();
    out.open("ResponseMetadata");
    out.element("RequestId", requestId);
    out.close();
    out.close();
    return out.answer(200, requestId);
  }

  @Override
  public HttpResponse encode(Failure failure, String xmlNamespace, String requestId) {
    XmlWriter out = new XmlWriter();
    out.open("ErrorResponse", xmlNamespace);
    out.open("Error");
    out.element("Type", failure.type());
    out.element("Code", failure.code());
    out.element("Message", failure.message());
    if (failure.details() != null) {
      out.members(failure.details());
    }
    out.close();
    out.element("RequestId", requestId);
    out.close();
    return out.answer(failure.status(), requestId);
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inQuery();
  }
}
