package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.Tag;

@Timeout(60)
class TagsTest {

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static Tag tag(String key, String value) {
    return Tag.builder().key(key).value(value).build();
  }

  private Map<String, String> tags(String arn) {
    Map<String, String> tags = new TreeMap<>();
    world
        .ecs()
        .listTagsForResource(r -> r.resourceArn(arn))
        .tags()
        .forEach(tag -> tags.put(tag.key(), tag.value()));
    return tags;
  }

  private static void refused(String message, Executable call) {
    EcsException e = assertThrows(EcsException.class, call);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void everythingThatCanBeTaggedIs() {
    String cluster =
        world
            .ecs()
            .describeClusters(r -> r.clusters(World.CLUSTER))
            .clusters()
            .getFirst()
            .clusterArn();
    String definition = world.register(World.container().build());
    world.createService(1, 100, 200);
    String task = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    for (String arn : List.of(cluster, definition, world.service().serviceArn(), task)) {
      world.ecs().tagResource(r -> r.resourceArn(arn).tags(tag("team", "red"), tag("x", "1")));
      world.ecs().tagResource(r -> r.resourceArn(arn).tags(tag("team", "blue")));
      assertEquals("blue", tags(arn).get("team"), arn);
      world.ecs().untagResource(r -> r.resourceArn(arn).tagKeys("x", "never"));
      assertTrue(tags(arn).containsKey("team") && !tags(arn).containsKey("x"), arn);
    }
  }

  @Test
  void anArnIsOfItsClusterOrOfNothing() {
    world.register(World.container().build());
    String task = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    String elsewhere = task.replace("/" + World.CLUSTER + "/", "/elsewhere/");
    String oldForm = task.replace("/" + World.CLUSTER + "/", "/");
    for (String arn : List.of(elsewhere, oldForm)) {
      refused(
          "The specified resource was not found",
          () -> world.ecs().tagResource(r -> r.resourceArn(arn).tags(tag("a", "b"))));
      refused(
          "The specified resource was not found",
          () -> world.ecs().listTagsForResource(r -> r.resourceArn(arn)));
    }
    assertTrue(tags(task).isEmpty());
  }

  @Test
  void whatEcsItselfPutsOnATaskStaysAndIsNotCounted() {
    world.register(World.container().build());
    String task =
        world
            .ecs()
            .runTask(world.runTask().enableECSManagedTags(true).build())
            .tasks()
            .getFirst()
            .taskArn();
    assertEquals(World.CLUSTER, tags(task).get("aws:ecs:clusterName"));
    List<Tag> fifty = IntStream.range(0, 50).mapToObj(i -> tag("k" + i, "v")).toList();
    world.ecs().tagResource(r -> r.resourceArn(task).tags(fifty));
    assertEquals(51, tags(task).size());
    refused(
        "maximum number of tags",
        () -> world.ecs().tagResource(r -> r.resourceArn(task).tags(tag("one-more", "v"))));
    refused(
        "reserved prefix",
        () -> world.ecs().untagResource(r -> r.resourceArn(task).tagKeys("aws:ecs:clusterName")));
    assertEquals(51, tags(task).size());
  }

  @Test
  void whatIsNoTagIsRefused() {
    String cluster =
        world
            .ecs()
            .describeClusters(r -> r.clusters(World.CLUSTER))
            .clusters()
            .getFirst()
            .clusterArn();
    Map<String, String> before = tags(cluster);
    refused(
        "reserved prefix",
        () -> world.ecs().tagResource(r -> r.resourceArn(cluster).tags(tag("AWS:x", "v"))));
    refused(
        "Duplicate",
        () ->
            world
                .ecs()
                .tagResource(r -> r.resourceArn(cluster).tags(tag("a", "1"), tag("a", "2"))));
    refused(
        "between 1 and 128",
        () -> world.ecs().tagResource(r -> r.resourceArn(cluster).tags(tag("k".repeat(129), ""))));
    for (Tag wrong : List.of(tag("a<b>", "1"), tag("a", "tab\t"), tag("a", "1;2"))) {
      refused(
          "letters, numbers, spaces",
          () -> world.ecs().tagResource(r -> r.resourceArn(cluster).tags(wrong)));
    }
    refused(
        "not found",
        () -> world.ecs().tagResource(r -> r.resourceArn(cluster + "x").tags(tag("a", "1"))));
    refused("Invalid ARN", () -> world.ecs().listTagsForResource(r -> r.resourceArn("cluster")));
    assertEquals(before, tags(cluster));
  }
}
