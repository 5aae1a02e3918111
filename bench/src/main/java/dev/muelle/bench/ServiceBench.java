package dev.muelle.bench;

import dev.muelle.region.demo.Clients;
import java.net.URI;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Service;

/**
 * Prints how long one CreateService takes until so many of its tasks run: lines of {@code up COUNT
 * MILLIS}; then, when a line came on standard input, {@code down COUNT MILLIS} until the tasks have
 * stopped and {@code gone COUNT MILLIS} until nothing of them is left. Arguments: endpoint, access
 * key id, secret, image, tasks.
 */
public final class ServiceBench {

  private static final String CLUSTER = "starts";
  private static final String SERVICE = "starts";
  private static final long LIMIT_MILLIS = 900_000;
  private static final long POLL_NANOS = 100_000_000;
  private static final int STEP = 100;

  private final Clients clients;
  private final Clock clock;

  private ServiceBench(Clients clients, Clock clock) {
    this.clients = clients;
    this.clock = clock;
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    URI endpoint = URI.create(arguments[0]);
    int tasks = Integer.parseInt(arguments[4]);
    try (Clients clients = new Clients(endpoint, "us-east-1", arguments[1], arguments[2])) {
      ServiceBench bench = new ServiceBench(clients, Clock.systemUTC());
      bench.up(arguments[3], tasks);
      int ignored = System.in.read(); // whoever started us measures what the tasks take
      bench.down(tasks);
    }
  }

  @SuppressWarnings("unchecked") // the SDK's builders take generic varargs
  private void up(String image, int tasks) {
    clients.ecs.createCluster(r -> r.clusterName(CLUSTER));
    List<String> subnets =
        clients.ec2.describeSubnets(r -> {}).subnets().stream().map(Subnet::subnetId).toList();
    clients.ecs.registerTaskDefinition(r ->
        r.family("starts")
            .networkMode(NetworkMode.AWSVPC)
            .requiresCompatibilitiesWithStrings("FARGATE")
            .cpu("256")
            .memory("512")
            .containerDefinitions(
                c -> c.name("sleep").image(image).command("sleep", "86400").stopTimeout(0)));
    long begin = clock.millis();
    clients.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName(SERVICE)
            .taskDefinition("starts")
            .desiredCount(tasks)
            .launchType(LaunchType.FARGATE)
            .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnets))));
    for (int next = Math.min(STEP, tasks); ; ) {
      int running = service().runningCount();
      while (running >= next && next <= tasks) {
        System.out.println("up " + next + " " + (clock.millis() - begin));
        next = next == tasks ? tasks + 1 : Math.min(next + STEP, tasks);
      }
      if (next > tasks) {
        return;
      }
      pause(begin);
    }
  }

  private void down(int tasks) {
    long begin = clock.millis();
    clients.ecs.updateService(r -> r.cluster(CLUSTER).service(SERVICE).desiredCount(0));
    while (service().runningCount() > 0) {
      pause(begin);
    }
    System.out.println("down " + tasks + " " + (clock.millis() - begin));
    while (!clients
        .ec2
        .describeNetworkInterfaces(
            r -> r.filters(Filter.builder().name("interface-type").values("interface").build()))
        .networkInterfaces()
        .isEmpty()) {
      pause(begin);
    }
    System.out.println("gone " + tasks + " " + (clock.millis() - begin));
  }

  private Service service() {
    return clients
        .ecs
        .describeServices(r -> r.cluster(CLUSTER).services(SERVICE))
        .services()
        .getFirst();
  }

  private void pause(long begin) {
    if (clock.millis() - begin > LIMIT_MILLIS) {
      throw new IllegalStateException("not within " + LIMIT_MILLIS + " ms: " + service());
    }
    LockSupport.parkNanos(POLL_NANOS);
  }
}
