package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.ImageReference;
import dev.muelle.loop.Timers;
import dev.muelle.services.ecs.service.Revisions;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.TaskChanges;
import dev.muelle.store.Store;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerImage;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.VersionConsistency;

/** The images of a task's containers. */
final class TaskImages {

  private final Store store;
  private final Timers clock;
  private final TaskChanges changes;
  private final Engine engine;

  /** What was pulled for a container in this process, by the container's id. */
  private final Map<String, Engine.Image> images = new ConcurrentHashMap<>();

  TaskImages(Store store, Timers clock, TaskChanges changes, Engine engine) {
    this.store = store;
    this.clock = clock;
    this.changes = changes;
    this.engine = engine;
  }

  /**
   * Pulls every image once, before the first container starts, and remembers what was pulled. When
   * that began is told at its end, as ECS's agent does.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SubmitTaskStateChange.html">SubmitTaskStateChange</a>
   */
  TaskRecord pull(TaskRecord task, TaskDefinition definition) {
    if (task.task().pullStoppedAt() != null) {
      return task;
    }
    Instant began = clock.instant();
    Map<String, String> digests = new HashMap<>();
    for (ContainerDefinition container : definition.containerDefinitions()) {
      try {
        Engine.Image image = engine.pull(version(task, container), null);
        images.put(task.containerId(container.name()), image);
        digests.put(container.name(), image.digest());
      } catch (EngineException e) {
        changes.change(task.id(), now -> now.toBuilder().pullStartedAt(began));
        changes.stopped(
            task.id(), container.name(), Objects.requireNonNullElse(e.getMessage(), ""));
        throw e;
      }
    }
    return changes.change(
        task.id(),
        now ->
            now.toBuilder()
                .pullStartedAt(began)
                .pullStoppedAt(clock.instant())
                .containers(
                    now.containers().stream()
                        .map(c -> c.toBuilder().imageDigest(digests.get(c.name())).build())
                        .toList()));
  }

  /**
   * What to pull: a service's tasks run what the first one of their deployment resolved the image's
   * tag to.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-container-image-stability.html">Container
   *     image resolution</a>
   */
  private ImageReference version(TaskRecord task, ContainerDefinition container) {
    ImageReference named = reference(container.image());
    String key = task.serviceKey();
    String deployment = task.task().startedBy();
    if (key == null
        || deployment == null
        || container.versionConsistency() == VersionConsistency.DISABLED) {
      return named;
    }
    return store
        .read(tx ->
            tx.get(ServiceRecord.TABLE, key)
                .flatMap(row -> Revisions.of(tx, row.value().service().serviceArn(), deployment)))
        .stream()
        .flatMap(revision -> revision.containerImages().stream())
        .filter(image -> image.containerName().equals(container.name()))
        .map(ContainerImage::imageDigest)
        .filter(Objects::nonNull)
        .findFirst()
        .map(digest -> new ImageReference(named.registry(), named.repository(), null, digest))
        .orElse(named);
  }

  private static ImageReference reference(String image) {
    try {
      return ImageReference.parse(image);
    } catch (IllegalArgumentException e) {
      throw new EngineException("CannotPullContainerError: " + e.getMessage(), e);
    }
  }

  /** The image that was pulled for a container; after a restart, the same one by its digest. */
  Engine.Image image(TaskRecord task, ContainerDefinition definition) {
    String id = task.containerId(definition.name());
    Engine.Image image = images.get(id);
    if (image == null) {
      ImageReference named = reference(definition.image());
      String digest =
          task.task().containers().stream()
              .filter(container -> container.name().equals(definition.name()))
              .map(Container::imageDigest)
              .findFirst()
              .orElseThrow();
      image =
          engine.pull(new ImageReference(named.registry(), named.repository(), null, digest), null);
      images.put(id, image);
    }
    return image;
  }

  /** A task has ended. */
  void forget(TaskRecord task) {
    task.task().containers().forEach(c -> images.remove(task.containerId(c.name())));
  }
}
