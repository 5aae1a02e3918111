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
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Service;

/**
 * A region's usual work in small: a service of some tasks comes and goes, through the public API.
 * While it runs, the JVM can learn which classes and methods that takes.
 */
public final class Rehearsal {

  private static final String NAME = "rehearsal";
  private static final Path PROGRAM = Path.of("/bin/sleep");
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
   * Starts tasks, and stops them.
   *
   * @param scratch a directory for files on the way
   * @throws IllegalStateException if that takes unreasonably long
   */
  public void play(int tasks, Path scratch) throws Exception {
    push(scratch);
    aws.ecs.createCluster(r -> r.clusterName(NAME));
    define();
    create(tasks);
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
    for (Path library : SharedLibraries.of(List.of(PROGRAM))) {
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
  private void define() {
    aws.ecs.registerTaskDefinition(r ->
        r.family(NAME)
            .networkMode(NetworkMode.AWSVPC)
            .requiresCompatibilitiesWithStrings("FARGATE")
            .cpu("256")
            .memory("512")
            .containerDefinitions(c -> c.name(NAME).image(image()).stopTimeout(0)));
  }

  private void create(int tasks) {
    List<String> subnets =
        aws.ec2.describeSubnets(r -> {}).subnets().stream().map(Subnet::subnetId).toList();
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
