package dev.muelle.services.ecs.definition;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Mount;
import dev.muelle.engine.ContainerSpec.Source;
import dev.muelle.services.ecs.state.Refuse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.DockerVolumeConfiguration;
import software.amazon.awssdk.services.ecs.model.MountPoint;
import software.amazon.awssdk.services.ecs.model.Scope;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.Tmpfs;
import software.amazon.awssdk.services.ecs.model.Volume;
import software.amazon.awssdk.services.ecs.model.VolumeFrom;

/**
 * The volumes of a task and where its containers see them. Without further words a volume is a
 * directory of the task's own storage; on an instance it may be a place in the instance's files, or
 * a Docker volume that stays as long as the instance.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html">Bind
 *     mounts</a>
 */
public final class TaskVolumes {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final long MIB = 1L << 20;
  private static final String DRIVER = "local";

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
      Refuse.unlessEffective("Volume", volume, Set.of("name", "host", "dockerVolumeConfiguration"));
      checkPlace(volume);
      checkDocker(volume.dockerVolumeConfiguration());
      if (!names.add(name)) {
        throw Refuse.client("Duplicate volume name: " + name);
      }
    }
    return names;
  }

  private static void checkPlace(Volume volume) {
    String path = volume.host() == null ? null : volume.host().sourcePath();
    if (path != null && volume.dockerVolumeConfiguration() != null) {
      throw Refuse.client(
          "Volume '"
              + volume.name()
              + "' can have a host or a dockerVolumeConfiguration, not both.");
    }
    if (path != null && !path.matches("/[^\\p{Cntrl}]{0,4000}")) {
      throw Refuse.client("Invalid volume host sourcePath: " + path);
    }
  }

  private static void checkDocker(@Nullable DockerVolumeConfiguration docker) {
    if (docker == null) {
      return;
    }
    if (docker.scope() == Scope.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.client("Invalid Docker volume scope: " + docker.scopeAsString());
    }
    if (docker.driver() != null && !docker.driver().equals(DRIVER)) {
      throw Refuse.client(
          "Docker volume driver "
              + docker.driver()
              + " is not supported by this region: its instances have no plugins, but the driver"
              + " local.");
    }
    Refuse.unlessEffective(
        "DockerVolumeConfiguration", docker, Set.of("scope", "autoprovision", "driver", "labels"));
  }

  /** What is mounted of a volume. */
  private static Source source(Volume volume) {
    DockerVolumeConfiguration docker = volume.dockerVolumeConfiguration();
    if (docker != null) {
      return docker.scope() == Scope.SHARED
          ? new Source.Volume(
              volume.name(), docker.labels(), Boolean.TRUE.equals(docker.autoprovision()))
          : new Source.Shared(volume.name(), true);
    }
    String path = volume.host() == null ? null : volume.host().sourcePath();
    return path == null ? new Source.Shared(volume.name()) : new Source.OfMachine(path);
  }

  /** Whether one of them is the instance's, not the task's. */
  public static boolean ofInstance(List<Volume> volumes) {
    return volumes.stream().anyMatch(volume -> !(source(volume) instanceof Source.Shared));
  }

  /**
   * Where the instance's part of a volume lies in its files; empty for one that it has no part in.
   */
  public static Optional<String> place(Volume volume) {
    return switch (source(volume)) {
      case Source.OfMachine(String path) -> Optional.of(path);
      case Source.Volume shared ->
          Optional.of("/var/lib/docker/volumes/" + shared.name() + "/_data");
      case Source.Shared own -> Optional.empty();
      case Source.Memory memory -> Optional.empty();
    };
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
  public static List<Mount> mounts(ContainerDefinition container, TaskDefinition definition) {
    Map<String, Source> sources = new HashMap<>();
    definition.volumes().forEach(volume -> sources.put(volume.name(), source(volume)));
    Map<String, ContainerDefinition> byName =
        definition.containerDefinitions().stream()
            .collect(Collectors.toMap(ContainerDefinition::name, Function.identity()));
    List<Mount> mounts = new ArrayList<>();
    Set<String> taken = new HashSet<>();
    container.mountPoints().forEach(one -> add(mounts, taken, sources, one, false));
    for (VolumeFrom from : container.volumesFrom()) {
      boolean readonly = Boolean.TRUE.equals(from.readOnly());
      Objects.requireNonNull(byName.get(from.sourceContainer())) // checked when it was registered
          .mountPoints()
          .forEach(one -> add(mounts, taken, sources, one, readonly));
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
      List<Mount> mounts,
      Set<String> taken,
      Map<String, Source> sources,
      MountPoint point,
      boolean readonly) {
    if (taken.add(point.containerPath())) {
      mounts.add(
          new ContainerSpec.Mount(
              point.containerPath(),
              Objects.requireNonNull(sources.get(point.sourceVolume())), // checked, too
              readonly || Boolean.TRUE.equals(point.readOnly())));
    }
  }
}
