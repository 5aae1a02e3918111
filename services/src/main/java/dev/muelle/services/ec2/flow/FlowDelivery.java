package dev.muelle.services.ec2.flow;

import dev.muelle.loop.Timers;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network.Flow;
import dev.muelle.network.Network.FlowWindow;
import dev.muelle.services.Scope;
import dev.muelle.services.ServiceRole;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Ways;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.CloudWatchLogsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.ec2.model.FlowLog;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.Route;
import software.amazon.awssdk.services.ec2.model.TrafficType;

/**
 * Tells what was counted, each minute, whatever longer interval a flow log allows: so it is on AWS
 * for what is attached to instances on Nitro. What one server counted and did not tell the next one
 * tells.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-aggregation-interval">Aggregation
 *     interval</a>
 */
public final class FlowDelivery implements AutoCloseable {

  static final String SUCCESS = "SUCCESS";
  private static final String FAILED = "FAILED";
  private static final String ACCESS = "Access error";
  private static final String UNKNOWN = "Unknown error";

  private static final Logger LOG = LoggerFactory.getLogger(FlowDelivery.class);
  private static final long MINUTE = 60_000;

  /** What one call of PutLogEvents takes, with 26 bytes for each event. */
  private static final int MOST_EVENTS = 10_000;

  private static final int MOST_BYTES = 1 << 20;
  private static final int PER_EVENT = 26;

  private final Scope scope;
  private final Store store;
  private final Timers timers;
  private final DataPlane plane;
  private final ServiceRole role;
  private final CloudWatchLogsClient logs;

  private boolean closed;
  private Timers.@Nullable Cancellable next;

  public FlowDelivery(
      Scope scope,
      Store store,
      Timers timers,
      DataPlane plane,
      ServiceRole role,
      CloudWatchLogsClient logs) {
    this.scope = scope;
    this.store = store;
    this.timers = timers;
    this.plane = plane;
    this.role = role;
    this.logs = logs;
  }

  /** Counts what is wanted, takes over what an earlier server counted, and tells from now on. */
  public synchronized void start() {
    if (!closed) {
      count();
      again();
    }
  }

  private void again() {
    long into = Math.floorMod(timers.millis(), MINUTE);
    next = timers.after(Duration.ofMillis(MINUTE - into), this::run);
  }

  private synchronized void run() {
    if (closed) {
      return;
    }
    try {
      deliver();
    } catch (RuntimeException e) {
      LOG.warn("A minute of flows could not be told", e);
    }
    again();
  }

  /** Says to the network of every VPC whose flows are wanted, as far as that has changed. */
  synchronized void count() {
    Map<String, Set<AddressBlock>> wanted =
        store.read(tx -> {
          Map<String, Set<AddressBlock>> blocks = new HashMap<>();
          tx.list(Tables.VPCS).forEach(row -> blocks.put(row.key(), new HashSet<>()));
          tx.list(Tables.FLOW_LOGS).forEach(row -> add(tx, row.value().resourceId(), blocks));
          return blocks;
        });
    Instant now = timers.instant();
    wanted.forEach((vpcId, blocks) -> plane.countFlows(vpcId, blocks, now));
  }

  private static void add(Tx tx, String resource, Map<String, Set<AddressBlock>> blocks) {
    tx.get(Tables.VPCS, resource)
        .map(Row::value)
        .map(VpcRecord::vpc)
        .ifPresent(vpc -> {
          Set<AddressBlock> all = to(blocks, vpc.vpcId());
          all.add(Cidr.parse(vpc.cidrBlock()));
          all.addAll(Ipv6.blocks(vpc));
        });
    tx.get(Tables.SUBNETS, resource)
        .map(Row::value)
        .ifPresent(subnet -> {
          Set<AddressBlock> all = to(blocks, subnet.vpcId());
          all.add(Cidr.parse(subnet.cidrBlock()));
          Ipv6.block(subnet).ifPresent(all::add);
        });
    tx.get(Tables.INTERFACES, resource)
        .map(Row::value)
        .ifPresent(eni -> {
          Set<AddressBlock> all = to(blocks, eni.vpcId());
          all.add(Cidr.parse(eni.privateIpAddress() + "/32"));
          for (NetworkInterfacePrivateIpAddress one : eni.privateIpAddresses()) {
            all.add(Cidr.parse(one.privateIpAddress() + "/32"));
          }
          Ipv6.addresses(eni).forEach(address -> all.add(Cidr6.parse(address + "/128")));
        });
  }

  private static Set<AddressBlock> to(Map<String, Set<AddressBlock>> blocks, String vpcId) {
    return blocks.computeIfAbsent(vpcId, absent -> new HashSet<>());
  }

  /** Tells what was counted until now. */
  synchronized void deliver() {
    List<FlowLog> all =
        store.read(tx -> tx.list(Tables.FLOW_LOGS)).stream().map(Row::value).toList();
    if (all.isEmpty()) {
      return;
    }
    Instant now = timers.instant();
    for (String vpcId : store.read(tx -> tx.list(Tables.VPCS)).stream().map(Row::key).toList()) {
      for (FlowWindow window : plane.takeFlows(vpcId, now)) {
        tell(vpcId, window, all);
      }
    }
    count(); // addresses may have come and gone
  }

  private void tell(String vpcId, FlowWindow window, List<FlowLog> all) {
    Map<String, List<Flow>> flows =
        window.flows().stream().collect(Collectors.groupingBy(Flow::interfaceId));
    Map<String, FlowLine.Place> places = places(vpcId, flows);
    for (FlowLog log : all) {
      Map<String, List<String>> lines = new LinkedHashMap<>();
      FlowFormat format = FlowFormat.parse(log.logFormat());
      for (FlowLine.Place place : places.values()) {
        if (covers(log.resourceId(), place)) {
          String stream =
              place.interfaceId() + "-" + log.trafficTypeAsString().toLowerCase(Locale.ROOT);
          List<Flow> own = flows.getOrDefault(place.interfaceId(), List.of());
          lines.put(stream, lines(log.trafficType(), format, place, window, own));
        }
      }
      deliver(log, lines, window.start());
    }
  }

  private static boolean covers(String resource, FlowLine.Place place) {
    return resource.equals(place.vpcId())
        || resource.equals(place.subnetId())
        || resource.equals(place.interfaceId());
  }

  /** The VPC's interfaces that are in use, and those that were when their flows were counted. */
  private Map<String, FlowLine.Place> places(String vpcId, Map<String, List<Flow>> flows) {
    Map<String, FlowLine.Place> places = new LinkedHashMap<>();
    store.read(tx -> {
      for (NetworkInterface eni : Tables.of(tx, Tables.INTERFACES, "vpc", vpcId)) {
        String id = eni.networkInterfaceId();
        boolean used = eni.attachment() != null || plane.plugged(id).isPresent();
        if (used || flows.containsKey(id)) {
          places.put(id, place(tx, eni));
        }
      }
      return true;
    });
    flows.forEach((id, own) -> {
      Flow any = own.getFirst();
      places.computeIfAbsent(
          id,
          gone ->
              new FlowLine.Place(
                  scope.account(),
                  scope.region(),
                  vpcId,
                  gone,
                  any.ingress() ? any.destination() : any.source(),
                  null,
                  null,
                  null));
    });
    return places;
  }

  private FlowLine.Place place(Tx tx, NetworkInterface eni) {
    return new FlowLine.Place(
        scope.account(),
        scope.region(),
        eni.vpcId(),
        eni.networkInterfaceId(),
        eni.privateIpAddress(),
        eni.subnetId(),
        tx.get(Tables.SUBNETS, eni.subnetId())
            .map(row -> row.value().availabilityZoneId())
            .orElse(null),
        eni.attachment() == null ? null : eni.attachment().instanceId());
  }

  private List<String> lines(
      TrafficType wanted,
      FlowFormat format,
      FlowLine.Place place,
      FlowWindow window,
      List<Flow> own) {
    long start = window.start().getEpochSecond();
    long end = window.end().getEpochSecond();
    List<String> lines = new ArrayList<>();
    own.stream()
        .filter(
            flow -> wanted == TrafficType.ALL || flow.accepted() == (wanted == TrafficType.ACCEPT))
        .sorted(
            Comparator.comparing(Flow::source)
                .thenComparing(Flow::destination)
                .thenComparingInt(Flow::sourcePort)
                .thenComparingInt(Flow::destinationPort))
        .map(flow -> packets(flow, format.asksForPaths() ? path(place, flow) : null))
        .map(packets -> new FlowLine(place, start, end, FlowLine.OK, packets))
        .forEach(line -> lines.add(format.write(line)));
    if (!window.whole()) {
      lines.add(format.write(new FlowLine(place, start, end, FlowLine.SKIPPED, null)));
    } else if (own.isEmpty()) {
      lines.add(format.write(new FlowLine(place, start, end, FlowLine.NO_DATA, null)));
    }
    return lines;
  }

  private static FlowLine.Packets packets(Flow flow, @Nullable Integer path) {
    return new FlowLine.Packets(
        flow.ingress(),
        flow.accepted(),
        flow.source(),
        flow.destination(),
        flow.protocol(),
        flow.sourcePort(),
        flow.destinationPort(),
        flow.tcpFlags(),
        flow.packets(),
        flow.bytes(),
        path);
  }

  /**
   * The way by which a packet leaves, in the record's numbers: 1 through something of the VPC's
   * own, 4 through a peering, 8 through the internet gateway.
   */
  private @Nullable Integer path(FlowLine.Place place, Flow flow) {
    String subnetId = place.subnetId();
    if (subnetId == null) {
      return null;
    }
    Optional<Route> route =
        store.read(tx ->
            tx.get(Tables.SUBNETS, subnetId)
                .flatMap(row ->
                    Ways.routes(tx, Ways.table(tx, row.value())).entrySet().stream()
                        .filter(one -> one.getKey().contains(flow.destination()))
                        .max(Comparator.comparingInt(one -> one.getKey().prefix()))
                        .map(Map.Entry::getValue)));
    return route.isEmpty() ? null : path(route.get());
  }

  private static @Nullable Integer path(Route route) {
    if (route.vpcPeeringConnectionId() != null) {
      return 4;
    }
    boolean own =
        Ways.LOCAL.equals(route.gatewayId())
            || route.natGatewayId() != null
            || route.networkInterfaceId() != null;
    return own ? Integer.valueOf(1) : route.gatewayId() == null ? null : Integer.valueOf(8);
  }

  private void deliver(FlowLog log, Map<String, List<String>> lines, Instant at) {
    if (lines.isEmpty()) {
      return;
    }
    String error = null;
    if (!role.mayBeAssumed(log.deliverLogsPermissionArn())) {
      error = ACCESS;
    } else {
      try {
        lines.forEach((stream, all) -> put(log.logGroupName(), stream, all, at));
      } catch (CloudWatchLogsException e) {
        LOG.warn("{} could not be delivered", log.flowLogId(), e);
        error = UNKNOWN;
      }
    }
    status(log.flowLogId(), error);
  }

  private void status(String id, @Nullable String error) {
    store.write(tx -> {
      Optional<FlowLog> log = tx.get(Tables.FLOW_LOGS, id).map(Row::value);
      boolean other =
          log.filter(one -> !Objects.equals(error, one.deliverLogsErrorMessage())).isPresent();
      if (other) {
        tx.put(
            Tables.FLOW_LOGS,
            id,
            log.get().toBuilder()
                .deliverLogsStatus(error == null ? SUCCESS : FAILED)
                .deliverLogsErrorMessage(error)
                .build());
      }
      return other;
    });
  }

  private void put(String group, String stream, List<String> lines, Instant at) {
    List<InputLogEvent> batch = new ArrayList<>();
    int bytes = 0;
    for (String line : lines) {
      int more = line.getBytes(StandardCharsets.UTF_8).length + PER_EVENT;
      if (batch.size() == MOST_EVENTS || bytes + more > MOST_BYTES) {
        put(group, stream, batch);
        batch = new ArrayList<>();
        bytes = 0;
      }
      batch.add(InputLogEvent.builder().message(line).timestamp(at.toEpochMilli()).build());
      bytes += more;
    }
    if (!batch.isEmpty()) {
      put(group, stream, batch);
    }
  }

  private void put(String group, String stream, List<InputLogEvent> events) {
    try {
      logs.putLogEvents(put -> put.logGroupName(group).logStreamName(stream).logEvents(events));
    } catch (ResourceNotFoundException e) {
      make(group, stream);
      logs.putLogEvents(put -> put.logGroupName(group).logStreamName(stream).logEvents(events));
    }
  }

  private void make(String group, String stream) {
    try {
      logs.createLogGroup(create -> create.logGroupName(group));
    } catch (ResourceAlreadyExistsException e) {
      // only the stream is missing
    }
    try {
      logs.createLogStream(create -> create.logGroupName(group).logStreamName(stream));
    } catch (ResourceAlreadyExistsException e) {
      // somebody was quicker
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (next != null) {
      next.cancel();
    }
  }
}
