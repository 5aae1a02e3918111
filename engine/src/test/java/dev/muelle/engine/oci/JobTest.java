package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.EngineException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What our own monitor is told. */
class JobTest {

  private static final Cgroups.Version V1 =
      new Cgroups.Version.V1(
          Map.of("cpu", Path.of("/cg/cpu,cpuacct"), "memory", Path.of("/cg/memory")));

  private final ObjectNode config = new ObjectMapper().createObjectNode();

  /** With "cpu" and "cpuacct" in one hierarchy, as most machines with v1 have them. */
  private static Cgroups.Groups groups() {
    Map<String, Path> hierarchies = new LinkedHashMap<>();
    hierarchies.put("cpu", Path.of("/cg/cpu,cpuacct"));
    hierarchies.put("cpuacct", Path.of("/cg/cpu,cpuacct"));
    hierarchies.put("devices", Path.of("/cg/devices"));
    return new Cgroups.Groups(hierarchies, "i/s/c");
  }

  private List<String> job() {
    byte[] bytes =
        Job.of(
            config, groups(), new Job.Outside(null, Path.of("/exit"), Path.of("/monitor"), null));
    Iterator<String> texts =
        List.of(new String(bytes, StandardCharsets.UTF_8).split("\0", -1)).iterator();
    List<String> steps = new ArrayList<>();
    while (texts.hasNext()) {
      String verb = texts.next();
      if (verb.isEmpty()) {
        break; // what is behind the last zero
      }
      List<String> words = new ArrayList<>(List.of(verb));
      for (int left = Integer.parseInt(texts.next()); left > 0; left--) {
        words.add(texts.next());
      }
      steps.add(String.join(" ", words));
    }
    return steps;
  }

  private void mount(String target, String type, String source, String... options) {
    ObjectNode mount = config.withArray("mounts").addObject();
    mount.put("destination", target).put("type", type).put("source", source);
    List.of(options).forEach(mount.putArray("options")::add);
  }

  @Test
  void aHierarchyOfTwoControllersIsMountedOnceAndHasBothNames() {
    mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid");
    List<String> steps = job().stream().filter(step -> step.contains("/sys/fs/cgroup")).toList();
    assertEquals(
        List.of(
            "mount tmpfs cgroup /sys/fs/cgroup 2 mode=755,size=1024k",
            "bind /cg/cpu,cpuacct/i/s/c /sys/fs/cgroup/cpu,cpuacct 3",
            "link cpu,cpuacct /sys/fs/cgroup/cpu",
            "link cpu,cpuacct /sys/fs/cgroup/cpuacct",
            "bind /cg/devices/i/s/c /sys/fs/cgroup/devices 3",
            "restrict /sys/fs/cgroup 3"),
        steps);
  }

  @Test
  void devicesAreForbiddenUnlessAllAreAllowed() {
    ObjectNode resources = config.putObject("linux").putObject("resources");
    resources.putArray("devices").addObject().put("allow", false).put("access", "rwm");
    assertTrue(job().contains("set /cg/devices/i/s/c/devices.deny a"));
    resources.putArray("devices").addObject().put("allow", true).put("access", "rwm");
    assertFalse(job().stream().anyMatch(step -> step.startsWith("set ")));
  }

  @Test
  void optionsThatContradictEachOtherEndWithTheLast() {
    mount("/a", "tmpfs", "tmpfs", "nosuid", "ro", "noexec", "exec", "rw", "size=9", "uid=7");
    assertTrue(job().contains("mount tmpfs tmpfs /a 2 size=9,uid=7"), () -> job().toString());
  }

  @Test
  void noTextIsTakenForAnother() {
    config.putObject("process").putArray("args").add("a\0command");
    assertThrows(EngineException.class, this::job);
    config.putObject("process").putArray("args").add("exit").add("1");
    assertEquals(1, job().stream().filter(step -> step.equals("command exit 1")).count());
  }

  @Test
  void whatPropagatesAndMachinesWithV2AloneAreForAnother() {
    assertTrue(Job.fits(config, V1));
    assertFalse(Job.fits(config, new Cgroups.Version.V2(Path.of("/cg"))));
    mount("/a", "bind", "/b", "rbind", "rshared");
    assertFalse(Job.fits(config, V1));
  }
}
