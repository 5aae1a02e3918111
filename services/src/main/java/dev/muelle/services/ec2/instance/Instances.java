package dev.muelle.services.ec2.instance;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.instance.InstanceFilters.Shown;
import dev.muelle.services.ec2.metadata.InstanceMetadata;
import dev.muelle.services.ec2.metadata.MetadataOptions;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesResponse;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceIpv6Address;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.InstancePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.InstanceStateChange;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.Reservation;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RunInstancesResponse;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesResponse;

/**
 * Instances: a network namespace with an interface in a subnet, and what its image runs. Each look
 * brings one further: pending to running, stopping to stopped, shutting-down to terminated; what
 * the network lost (when the machine was started anew) it gets back.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html">Instance
 *     lifecycle</a>
 */
public final class Instances {

  /** A terminated instance stays describable for a while, usually an hour. */
  private static final Duration KEPT = Duration.ofHours(1);

  private static final Set<InstanceStateName> BOOTS =
      Set.of(InstanceStateName.PENDING, InstanceStateName.RUNNING);

  private static final Filters<Shown> FILTERS = InstanceFilters.all();

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Launches launches;
  private final NetworkInterfaces interfaces;
  private final Attachments attachments;
  private final Pauses pauses;
  private final Reboots reboots;
  private final DataPlane plane;
  private final InstanceMetadata metadata;
  private final StateChanges changes;
  private final Consumer<String> wake;

  /**
   * Instances.
   *
   * @param wake has an instance looked at
   */
  public Instances(
      Scope scope,
      Store store,
      InstantSource clock,
      Launches launches,
      NetworkInterfaces interfaces,
      Attachments attachments,
      Pauses pauses,
      Reboots reboots,
      DataPlane plane,
      InstanceMetadata metadata,
      StateChanges changes,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.launches = launches;
    this.interfaces = interfaces;
    this.attachments = attachments;
    this.pauses = pauses;
    this.reboots = reboots;
    this.plane = plane;
    this.metadata = metadata;
    this.changes = changes;
    this.wake = wake;
  }

  /** Every instance, to be looked at after a start. */
  public List<String> ids() {
    return store.read(tx -> tx.list(Tables.INSTANCES)).stream().map(Row::key).toList();
  }

  public RunInstancesResponse run(RunInstancesRequest request) {
    String reservation = launches.run(request);
    Reservation made =
        store.read(tx ->
            reservations(
                    tx.list(Tables.INSTANCES).stream()
                        .map(Row::value)
                        .filter(record -> record.reservation().equals(reservation))
                        .map(record -> inReservation(tx, record))
                        .sorted(
                            (a, b) -> a.instance().amiLaunchIndex() - b.instance().amiLaunchIndex())
                        .toList())
                .stream()
                .findFirst()
                .orElse(Reservation.builder().reservationId(reservation).build()));
    made.instances().forEach(instance -> wake.accept(instance.instanceId()));
    return RunInstancesResponse.builder()
        .reservationId(reservation)
        .ownerId(scope.account())
        .groups(List.of())
        .instances(made.instances())
        .build();
  }

  /** One look; gives when to look again, or null for "when something changes". */
  public @Nullable Duration look(String id) {
    Optional<InstanceRecord> found = store.read(tx -> tx.get(Tables.INSTANCES, id)).map(Row::value);
    if (found.isEmpty()) {
      return null;
    }
    InstanceRecord record = found.get();
    return switch (record.state()) {
      case PENDING, RUNNING -> boot(record);
      case SHUTTING_DOWN -> shutDown(record);
      case TERMINATED -> forget(record);
      case STOPPING -> {
        pauses.halt(record);
        yield null;
      }
      case STOPPED, UNKNOWN_TO_SDK_VERSION -> null;
    };
  }

  private @Nullable Duration boot(InstanceRecord record) {
    String eni = Objects.requireNonNull(record.interfaceId());
    pauses.address(record);
    reboots.takeDown(record);
    plane.alone(
        eni,
        () -> {
          boolean wanted =
              store
                  .read(tx -> tx.get(Tables.INSTANCES, record.id()))
                  .filter(row -> BOOTS.contains(row.value().state()))
                  .isPresent();
          if (wanted) {
            plane.networkInterface(eni);
            plane.plugInstance(eni);
          }
          return wanted;
        });
    attachments.boot(record);
    metadata.update(record.instance().vpcId());
    if (record.state() == InstanceStateName.PENDING) {
      change(record.id(), InstanceStateName.PENDING, now -> now.in(InstanceStateName.RUNNING));
    }
    return null;
  }

  private Duration shutDown(InstanceRecord record) {
    String eni = Objects.requireNonNull(record.interfaceId());
    attachments.end(record);
    plane.alone(
        eni,
        () -> {
          store
              .read(tx -> tx.get(Tables.INTERFACES, eni))
              .map(Row::value)
              .filter(first -> first.attachment() != null)
              .ifPresent(first -> attachments.release(eni, first.attachment().attachmentId()));
          return store.write(tx -> {
            InstanceRecord now = Kind.INSTANCE.get(tx, record.id());
            if (now.interfaceId() != null) {
              InstanceRecord ended = now.ended(clock.instant());
              tx.put(Tables.INSTANCES, record.id(), ended);
              changes.note(tx, ended);
            }
            return true;
          });
        });
    metadata.ended(record);
    return KEPT;
  }

  private @Nullable Duration forget(InstanceRecord record) {
    Instant end = Objects.requireNonNull(record.terminatedAt()).plus(KEPT);
    Duration left = Duration.between(clock.instant(), end);
    if (left.isPositive()) {
      return left;
    }
    store.write(tx -> {
      Tags.forget(tx, record.id());
      boolean gone = tx.delete(Tables.INSTANCES, record.id());
      boolean last =
          tx.list(Tables.INSTANCES).stream()
              .noneMatch(row -> row.value().reservation().equals(record.reservation()));
      if (last) {
        for (Row<ClientToken> row : tx.find(Tables.TOKENS, "resource", record.reservation())) {
          tx.delete(Tables.TOKENS, row.key());
        }
      }
      return gone;
    });
    return null;
  }

  private interface Change {
    InstanceRecord of(InstanceRecord now);
  }

  private void change(String id, InstanceStateName from, Change change) {
    store.write(tx -> {
      Optional<InstanceRecord> now = tx.get(Tables.INSTANCES, id).map(Row::value);
      boolean still = now.filter(record -> record.state() == from).isPresent();
      if (still) {
        InstanceRecord changed = change.of(now.get());
        tx.put(Tables.INSTANCES, id, changed);
        changes.note(tx, changed);
      }
      return still;
    });
  }

  /** All or none; one that is terminated already is no fault. */
  public TerminateInstancesResponse terminate(TerminateInstancesRequest request) {
    Refuse.unlessEffective(request, Set.of("InstanceIds", "DryRun"));
    if (request.instanceIds().isEmpty()) {
      throw Refuse.missing("InstanceId");
    }
    List<String> asked = request.instanceIds().stream().distinct().toList();
    asked.forEach(InstanceRecord::wellFormed);
    List<InstanceStateChange> changes =
        store.write(tx -> {
          List<InstanceStateChange> done = new ArrayList<>();
          Kind.INSTANCE.list(tx, asked); // all of them must exist
          for (String id : asked) {
            InstanceRecord before = Kind.INSTANCE.get(tx, id);
            boolean alive =
                before.state() != InstanceStateName.SHUTTING_DOWN
                    && before.state() != InstanceStateName.TERMINATED;
            InstanceRecord after = alive ? shuttingDown(before) : before;
            if (alive) {
              Protection.mayTerminate(before);
              tx.put(Tables.INSTANCES, id, after);
              this.changes.note(tx, after);
            }
            done.add(
                InstanceStateChange.builder()
                    .instanceId(id)
                    .previousState(before.instance().state())
                    .currentState(after.instance().state())
                    .build());
          }
          Refuse.ifDryRun(request.dryRun());
          return done;
        });
    asked.forEach(wake);
    return TerminateInstancesResponse.builder().terminatingInstances(changes).build();
  }

  private InstanceRecord shuttingDown(InstanceRecord record) {
    return record.shutDownByUser(clock.instant()).in(InstanceStateName.SHUTTING_DOWN);
  }

  public DescribeInstancesResponse describe(DescribeInstancesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    request.instanceIds().forEach(InstanceRecord::wellFormed);
    List<Shown> all =
        store.read(tx ->
            Kind.INSTANCE.list(tx, request.instanceIds()).stream()
                .map(record -> inReservation(tx, record))
                .toList());
    Pages<Shown> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            shown -> shown.instance().instanceId(),
            request.instanceIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeInstancesResponse.builder()
        .reservations(reservations(page.items()))
        .nextToken(page.nextToken())
        .build();
  }

  private Shown inReservation(Tx tx, InstanceRecord record) {
    List<NetworkInterface> devices =
        Attachments.of(tx, record.id()).stream()
            .map(eni -> eni.toBuilder().tagSet(Tags.of(tx, eni.networkInterfaceId())).build())
            .toList();
    return new Shown(record.reservation(), scope.account(), shown(tx, record), devices);
  }

  private List<Reservation> reservations(List<Shown> instances) {
    Map<String, List<Instance>> by = new LinkedHashMap<>();
    instances.forEach(
        one -> by.computeIfAbsent(one.reservation(), r -> new ArrayList<>()).add(one.instance()));
    return by.entrySet().stream()
        .map(entry ->
            Reservation.builder()
                .reservationId(entry.getKey())
                .ownerId(scope.account())
                .groups(List.of())
                .instances(entry.getValue())
                .build())
        .toList();
  }

  /** As it is described: with its tags, and what its interface has. */
  Instance shown(Tx tx, InstanceRecord record) {
    Instance.Builder shown = record.instance().toBuilder().tags(Tags.of(tx, record.id()));
    // While it shuts down, its interface goes first.
    Optional<NetworkInterface> first =
        Optional.ofNullable(record.interfaceId())
            .flatMap(id -> tx.get(Tables.INTERFACES, id))
            .map(Row::value);
    if (first.isEmpty()) {
      return shown
          .privateDnsName("")
          .publicDnsName("")
          .subnetId(null)
          .vpcId(null)
          .networkInterfaces(List.of())
          .securityGroups(List.of())
          .build();
    }
    NetworkInterface eni = interfaces.shown().of(tx, first.get());
    String publicName = eni.association() == null ? null : eni.association().publicDnsName();
    return shown
        .privateIpAddress(eni.privateIpAddress())
        .privateDnsName(eni.privateDnsName())
        .publicIpAddress(eni.association() == null ? null : eni.association().publicIp())
        .publicDnsName(Objects.requireNonNullElse(publicName, ""))
        .ipv6Address(eni.ipv6Address())
        .securityGroups(eni.groups())
        .sourceDestCheck(eni.sourceDestCheck())
        .metadataOptions(MetadataOptions.of(record.instance()))
        .networkInterfaces(
            Attachments.of(tx, record.id()).stream()
                .map(one -> device(interfaces.shown().of(tx, one)))
                .toList())
        .build();
  }

  private static InstanceNetworkInterface device(NetworkInterface eni) {
    NetworkInterfaceAttachment attachment = eni.attachment();
    return InstanceNetworkInterface.builder()
        .networkInterfaceId(eni.networkInterfaceId())
        .description(eni.description())
        .groups(eni.groups())
        .macAddress(eni.macAddress())
        .ownerId(eni.ownerId())
        .privateDnsName(eni.privateDnsName())
        .privateIpAddress(eni.privateIpAddress())
        .privateIpAddresses(
            eni.privateIpAddresses().stream()
                .map(one ->
                    InstancePrivateIpAddress.builder()
                        .primary(one.primary())
                        .privateIpAddress(one.privateIpAddress())
                        .privateDnsName(one.privateDnsName())
                        .association(association(one.association()))
                        .build())
                .toList())
        .ipv6Addresses(
            eni.ipv6Addresses().stream()
                .map(one ->
                    InstanceIpv6Address.builder()
                        .ipv6Address(one.ipv6Address())
                        .isPrimaryIpv6(one.isPrimaryIpv6())
                        .build())
                .toList())
        .sourceDestCheck(eni.sourceDestCheck())
        .status(eni.statusAsString())
        .subnetId(eni.subnetId())
        .vpcId(eni.vpcId())
        .interfaceType("interface")
        .association(association(eni.association()))
        .attachment(a ->
            a.attachmentId(attachment.attachmentId())
                .attachTime(attachment.attachTime())
                .deleteOnTermination(attachment.deleteOnTermination())
                .deviceIndex(attachment.deviceIndex())
                .networkCardIndex(0)
                .status(attachment.statusAsString()))
        .build();
  }

  private static @Nullable InstanceNetworkInterfaceAssociation association(
      @Nullable NetworkInterfaceAssociation present) {
    return present == null
        ? null
        : InstanceNetworkInterfaceAssociation.builder()
            .ipOwnerId(present.ipOwnerId())
            .publicIp(present.publicIp())
            .publicDnsName(present.publicDnsName())
            .build();
  }
}
