package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.ContainerSpec.Device;
import dev.muelle.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The devices that a container may have beside Docker's own. They are those of this machine through
 * which nobody gets at anything of it: disks, terminals and memory are none of them.
 */
final class Devices {

  private static final Set<String> GIVEN =
      Set.of(
          "/dev/null",
          "/dev/zero",
          "/dev/full",
          "/dev/random",
          "/dev/urandom",
          "/dev/fuse",
          "/dev/net/tun");

  private Devices() {}

  /** A device node in a container. */
  record Node(String path, int major, int minor, int mode, String access) {

    /** Adds it to what the OCI runtime is told. */
    void describe(ObjectNode linux, ArrayNode allowed) {
      linux
          .withArray("devices")
          .addObject()
          .put("path", path)
          .put("type", "c")
          .put("major", major)
          .put("minor", minor)
          .put("fileMode", mode)
          .put("uid", 0)
          .put("gid", 0);
      allowed
          .addObject()
          .put("allow", true)
          .put("type", "c")
          .put("major", major)
          .put("minor", minor)
          .put("access", access);
    }
  }

  /**
   * Looks them up.
   *
   * @throws EngineException in Docker's words for one that there is not
   */
  static List<Node> find(List<Device> devices) {
    return devices.stream().map(Devices::find).toList();
  }

  private static Node find(Device device) {
    String source = Path.of(device.source()).normalize().toString();
    if (GIVEN.contains(source)) {
      try {
        Map<String, Object> found =
            Files.readAttributes(Path.of(source), "unix:rdev,mode", LinkOption.NOFOLLOW_LINKS);
        long number = (Long) Objects.requireNonNull(found.get("rdev"));
        int major = (int) (number >> 8 & 0xfff);
        int minor = (int) (number & 0xff | number >> 12 & 0xfff00);
        return new Node(
            device.target(),
            major,
            minor,
            (Integer) Objects.requireNonNull(found.get("mode")) & 0777,
            device.access());
      } catch (IOException e) {
        // This machine has none; said below.
      }
    }
    throw new EngineException(
        "CannotCreateContainerError: Error response from daemon: error gathering device information"
            + " while adding custom device \""
            + device.source()
            + "\": no such file or directory");
  }
}
