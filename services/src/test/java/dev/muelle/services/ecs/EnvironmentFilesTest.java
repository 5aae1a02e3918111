package dev.muelle.services.ecs;

import static dev.muelle.services.ecs.World.CONTAINER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.ContainerSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerOverride;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.EnvironmentFile;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.Task;

/** Variables that containers get from files in S3. */
@Timeout(60)
class EnvironmentFilesTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() throws IOException {
    world = new World(directory, 1);
    world.createCluster();
    Files.createDirectory(directory.resolve("config"));
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void put(String key, String text) throws IOException {
    world.objects.write("config", key, text.getBytes(StandardCharsets.UTF_8));
  }

  private static EnvironmentFile file(String key) {
    return EnvironmentFile.builder().type("s3").value("arn:aws:s3:::config/" + key).build();
  }

  private static KeyValuePair pair(String name, String value) {
    return KeyValuePair.builder().name(name).value(value).build();
  }

  private Task run(ContainerOverride... overrides) {
    String arn =
        world
            .ecs()
            .runTask(world.runTask().overrides(o -> o.containerOverrides(overrides)).build())
            .tasks()
            .getFirst()
            .taskArn();
    world.until(
        "running or not",
        LONG,
        () -> Set.of("RUNNING", "STOPPED").contains(world.task(arn).lastStatus()));
    return world.task(arn);
  }

  /** Of the variables with these names, those that the container was started with. */
  private Map<String, String> variables(Task task, Set<String> names) {
    assertEquals("RUNNING", task.lastStatus(), task.stoppedReason());
    ContainerSpec spec =
        world
            .engine
            .containerSpec(world.record(task.taskArn()).containerId(CONTAINER))
            .orElseThrow();
    Map<String, String> found = new TreeMap<>(spec.environment());
    found.keySet().retainAll(names);
    return found;
  }

  @Test
  void theFirstFileThatSaysAVariableHoldsAndTheDefinitionsEnvironmentMoreThanAny()
      throws IOException {
    put("one.env", "#A=comment\r\nA=1\r\nB= two words \"quoted\"\nC=a=b\nEMPTY=\nnothing\n=x\n");
    put("deep/two.env", "A=2\nD=4\nE=file\nAWS_REGION=moon\n");
    world.register(
        World.container()
            .environment(pair("E", "definition"))
            .environmentFiles(file("one.env"), file("deep/two.env"))
            .build());
    assertEquals(
        Map.of(
            "A", "1",
            "B", " two words \"quoted\"",
            "C", "a=b",
            "D", "4",
            "E", "definition",
            "AWS_REGION", "us-east-1"),
        variables(
            run(), Set.of("A", "#A", "B", "C", "D", "E", "EMPTY", "nothing", "", "AWS_REGION")));
  }

  @Test
  void anOverridesFilesAreInPlaceOfTheDefinitions() throws IOException {
    put("one.env", "A=1\nB=1\n");
    put("other.env", "B=2\nC=2\n");
    world.register(World.container().environmentFiles(file("one.env")).build());
    Task task =
        run(
            ContainerOverride.builder()
                .name(CONTAINER)
                .environment(pair("C", "override"))
                .environmentFiles(file("other.env"))
                .build());
    assertEquals(Map.of("B", "2", "C", "override"), variables(task, Set.of("A", "B", "C")));
    put("one.env", "A=new\n");
    assertEquals(
        Map.of("A", "new"), variables(run(), Set.of("A", "B", "C")), "read as each task starts");
  }

  @Test
  void aTaskWhoseFileIsNotToBeHadSaysSo() throws IOException {
    world.register(World.container().environmentFiles(file("none.env")).build());
    Task task = run();
    assertEquals("STOPPED", task.lastStatus());
    assertEquals("TaskFailedToStart", task.stopCodeAsString());
    assertEquals(
        "ResourceInitializationError: failed to download env files: unable to download env file"
            + " with key none.env from bucket config, error: NoSuchKey: The specified key does not"
            + " exist.",
        task.stoppedReason());
    assertEquals(List.of(), world.engine.sandboxes());

    world.objects.write("config", "none.env", new byte[] {'A', '=', (byte) 0xff});
    assertTrue(run().stoppedReason().endsWith("error: it is not UTF-8"));
    world.objects.write("config", "none.env", new byte[(1 << 20) + 1]);
    assertTrue(run().stoppedReason().contains("it has more than"));
    put("none.env", "A=1\n");
    assertEquals(Map.of("A", "1"), variables(run(), Set.of("A")));
  }

  private void refused(String words, EnvironmentFile... files) {
    EcsException refused =
        assertThrows(
            EcsException.class,
            () -> world.register(World.container().environmentFiles(files).build()));
    assertTrue(refused.getMessage().contains(words), refused.getMessage());
  }

  @Test
  void whatIsNoFileInS3IsRefused() throws IOException {
    refused("type", EnvironmentFile.builder().type("efs").value("arn:aws:s3:::b/k.env").build());
    refused("type", EnvironmentFile.builder().value("arn:aws:s3:::b/k.env").build());
    refused("ends with .env", file("one.txt"));
    refused("ends with .env", EnvironmentFile.builder().type("s3").value("s3://b/k.env").build());
    refused("ends with .env", EnvironmentFile.builder().type("s3").build());
    refused(
        "at most 10",
        Stream.concat(Collections.nCopies(10, file("a.env")).stream(), Stream.of(file("b.env")))
            .toArray(EnvironmentFile[]::new));
    EcsException noRole =
        assertThrows(
            EcsException.class,
            () ->
                world
                    .ecs()
                    .registerTaskDefinition(r ->
                        r.family("x")
                            .networkMode(NetworkMode.AWSVPC)
                            .containerDefinitions(
                                ContainerDefinition.builder()
                                    .name("main")
                                    .image("busybox")
                                    .memory(64)
                                    .environmentFiles(file("a.env"))
                                    .build())));
    assertTrue(noRole.getMessage().endsWith("'executionRoleArn'."), noRole.getMessage());
    world.register(World.container().build());
    EcsException override =
        assertThrows(
            EcsException.class,
            () ->
                run(
                    ContainerOverride.builder()
                        .name(CONTAINER)
                        .environmentFiles(file("a.txt"))
                        .build()));
    assertTrue(override.getMessage().contains("ends with .env"), override.getMessage());
  }

  @Test
  void onlyAgentsThatCanFetchThemGetSuchTasks() throws IOException {
    put("one.env", "A=1\n");
    world.register(World.container().environmentFiles(file("one.env")).build());
    Instances instances = new Instances(world);
    instances.register("i-old", "us-east-1a", 1);
    var answer = world.ecs().runTask(Instances.run().build());
    assertEquals("ATTRIBUTE", answer.failures().getFirst().reason());
    assertFalse(
        world
            .ecs()
            .describeTaskDefinition(r -> r.taskDefinition(World.FAMILY))
            .taskDefinition()
            .requiresAttributes()
            .stream()
            .noneMatch(attribute -> attribute.name().equals("ecs.capability.env-files.s3")));
  }
}
