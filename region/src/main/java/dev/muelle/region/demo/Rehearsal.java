package dev.muelle.region.demo;

import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.FilePermissions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogStream;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LogDriver;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * A region's usual work in small: tasks print much, which is read again, and a service of some
 * tasks comes and goes, all through the public API. While it runs, the JVM can learn which classes
 * and methods that takes.
 */
public final class Rehearsal {

  private static final String NAME = "rehearsal";
  private static final String PRINTING = "printing";
  private static final Path PROGRAM = Path.of("/bin/sleep");
  private static final Path PRINTER = Path.of("/usr/bin/seq");
  private static final int PRINTERS = 4;
  private static final String LINES = "100000";
  private static final String LINE =
      "%.0f INFO [rehearsal] what a program prints - is a line like this: GET /api/v1/orders/4711"
          + " answered 200 in 815 us, user-agent=curl/8.5.0 accept=*/*";
  private static final FilePermissions EXECUTABLE = FilePermissions.fromOctalString("755");
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private final Clients aws;
  private final String registry;
  private final Await await;

  /**
   * In a region.
   *
   * @param registry its registry's host and port
   */
  public Rehearsal(Clients aws, String registry, InstantSource clock) {
    this.aws = aws;
    this.registry = registry;
    this.await = new Await(clock);
  }

  /**
   * Lets tasks print; starts tasks, and stops them.
   *
   * @param scratch a directory for files on the way
   * @throws IllegalStateException if that takes unreasonably long
   */
  public void play(int tasks, Path scratch) throws Exception {
    push(scratch);
    aws.ecs.createCluster(r -> r.clusterName(NAME));
    List<String> subnets =
        aws.ec2.describeSubnets(r -> {}).subnets().stream().map(Subnet::subnetId).toList();
    print(subnets);
    define();
    create(tasks, subnets);
    await.until("running tasks", LIMIT, () -> service().filter(it -> it.runningCount() == tasks));
    aws.ecs.updateService(r -> r.cluster(NAME).service(NAME).desiredCount(0));
    await.until("stopped tasks", LIMIT, () -> service().filter(it -> it.runningCount() == 0));
    aws.ecs.deleteService(r -> r.cluster(NAME).service(NAME).force(true));
    await.until("end of the interfaces", LIMIT, () -> Optional.of(NAME).filter(it -> isQuiet()));
  }

  private void push(Path scratch) throws Exception {
    aws.ecr.createRepository(r -> r.repositoryName(NAME));
    String token =
        aws.ecr.getAuthorizationToken().authorizationData().getFirst().authorizationToken();
    String[] login =
        new String(Base64.getDecoder().decode(token), StandardCharsets.UTF_8).split(":", 2);
    FileEntriesLayer.Builder files = FileEntriesLayer.builder();
    add(files, PROGRAM.toRealPath(), PROGRAM);
    add(files, PRINTER.toRealPath(), PRINTER);
    for (Path library : SharedLibraries.of(List.of(PROGRAM, PRINTER))) {
      add(files, library.toRealPath(), library);
    }
    Jib.fromScratch()
        .setFileEntriesLayers(files.build())
        .setEntrypoint(PROGRAM.toString(), "86400")
        .containerize(
            Containerizer.to(RegistryImage.named(image()).addCredential(login[0], login[1]))
                .setAllowInsecureRegistries(true)
                .setToolName("muelle")
                .setApplicationLayersCache(scratch.resolve("layers"))
                .setBaseImageLayersCache(scratch.resolve("base")));
  }

  private static void add(FileEntriesLayer.Builder files, Path file, Path inside) {
    files.addEntry(file, AbsoluteUnixPath.get(inside.toString()), EXECUTABLE);
  }

  private String image() {
    return registry + "/" + NAME + ":latest";
  }

  @SuppressWarnings("unchecked") // the SDK's builders take generic varargs
  private void print(List<String> subnets) throws Exception {
    String role = "arn:aws:iam::" + aws.sts.getCallerIdentity().account() + ":role/LabRole";
    aws.logs.createLogGroup(r -> r.logGroupName(NAME));
    aws.ecs.registerTaskDefinition(r ->
        r.family(PRINTING)
            .networkMode(NetworkMode.AWSVPC)
            .requiresCompatibilitiesWithStrings("FARGATE")
            .cpu("256")
            .memory("512")
            .executionRoleArn(role)
            .containerDefinitions(c ->
                c.name(PRINTING)
                    .image(image())
                    .entryPoint(PRINTER.toString(), "-f", LINE, LINES)
                    .logConfiguration(l ->
                        l.logDriver(LogDriver.AWSLOGS)
                            .options(
                                Map.of(
                                    "awslogs-group", NAME,
                                    "awslogs-region", aws.region(),
                                    "awslogs-stream-prefix", PRINTING)))));
    List<String> arns =
        aws
            .ecs
            .runTask(r ->
                r.cluster(NAME)
                    .taskDefinition(PRINTING)
                    .count(PRINTERS)
                    .launchType(LaunchType.FARGATE)
                    .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnets))))
            .tasks()
            .stream()
            .map(Task::taskArn)
            .toList();
    await.until(
        "end of the printing tasks",
        LIMIT,
        () ->
            Optional.of(NAME)
                .filter(it ->
                    aws.ecs.describeTasks(r -> r.cluster(NAME).tasks(arns)).tasks().stream()
                        .allMatch(task -> task.lastStatus().equals("STOPPED"))));
    LogStream one = aws.logs.describeLogStreams(r -> r.logGroupName(NAME)).logStreams().getFirst();
    read(one.logStreamName());
    aws.logs.filterLogEvents(r -> r.logGroupName(NAME).filterPattern("4711"));
  }

  /** Page by page. */
  private void read(String stream) {
    String before = null;
    String token = "";
    while (!token.equals(before)) {
      String from = token.isEmpty() ? null : token;
      before = token;
      token =
          aws.logs
              .getLogEvents(r ->
                  r.logGroupName(NAME).logStreamName(stream).startFromHead(true).nextToken(from))
              .nextForwardToken();
    }
  }

  @SuppressWarnings("unchecked") // the SDK's builders take generic varargs
  private void define() {
    aws.ecs.registerTaskDefinition(r ->
        r.family(NAME)
            .networkMode(NetworkMode.AWSVPC)
            .requiresCompatibilitiesWithStrings("FARGATE")
            .cpu("256")
            .memory("512")
            .containerDefinitions(c -> c.name(NAME).image(image()).stopTimeout(0)));
  }

  private void create(int tasks, List<String> subnets) {
    aws.ecs.createService(r ->
        r.cluster(NAME)
            .serviceName(NAME)
            .taskDefinition(NAME)
            .desiredCount(tasks)
            .launchType(LaunchType.FARGATE)
            .networkConfiguration(n -> n.awsvpcConfiguration(v -> v.subnets(subnets))));
  }

  private Optional<Service> service() {
    return aws.ecs.describeServices(r -> r.cluster(NAME).services(NAME)).services().stream()
        .findFirst();
  }

  private boolean isQuiet() {
    Filter ours = Filter.builder().name("interface-type").values("interface").build();
    return aws.ec2.describeNetworkInterfaces(r -> r.filters(ours)).networkInterfaces().isEmpty();
  }
}
