package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.image.InstanceTypes;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.AttachmentStatus;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;

/**
 * Further interfaces of instances: each is a device of its own in the instance, and leaves it
 * alive.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network-interface-attachments.html">
 *     Network interface attachments</a>
 */
public final class Attachments {

  /** Above the first one, as {@code eth} has numbers. */
  private static final int MAX_DEVICE = 255;

  private final Store store;
  private final InstantSource clock;
  private final NetworkInterfaces interfaces;
  private final DataPlane plane;

  public Attachments(
      Store store, InstantSource clock, NetworkInterfaces interfaces, DataPlane plane) {
    this.store = store;
    this.clock = clock;
    this.interfaces = interfaces;
    this.plane = plane;
  }

  /** All interfaces of an instance, by the number of their device. */
  static List<NetworkInterface> of(Tx tx, String instanceId) {
    return Tables.of(tx, Tables.INTERFACES, "instance", instanceId).stream()
        .sorted(Comparator.comparing((NetworkInterface eni) -> eni.attachment().deviceIndex()))
        .toList();
  }

  public AttachNetworkInterfaceResponse attach(AttachNetworkInterfaceRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of("DeviceIndex", "InstanceId", "NetworkInterfaceId", "NetworkCardIndex", "DryRun"));
    int device = Refuse.required(request.deviceIndex(), "deviceIndex");
    String instanceId = Refuse.required(request.instanceId(), "instanceId");
    String id = Refuse.required(request.networkInterfaceId(), "networkInterfaceId");
    if (device < 0 || device > MAX_DEVICE) {
      throw Refuse.invalidValue("Invalid value '" + device + "' for deviceIndex");
    }
    if (Objects.requireNonNullElse(request.networkCardIndex(), 0) != 0) {
      throw Refuse.invalidValue(
          "Invalid value '" + request.networkCardIndex() + "' for networkCardIndex");
    }
    String attachment = "eni-attach-" + id.substring(Math.min(id.length(), "eni-".length()));
    Instant now = clock.instant();
    return plane.alone(
        id,
        () -> {
          String host =
              store.write(tx -> {
                NetworkInterface eni = Kind.INTERFACE.get(tx, id);
                InstanceRecord instance = Kind.INSTANCE.get(tx, instanceId);
                check(tx, eni, instance, device);
                put(
                    tx,
                    eni,
                    NetworkInterfaceAttachment.builder()
                        .attachmentId(attachment)
                        .attachTime(now)
                        .deleteOnTermination(false)
                        .deviceIndex(device)
                        .networkCardIndex(0)
                        .instanceId(instanceId)
                        .instanceOwnerId(eni.ownerId())
                        .status(AttachmentStatus.ATTACHED)
                        .build());
                Refuse.ifDryRun(request.dryRun());
                return Objects.requireNonNull(instance.interfaceId());
              });
          plane.attach(id, host, device);
          return AttachNetworkInterfaceResponse.builder()
              .attachmentId(attachment)
              .networkCardIndex(0)
              .build();
        });
  }

  private void check(Tx tx, NetworkInterface eni, InstanceRecord instance, int device) {
    String id = eni.networkInterfaceId();
    if (eni.attachment() != null || plane.plugged(id).isPresent()) {
      throw Refuse.because("InvalidNetworkInterface.InUse", "Interface: [" + id + "] in use.");
    }
    if (instance.state() != InstanceStateName.RUNNING) {
      throw Refuse.because(
          "IncorrectInstanceState",
          "The instance '" + instance.id() + "' is not in the 'running' state.");
    }
    NetworkInterface first = Kind.INTERFACE.get(tx, Objects.requireNonNull(instance.interfaceId()));
    if (!eni.vpcId().equals(first.vpcId())) {
      throw Refuse.unsupported(
          "Interfaces of another VPC than the instance's are not supported by this region yet.");
    }
    if (!eni.availabilityZone().equals(first.availabilityZone())) {
      throw Refuse.combination(
          "You may not attach a network interface to an instance if they are not in the same"
              + " availability zone");
    }
    List<NetworkInterface> present = of(tx, instance.id());
    if (present.stream().anyMatch(one -> one.attachment().deviceIndex() == device)) {
      throw Refuse.invalidValue(
          "Instance '"
              + instance.id()
              + "' already has an interface attached at device index '"
              + device
              + "'.");
    }
    String type = instance.instance().instanceTypeAsString();
    int most = InstanceTypes.find(type).map(InstanceTypes.Type::interfaces).orElseThrow();
    if (present.size() >= most) {
      throw Refuse.because(
          "AttachmentLimitExceeded",
          "Interface count " + (present.size() + 1) + " exceeds the limit for " + type);
    }
  }

  /**
   * Takes the devices of an instance down, and with them what is in it. Its interfaces stay.
   *
   * @param still whether that is still wanted
   */
  void takeDown(String instance, BooleanSupplier still) {
    List<NetworkInterface> devices = store.read(tx -> of(tx, instance));
    for (NetworkInterface one : devices.reversed()) { // the first holds the others
      String id = one.networkInterfaceId();
      plane.alone(
          id,
          () -> {
            boolean wanted = still.getAsBoolean();
            if (wanted) {
              plane.unplug(id);
            }
            return wanted;
          });
    }
  }

  private static void put(
      Tx tx, NetworkInterface eni, @Nullable NetworkInterfaceAttachment attachment) {
    tx.put(
        Tables.INTERFACES,
        eni.networkInterfaceId(),
        eni.toBuilder().attachment(attachment).build());
  }

  public DetachNetworkInterfaceResponse detach(DetachNetworkInterfaceRequest request) {
    String attachment = Refuse.required(request.attachmentId(), "attachmentId");
    String id =
        "eni-" + attachment.substring(Math.min(attachment.length(), "eni-attach-".length()));
    plane.alone(
        id,
        () -> {
          store.read(tx -> {
            Optional<NetworkInterface> eni = attached(tx, id, attachment);
            if (eni.orElseThrow(() -> missing(attachment)).attachment().deviceIndex() == 0) {
              throw Refuse.because(
                  "OperationNotPermitted",
                  "The network interface at device index 0 and networkCard index 0 cannot be"
                      + " detached.");
            }
            return true;
          });
          Refuse.ifDryRun(request.dryRun());
          loose(id, attachment);
          return true;
        });
    return DetachNetworkInterfaceResponse.builder().build();
  }

  private static Optional<NetworkInterface> attached(Tx tx, String id, String attachment) {
    return tx.get(Tables.INTERFACES, id)
        .map(Row::value)
        .filter(eni -> eni.attachment() != null && eni.attachment().instanceId() != null)
        .filter(eni -> attachment.equals(eni.attachment().attachmentId()));
  }

  private static Ec2Exception missing(String attachment) {
    return Refuse.because(
        "InvalidAttachmentID.NotFound", "The attachment '" + attachment + "' does not exist");
  }

  /** Within {@link DataPlane#alone}: first the device goes, then the word of it. */
  private void loose(String id, String attachment) {
    plane.unplug(id);
    store.write(tx -> {
      attached(tx, id, attachment).ifPresent(eni -> put(tx, eni, null));
      return true;
    });
  }

  /**
   * Takes over the devices that an earlier server left in what runs still, before what nobody took
   * over is removed.
   */
  public void adopt() {
    for (Row<InstanceRecord> row : store.read(tx -> tx.list(Tables.INSTANCES))) {
      String host = row.value().interfaceId();
      if (host != null && plane.plugged(host).isPresent()) {
        boot(row.value());
      }
    }
  }

  /** Brings the further devices of a running instance to life that are not yet. */
  void boot(InstanceRecord instance) {
    for (NetworkInterface one : store.read(tx -> of(tx, instance.id()))) {
      String id = one.networkInterfaceId();
      plane.alone(
          id,
          () -> {
            Optional<NetworkInterface> still =
                store.read(tx -> attached(tx, id, one.attachment().attachmentId()));
            boolean further = still.filter(eni -> eni.attachment().deviceIndex() > 0).isPresent();
            if (further) {
              plane.networkInterface(id);
              plane.attach(
                  id,
                  Objects.requireNonNull(instance.interfaceId()),
                  one.attachment().deviceIndex());
            }
            return further;
          });
    }
  }

  /** An instance ends: its further interfaces go with it or stay without it, as they were told. */
  void end(InstanceRecord instance) {
    for (NetworkInterface one : store.read(tx -> of(tx, instance.id()))) {
      String id = one.networkInterfaceId();
      if (one.attachment().deviceIndex() > 0) {
        plane.alone(
            id,
            () -> {
              release(id, one.attachment().attachmentId());
              return true;
            });
      }
    }
  }

  /** Within {@link DataPlane#alone}. */
  void release(String id, String attachment) {
    Optional<NetworkInterface> now = store.read(tx -> attached(tx, id, attachment));
    if (now.isEmpty()) {
      return;
    }
    if (!now.get().attachment().deleteOnTermination()) {
      loose(id, attachment);
      return;
    }
    plane.interfaceGone(id);
    store.write(tx -> {
      interfaces.forget(tx, id);
      return true;
    });
  }
}
