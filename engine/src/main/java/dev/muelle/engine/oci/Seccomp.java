package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Which system calls a container may make, as Docker's default profile decides it (<a
 * href="https://docs.docker.com/engine/security/seccomp/">its documentation</a>): what is not
 * listed fails with EPERM. The list lies in the resource {@code seccomp.json}.
 */
final class Seccomp {

  private static final int EPERM = 1;
  private static final int ENOSYS = 38;
  private static final long NAMESPACES = 0x7E020000L; // CLONE_NEW* that make namespaces
  private static final int AF_VSOCK = 40;

  private Seccomp() {}

  /** For a privileged container, from which no system call is kept. */
  static ObjectNode unconfined() {
    return JsonNodeFactory.instance.objectNode().put("defaultAction", "SCMP_ACT_ALLOW");
  }

  /**
   * The profile in the form of the OCI runtime specification.
   *
   * @param capabilities that the container has
   * @param architecture {@code amd64} or {@code arm64}
   */
  static ObjectNode profile(Set<String> capabilities, String architecture) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode lists;
    try (InputStream in = Seccomp.class.getResourceAsStream("seccomp.json")) {
      if (in == null) {
        throw new IOException("seccomp.json is missing");
      }
      lists = json.readTree(in);
    }
    ObjectNode profile = json.createObjectNode();
    profile.put("defaultAction", "SCMP_ACT_ERRNO").put("defaultErrnoRet", EPERM);
    ArrayNode architectures = profile.putArray("architectures");
    (architecture.equals("arm64")
            ? List.of("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM")
            : List.of("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"))
        .forEach(architectures::add);
    List<String> allowed = new ArrayList<>();
    lists.path("allowed").forEach(name -> allowed.add(name.asText()));
    lists
        .path("allowedOnArchitecture")
        .path(architecture)
        .forEach(name -> allowed.add(name.asText()));
    for (String capability : capabilities) {
      lists
          .path("allowedWithCapability")
          .path(capability)
          .forEach(name -> allowed.add(name.asText()));
    }
    ArrayNode rules = profile.putArray("syscalls");
    rule(rules, allowed, "SCMP_ACT_ALLOW");
    argument(rule(rules, List.of("socket"), "SCMP_ACT_ALLOW"), AF_VSOCK, "SCMP_CMP_NE");
    for (JsonNode personality : lists.path("allowedPersonalities")) {
      argument(
          rule(rules, List.of("personality"), "SCMP_ACT_ALLOW"),
          personality.asLong(),
          "SCMP_CMP_EQ");
    }
    if (!capabilities.contains("CAP_SYS_ADMIN")) {
      argument(rule(rules, List.of("clone"), "SCMP_ACT_ALLOW"), NAMESPACES, "SCMP_CMP_MASKED_EQ")
          .put("valueTwo", 0);
      // Its flags lie in memory, where no filter can look: callers fall back to clone.
      rule(rules, List.of("clone3"), "SCMP_ACT_ERRNO").put("errnoRet", ENOSYS);
    }
    return profile;
  }

  private static ObjectNode rule(ArrayNode rules, List<String> names, String action) {
    ObjectNode rule = rules.addObject();
    ArrayNode list = rule.putArray("names");
    names.forEach(list::add);
    return rule.put("action", action);
  }

  private static ObjectNode argument(ObjectNode rule, long value, String operator) {
    return rule.putArray("args")
        .addObject()
        .put("index", 0)
        .put("value", value)
        .put("op", operator);
  }
}
