package dev.muelle.services.ecs.definition;

import dev.muelle.engine.ContainerSpec;
import dev.muelle.services.ecs.state.Refuse;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.Device;
import software.amazon.awssdk.services.ecs.model.DeviceCgroupPermission;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.IpcMode;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.SystemControl;
import software.amazon.awssdk.services.ecs.model.Tmpfs;
import software.amazon.awssdk.services.ecs.model.Ulimit;

/**
 * What a container may say of the kernel it sees.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html">LinuxParameters</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html">SystemControl</a>
 */
public final class LinuxRules {

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

  /** As the documentation of KernelCapabilities lists them. */
  private static final Set<String> CAPABILITIES =
      Set.of(
          "ALL",
          "AUDIT_CONTROL",
          "AUDIT_WRITE",
          "BLOCK_SUSPEND",
          "CHOWN",
          "DAC_OVERRIDE",
          "DAC_READ_SEARCH",
          "FOWNER",
          "FSETID",
          "IPC_LOCK",
          "IPC_OWNER",
          "KILL",
          "LEASE",
          "LINUX_IMMUTABLE",
          "MAC_ADMIN",
          "MAC_OVERRIDE",
          "MKNOD",
          "NET_ADMIN",
          "NET_BIND_SERVICE",
          "NET_BROADCAST",
          "NET_RAW",
          "SETFCAP",
          "SETGID",
          "SETPCAP",
          "SETUID",
          "SYS_ADMIN",
          "SYS_BOOT",
          "SYS_CHROOT",
          "SYS_MODULE",
          "SYS_NICE",
          "SYS_PACCT",
          "SYS_PTRACE",
          "SYS_RAWIO",
          "SYS_RESOURCE",
          "SYS_TIME",
          "SYS_TTY_CONFIG",
          "SYSLOG",
          "WAKE_ALARM");

  private static final Set<String> NO_NEW_PRIVILEGES =
      Set.of("no-new-privileges", "no-new-privileges:true", "no-new-privileges:false");

  private LinuxRules() {}

  static void check(ContainerDefinition definition) {
    checkLimits(definition);
    LinuxParameters linux = definition.linuxParameters();
    if (linux != null) {
      Refuse.unlessEffective(
          "LinuxParameters",
          linux,
          Set.of(
              "initProcessEnabled",
              "capabilities",
              "tmpfs",
              "sharedMemorySize",
              "devices",
              "maxSwap",
              "swappiness"));
      if (linux.capabilities() != null) {
        linux.capabilities().add().forEach(LinuxRules::checkCapability);
        linux.capabilities().drop().forEach(LinuxRules::checkCapability);
      }
      linux.tmpfs().forEach(LinuxRules::checkMemoryMount);
      if (linux.sharedMemorySize() != null && linux.sharedMemorySize() < 1) {
        throw Refuse.client("Invalid sharedMemorySize: " + linux.sharedMemorySize());
      }
      linux.devices().forEach(LinuxRules::checkDevice);
      checkSwap(definition, linux);
    }
    checkParameters(definition);
    for (String option : definition.dockerSecurityOptions()) {
      if (!NO_NEW_PRIVILEGES.contains(option)) {
        throw Refuse.client(
            "dockerSecurityOptions value "
                + option
                + " is not supported by this region: its instances have neither SELinux nor AppArmor"
                + " nor Active Directory, but no-new-privileges.");
      }
    }
  }

  private static void checkCapability(String capability) {
    if (!CAPABILITIES.contains(capability)) {
      throw Refuse.client("Invalid Linux capability: " + capability);
    }
  }

  private static void checkLimits(ContainerDefinition definition) {
    Set<String> names = new HashSet<>();
    for (Ulimit limit : definition.ulimits()) {
      if (!names.add(limit.nameAsString())) {
        throw invalidLimit(definition, limit, "is set more than once");
      }
      if (limit.softLimit() == null || limit.hardLimit() == null) {
        throw invalidLimit(definition, limit, "needs a softLimit and a hardLimit");
      }
      if (limit.softLimit() < -1 || limit.hardLimit() < -1) {
        throw invalidLimit(
            definition, limit, "can not be negative, but for -1, which is unlimited");
      }
      if (limit.hardLimit() != -1
          && (limit.softLimit() == -1 || limit.softLimit() > limit.hardLimit())) {
        throw invalidLimit(definition, limit, "has a softLimit above its hardLimit");
      }
    }
  }

  private static EcsException invalidLimit(
      ContainerDefinition definition, Ulimit limit, String why) {
    return Refuse.client(
        "Invalid setting for container '"
            + definition.name()
            + "'. The ulimit "
            + limit.nameAsString()
            + " "
            + why
            + ".");
  }

  /** Whether a container's programs are to gain no privileges. */
  public static boolean noNewPrivileges(ContainerDefinition definition) {
    return definition.dockerSecurityOptions().stream()
        .anyMatch(option -> !option.endsWith("false"));
  }

  /** The devices of a container. */
  public static List<ContainerSpec.Device> devices(@Nullable LinuxParameters linux) {
    return linux == null
        ? List.of()
        : linux.devices().stream()
            .map(device ->
                new ContainerSpec.Device(
                    device.hostPath(),
                    device.containerPath() == null ? device.hostPath() : device.containerPath(),
                    access(device)))
            .toList();
  }

  private static String access(Device device) {
    if (device.permissions().isEmpty()) {
      return "rwm";
    }
    StringBuilder access = new StringBuilder();
    for (DeviceCgroupPermission permission : device.permissions()) {
      access.append(
          switch (permission) {
            case READ -> 'r';
            case WRITE -> 'w';
            case MKNOD -> 'm';
            case UNKNOWN_TO_SDK_VERSION ->
                throw Refuse.client("Invalid device permissions: " + device.permissionsAsStrings());
          });
    }
    return access.toString();
  }

  private static void checkDevice(Device device) {
    if (device.hostPath() == null || !device.hostPath().startsWith("/dev/")) {
      throw Refuse.client("Invalid device hostPath: " + device.hostPath());
    }
    if (device.containerPath() != null && !device.containerPath().startsWith("/")) {
      throw Refuse.client("Invalid device containerPath: " + device.containerPath());
    }
    access(device);
  }

  private static void checkSwap(ContainerDefinition definition, LinuxParameters linux) {
    if (linux.maxSwap() != null && linux.maxSwap() < 0) {
      throw Refuse.client("Invalid maxSwap: " + linux.maxSwap());
    }
    if (linux.maxSwap() != null && definition.memory() == null) {
      throw Refuse.client(
          "Invalid setting for container '"
              + definition.name()
              + "'. maxSwap is what a container may use beyond its 'memory', which is not set.");
    }
    Integer swappiness = linux.swappiness();
    if (swappiness != null && (swappiness < 0 || swappiness > 100)) {
      throw Refuse.client("Invalid swappiness: " + swappiness + ". It must be between 0 and 100.");
    }
  }

  /**
   * Refuses kernel parameters of namespaces that are not the container's or the task's.
   *
   * @param ipcMode of the task; null for none
   */
  static void checkParameters(
      ContainerDefinition definition, NetworkMode mode, @Nullable IpcMode ipcMode) {
    for (SystemControl control : definition.systemControls()) {
      boolean network = control.namespace().startsWith("net.");
      if (network && mode == NetworkMode.HOST) {
        throw Refuse.client(
            "systemControls namespace "
                + control.namespace()
                + " is not supported when networkMode=host.");
      }
      if (!network && ipcMode == IpcMode.HOST) {
        throw Refuse.client(
            "systemControls namespace "
                + control.namespace()
                + " is not supported when ipcMode=host.");
      }
    }
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
