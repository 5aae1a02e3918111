package dev.muelle.wire;

import com.fasterxml.jackson.core.JsonFactory;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.time.DateTimeException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.protocol.MarshallLocation;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;
import software.amazon.awssdk.utils.builder.ToCopyableBuilder;

/**
 * <a href="https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html">restJson1</a>: the
 * operation is a method and a path, members are in the path, the query and headers, and the others
 * in one JSON object. Not spoken yet, because no service here has them: bodies that are one member
 * by themselves, maps in queries and headers, and answers with members outside the body.
 */
record RestJson(Shapes shapes) implements Protocol {

  private static final Document DOCUMENT = new Document(new JsonFactory(), "JSON object");

  @Override
  public SdkPojo decode(SdkPojo builder, Exchange exchange) {
    HttpRequest http = exchange.request();
    // What a body says of members that have another place counts for nothing.
    SdkPojo body = new AwsJson("1.1", shapes).decode(builder, exchange);
    SdkPojo request = (SdkPojo) ((ToCopyableBuilder<?, ?>) body).toBuilder();
    Map<String, String> labels =
        exchange.operation().resource().labels(http.method(), http.path()).orElse(Map.of());
    FormData query = FormData.parse(http.query());
    for (SdkField<?> field : request.sdkFields()) {
      String name = field.locationName();
      switch (field.location()) {
        case PAYLOAD, STATUS_CODE -> {}
        case PATH, GREEDY_PATH -> field.set(request, labels.get(name));
        case QUERY_PARAM ->
            set(
                field,
                request,
                query.pairs().stream()
                    .filter(pair -> pair.getKey().equals(name))
                    .map(Map.Entry::getValue)
                    .toList());
        case HEADER -> set(field, request, http.header(name).map(List::of).orElse(List.of()));
      }
    }
    return Shapes.build(request);
  }

  private static void set(SdkField<?> field, SdkPojo request, List<String> texts) {
    field.set(request, texts.isEmpty() ? null : value(field, texts));
  }

  private static @Nullable Object value(SdkField<?> field, List<String> texts) {
    String text = texts.getFirst();
    try {
      return switch (field.marshallingType().getKnownType()) {
        case STRING -> text;
        case INTEGER -> Integer.valueOf(text);
        case LONG -> Long.valueOf(text);
        case SHORT -> Short.valueOf(text);
        case BYTE -> Byte.valueOf(text);
        case DOUBLE -> Double.valueOf(text);
        case FLOAT -> Float.valueOf(text);
        case BOOLEAN -> flag(text);
        case INSTANT -> Timestamps.read(text, Timestamps.format(field, Format.ISO_8601));
        case LIST -> {
          SdkField<?> item = field.getRequiredTrait(ListTrait.class).memberFieldInfo();
          yield texts.stream().map(one -> value(item, List.of(one))).toList();
        }
        case BIG_DECIMAL, SDK_BYTES, SDK_POJO, MAP, DOCUMENT, NULL ->
            throw new IllegalArgumentException(field.memberName() + " has no form outside a body");
      };
    } catch (NumberFormatException | DateTimeException e) {
      throw wrong(field, text);
    }
  }

  private static boolean flag(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new NumberFormatException(text);
    };
  }

  private static WireException wrong(SdkField<?> field, String text) {
    return new WireException(
        Fault.BAD_VALUE, "'" + text + "' is no value of " + field.locationName());
  }

  @Override
  public HttpResponse encode(Operation operation, SdkPojo response, String requestId) {
    for (SdkField<?> field : response.sdkFields()) {
      if (field.location() != MarshallLocation.PAYLOAD) {
        throw new IllegalArgumentException(field.memberName() + " has no place in a body");
      }
    }
    return answer(
        operation.service().status(operation.name()), requestId, DOCUMENT.write(response));
  }

  @Override
  public HttpResponse encode(Failure failure, String xmlNamespace, String requestId) {
    return answer(failure.status(), requestId, DOCUMENT.write(failure))
        .header("x-amzn-ErrorType", failure.code());
  }

  @Override
  public Fault.Said say(Fault fault) {
    return fault.inJson();
  }

  private static HttpResponse answer(int status, String requestId, byte[] body) {
    return HttpResponse.of(status)
        .header("x-amzn-RequestId", requestId)
        .header("Content-Type", "application/json")
        .body(body);
  }
}
