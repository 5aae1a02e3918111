package dev.muelle.services.ecs;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Source;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.MountPoint;
import software.amazon.awssdk.services.ecs.model.Tmpfs;
import software.amazon.awssdk.services.ecs.model.Volume;
import software.amazon.awssdk.services.ecs.model.VolumeFrom;

/**
 * The volumes of a task and where its containers see them. On Fargate a volume is a directory of
 * the task's ephemeral storage.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html">Bind
 *     mounts</a>
 */
final class TaskVolumes {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final long MIB = 1L << 20;

  private TaskVolumes() {}

  /** Checks a definition's volumes; gives their names. */
  static Set<String> check(List<Volume> volumes, boolean fargate) {
    Set<String> names = new LinkedHashSet<>();
    for (Volume volume : volumes) {
      String name = volume.name() == null ? "" : volume.name();
      if (!NAME.matcher(name).matches()) {
        throw Refuse.client("Invalid volume name: '" + name + "'");
      }
      if (fargate && volume.host() != null && volume.host().sourcePath() != null) {
        throw Refuse.client("Fargate compatible task definitions do not support sourcePath");
      }
      if (fargate && volume.dockerVolumeConfiguration() != null) {
        throw Refuse.client(
            "Fargate compatible task definitions do not support dockerVolumeConfiguration");
      }
      if (volume.host() != null && volume.host().sourcePath() != null) {
        throw Refuse.client(
            "Volume parameter host.sourcePath is not supported by this region yet.");
      }
      Refuse.unlessEffective("Volume", volume, Set.of("name", "host"));
      if (!names.add(name)) {
        throw Refuse.client("Duplicate volume name: " + name);
      }
    }
    return names;
  }

  /** Checks where containers mount them. */
  static void checkMounts(List<ContainerDefinition> containers, Set<String> volumes) {
    Set<String> names =
        containers.stream().map(ContainerDefinition::name).collect(Collectors.toSet());
    for (ContainerDefinition container : containers) {
      Set<String> taken = new HashSet<>();
      for (MountPoint mount : container.mountPoints()) {
        if (mount.sourceVolume() == null || !volumes.contains(mount.sourceVolume())) {
          throw Refuse.client("Unknown volume '" + mount.sourceVolume() + "'.");
        }
        if (mount.containerPath() == null || !mount.containerPath().startsWith("/")) {
          throw Refuse.client("Invalid mount point containerPath: " + mount.containerPath());
        }
        if (!taken.add(mount.containerPath())) {
          throw Refuse.client("Duplicate mount point containerPath: " + mount.containerPath());
        }
      }
      for (VolumeFrom from : container.volumesFrom()) {
        String source = from.sourceContainer();
        if (source == null || !names.contains(source) || source.equals(container.name())) {
          throw Refuse.client("Invalid volumesFrom sourceContainer: " + source);
        }
      }
    }
  }

  /** What one container of a task mounts; its own mounts win over those of other containers. */
  static List<Mount> mounts(ContainerDefinition container, List<ContainerDefinition> containers) {
    Map<String, ContainerDefinition> byName =
        containers.stream()
            .collect(Collectors.toMap(ContainerDefinition::name, Function.identity()));
    List<Mount> mounts = new ArrayList<>();
    Set<String> taken = new HashSet<>();
    container.mountPoints().forEach(one -> add(mounts, taken, one, false));
    for (VolumeFrom from : container.volumesFrom()) {
      boolean readonly = Boolean.TRUE.equals(from.readOnly());
      Objects.requireNonNull(byName.get(from.sourceContainer())) // checked when it was registered
          .mountPoints()
          .forEach(one -> add(mounts, taken, one, readonly));
    }
    if (container.linuxParameters() != null) {
      for (Tmpfs memory : container.linuxParameters().tmpfs()) {
        mounts.add(
            new Mount(
                memory.containerPath(),
                new Source.Memory(memory.size() * MIB, memory.mountOptions()),
                memory.mountOptions().contains("ro")));
      }
    }
    return mounts;
  }

  private static void add(
      List<Mount> mounts, Set<String> taken, MountPoint point, boolean readonly) {
    if (taken.add(point.containerPath())) {
      mounts.add(
          new ContainerSpec.Mount(
              point.containerPath(),
              new Source.Shared(point.sourceVolume()),
              readonly || Boolean.TRUE.equals(point.readOnly())));
    }
  }
}
