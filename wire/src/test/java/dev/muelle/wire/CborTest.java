package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.GetMetricStatisticsRequest;
import software.amazon.awssdk.services.cloudwatch.model.ResourceNotFoundException;

/** CBOR as clients send it, which the SDK for Java does not for any service that is here. */
class CborTest {
  private static final String SERVICE = "/service/GraniteServiceVersion20100801/operation/";
  private static final CBORFactory CBOR = new CBORFactory();

  private final AtomicReference<Object> asked = new AtomicReference<>();
  private final AtomicReference<Object> answer = new AtomicReference<>();
  private final Shapes shapes = new Shapes();
  private final AwsHandler handler =
      new AwsHandler(
          new Mounts()
              .mount(
                  CloudWatchClient.class,
                  caller ->
                      (CloudWatchClient)
                          Proxy.newProxyInstance(
                              CborTest.class.getClassLoader(),
                              new Class<?>[] {CloudWatchClient.class},
                              (proxy, method, args) -> {
                                asked.set(args[0]);
                                if (answer.get() instanceof RuntimeException e) {
                                  throw e;
                                }
                                return answer.get();
                              })),
          Access.open(),
          Clock.systemUTC(),
          new Random(1));

  @Test
  void noFieldIsLost() throws IOException {
    Random random = new Random(7);
    for (Method operation : ServiceModel.operationMethods(CloudWatchClient.class).values()) {
      for (Generator generator :
          List.of(new Generator(random, 1, 3, true), new Generator(random, 0.5, 5, true))) {
        SdkPojo request = generator.fill(builder(operation.getParameterTypes()[0]));
        SdkPojo response = generator.fill(builder(operation.getReturnType()));
        answer.set(response);
        HttpResponse answered = call(ServiceModel.wireName(operation), encode(request), Map.of());
        assertEquals(200, answered.status());
        assertEquals(List.of("rpc-v2-cbor"), answered.headers().get("Smithy-Protocol"));
        assertEquals(request, asked.get());
        assertEquals(response, decode(bytes(answered), builder(operation.getReturnType())));
      }
    }
  }

  @Test
  void timesAreTaggedSeconds() throws IOException {
    byte[] body =
        encode(GetMetricStatisticsRequest.builder().startTime(Instant.ofEpochMilli(1_500)).build());
    int tag = new String(body, StandardCharsets.ISO_8859_1).indexOf("Time") + 4;
    assertEquals((byte) 0xC1, body[tag]); // RFC 8949: tag 1
    assertEquals((byte) 0xFB, body[tag + 1]); // a double
  }

  @Test
  void errorsHaveTheirOlderNameToo() throws IOException {
    answer.set(ResourceNotFoundException.builder().message("no").resourceType("dashboard").build());
    HttpResponse answered = call("GetDashboard", encode(map()), Map.of());
    assertEquals(404, answered.status());
    assertEquals(
        List.of("ResourceNotFoundException;Sender"), answered.headers().get("x-amzn-query-error"));
    try (JsonParser in = CBOR.createParser(bytes(answered))) {
      in.nextToken();
      assertEquals("__type", in.nextFieldName());
      assertEquals("ResourceNotFoundException", in.nextTextValue());
    }
  }

  @Test
  void packedBodiesAreUnpacked() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(encode(GetMetricStatisticsRequest.builder().metricName("m").build()));
    }
    answer.set(builder("GetMetricStatisticsResponse"));
    call("GetMetricStatistics", packed.toByteArray(), Map.of("content-encoding", List.of("gzip")));
    assertEquals("m", ((GetMetricStatisticsRequest) asked.get()).metricName());
    HttpResponse broken =
        call("GetMetricStatistics", new byte[] {1}, Map.of("content-encoding", List.of("gzip")));
    assertEquals(400, broken.status());
  }

  @Test
  void whatIsBrokenIsRefused() throws IOException {
    answer.set(builder("GetDashboardResponse"));
    Random random = new Random(9);
    for (int i = 0; i < 2_000; i++) {
      byte[] garbage = new byte[random.nextInt(64) + 1];
      random.nextBytes(garbage);
      int status = call("GetDashboard", garbage, Map.of()).status();
      assertTrue(status == 200 || status == 400, () -> "status " + status);
    }
    assertEquals(400, call("NoSuchThing", encode(map()), Map.of()).status());
    assertEquals(200, call("GetDashboard", new byte[0], Map.of()).status());
  }

  private static SdkPojo map() {
    return GetMetricStatisticsRequest.builder().build();
  }

  private static SdkPojo builder(String simpleName) {
    try {
      return Shapes.build(
          builder(Class.forName("software.amazon.awssdk.services.cloudwatch.model." + simpleName)));
    } catch (ClassNotFoundException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  private static SdkPojo builder(Class<?> type) {
    try {
      return (SdkPojo) type.getMethod("builder").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  private static byte[] encode(SdkPojo pojo) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator out = CBOR.createGenerator(bytes)) {
      out.writeStartObject();
      JsonWriter.members(pojo, out);
      out.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private SdkPojo decode(byte[] body, SdkPojo builder) throws IOException {
    try (JsonParser in = CBOR.createParser(body)) {
      in.nextToken();
      return new JsonReader(in, shapes).struct(builder);
    }
  }

  private HttpResponse call(String operation, byte[] body, Map<String, List<String>> more)
      throws IOException {
    Map<String, List<String>> headers = new TreeMap<>(more);
    headers.put("smithy-protocol", List.of("rpc-v2-cbor"));
    headers.put("content-type", List.of("application/cbor"));
    return handler.handle(
        new HttpRequest(
            "POST", SERVICE + operation, "", headers, "::1", new ByteArrayInputStream(body)));
  }

  private static byte[] bytes(HttpResponse response) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    response.body().writeTo(bytes);
    return bytes.toByteArray();
  }
}
