package dev.muelle.services.ec2.instance;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
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
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesResponse;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.InstancePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.InstanceState;
import software.amazon.awssdk.services.ec2.model.InstanceStateChange;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.InstanceStatus;
import software.amazon.awssdk.services.ec2.model.InstanceStatusDetails;
import software.amazon.awssdk.services.ec2.model.InstanceStatusSummary;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.Reservation;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RunInstancesResponse;
import software.amazon.awssdk.services.ec2.model.StatusName;
import software.amazon.awssdk.services.ec2.model.StatusType;
import software.amazon.awssdk.services.ec2.model.SummaryStatus;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesResponse;

/**
 * Instances: a network namespace with an interface in a subnet, and what its image runs. Each look
 * brings one further: pending to running, shutting-down to terminated; what the network lost (when
 * the machine was started anew) it gets back.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html">Instance
 *     lifecycle</a>
 */
public final class Instances {

  /** A terminated instance stays describable for a while, usually an hour. */
  private static final Duration KEPT = Duration.ofHours(1);

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'GMT'").withZone(ZoneOffset.UTC);

  private static final Filters<Instance> FILTERS =
      new Filters<>(Instance::tags)
          .by("architecture", Instance::architectureAsString)
          .by("availability-zone", i -> i.placement().availabilityZone())
          .by("client-token", Instance::clientToken)
          .by("dns-name", Instance::publicDnsName)
          .byAny(
              "group-id", i -> i.securityGroups().stream().map(GroupIdentifier::groupId).toList())
          .byAny(
              "instance.group-id",
              i -> i.securityGroups().stream().map(GroupIdentifier::groupId).toList())
          .byAny(
              "instance.group-name",
              i -> i.securityGroups().stream().map(GroupIdentifier::groupName).toList())
          .by(
              "iam-instance-profile.arn",
              i -> i.iamInstanceProfile() == null ? null : i.iamInstanceProfile().arn())
          .by("image-id", Instance::imageId)
          .by("instance-id", Instance::instanceId)
          .by("instance-state-code", i -> i.state().code())
          .by("instance-state-name", i -> i.state().nameAsString())
          .by("instance-type", Instance::instanceTypeAsString)
          .by("ip-address", Instance::publicIpAddress)
          .by("launch-time", Instance::launchTime)
          .byAny(
              "network-interface.network-interface-id",
              i ->
                  i.networkInterfaces().stream()
                      .map(InstanceNetworkInterface::networkInterfaceId)
                      .toList())
          .by("private-dns-name", Instance::privateDnsName)
          .by("private-ip-address", Instance::privateIpAddress)
          .by("subnet-id", Instance::subnetId)
          .by("vpc-id", Instance::vpcId);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Launches launches;
  private final NetworkInterfaces interfaces;
  private final Attachments attachments;
  private final DataPlane plane;
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
      DataPlane plane,
      Consumer<String> wake) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.launches = launches;
    this.interfaces = interfaces;
    this.attachments = attachments;
    this.plane = plane;
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
                        .map(record -> new Shown(record.reservation(), shown(tx, record)))
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
      case STOPPING, STOPPED, UNKNOWN_TO_SDK_VERSION -> null;
    };
  }

  private @Nullable Duration boot(InstanceRecord record) {
    String eni = Objects.requireNonNull(record.interfaceId());
    plane.alone(
        eni,
        () -> {
          boolean wanted =
              store
                  .read(tx -> tx.get(Tables.INSTANCES, record.id()))
                  .filter(row -> row.value().interfaceId() != null)
                  .isPresent();
          if (wanted) {
            plane.networkInterface(eni);
            plane.plugInstance(eni);
          }
          return wanted;
        });
    attachments.boot(record);
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
              tx.put(
                  Tables.INSTANCES,
                  record.id(),
                  new InstanceRecord(now.instance(), now.reservation(), null, null, clock.instant())
                      .in(InstanceStateName.TERMINATED));
            }
            return true;
          });
        });
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
        tx.put(Tables.INSTANCES, id, change.of(now.get()));
      }
      return still;
    });
  }

  /** All or none; one that is terminated already is no fault. */
  public TerminateInstancesResponse terminate(TerminateInstancesRequest request) {
    Refuse.unlessEffective(request, java.util.Set.of("InstanceIds", "DryRun"));
    if (request.instanceIds().isEmpty()) {
      throw Refuse.missing("InstanceId");
    }
    List<String> asked = request.instanceIds().stream().distinct().toList();
    asked.forEach(Instances::wellFormed);
    List<InstanceStateChange> changes =
        store.write(tx -> {
          List<InstanceStateChange> done = new ArrayList<>();
          Kind.INSTANCE.list(tx, asked); // all of them must exist
          for (String id : asked) {
            InstanceRecord before = Kind.INSTANCE.get(tx, id);
            boolean alive =
                before.state() == InstanceStateName.PENDING
                    || before.state() == InstanceStateName.RUNNING;
            InstanceRecord after = alive ? shuttingDown(before) : before;
            if (alive) {
              tx.put(Tables.INSTANCES, id, after);
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
    String text = "Client.UserInitiatedShutdown";
    return record
        .in(InstanceStateName.SHUTTING_DOWN)
        .with(i ->
            i.stateReason(r -> r.code(text).message(text + ": User initiated shutdown"))
                .stateTransitionReason("User initiated (" + SECONDS.format(clock.instant()) + ")"));
  }

  private static String wellFormed(String id) {
    if (!id.matches("i-[0-9a-f]{8}([0-9a-f]{9})?")) {
      throw Refuse.because(
          "InvalidInstanceID.Malformed", "Invalid id: \"" + id + "\" (expecting \"i-...\")");
    }
    return id;
  }

  private record Shown(String reservation, Instance instance) {}

  public DescribeInstancesResponse describe(DescribeInstancesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    request.instanceIds().forEach(Instances::wellFormed);
    Map<String, String> reservationOf = new LinkedHashMap<>();
    List<Instance> all =
        store.read(tx ->
            Kind.INSTANCE.list(tx, request.instanceIds()).stream()
                .map(record -> {
                  reservationOf.put(record.id(), record.reservation());
                  return shown(tx, record);
                })
                .toList());
    Pages<Instance> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            Instance::instanceId,
            request.instanceIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeInstancesResponse.builder()
        .reservations(
            reservations(
                page.items().stream()
                    .map(i ->
                        new Shown(Objects.requireNonNull(reservationOf.get(i.instanceId())), i))
                    .toList()))
        .nextToken(page.nextToken())
        .build();
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
  private Instance shown(Tx tx, InstanceRecord record) {
    Instance.Builder shown = record.instance().toBuilder().tags(Tags.of(tx, record.id()));
    String id = record.interfaceId();
    if (id == null) {
      return shown
          .privateDnsName("")
          .publicDnsName("")
          .subnetId(null)
          .vpcId(null)
          .networkInterfaces(List.of())
          .securityGroups(List.of())
          .build();
    }
    NetworkInterface eni = interfaces.shown(tx, Kind.INTERFACE.get(tx, id));
    String publicName = eni.association() == null ? null : eni.association().publicDnsName();
    return shown
        .privateIpAddress(eni.privateIpAddress())
        .privateDnsName(eni.privateDnsName())
        .publicIpAddress(eni.association() == null ? null : eni.association().publicIp())
        .publicDnsName(Objects.requireNonNullElse(publicName, ""))
        .securityGroups(eni.groups())
        .sourceDestCheck(true)
        .networkInterfaces(
            Attachments.of(tx, record.id()).stream()
                .map(one -> device(interfaces.shown(tx, one)))
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
        .sourceDestCheck(true)
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

  public DescribeInstanceAttributeResponse attribute(DescribeInstanceAttributeRequest request) {
    Refuse.ifDryRun(request.dryRun());
    String id = wellFormed(Refuse.required(request.instanceId(), "instanceId"));
    return store.read(tx -> {
      InstanceRecord record = Kind.INSTANCE.get(tx, id);
      DescribeInstanceAttributeResponse.Builder answer =
          DescribeInstanceAttributeResponse.builder().instanceId(id);
      return switch (request.attribute()) {
        case USER_DATA -> answer.userData(v -> v.value(record.userData())).build();
        case INSTANCE_TYPE ->
            answer.instanceType(v -> v.value(record.instance().instanceTypeAsString())).build();
        case GROUP_SET -> answer.groups(shown(tx, record).securityGroups()).build();
        case DISABLE_API_TERMINATION -> answer.disableApiTermination(v -> v.value(false)).build();
        case SOURCE_DEST_CHECK -> answer.sourceDestCheck(v -> v.value(true)).build();
        case null -> throw Refuse.missing("attribute");
        default ->
            throw Refuse.unsupported(
                "The attribute "
                    + request.attributeAsString()
                    + " is not supported by this region yet.");
      };
    });
  }

  /** Its two checks pass as soon as it is reachable. */
  public DescribeInstanceStatusResponse status(DescribeInstanceStatusRequest request) {
    Refuse.unlessEffective(
        request,
        java.util.Set.of(
            "InstanceIds", "IncludeAllInstances", "MaxResults", "NextToken", "DryRun"));
    Refuse.ifDryRun(request.dryRun());
    request.instanceIds().forEach(Instances::wellFormed);
    List<InstanceStatus> all =
        store.read(tx ->
            Kind.INSTANCE.list(tx, request.instanceIds()).stream()
                .filter(record ->
                    record.state() == InstanceStateName.RUNNING
                        || Boolean.TRUE.equals(request.includeAllInstances()))
                .map(this::status)
                .toList());
    Pages<InstanceStatus> page =
        Pages.of(
            all,
            InstanceStatus::instanceId,
            request.instanceIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeInstanceStatusResponse.builder()
        .instanceStatuses(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private InstanceStatus status(InstanceRecord record) {
    boolean running = record.state() == InstanceStateName.RUNNING;
    String eni = record.interfaceId();
    boolean reachable = running && eni != null && plane.plugged(eni).isPresent();
    InstanceStatusSummary summary =
        InstanceStatusSummary.builder()
            .status(
                !running
                    ? SummaryStatus.NOT_APPLICABLE
                    : reachable ? SummaryStatus.OK : SummaryStatus.INITIALIZING)
            .details(
                InstanceStatusDetails.builder()
                    .name(StatusName.REACHABILITY)
                    .status(reachable ? StatusType.PASSED : StatusType.INITIALIZING)
                    .build())
            .build();
    InstanceState state = record.instance().state();
    return InstanceStatus.builder()
        .instanceId(record.id())
        .availabilityZone(record.instance().placement().availabilityZone())
        .instanceState(state)
        .instanceStatus(summary)
        .systemStatus(summary)
        .events(List.of())
        .build();
  }
}
