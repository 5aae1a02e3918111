package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import software.amazon.awssdk.core.SdkPojo;

/**
 * <a href="https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html">ec2Query</a>: like
 * awsQuery with other names, without wrappers, and strict: a parameter that the model does not know
 * is refused, as EC2 does.
 */
record Ec2Query() implements Protocol {

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    QueryReader reader = new QueryReader(exchange.form(), true);
    SdkPojo request = reader.request(builder);
    reader.refuseUnread();
    return request;
  }

  @Override
  public HttpResponse encode(Operation operation, SdkPojo response, String requestId) {
    XmlWriter out = new XmlWriter();
    out.open(operation.name() + "Response", operation.service().xmlNamespace());
    out.element("requestId", requestId);
    if (response.sdkFields().isEmpty()) {
      out.element("return", "true"); // EC2's way to say that there is nothing to say
    } else {
      out.members(response);
    }
    out.close();
    return out.answer(200, requestId);
  }

  @Override
  public HttpResponse encode(Failure failure, String xmlNamespace, String requestId) {
    XmlWriter out = new XmlWriter();
    out.open("Response");
    out.open("Errors");
    out.open("Error");
    out.element("Code", failure.code());
    out.element("Message", failure.message());
    out.close();
    out.close();
    out.element("RequestID", requestId);
    out.close();
    return out.answer(failure.status(), requestId);
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inEc2();
  }
}
