package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.state.Refuse;
import java.util.LinkedHashMap;
import java.util.Map;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LinuxParameters;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;

/**
 * What a task definition may not say for tasks on Fargate, where it differs from instances.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html">Fargate
 *     task definition differences</a>
 */
final class FargateDefinitions {

  private FargateDefinitions() {}

  /** What ECS has, but not for this launch type, in its own words. */
  static void check(RegisterTaskDefinitionRequest request) {
    if (request.ipcMode() != null) {
      throw Refuse.client("Tasks using the Fargate launch type do not support ipcMode.");
    }
    if (request.pidMode() == PidMode.HOST) {
      throw Refuse.client(
          "Tasks using the Fargate launch type do not support pidMode 'host': use task.");
    }
    if (!request.placementConstraints().isEmpty()) {
      throw Refuse.client(
          "Fargate compatible task definitions do not support placementConstraints");
    }
    TaskSize.checkStorage(request.ephemeralStorage());
    for (ContainerDefinition container : request.containerDefinitions()) {
      LinuxParameters linux = container.linuxParameters();
      Map<String, Boolean> unsupported = new LinkedHashMap<>();
      unsupported.put("privileged", Boolean.TRUE.equals(container.privileged()));
      unsupported.put("disableNetworking", Boolean.TRUE.equals(container.disableNetworking()));
      unsupported.put("dockerSecurityOptions", !container.dockerSecurityOptions().isEmpty());
      unsupported.put("links", !container.links().isEmpty());
      unsupported.put("hostname", container.hostname() != null);
      unsupported.put("extraHosts", !container.extraHosts().isEmpty());
      unsupported.put("dnsServers", !container.dnsServers().isEmpty());
      unsupported.put("dnsSearchDomains", !container.dnsSearchDomains().isEmpty());
      unsupported.put("devices", linux != null && !linux.devices().isEmpty());
      unsupported.put("sharedMemorySize", linux != null && linux.sharedMemorySize() != null);
      unsupported.put("maxSwap", linux != null && linux.maxSwap() != null);
      unsupported.put("swappiness", linux != null && linux.swappiness() != null);
      unsupported.forEach((name, used) -> {
        if (used) {
          throw Refuse.client("Fargate compatible task definitions do not support " + name);
        }
      });
      if (linux != null
          && linux.capabilities() != null
          && linux.capabilities().add().stream().anyMatch(one -> !one.equals("SYS_PTRACE"))) {
        throw Refuse.client(
            "Fargate compatible task definitions do not support adding Linux capabilities other"
                + " than SYS_PTRACE");
      }
    }
  }
}
