package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.services.arczonalshift.ArcZonalShiftClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.GetRoleResponse;
import software.amazon.awssdk.services.iam.model.Role;

/** Whatever comes in, the answer is the caller's fault or fine, never ours, and never hangs. */
class GarbageTest {
  private final long seed = Long.getLong("seed", 20261121);
  private final Random random = new Random(seed);
  private final AwsHandler handler =
      new AwsHandler(
          new Mounts()
              .mount(DynamoDbClient.class, caller -> nobody(DynamoDbClient.class))
              .mount(CloudWatchLogsClient.class, caller -> nobody(CloudWatchLogsClient.class))
              .mount(Ec2Client.class, caller -> nobody(Ec2Client.class))
              .mount(
                  ElasticLoadBalancingV2Client.class,
                  caller -> nobody(ElasticLoadBalancingV2Client.class))
              .mount(ArcZonalShiftClient.class, caller -> nobody(ArcZonalShiftClient.class))
              .mount(IamClient.class, caller -> iam()),
          Access.open(),
          InstantSource.system(),
          new Random(1));

  /** Refuses everything that could be decoded. */
  private static <C extends SdkClient> C nobody(Class<C> type) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            java.lang.reflect.InvocationHandler::invokeDefault));
  }

  private static IamClient iam() {
    return (IamClient)
        Proxy.newProxyInstance(
            IamClient.class.getClassLoader(),
            new Class<?>[] {IamClient.class},
            (proxy, method, args) ->
                GetRoleResponse.builder()
                    .role(Role.builder().description("\u0000\u0007\uD800\uFFFF]]><&\r\n").build())
                    .build());
  }

  private HttpResponse send(String target, byte[] body) throws IOException {
    Map<String, List<String>> headers =
        target.isEmpty()
            ? Map.of("content-type", List.of("application/x-www-form-urlencoded"))
            : Map.of("x-amz-target", List.of(target));
    return handler.handle(
        new HttpRequest("POST", "/", "", headers, "127.0.0.1", new ByteArrayInputStream(body)));
  }

  private void neverOurFault(String target, byte[] body) throws IOException {
    int status = send(target, body).status();
    assertTrue(
        status == 400 || status == 501,
        () -> "seed " + seed + ": " + status + " for " + new String(body, StandardCharsets.UTF_8));
  }

  private byte[] from(String[] words, int most) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(most); i > 0; i--) {
      text.append(words[random.nextInt(words.length)]);
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length > 0 && random.nextInt(4) == 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return bytes;
  }

  @Test
  void rest() throws IOException {
    String[] paths = {
      "/", "zonalshifts", "/zonalshifts", "/managedresources", "%2F", "%", "%zz", "+", "..", "{x+}"
    };
    String[] queries = {
      "maxResults=", "status=", "nextToken=", "&", "=", "7", "99999999999", "%", "%C3", "ACTIVE"
    };
    String[] bodies = {
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "\"comment\":",
      "\"expiresIn\":",
      "\"zonalShiftId\":",
      "\"x\"",
      "7"
    };
    Map<String, List<String>> signed =
        Map.of(
            "authorization",
            List.of(
                "AWS4-HMAC-SHA256 Credential=x/20260203/us-east-1/arc-zonal-shift/aws4_request,"
                    + " SignedHeaders=host, Signature=00"));
    String[] methods = {"GET", "POST", "PATCH", "DELETE", "PUT"};
    Set<Integer> seen = new TreeSet<>();
    for (int i = 0; i < 20_000; i++) {
      String method = methods[random.nextInt(methods.length)];
      String path = "/" + new String(from(paths, 4), StandardCharsets.ISO_8859_1);
      String query = new String(from(queries, 6), StandardCharsets.ISO_8859_1);
      int status =
          handler
              .handle(
                  new HttpRequest(
                      method,
                      path,
                      query,
                      signed,
                      "127.0.0.1",
                      new ByteArrayInputStream(from(bodies, 8))))
              .status();
      seen.add(status);
      assertTrue(
          status == 400 || status == 404 || status == 501,
          () -> "seed " + seed + ": " + status + " for " + method + " " + path + "?" + query);
    }
    assertTrue(seen.containsAll(Set.of(400, 501)), seen::toString);
  }

  @Test
  void json() throws IOException {
    String[] words = {
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "\"TableName\":",
      "\"Item\":{\"k\":",
      "\"S\":",
      "\"N\":\"1\"",
      "\"L\":[",
      "\"B\":\"=\"",
      "\"BOOL\":",
      "true",
      "null",
      "1e999999999",
      "-1e-999999999",
      "7",
      "\"x\"",
      "\"\\u12",
      "\"startTime\":",
      "\"endTime\":",
      "\"limit\":",
      "NaN",
      " "
    };
    for (int i = 0; i < 10_000; i++) {
      byte[] body = from(words, 14);
      neverOurFault("DynamoDB_20120810.PutItem", body);
      neverOurFault("Logs_20140328.StartQuery", body);
    }
    for (String number :
        List.of(
            "1e2147483647",
            "1e-2147483647",
            "1e-2147483648",
            "-1e-9999999991",
            "1e999999999",
            "1e-999999999",
            "-1e18",
            "1e400",
            "9".repeat(999))) {
      byte[] body = ("{\"ExportTime\":" + number + "}").getBytes(StandardCharsets.UTF_8);
      neverOurFault("DynamoDB_20120810.ExportTableToPointInTime", body);
      neverOurFault(
          "Logs_20140328.StartQuery",
          ("{\"limit\":" + number + "}").getBytes(StandardCharsets.UTF_8));
      neverOurFault(
          "DynamoDB_20120810.ListTables",
          ("{\"Limit\":" + number + "}").getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void jsonInOtherEncodings() throws IOException {
    neverOurFault("Logs_20140328.StartQuery", new byte[] {0, 0, 0, '{', 0x7f, 0, 0, 0});
    neverOurFault("Logs_20140328.StartQuery", "{\"a\":".getBytes(StandardCharsets.UTF_16));
  }

  @Test
  void forms() throws IOException {
    String[] words = {
      "&",
      "=",
      ".",
      "Filter",
      "Filter.1",
      ".Name",
      ".Value",
      "1",
      "-1",
      "99999999999",
      "InstanceId",
      "LoadBalancerArns",
      ".member",
      "%",
      "%4",
      "%41",
      "+",
      "é",
      "MaxResults",
      "PageSize",
      "true",
      "TagSpecification.1.Tag.1.Key",
      "NetworkInterface.1.PrivateIpAddresses",
      "StartTime"
    };
    for (int i = 0; i < 10_000; i++) {
      String tail = new String(from(words, 14), StandardCharsets.ISO_8859_1);
      for (String action :
          List.of(
              "Action=RunInstances&Version=2016-11-15&",
              "Action=DescribeSpotPriceHistory&Version=2016-11-15&",
              "Action=DescribeLoadBalancers&Version=2015-12-01&")) {
        neverOurFault("", (action + tail).getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void whateverAServiceSaysIsWellFormedXml() throws Exception {
    HttpResponse response =
        send("", "Action=GetRole&Version=2010-05-08".getBytes(StandardCharsets.UTF_8));
    assertEquals(200, response.status());
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    response.body().writeTo(body);
    String description =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(body.toByteArray()))
            .getElementsByTagName("Description")
            .item(0)
            .getTextContent();
    assertEquals("\uFFFD\uFFFD\uFFFD\uFFFD]]><&\r\n", description);
  }
}
