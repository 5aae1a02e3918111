package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogEventsResponse;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.PutItemResponse;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;
import software.amazon.awssdk.services.ecs.model.CreateClusterRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTasksResponse;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancersResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.CreateRoleRequest;
import software.amazon.awssdk.services.iam.model.CreateRoleResponse;
import software.amazon.awssdk.services.iam.model.Role;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

/** The second, independent client: the {@code aws} command, signing for real. */
class BotocoreTest {
  private static final Path AWS = Path.of("/usr/bin/aws");
  private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

  private final Map<String, Object> asked = new ConcurrentHashMap<>();
  private final Map<String, Function<Object, Object>> answers = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(Files.isExecutable(AWS), "the aws command is not installed");
    Mounts mounts = new Mounts();
    mount(mounts, EcsClient.class);
    mount(mounts, CloudWatchLogsClient.class);
    mount(mounts, DynamoDbClient.class);
    mount(mounts, ElasticLoadBalancingV2Client.class);
    mount(mounts, IamClient.class);
    mount(mounts, StsClient.class);
    mount(mounts, Ec2Client.class);
    AccessKeys keys =
        id ->
            id.equals("AKIDEXAMPLE")
                ? Optional.of(
                    new AccessKeys.AccessKey(
                        id, SECRET, "", "123456789012", "arn:aws:iam::123456789012:root", "root"))
                : Optional.empty();
    AwsHandler handler =
        new AwsHandler(mounts, Access.verified(keys), InstantSource.system(), new Random(1));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", exchange -> serve(exchange, handler));
    server.start();
  }

  @AfterEach
  void stop() {
    if (server != null) {
      server.stop(0);
    }
    threads.close();
  }

  /** A service that answers what the test says and has overridden only that. */
  private <C extends SdkClient> void mount(Mounts mounts, Class<C> type) {
    Object service =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) -> {
              asked.put(method.getName(), args[0]);
              Function<Object, Object> answer = answers.get(method.getName());
              return answer == null
                  ? java.lang.reflect.InvocationHandler.invokeDefault(proxy, method, args)
                  : answer.apply(args[0]);
            });
    mounts.mount(type, caller -> type.cast(service));
  }

  private static void serve(HttpExchange exchange, AwsHandler handler) throws IOException {
    Map<String, List<String>> headers = new TreeMap<>();
    exchange
        .getRequestHeaders()
        .forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values));
    URI uri = exchange.getRequestURI();
    HttpResponse response =
        handler.handle(
            new HttpRequest(
                exchange.getRequestMethod(),
                uri.getRawPath(),
                uri.getRawQuery() == null ? "" : uri.getRawQuery(),
                headers,
                "127.0.0.1",
                exchange.getRequestBody()));
    exchange.getResponseHeaders().putAll(response.headers());
    exchange.sendResponseHeaders(
        response.status(), response.length() == 0 ? -1 : response.length());
    try (OutputStream out = exchange.getResponseBody()) {
      response.body().writeTo(out);
    }
    exchange.close();
  }

  private record Ran(int exit, String out, String err) {}

  private Ran aws(String... arguments) throws Exception {
    return awsWith(SECRET, arguments);
  }

  private Ran awsWith(String secret, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(AWS.toString());
    command.add("--endpoint-url=http://localhost:" + server.getAddress().getPort());
    command.addAll(List.of("--region", "eu-west-1", "--output", "json"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder
        .environment()
        .putAll(
            Map.of(
                "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY", secret,
                "AWS_SESSION_TOKEN", "",
                "AWS_CONFIG_FILE", "/dev/null",
                "AWS_SHARED_CREDENTIALS_FILE", "/dev/null",
                "AWS_EC2_METADATA_DISABLED", "true",
                "AWS_PAGER", ""));
    Process process = builder.start();
    process.getOutputStream().close();
    var err = threads.submit(() -> text(process.getErrorStream()));
    String out = text(process.getInputStream());
    return new Ran(process.waitFor(), out, err.get());
  }

  private static String text(InputStream in) throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }

  /** The printed JSON as paths and values: {@code a.0.b -> c}. */
  private static Map<String, String> json(Ran ran) throws IOException {
    assertEquals(0, ran.exit, ran.err);
    Map<String, String> values = new HashMap<>();
    try (JsonParser in = new JsonFactory().createParser(ran.out)) {
      for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
        if (token.isScalarValue()) {
          String path = in.getParsingContext().pathAsPointer().toString();
          values.put(path, in.getText());
        }
      }
    }
    return values;
  }

  private <T> T asked(String operation, Class<T> type) {
    return assertInstanceOf(type, asked.get(operation));
  }

  private static void failed(Ran ran, String code, String operation, String message) {
    assertEquals(254, ran.exit, ran.out);
    assertTrue(
        ran.err.contains(
            "An error occurred ("
                + code
                + ") when calling the "
                + operation
                + " operation: "
                + message),
        ran.err);
  }

  @Test
  void json11() throws Exception {
    answers.put(
        "describeTasks",
        request ->
            DescribeTasksResponse.builder()
                .tasks(
                    Task.builder()
                        .taskArn("arn:1")
                        .createdAt(Instant.parse("2026-11-21T06:00:00.250Z"))
                        .cpu("1024")
                        .version(3L)
                        .build())
                .failures(List.of())
                .build());
    Map<String, String> printed =
        json(aws("ecs", "describe-tasks", "--cluster", "ñ & co", "--tasks", "1", "2"));
    assertEquals("arn:1", printed.get("/tasks/0/taskArn"));
    assertEquals("3", printed.get("/tasks/0/version"));
    assertTrue(
        printed.getOrDefault("/tasks/0/createdAt", "").startsWith("2026-11-21T"),
        printed.toString());

    failed(
        aws("ecs", "create-cluster", "--cluster-name", "a", "--tags", "key=k,value=v w"),
        "NotImplemented",
        "CreateCluster",
        "The operation CreateCluster of the service ecs is not implemented.");
    CreateClusterRequest create = asked("createCluster", CreateClusterRequest.class);
    assertEquals("a", create.clusterName());
    assertEquals("v w", create.tags().getFirst().value());

    answers.put(
        "describeServices",
        request -> {
          throw ClusterNotFoundException.builder().message("Cluster not found.").build();
        });
    failed(
        aws("ecs", "describe-services", "--services", "a"),
        "ClusterNotFoundException",
        "DescribeServices",
        "Cluster not found.");

    answers.put("putLogEvents", request -> PutLogEventsResponse.builder().build());
    json(
        aws(
            "logs",
            "put-log-events",
            "--log-group-name",
            "/ecs/a",
            "--log-stream-name",
            "s",
            "--log-events",
            "timestamp=1795000000123,message=hello"));
    PutLogEventsRequest put = asked("putLogEvents", PutLogEventsRequest.class);
    assertEquals(1795000000123L, put.logEvents().getFirst().timestamp());
  }

  @Test
  void json10() throws Exception {
    answers.put(
        "putItem",
        request ->
            PutItemResponse.builder()
                .attributes(Map.of("b", AttributeValue.fromB(SdkBytes.fromUtf8String("was"))))
                .build());
    Map<String, String> printed =
        json(
            aws(
                "dynamodb",
                "put-item",
                "--table-name",
                "table",
                "--item",
                "{\"k\":{\"S\":\"€\"},\"l\":{\"L\":[{\"N\":\"1\"},{\"NULL\":true}]},"
                    + "\"b\":{\"B\":\"d2Fz\"}}"));
    assertEquals("d2Fz", printed.get("/Attributes/b/B"));
    PutItemRequest put = asked("putItem", PutItemRequest.class);
    assertEquals("€", put.item().getOrDefault("k", AttributeValue.fromNul(true)).s());
    assertEquals(
        "1", put.item().getOrDefault("l", AttributeValue.fromNul(true)).l().getFirst().n());
    assertEquals(
        "was", put.item().getOrDefault("b", AttributeValue.fromNul(true)).b().asUtf8String());
  }

  @Test
  void query() throws Exception {
    answers.put(
        "getCallerIdentity",
        request -> {
          Caller caller = Caller.current();
          return GetCallerIdentityResponse.builder()
              .account(caller.account())
              .arn(caller.arn())
              .userId(caller.region())
              .build();
        });
    assertEquals(
        Map.of(
            "/Account", "123456789012",
            "/Arn", "arn:aws:iam::123456789012:root",
            "/UserId", "eu-west-1"),
        json(aws("sts", "get-caller-identity")));
    failed(
        awsWith("another secret", "sts", "get-caller-identity"),
        "SignatureDoesNotMatch",
        "GetCallerIdentity",
        "The request signature we calculated does not match the signature you provided.");

    answers.put(
        "createRole",
        request ->
            CreateRoleResponse.builder()
                .role(
                    Role.builder()
                        .roleName("LabRole")
                        .createDate(Instant.parse("2026-11-21T06:00:00Z"))
                        .assumeRolePolicyDocument("%7B%7D")
                        .build())
                .build());
    String policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"}]}";
    Map<String, String> role =
        json(
            aws(
                "iam",
                "create-role",
                "--role-name",
                "LabRole",
                "--assume-role-policy-document",
                policy));
    assertEquals("LabRole", role.get("/Role/RoleName"));
    assertTrue(role.getOrDefault("/Role/CreateDate", "").startsWith("2026-11-21T06:00:00"));
    assertEquals(policy, asked("createRole", CreateRoleRequest.class).assumeRolePolicyDocument());

    answers.put(
        "describeLoadBalancers",
        request ->
            DescribeLoadBalancersResponse.builder()
                .loadBalancers(
                    LoadBalancer.builder().loadBalancerName("a<b>").securityGroups("sg-1").build())
                .build());
    Map<String, String> balancers = json(aws("elbv2", "describe-load-balancers"));
    assertEquals("a<b>", balancers.get("/LoadBalancers/0/LoadBalancerName"));
    assertEquals("sg-1", balancers.get("/LoadBalancers/0/SecurityGroups/0"));
    answers.put(
        "describeLoadBalancers",
        request -> {
          throw LoadBalancerNotFoundException.builder()
              .message("Load balancers '[a]' not found")
              .build();
        });
    failed(
        aws("elbv2", "describe-load-balancers", "--names", "a"),
        "LoadBalancerNotFound",
        "DescribeLoadBalancers",
        "Load balancers '[a]' not found");
    failed(
        aws(
            "elbv2",
            "create-target-group",
            "--name",
            "a",
            "--matcher",
            "HttpCode=200-299",
            "--tags",
            "Key=a,Value=1",
            "Key=b,Value=2"),
        "NotImplemented",
        "CreateTargetGroup",
        "The operation CreateTargetGroup of the service elasticloadbalancing is not implemented.");
    CreateTargetGroupRequest group = asked("createTargetGroup", CreateTargetGroupRequest.class);
    assertEquals("200-299", group.matcher().httpCode());
    assertEquals("2", group.tags().getLast().value());
  }

  @Test
  void ec2Query() throws Exception {
    answers.put(
        "createVpc",
        request -> CreateVpcResponse.builder().vpc(v -> v.vpcId("vpc-1").isDefault(false)).build());
    Map<String, String> vpc =
        json(
            aws(
                "ec2",
                "create-vpc",
                "--cidr-block",
                "10.0.0.0/16",
                "--tag-specifications",
                "ResourceType=vpc,Tags=[{Key=Name,Value=a b}]"));
    assertEquals("vpc-1", vpc.get("/Vpc/VpcId"));
    assertEquals("false", vpc.get("/Vpc/IsDefault"));
    CreateVpcRequest create = asked("createVpc", CreateVpcRequest.class);
    assertEquals("10.0.0.0/16", create.cidrBlock());
    assertEquals("a b", create.tagSpecifications().getFirst().tags().getFirst().value());

    answers.put(
        "describeSubnets",
        request -> {
          throw Ec2Exception.builder()
              .statusCode(400)
              .awsErrorDetails(
                  AwsErrorDetails.builder()
                      .errorCode("InvalidSubnetID.NotFound")
                      .errorMessage("The subnet ID 'subnet-1' does not exist")
                      .build())
              .build();
        });
    failed(
        aws(
            "ec2",
            "describe-subnets",
            "--subnet-ids",
            "subnet-1",
            "--filters",
            "Name=vpc-id,Values=a,b"),
        "InvalidSubnetID.NotFound",
        "DescribeSubnets",
        "The subnet ID 'subnet-1' does not exist");
    DescribeSubnetsRequest subnets = asked("describeSubnets", DescribeSubnetsRequest.class);
    assertEquals(List.of("a", "b"), subnets.filters().getFirst().values());
    assertEquals(List.of("subnet-1"), subnets.subnetIds());

    failed(
        aws(
            "ec2",
            "authorize-security-group-ingress",
            "--group-id",
            "sg-1",
            "--ip-permissions",
            "IpProtocol=tcp,FromPort=80,ToPort=80,IpRanges=[{CidrIp=0.0.0.0/0}]"),
        "NotImplemented",
        "AuthorizeSecurityGroupIngress",
        "The operation AuthorizeSecurityGroupIngress of the service ec2 is not implemented.");
    AuthorizeSecurityGroupIngressRequest ingress =
        asked("authorizeSecurityGroupIngress", AuthorizeSecurityGroupIngressRequest.class);
    assertEquals("0.0.0.0/0", ingress.ipPermissions().getFirst().ipRanges().getFirst().cidrIp());

    failed(
        awsWith("another secret", "ec2", "describe-vpcs"),
        "AuthFailure",
        "DescribeVpcs",
        "AWS was not able to validate the provided access credentials");
  }

  /** One of each protocol: query or JSON, REST with JSON, REST with XML. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sqs list-queues",
        "sns list-topics",
        "efs describe-file-systems",
        "s3api list-buckets"
      })
  void aServiceThatIsNotServed(String command) throws Exception {
    Ran ran = aws(command.split(" "));
    assertEquals(254, ran.exit, ran.out);
    assertTrue(ran.err.contains("(NotImplemented)"), ran.err);
    assertTrue(ran.err.contains("is not implemented: "), ran.err);
  }
}
