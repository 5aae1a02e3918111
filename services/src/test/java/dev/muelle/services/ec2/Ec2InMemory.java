package dev.muelle.services.ec2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.SystemTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.InstanceLoads;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;

/** EC2 by itself, with a simulated network: a new one for each test. */
abstract class Ec2InMemory {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path directory;
  SystemTimers timers;
  SqliteStore file;
  SimNetwork network;
  Iam iam;
  Ec2 ec2;
  final ListedApis apis = new ListedApis();

  @BeforeEach
  final void open() {
    timers = new SystemTimers();
    file = SqliteStore.open(directory.resolve("db"));
    network = new SimNetwork(timers);
    ec2 = started();
  }

  /** Another server on the same state and network. */
  final Ec2 started() {
    Ids ids = new Ids(new Random());
    iam = new Iam(SCOPE, file.in("000000000000/global"), timers, ids);
    Ec2 made =
        new Ec2(
            SCOPE,
            file.in(SCOPE.storeScope()),
            timers,
            ids,
            new Random(7),
            iam,
            network,
            NetworkInterfaces.MOST,
            new Ec2.Around(
                (vpcId, address, port, handler) -> () -> {},
                new SessionKeys(file.in("sessions"), timers, new Random()),
                new EventOutbox(ids),
                Measurements.NONE,
                InstanceLoads.NONE,
                InstanceGroups.NONE,
                Ec2.NO_LOGS,
                apis));
    made.start();
    return made;
  }

  @AfterEach
  final void close() {
    ec2.close();
    network.close();
    file.close();
    timers.close();
  }

  static Ec2Exception refused(String code, Executable call) {
    Ec2Exception refusal = assertThrows(Ec2Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    return refusal;
  }

  static void refused(String code, String message, Executable call) {
    assertEquals(message, refused(code, call).awsErrorDetails().errorMessage());
  }

  static Filter filter(String name, String... values) {
    return Filter.builder().name(name).values(values).build();
  }

  final Instance instance(String id) {
    return ec2.describeInstances(r -> r.instanceIds(id))
        .reservations()
        .getFirst()
        .instances()
        .getFirst();
  }

  /** One instance of the first image, in the default VPC unless more is said, once it runs. */
  final Instance running(String type, Consumer<RunInstancesRequest.Builder> more) {
    String image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    String id =
        ec2.runInstances(r ->
                r.imageId(image).instanceType(type).minCount(1).maxCount(1).applyMutation(more))
            .instances()
            .getFirst()
            .instanceId();
    await(() -> instance(id).state().nameAsString().equals("running"));
    return instance(id);
  }

  static void await(BooleanSupplier condition) {
    Instant end = Instant.now().plus(PATIENCE);
    while (!condition.getAsBoolean()) {
      assertTrue(Instant.now().isBefore(end), "never");
      Thread.onSpinWait();
    }
  }
}
