package dev.muelle.services.ecs.state;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import software.amazon.awssdk.services.ecs.model.Attachment;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.NetworkInterface;
import software.amazon.awssdk.services.ecs.model.Task;

/** The task's network interface, as its attachment's details tell it. */
public final class Eni {

  public static final String ID = "networkInterfaceId";
  public static final String MAC = "macAddress";
  public static final String NAME = "privateDnsName";
  public static final String ADDRESS = "privateIPv4Address";

  private Eni() {}

  /** The interface's id, once there is one. */
  public static Optional<String> id(TaskRecord task) {
    return detail(task, ID);
  }

  /** The private address; the empty string as long as there is none. */
  public static String address(TaskRecord task) {
    return detail(task, ADDRESS).orElse("");
  }

  /** The IPv6 address, if it has one; its containers tell it. */
  public static Optional<String> ipv6(TaskRecord task) {
    return task.task().containers().stream()
        .flatMap(container -> container.networkInterfaces().stream())
        .map(NetworkInterface::ipv6Address)
        .filter(Objects::nonNull)
        .findFirst();
  }

  public static Optional<String> detail(TaskRecord task, String name) {
    return task.task().attachments().stream()
        .flatMap(attachment -> attachment.details().stream())
        .filter(detail -> detail.name().equals(name))
        .map(KeyValuePair::value)
        .findFirst();
  }

  /** The task with more details of its interface. */
  public static Task.Builder attach(
      Task.Builder builder, Task task, String status, KeyValuePair... more) {
    List<Attachment> attachments = new ArrayList<>();
    for (Attachment attachment : task.attachments()) {
      List<KeyValuePair> details = new ArrayList<>(attachment.details());
      for (KeyValuePair detail : more) {
        details.removeIf(present -> present.name().equals(detail.name()));
        details.add(detail);
      }
      attachments.add(attachment.toBuilder().status(status).details(details).build());
    }
    return builder.attachments(attachments);
  }
}
