package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.DescribeClustersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeClustersResponse;
import software.amazon.awssdk.services.ecs.model.ListClustersRequest;
import software.amazon.awssdk.services.ecs.model.ListClustersResponse;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityRequest;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

/** What goes wrong, byte for byte as callers see it in each protocol. */
class ErrorsTest {
  private static final String ECS = "AmazonEC2ContainerServiceV20141113.";

  private static final class Ecs implements EcsClient {
    @Override
    public DescribeClustersResponse describeClusters(DescribeClustersRequest request) {
      return DescribeClustersResponse.builder().build();
    }

    @Override
    public ListClustersResponse listClusters(ListClustersRequest request) {
      throw new IllegalStateException("the secret is in the stack trace");
    }

    @Override
    public String serviceName() {
      return "ecs";
    }

    @Override
    public void close() {}
  }

  private static final class Sts implements StsClient {
    @Override
    public GetCallerIdentityResponse getCallerIdentity(GetCallerIdentityRequest request) {
      Caller caller = Caller.current();
      return GetCallerIdentityResponse.builder()
          .account(caller.account())
          .arn(caller.arn() + "@" + caller.region())
          .build();
    }

    @Override
    public String serviceName() {
      return "sts";
    }

    @Override
    public void close() {}
  }

  private static final class Ec2 implements Ec2Client {
    @Override
    public DescribeVpcsResponse describeVpcs(DescribeVpcsRequest request) {
      return DescribeVpcsResponse.builder()
          .vpcs(Vpc.builder().vpcId("vpc-" + request.maxResults()).build())
          .build();
    }

    @Override
    public String serviceName() {
      return "ec2";
    }

    @Override
    public void close() {}
  }

  private final Mounts mounts =
      new Mounts()
          .mount(EcsClient.class, caller -> new Ecs())
          .mount(StsClient.class, caller -> new Sts())
          .mount(Ec2Client.class, caller -> new Ec2());
  private final AwsHandler open = handler(Access.open());
  private final AwsHandler verified = handler(Access.verified(id -> Optional.empty()));

  private AwsHandler handler(Access access) {
    return new AwsHandler(mounts, access, InstantSource.system(), new Random(7), 1000);
  }

  private record Answer(int status, String type, String id, String body) {}

  private static Answer send(AwsHandler to, HttpRequest request) throws IOException {
    HttpResponse response = to.handle(request);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    response.body().writeTo(body);
    return new Answer(
        response.status(),
        response.headers().getOrDefault("Content-Type", List.of()).getFirst(),
        response.headers().getOrDefault("x-amzn-RequestId", List.of()).getFirst(),
        body.toString(StandardCharsets.UTF_8));
  }

  private static HttpRequest request(
      String method, String query, Map<String, String> headers, InputStream body) {
    Map<String, List<String>> all = new TreeMap<>();
    headers.forEach((name, value) -> all.put(name, List.of(value)));
    return new HttpRequest(method, "/", query, all, "127.0.0.1", body);
  }

  private static HttpRequest json(String target, String body) {
    return request(
        "POST",
        "",
        Map.of("x-amz-target", target, "content-type", "application/x-amz-json-1.1"),
        stream(body));
  }

  private static HttpRequest form(String body) {
    return request(
        "POST", "", Map.of("content-type", "application/x-www-form-urlencoded"), stream(body));
  }

  private static HttpRequest signedFor(String service, String body) {
    return request(
        "POST",
        "",
        Map.of(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
            "authorization",
            "AWS4-HMAC-SHA256 Credential=123456789012/20261121/eu-west-1/"
                + service
                + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"),
        stream(body));
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void error(Answer answer, int status, String code, String message) {
    assertEquals(status, answer.status, answer.body);
    String form =
        answer.body.startsWith("{")
            ? "{\"__type\":\"%s\",\"message\":\"%s\"}".formatted(code, message)
            : "<Code>%s</Code><Message>%s</Message>".formatted(code, message);
    assertTrue(answer.body.contains(form), answer.body);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]                     | The body is not a JSON object.",
        "{}{}                   | The body holds more than one JSON object.",
        "{\"maxResults\":\"1\"} | STRING_VALUE can not be converted to a Integer",
        "{\"maxResults\":1.5}   | NUMBER_VALUE is out of range or has a fraction: not a Integer",
        "{\"maxResults\":1e999999999} | NUMBER_VALUE is out of range or has a fraction: not a Integer",
        "{\"maxResults\":{}}    | Start of structure or map found where not expected.",
        "{\"nextToken\":[]}     | Start of list found where not expected",
        "{\"clusters\":[null]}   | Null found in a list or map where not expected",
        "{\"nextToken\":7}      | NUMBER_VALUE can not be converted to a String",
      })
  void malformedJson(String body, String message) throws IOException {
    String operation = body.contains("clusters") ? "DescribeClusters" : "ListClusters";
    error(send(open, json(ECS + operation, body)), 400, "SerializationException", message);
  }

  @Test
  void jsonThatEndsTooSoonOrNestsTooDeep() throws IOException {
    Answer cut = send(open, json(ECS + "ListClusters", "{\"nextToken\":"));
    assertEquals(400, cut.status);
    assertTrue(cut.body.contains("SerializationException"), cut.body);
    Answer deep = send(open, json(ECS + "ListClusters", "{\"x\":" + "[".repeat(900)));
    assertEquals(400, deep.status);
    assertTrue(deep.body.contains("SerializationException"), deep.body);
  }

  @Test
  void unknownMembersAndNullsAreSkippedInJson() throws IOException {
    Answer answer =
        send(open, json(ECS + "DescribeClusters", "{\"new\":{\"a\":[1]},\"clusters\":null}"));
    assertEquals(new Answer(200, "application/x-amz-json-1.1", answer.id, "{}"), answer);
  }

  @Test
  void unknownOperations() throws IOException {
    error(
        send(open, json(ECS + "Nonsense", "{}")),
        400,
        "UnknownOperationException",
        "Unknown operation: " + ECS + "Nonsense");
    error(
        send(open, json("Nonsense.DescribeClusters", "{}")),
        400,
        "UnknownOperationException",
        "Unknown operation: Nonsense.DescribeClusters");
    // the case of names counts
    assertEquals(400, send(open, json(ECS + "describeclusters", "{}")).status);
    error(
        send(open, form("Action=Nonsense&Version=2011-06-15")),
        400,
        "InvalidAction",
        "Could not find operation Nonsense for version 2011-06-15");
    error(
        send(open, form("Action=GetCallerIdentity&Version=1999-01-01")),
        400,
        "InvalidAction",
        "Could not find operation GetCallerIdentity for version 1999-01-01");
    error(
        send(open, form("Action=Nonsense&Version=2016-11-15")),
        400,
        "InvalidAction",
        "The action Nonsense is not valid for this web service.");
    error(
        send(open, form("Version=2011-06-15")),
        400,
        "MissingAction",
        "The request is missing an action or a required parameter.");
  }

  @Test
  void operationsAndServicesThatAreNotBuilt() throws IOException {
    error(
        send(open, json(ECS + "ListServices", "{}")),
        501,
        "NotImplemented",
        "The operation ListServices of the service ecs is not implemented.");
    error(
        send(open, signedFor("ec2", "Action=DescribeRegions&Version=2016-11-15")),
        501,
        "NotImplemented",
        "The operation DescribeRegions of the service ec2 is not implemented.");
    error(
        send(open, signedFor("sqs", "Action=ListQueues&Version=2012-11-05")),
        501,
        "NotImplemented",
        "The operation ListQueues of the service sqs is not implemented: the service is not served"
            + " here.");
  }

  @Test
  void theFormsOfXmlErrors() throws IOException {
    Answer sts = send(open, form("Action=AssumeRole&Version=2011-06-15"));
    assertEquals("text/xml;charset=UTF-8", sts.type);
    assertEquals(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
            + "<Type>Receiver</Type><Code>NotImplemented</Code><Message>The operation AssumeRole of"
            + " the service sts is not implemented.</Message></Error><RequestId>"
            + sts.id
            + "</RequestId></ErrorResponse>",
        sts.body);
    Answer ec2 = send(open, form("Action=DescribeRegions&Version=2016-11-15"));
    assertEquals(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + "<Response><Errors><Error><Code>NotImplemented</Code><Message>The operation"
            + " DescribeRegions of the service ec2 is not implemented.</Message></Error></Errors>"
            + "<RequestID>"
            + ec2.id
            + "</RequestID></Response>",
        ec2.body);
  }

  @Test
  void theFormsOfXmlAnswers() throws IOException {
    Answer sts = send(open, signedFor("sts", "Action=GetCallerIdentity&Version=2011-06-15"));
    assertEquals(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
            + "<GetCallerIdentityResult><Account>123456789012</Account>"
            + "<Arn>arn:aws:iam::123456789012:root@eu-west-1</Arn></GetCallerIdentityResult>"
            + "<ResponseMetadata><RequestId>"
            + sts.id
            + "</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        sts.body);
    Answer ec2 =
        send(
            open,
            request(
                "GET",
                "Action=DescribeVpcs&Version=2016-11-15&MaxResults=5",
                Map.of(),
                InputStream.nullInputStream()));
    assertEquals(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
            + "<requestId>"
            + ec2.id
            + "</requestId><vpcSet><item><vpcId>vpc-5</vpcId></item></vpcSet>"
            + "</DescribeVpcsResponse>",
        ec2.body);
  }

  @Test
  void malformedForms() throws IOException {
    error(
        send(open, signedFor("sts", "Action=%zz&Version=2011-06-15")),
        400,
        "MalformedQueryString",
        "The query string contains a broken escape.");
    error(
        send(open, signedFor("sts", "Action=%ff&Version=2011-06-15")),
        400,
        "MalformedQueryString",
        "The query string is not valid UTF-8.");
    String vpcs = "Action=DescribeVpcs&Version=2016-11-15&";
    error(
        send(open, form(vpcs + "MaxResults=many")),
        400,
        "InvalidParameterValue",
        "Invalid value &apos;many&apos; for the parameter MaxResults".replace("&apos;", "'"));
    error(
        send(open, form(vpcs + "Filter.x.Name=a")),
        400,
        "MalformedQueryString",
        "The parameter Filter.x has no number where one belongs");
    error(
        send(open, form(vpcs + "Filter.1.Nome=a")),
        400,
        "UnknownParameter",
        "The parameter Filter.1.Nome is not recognized");
    error(
        send(open, form(vpcs + "a.".repeat(65) + "=1")),
        400,
        "MalformedQueryString",
        "A parameter name has more than 64 parts.");
  }

  /** A body that would never end, and tells when somebody reads too much of it. */
  private static final class Endless extends InputStream {
    private int read;

    @Override
    public int read() {
      assertTrue(++read < 100_000, "read on and on");
      return 'x';
    }

    @Override
    public int read(byte[] into, int from, int length) {
      read += length;
      assertTrue(read < 100_000, "read on and on");
      Arrays.fill(into, from, from + length, (byte) 'x');
      return length;
    }
  }

  /** A body that is known to be too large, and must not be read at all. */
  private static final class Untouchable extends InputStream {
    @Override
    public int read() {
      throw new AssertionError("read although it is known to be too large");
    }

    @Override
    public int read(byte[] into, int from, int length) {
      return read();
    }
  }

  @Test
  void bodiesOverTheLimit() throws IOException {
    String message = "The request body is larger than the limit of 1000 bytes.";
    HttpRequest announced =
        request(
            "POST",
            "",
            Map.of("x-amz-target", ECS + "ListClusters", "content-length", "100000000"),
            new Untouchable());
    error(send(open, announced), 413, "RequestEntityTooLarge", message);
    HttpRequest chunked =
        request("POST", "", Map.of("x-amz-target", ECS + "ListClusters"), new Endless());
    error(send(open, chunked), 413, "RequestEntityTooLarge", message);
    HttpRequest form =
        request(
            "POST", "", Map.of("content-type", "application/x-www-form-urlencoded"), new Endless());
    error(send(open, form), 413, "RequestEntityTooLarge", message);
  }

  @Test
  void aFaultOfOursTellsNothing() throws IOException {
    Answer answer = send(open, json(ECS + "ListClusters", "{}"));
    error(
        answer,
        500,
        "InternalFailure",
        "The request processing has failed because of an unknown error, exception or failure.");
    assertFalse(answer.body.contains("secret"));
  }

  @Test
  void strangersAreRefusedInTheirProtocol() throws IOException {
    error(
        send(verified, json(ECS + "ListClusters", "{}")),
        400,
        "MissingAuthenticationTokenException",
        "Request is missing Authentication Token");
    error(
        send(verified, form("Action=GetCallerIdentity&Version=2011-06-15")),
        403,
        "MissingAuthenticationToken",
        "Request is missing Authentication Token");
    Answer ec2 = send(verified, form("Action=DescribeVpcs&Version=2016-11-15"));
    error(ec2, 403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    assertTrue(ec2.body.contains("<Response><Errors>"), ec2.body);
  }

  @Test
  void unknownKeysAreRefusedInTheirProtocol() throws IOException {
    HttpRequest sts = signedFor("sts", "Action=GetCallerIdentity&Version=2011-06-15");
    sts.headers().put("x-amz-date", List.of("20261121T000000Z"));
    error(
        send(verified, sts),
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.");
    HttpRequest ec2 = signedFor("ec2", "Action=DescribeVpcs&Version=2016-11-15");
    ec2.headers().put("x-amz-date", List.of("20261121T000000Z"));
    error(
        send(verified, ec2),
        401,
        "AuthFailure",
        "AWS was not able to validate the provided access credentials");
  }

  @Test
  void chunkSignedBodiesAreRefusedByName() throws IOException {
    HttpRequest request = json(ECS + "ListClusters", "0;chunk-signature=00");
    request.headers().put("x-amz-content-sha256", List.of("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
    error(
        send(open, request),
        501,
        "NotImplemented",
        "A body signed in chunks (STREAMING-AWS4-HMAC-SHA256-PAYLOAD) is not accepted: sign it as a"
            + " whole.");
  }

  @Test
  void theServiceThatWasSignedForMattersOnlyWhereSignaturesDo() throws IOException {
    assertEquals(
        200, send(open, signedFor("sts", "Action=DescribeVpcs&Version=2016-11-15")).status);
    assertEquals(
        200, send(open, signedFor("sqs", "Action=DescribeVpcs&Version=2016-11-15")).status);
  }

  @Test
  void theOpenDoorTakesAnyKeyAndNoKey() throws IOException {
    HttpRequest nobody = form("Action=GetCallerIdentity&Version=2011-06-15");
    assertTrue(send(open, nobody).body.contains("arn:aws:iam::000000000000:root@us-east-1"));
  }
}
