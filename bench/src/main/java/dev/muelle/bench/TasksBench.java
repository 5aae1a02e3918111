package dev.muelle.bench;

import dev.muelle.region.demo.Clients;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * Prints how long it takes from RunTask until all tasks are RUNNING, in milliseconds, once per
 * round; arguments: endpoint, access key id, secret, image, tasks at once, rounds.
 */
public final class TasksBench {

  private static final String CLUSTER = "bench";
  private static final int PER_CALL = 10; // the most that RunTask takes
  private static final int PER_DESCRIBE = 100;
  private static final long LIMIT_MILLIS = 300_000;
  private static final long POLL_NANOS = 5_000_000;

  private final Clients clients;
  private final Clock clock;
  private final String family;
  private final List<String> subnets;

  @SuppressWarnings("unchecked") // the SDK's builders take generic varargs
  private TasksBench(Clients clients, Clock clock, String image) {
    this.clients = clients;
    this.clock = clock;
    clients.ecs.createCluster(r -> r.clusterName(CLUSTER));
    this.subnets =
        clients.ec2.describeSubnets(r -> {}).subnets().stream().map(Subnet::subnetId).toList();
    this.family =
        clients
            .ecs
            .registerTaskDefinition(r ->
                r.family("bench")
                    .networkMode(NetworkMode.AWSVPC)
                    .requiresCompatibilitiesWithStrings("FARGATE")
                    .cpu("256")
                    .memory("512")
                    .containerDefinitions(c ->
                        c.name("sleep")
                            .image(image)
                            .command("sleep", "3600")
                            .stopTimeout(2))) // it ignores SIGTERM, as process 1 may
            .taskDefinition()
            .taskDefinitionArn();
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    URI endpoint = URI.create(arguments[0]);
    int tasks = Integer.parseInt(arguments[4]);
    int rounds = Integer.parseInt(arguments[5]);
    try (Clients clients = new Clients(endpoint, "us-east-1", arguments[1], arguments[2])) {
      TasksBench bench = new TasksBench(clients, Clock.systemUTC(), arguments[3]);
      bench.round(1); // warms up both sides
      for (int i = 0; i < rounds; i++) {
        System.out.println(bench.round(tasks));
      }
    }
  }

  private long round(int tasks) throws Exception {
    long begin = clock.millis();
    List<String> arns = run(tasks);
    await(arns, "RUNNING", begin);
    long took = clock.millis() - begin;
    arns.forEach(arn -> clients.ecs.stopTask(r -> r.cluster(CLUSTER).task(arn)));
    await(arns, "STOPPED", clock.millis());
    return took;
  }

  private List<String> run(int tasks) throws Exception {
    List<Future<List<String>>> calls = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int left = tasks; left > 0; left -= PER_CALL) {
        int count = Math.min(left, PER_CALL);
        calls.add(threads.submit(() -> runSome(count)));
      }
    }
    List<String> arns = new ArrayList<>();
    for (Future<List<String>> call : calls) {
      arns.addAll(call.get());
    }
    return arns;
  }

  private List<String> runSome(int count) {
    return clients
        .ecs
        .runTask(r ->
            r.cluster(CLUSTER)
                .taskDefinition(family)
                .count(count)
                .launchType(LaunchType.FARGATE)
                .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnets))))
        .tasks()
        .stream()
        .map(Task::taskArn)
        .toList();
  }

  private void await(List<String> arns, String status, long begin) {
    List<String> waiting = new ArrayList<>(arns);
    while (!waiting.isEmpty()) {
      if (clock.millis() - begin > LIMIT_MILLIS) {
        throw new IllegalStateException(waiting.size() + " tasks are not " + status + " yet");
      }
      List<String> some = List.copyOf(waiting.subList(0, Math.min(PER_DESCRIBE, waiting.size())));
      for (Task task : clients.ecs.describeTasks(r -> r.cluster(CLUSTER).tasks(some)).tasks()) {
        if (task.lastStatus().equals(status)) {
          waiting.remove(task.taskArn());
        } else if (task.lastStatus().equals("STOPPED")) {
          throw new IllegalStateException("a task stopped: " + task.stoppedReason());
        }
      }
      if (!waiting.isEmpty()) {
        LockSupport.parkNanos(POLL_NANOS);
      }
    }
  }
}
