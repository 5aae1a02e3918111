package dev.muelle.services.ecs;

import java.util.Set;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.SystemControl;
import software.amazon.awssdk.services.ecs.model.Tmpfs;

/**
 * What a container may say of the kernel it sees.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html">LinuxParameters</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html">SystemControl</a>
 */
final class LinuxRules {

  private static final Set<String> IPC_PARAMETERS =
      Set.of(
          "kernel.msgmax",
          "kernel.msgmnb",
          "kernel.msgmni",
          "kernel.sem",
          "kernel.shmall",
          "kernel.shmmax",
          "kernel.shmmni",
          "kernel.shm_rmid_forced");
  private static final Set<String> MOUNT_OPTIONS =
      Set.of(
          "defaults",
          "ro",
          "rw",
          "suid",
          "nosuid",
          "dev",
          "nodev",
          "exec",
          "noexec",
          "sync",
          "async",
          "dirsync",
          "remount",
          "mand",
          "nomand",
          "atime",
          "noatime",
          "diratime",
          "nodiratime",
          "relatime",
          "norelatime",
          "strictatime",
          "nostrictatime");

  private LinuxRules() {}

  static void check(ContainerDefinition definition) {
    LinuxParameters linux = definition.linuxParameters();
    if (linux != null) {
      Refuse.unlessEffective(
          "LinuxParameters",
          linux,
          Set.of("initProcessEnabled", "capabilities", "tmpfs", "sharedMemorySize"));
      linux.tmpfs().forEach(LinuxRules::checkMemoryMount);
      if (linux.sharedMemorySize() != null && linux.sharedMemorySize() < 1) {
        throw Refuse.client("Invalid sharedMemorySize: " + linux.sharedMemorySize());
      }
    }
    checkParameters(definition);
  }

  private static void checkMemoryMount(Tmpfs mount) {
    if (mount.containerPath() == null || !mount.containerPath().startsWith("/")) {
      throw Refuse.client("Invalid tmpfs containerPath: " + mount.containerPath());
    }
    if (mount.size() == null || mount.size() < 1) {
      throw Refuse.client("Invalid tmpfs size: " + mount.size());
    }
    for (String option : mount.mountOptions()) {
      if (!MOUNT_OPTIONS.contains(option)) {
        throw Refuse.client("Invalid tmpfs mount option: " + option);
      }
    }
  }

  /**
   * Kernel parameters of a task's own namespaces, as the documentation of SystemControl lists them.
   */
  private static void checkParameters(ContainerDefinition definition) {
    for (SystemControl control : definition.systemControls()) {
      String name = control.namespace() == null ? "" : control.namespace();
      if (control.value() == null
          || !(name.startsWith("net.")
              || name.startsWith("fs.mqueue.")
              || IPC_PARAMETERS.contains(name))) {
        throw Refuse.client("Invalid systemControls namespace: " + name);
      }
    }
  }
}
