package dev.muelle.services.ecs.agent;

import dev.muelle.network.Network;
import dev.muelle.services.Scope;
import dev.muelle.services.ecs.cluster.AccountSettings;
import dev.muelle.services.ecs.cluster.SettingRule;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.TaskRecord;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.Task;

/** The network interface of a task that has one of its own (network mode {@code awsvpc}). */
final class TaskInterfaces {

  private final Scope scope;
  private final Ec2Client ec2;
  private final Network network;
  private final AccountSettings settings;

  TaskInterfaces(Scope scope, Ec2Client ec2, Network network, AccountSettings settings) {
    this.settings = settings;
    this.scope = scope;
    this.ec2 = ec2;
    this.network = network;
  }

  /**
   * Makes it, or finds the one that was made before. In a subnet that carries IPv6 it has an
   * address of that, too, unless the account does not want it.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html">Task
   *     networking</a>
   * @throws Ec2Exception if it cannot be made
   */
  NetworkInterface create(TaskRecord task) {
    NetworkInterface eni =
        ec2.createNetworkInterface(request ->
                request
                    .clientToken(task.id())
                    .subnetId(task.subnet())
                    .groups(task.network().securityGroups())
                    .ipv6AddressCount(ipv6Addresses(task))
                    .description(attachmentArn(task)))
            .networkInterface();
    if (task.network().assignPublicIp() == AssignPublicIp.ENABLED) {
      ec2.modifyNetworkInterfaceAttribute(request ->
          request.networkInterfaceId(eni.networkInterfaceId()).associatePublicIpAddress(true));
    }
    return eni;
  }

  /** How many it is to have; nothing is said where there are none. */
  private @Nullable Integer ipv6Addresses(TaskRecord task) {
    boolean carries =
        ec2.describeSubnets(request -> request.subnetIds(task.subnet())).subnets().stream()
            .anyMatch(subnet -> !subnet.ipv6CidrBlockAssociationSet().isEmpty());
    if (!carries) {
      return null;
    }
    return settings.byDefault(SettingRule.DUAL_STACK).equals(SettingRule.ENABLED) ? 1 : 0;
  }

  /** The task with its interface. */
  static Task.Builder attached(Task.Builder builder, TaskRecord task, NetworkInterface eni) {
    return Eni.attach(
            builder,
            task.task(),
            "ATTACHED",
            pair(Eni.ID, eni.networkInterfaceId()),
            pair(Eni.MAC, eni.macAddress()),
            pair(Eni.NAME, Objects.requireNonNullElse(eni.privateDnsName(), "")),
            pair(Eni.ADDRESS, eni.privateIpAddress()))
        .containers(
            task.task().containers().stream()
                .map(container -> withInterface(container, task, eni))
                .toList());
  }

  private static Container withInterface(
      Container container, TaskRecord task, NetworkInterface eni) {
    return container.toBuilder()
        .networkInterfaces(
            software.amazon.awssdk.services.ecs.model.NetworkInterface.builder()
                .attachmentId(task.task().attachments().getFirst().id())
                .privateIpv4Address(eni.privateIpAddress())
                .ipv6Address(eni.ipv6Address())
                .build())
        .build();
  }

  /** Deletes it, if there is one. */
  void delete(TaskRecord task) {
    Optional<String> eni = Eni.id(task).or(() -> unattached(task));
    if (eni.isPresent()) {
      network.unplug(eni.get());
      try {
        ec2.deleteNetworkInterface(request -> request.networkInterfaceId(eni.get()));
      } catch (Ec2Exception e) {
        if (!e.awsErrorDetails().errorCode().equals("InvalidNetworkInterfaceID.NotFound")) {
          throw e;
        }
      }
    }
  }

  /** An interface that was made, but not noted in the task before the server died. */
  private Optional<String> unattached(TaskRecord task) {
    if (task.task().attachments().isEmpty()) {
      return Optional.empty(); // it has none in its network mode
    }
    return ec2
        .describeNetworkInterfaces(request ->
            request.filters(
                Filter.builder().name("description").values(attachmentArn(task)).build()))
        .networkInterfaces()
        .stream()
        .map(NetworkInterface::networkInterfaceId)
        .findFirst();
  }

  private String attachmentArn(TaskRecord task) {
    return scope.arn("ecs", "attachment/" + task.task().attachments().getFirst().id());
  }

  private static KeyValuePair pair(String name, String value) {
    return KeyValuePair.builder().name(name).value(value).build();
  }
}
