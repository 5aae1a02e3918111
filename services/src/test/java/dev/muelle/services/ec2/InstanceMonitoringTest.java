package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.Network.Link;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

/** What is measured of instances, minute by minute. */
class InstanceMonitoringTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");

  @TempDir private Path directory;
  private final VirtualTimers time = new VirtualTimers(Instant.parse("2026-01-01T00:00:00Z"));
  private final List<String> measured = new ArrayList<>();
  private final Set<String> dimensions = new TreeSet<>();
  private final Map<String, String> grouped = new TreeMap<>(); // instances' groups
  private SqliteStore file;
  private SimNetwork network;
  private Ec2 ec2;

  @BeforeEach
  void open() {
    file = SqliteStore.open(directory.resolve("db"));
    network = new SimNetwork(time);
    Ids ids = new Ids(new Random());
    Iam iam = new Iam(SCOPE, file.in("000000000000/global"), time, ids);
    ec2 =
        new Ec2(
            SCOPE,
            file.in(SCOPE.storeScope()),
            time,
            ids,
            new Random(7),
            iam,
            network,
            100,
            new Ec2.Around(
                (vpcId, address, port, handler) -> () -> {},
                new SessionKeys(file.in("sessions"), time, new Random()),
                new EventOutbox(ids),
                metric -> (value, times) -> note(metric, value),
                instanceId -> 0.5,
                instanceId -> Optional.ofNullable(grouped.get(instanceId)),
                Ec2.NO_LOGS));
    ec2.start();
  }

  private void note(Metric metric, double value) {
    assertEquals("AWS/EC2", metric.namespace());
    String whose = String.join(",", metric.dimensions().values());
    measured.add(whose + " " + metric.name() + " " + value);
    dimensions.addAll(metric.dimensions().keySet());
  }

  @AfterEach
  void close() {
    ec2.close();
    network.close();
    time.close();
    file.close();
  }

  private Instance running(boolean detailed) {
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String id =
        ec2.runInstances(r ->
                r.imageId(image)
                    .instanceType("t3.micro")
                    .minCount(1)
                    .maxCount(1)
                    .monitoring(m -> m.enabled(detailed)))
            .instances()
            .getFirst()
            .instanceId();
    time.advance(Duration.ofMillis(1));
    Instance now =
        ec2.describeInstances(r -> r.instanceIds(id))
            .reservations()
            .getFirst()
            .instances()
            .getFirst();
    assertEquals(InstanceStateName.RUNNING, now.state().name());
    return now;
  }

  private void carries(Instance instance, Link link) {
    network.link(instance.networkInterfaces().getFirst().networkInterfaceId(), link);
  }

  private List<String> minute() {
    measured.clear();
    time.advance(Duration.ofMinutes(1));
    return measured.stream().sorted().toList();
  }

  @Test
  void aMinuteOrFiveAreToldAsTheyWere() {
    Instance each = running(true);
    Instance fifth = running(false);
    String a = each.instanceId() + " ";
    String b = fifth.instanceId() + " ";
    carries(each, new Link(true, 100, 1, 10, 1));
    carries(fifth, new Link(true, 1000, 10, 0, 0));
    minute(); // what was carried before is not of this minute
    carries(each, new Link(true, 400, 3, 30, 2));
    carries(fifth, new Link(false, 5000, 50, 0, 0));
    List<String> second = minute();
    assertEquals(
        List.of(
            a + "CPUUtilization 25.0",
            a + "NetworkIn 300.0",
            a + "NetworkOut 20.0",
            a + "NetworkPacketsIn 2.0",
            a + "NetworkPacketsOut 1.0",
            a + "StatusCheckFailed 0.0",
            a + "StatusCheckFailed_Instance 0.0",
            a + "StatusCheckFailed_System 0.0"),
        second.stream().filter(one -> one.startsWith(a)).toList());
    assertEquals(
        List.of(
            b + "StatusCheckFailed 1.0",
            b + "StatusCheckFailed_Instance 1.0",
            b + "StatusCheckFailed_System 0.0"),
        second.stream().filter(one -> one.startsWith(b)).toList(),
        "without detailed monitoring");
    carries(each, new Link(true, 50, 1, 5, 1)); // it was plugged anew
    assertTrue(minute().contains(a + "NetworkIn 50.0"));
    carries(fifth, new Link(true, 6000, 60, 0, 0));
    minute();
    List<String> last = minute();
    assertTrue(last.contains(b + "NetworkIn 5000.0"), last::toString);
    assertTrue(last.contains(b + "CPUUtilization 25.0"), last::toString);
    ec2.monitorInstances(r -> r.instanceIds(fifth.instanceId()));
    carries(fifth, new Link(true, 6001, 61, 0, 0));
    assertTrue(minute().contains(b + "NetworkIn 1.0"));
  }

  @Test
  void withDetailedMonitoringInstancesAreToldTogether() {
    Instance one = running(true);
    running(true);
    running(false);
    minute();
    time.advance(Duration.ofMinutes(4)); // the one without is told, too
    List<String> told = minute();
    for (String all : List.of("", "t3.micro", one.imageId())) {
      String metric = all + " CPUUtilization 25.0";
      assertEquals(2, told.stream().filter(metric::equals).count(), told::toString);
      assertFalse(told.contains(all + " StatusCheckFailed 0.0"), told::toString);
    }
  }

  @Test
  void whatAGroupsInstancesCarryIsTheGroups() {
    Instance one = running(true);
    Instance other = running(true);
    running(true);
    minute();
    assertEquals(Set.of("ImageId", "InstanceId", "InstanceType"), dimensions);
    grouped.put(one.instanceId(), "web");
    grouped.put(other.instanceId(), "web");
    List<String> told = minute();
    assertTrue(dimensions.contains("AutoScalingGroupName"), dimensions::toString);
    assertEquals(2, told.stream().filter("web CPUUtilization 25.0"::equals).count());
    assertEquals(2, told.stream().filter("web StatusCheckFailed 0.0"::equals).count());
    grouped.remove(other.instanceId());
    assertEquals(1, minute().stream().filter("web CPUUtilization 25.0"::equals).count());
  }
}
