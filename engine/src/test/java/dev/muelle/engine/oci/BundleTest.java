package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ContainerSpec.Ulimit;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.oci.image.ImageConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What an OCI runtime is told; it turns it into v1's or v2's files itself. */
class BundleTest {

  private static final long MIB = 1L << 20;

  private static JsonNode config(
      int shares, long hard, long soft, boolean swap, boolean v2, List<Ulimit> limits) {
    ImageConfig image =
        new ImageConfig(List.of("/app"), List.of("serve"), List.of("A=1"), "", "", null, List.of());
    ContainerSpec container =
        ContainerSpec.builder("c", "s", "i")
            .environment(Map.of("B", "2"))
            .cpuShares(shares)
            .memoryLimit(hard)
            .memoryReservation(soft)
            .readonlyRoot(true)
            .init(true)
            .ulimits(limits)
            .build();
    return new Bundle(
            Lab.sandbox("s"),
            container,
            image,
            new Users(1000, 1001, List.of(2000), "/home/alba"),
            Path.of("/run/netns/n"),
            Bundle.Shared.NOTHING,
            Path.of("/r"),
            Path.of("/f"),
            Path.of("/usr/bin/tini-static"),
            "/i/s/c",
            v2,
            swap,
            1024,
            Set.of("CAP_CHOWN"),
            new ObjectMapper().createObjectNode(),
            List.of(),
            List.of())
        .config();
  }

  @Test
  void limitsOfAContainer() {
    JsonNode v1 = config(256, 64 * MIB, 32 * MIB, true, false, List.of()).path("linux");
    JsonNode resources = v1.path("resources");
    assertEquals(256, resources.path("cpu").path("shares").asInt());
    assertEquals(64 * MIB, resources.path("memory").path("limit").asLong());
    assertEquals(64 * MIB, resources.path("memory").path("swap").asLong());
    assertEquals(32 * MIB, resources.path("memory").path("reservation").asLong());
    assertEquals(Cgroups.MAX_PROCESSES, resources.path("pids").path("limit").asInt());
    assertFalse(v1.path("namespaces").toString().contains("cgroup"));
    JsonNode v2 = config(0, 0, 0, false, true, List.of()).path("linux");
    assertEquals(2, v2.path("resources").path("cpu").path("shares").asInt(), "the smallest");
    assertTrue(v2.path("resources").path("memory").isEmpty());
    assertTrue(v2.path("namespaces").toString().contains("\"cgroup\""));
    assertTrue(
        config(0, 64 * MIB, 0, false, true, List.of())
            .at("/linux/resources/memory/swap")
            .isMissingNode(),
        "a kernel that does not count swap refuses a limit of it");
  }

  @Test
  void anOpenInputIsNotedWhetherOrNotTheFilterIsKnown() {
    ContainerSpec open =
        ContainerSpec.builder("c", "s", "i")
            .command(List.of("cat"))
            .console(new ContainerSpec.Console(false, true))
            .build();
    JsonNode config =
        new Bundle(
                Lab.sandbox("s"),
                open,
                new ImageConfig(List.of(), List.of(), List.of(), "", "", null, List.of()),
                new Users(0, 0, List.of(), "/root"),
                null,
                Bundle.Shared.NOTHING,
                Path.of("/r"),
                Path.of("/f"),
                null,
                "/i/s/c",
                false,
                false,
                1024,
                Set.of(),
                new ObjectMapper().createObjectNode(),
                List.of(),
                List.of())
            .config();
    assertEquals(open.console(), Bundle.console(config));
  }

  @Test
  void whoRunsAndWhat() {
    JsonNode config = config(0, 0, 0, false, false, List.of());
    JsonNode process = config.path("process");
    List<String> arguments = new ArrayList<>();
    process.path("args").forEach(argument -> arguments.add(argument.asText()));
    assertEquals(List.of("/sbin/docker-init", "--", "/app", "serve"), arguments);
    assertEquals(1000, process.path("user").path("uid").asInt());
    assertEquals("[2000]", process.path("user").path("additionalGids").toString());
    assertTrue(process.path("capabilities").path("effective").isMissingNode(), "not root");
    assertTrue(process.path("env").toString().contains("\"HOME=/home/alba\""));
    assertTrue(config.path("root").path("readonly").asBoolean());
  }

  @Test
  void limitsOfProcesses() {
    JsonNode limits =
        config(
                0,
                0,
                0,
                false,
                false,
                List.of(new Ulimit("nofile", 100, 200), new Ulimit("core", -1, -1)))
            .at("/process/rlimits");
    assertEquals(
        "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":200},"
            + "{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551615,"
            + "\"hard\":18446744073709551615}]",
        limits.toString());
    assertEquals(
        "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1024,\"hard\":1024}]",
        config(0, 0, 0, false, false, List.of()).at("/process/rlimits").toString());
    assertThrows(
        EngineException.class,
        () -> config(0, 0, 0, false, false, List.of(new Ulimit("nonsense", 1, 1))));
  }
}
