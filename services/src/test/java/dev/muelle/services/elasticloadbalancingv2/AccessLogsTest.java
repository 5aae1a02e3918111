package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.getPath;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.elasticloadbalancingv2.log.LogDeliveryTest;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;

/** Access and connection logs of a load balancer, asked for by attributes. */
class AccessLogsTest extends ElbV2World {

  /** With what AWS's documentation lets Athena take entries apart. */
  private static final Pattern ATHENA =
      Pattern.compile(
          "([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*)"
              + " ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) \"([^ ]*) (.*) (- |[^ ]*)\""
              + " \"([^\"]*)\" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) \"([^\"]*)\" \"([^\"]*)\""
              + " \"([^\"]*)\" ([-.0-9]*) ([^ ]*) \"([^\"]*)\" \"([^\"]*)\" \"([^ ]*)\""
              + " \"([^\\s]+?)\" \"([^\\s]+)\" \"([^ ]*)\" \"([^ ]*)\" ?([^ ]*)? ?( .*)?");

  private LoadBalancer balancer;
  private Path bucket;
  private int port;

  @BeforeEach
  void begin() {
    balancer = machine.balancer("web");
    port = freePort();
    bucket = directory.resolve("objects").resolve("logs");
    listener(balancer.loadBalancerArn(), port, Machine.says("hello"));
  }

  private void set(String... pairs) {
    List<LoadBalancerAttribute> attributes =
        Stream.iterate(0, i -> i < pairs.length, i -> i + 2)
            .map(i -> LoadBalancerAttribute.builder().key(pairs[i]).value(pairs[i + 1]).build())
            .toList();
    elb.modifyLoadBalancerAttributes(
        r -> r.loadBalancerArn(balancer.loadBalancerArn()).attributes(attributes));
  }

  private List<Path> files(String begin) throws IOException {
    try (Stream<Path> all = Files.walk(bucket)) {
      return all.filter(Files::isRegularFile)
          .filter(f -> f.getFileName().toString().startsWith(begin))
          .toList();
    }
  }

  @Test
  void requestsAndConnectionsAreLogged() throws Exception {
    Files.createDirectories(bucket);
    set(
        "access_logs.s3.enabled",
        "true",
        "access_logs.s3.bucket",
        "logs",
        "access_logs.s3.prefix",
        "mine",
        "connection_logs.s3.enabled",
        "true",
        "connection_logs.s3.bucket",
        "logs");
    assertEquals(1, files("ELBAccessLogTestFile").size());
    assertEquals(1, files("ELBConnectionLogTestFile").size());
    String front =
        machine
            .store
            .in(Machine.HOME.storeScope())
            .read(tx -> tx.list(State.BALANCERS).getFirst().value().front());
    for (String path : List.of("/a?b=c", "/%22quoted%22")) {
      assertTrue(getPath(path, front, port, "example.com").endsWith("hello"));
    }
    machine.stop(); // brings what was noted
    Path file = files("000000000000_").getFirst();
    assertTrue(
        file.toString().contains("/mine/AWSLogs/000000000000/elasticloadbalancing/us-east-1/"),
        file.toString());
    List<String> lines = LogDeliveryTest.read(file).lines().toList();
    assertEquals(2, lines.size());
    Matcher entry = ATHENA.matcher(lines.getFirst());
    assertTrue(entry.matches(), lines.getFirst());
    Map<Integer, String> wanted =
        Map.ofEntries(
            Map.entry(1, "http"),
            Map.entry(3, balancer.loadBalancerArn().split(":loadbalancer/", -1)[1]),
            Map.entry(6, ""),
            Map.entry(8, "-1"),
            Map.entry(9, "-1"),
            Map.entry(11, "200"),
            Map.entry(12, "-"),
            Map.entry(15, "GET"),
            Map.entry(16, "http://example.com:" + port + "/a?b=c"),
            Map.entry(17, "HTTP/1.1"),
            Map.entry(19, "-"),
            Map.entry(21, "-"),
            Map.entry(25, "0"),
            Map.entry(27, "fixed-response"),
            Map.entry(28, "-"));
    wanted.forEach((group, value) -> assertEquals(value, entry.group(group), "field " + group));
    assertTrue(entry.group(22).startsWith("Root=1-"), entry.group(22));
    assertTrue(entry.group(34).startsWith("TID_"), entry.group(34));
    assertTrue(lines.getFirst().endsWith(" \"-\" \"-\" \"-\""), "the three of transforms");
    List<String> connections = LogDeliveryTest.read(files("conn_log.").getFirst()).lines().toList();
    assertEquals(2, connections.size());
    List<String> fields = Arrays.asList(connections.getFirst().split(" ", -1));
    assertEquals(13, fields.size(), connections.getFirst());
    assertEquals(String.valueOf(port), fields.get(3));
    assertEquals(entry.group(34), fields.get(11), "the same connection");
  }

  private void refused(String code, String message, String... pairs) {
    refused(code, message, () -> set(pairs));
  }

  @Test
  void whatCannotBeWrittenIsRefusedAtOnce() throws Exception {
    refused("ValidationError", "cannot be empty", "access_logs.s3.enabled", "true");
    refused(
        "InvalidConfigurationRequest",
        "Access Denied for bucket: logs. Please check S3bucket permission",
        "access_logs.s3.enabled",
        "true",
        "access_logs.s3.bucket",
        "logs");
    refused("ValidationError", "is not valid", "access_logs.s3.prefix", "../up");
    refused("ValidationError", "is not valid", "access_logs.s3.prefix", "a/AWSLogs");
    refused("ValidationError", "is not valid", "access_logs.s3.bucket", "No_Bucket");
    refused("ValidationError", "cannot be empty", "health_check_logs.s3.enabled", "true");
    Files.createDirectories(bucket);
    set("access_logs.s3.enabled", "true", "access_logs.s3.bucket", "logs");
    set("health_check_logs.s3.enabled", "true", "health_check_logs.s3.bucket", "logs");
    assertEquals(1, files("ELBHealthCheckLogTestFile").size());
    set("access_logs.s3.enabled", "false");
  }
}
