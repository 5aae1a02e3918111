package dev.muelle.services.ec2.flow;

import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ServiceRole;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ec2.model.CreateFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.CreateFlowLogsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteFlowLogsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeFlowLogsResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.FlowLog;
import software.amazon.awssdk.services.ec2.model.LogDestinationType;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TrafficType;

/**
 * Flow logs of VPCs, subnets and interfaces.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html">VPC Flow Logs</a>
 */
public final class FlowLogs {

  private static final int MOST_RESOURCES = 1000;

  /**
   * Of one resource; a quota that is not adjustable.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-flow-logs">VPC
   *     Flow Logs quotas</a>
   */
  private static final int MOST_OF_ONE = 2;

  private static final int USUAL_INTERVAL = 600;
  private static final Set<Integer> INTERVALS = Set.of(60, USUAL_INTERVAL);
  private static final Pattern GROUP = Pattern.compile("[.\\-_/#A-Za-z0-9]{1,512}");

  private static final Codec<CreateFlowLogsRequest> REQUEST =
      StoredJson.codec(CreateFlowLogsRequest.class);

  private static final Filters<FlowLog> FILTERS =
      new Filters<>(FlowLog::tags)
          .by("deliver-log-status", FlowLog::deliverLogsStatus)
          .by("flow-log-id", FlowLog::flowLogId)
          .by("log-destination-type", FlowLog::logDestinationTypeAsString)
          .by("log-group-name", FlowLog::logGroupName)
          .by("resource-id", FlowLog::resourceId)
          .by("traffic-type", FlowLog::trafficTypeAsString);

  private final Scope scope;
  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final ServiceRole role;
  private final FlowDelivery delivery;

  public FlowLogs(
      Scope scope, Store store, Timers timers, Ids ids, ServiceRole role, FlowDelivery delivery) {
    this.scope = scope;
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.role = role;
    this.delivery = delivery;
  }

  private static Ec2Exception invalid(String message) {
    return Refuse.because("InvalidParameter", message);
  }

  public CreateFlowLogsResponse create(CreateFlowLogsRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "ClientToken",
            "DeliverLogsPermissionArn",
            "DryRun",
            "LogDestination",
            "LogDestinationType",
            "LogFormat",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceIds",
            "ResourceType",
            "TagSpecifications",
            "TrafficType"));
    List<String> resources = request.resourceIds().stream().distinct().toList();
    if (resources.isEmpty()) {
      throw Refuse.missing("ResourceId");
    }
    if (resources.size() > MOST_RESOURCES) {
      throw invalid("At most " + MOST_RESOURCES + " resources may be specified.");
    }
    Kind<?> kind = kind(Refuse.required(request.resourceTypeAsString(), "ResourceType"));
    FlowLog wanted = wanted(request);
    List<Tag> tags = Tags.given("vpc-flow-log", request.tagSpecifications());
    String token = request.clientToken();
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    List<String> fresh = resources.stream().map(resource -> ids.ec2("fl")).toList();
    String made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, token, asked);
          if (done.isPresent()) {
            return done.get();
          }
          for (int i = 0; i < resources.size(); i++) {
            put(tx, kind, wanted, resources.get(i), fresh.get(i));
            Tags.put(tx, fresh.get(i), tags);
          }
          String all = String.join(",", fresh);
          ClientToken.put(tx, token, asked, all);
          Refuse.ifDryRun(request.dryRun());
          return all;
        });
    delivery.count();
    return CreateFlowLogsResponse.builder()
        .clientToken(token)
        .flowLogIds(made.split(",", -1))
        .unsuccessful(List.of())
        .build();
  }

  private static Kind<?> kind(String type) {
    return switch (type) {
      case "VPC" -> Kind.VPC;
      case "Subnet" -> Kind.SUBNET;
      case "NetworkInterface" -> Kind.INTERFACE;
      case "TransitGateway", "TransitGatewayAttachment", "RegionalNatGateway" ->
          throw Refuse.unsupported(
              "Flow logs of the resource type " + type + " are not supported by this region yet.");
      default ->
          throw Refuse.invalidValue(
              type, "resourceType", "Valid values are VPC, Subnet and NetworkInterface.");
    };
  }

  /** What each of the flow logs is to be, but for its resource. */
  private FlowLog wanted(CreateFlowLogsRequest request) {
    String traffic = Refuse.required(request.trafficTypeAsString(), "TrafficType");
    if (request.trafficType() == TrafficType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalidValue(traffic, "trafficType", "Valid values are ACCEPT, REJECT and ALL.");
    }
    String type =
        Objects.requireNonNullElse(
            request.logDestinationTypeAsString(), LogDestinationType.CLOUD_WATCH_LOGS.toString());
    if (!type.equals(LogDestinationType.CLOUD_WATCH_LOGS.toString())) {
      throw LogDestinationType.fromValue(type) == LogDestinationType.UNKNOWN_TO_SDK_VERSION
          ? Refuse.invalidValue(type, "logDestinationType", "The valid value is cloud-watch-logs.")
          : Refuse.unsupported(
              "The destination type " + type + " is not supported by this region yet.");
    }
    int interval = Objects.requireNonNullElse(request.maxAggregationInterval(), USUAL_INTERVAL);
    if (!INTERVALS.contains(interval)) {
      throw invalid("Invalid Flow Log Max Aggregation Interval");
    }
    String group = group(request);
    FlowFormat.parse(request.logFormat());
    String permission = request.deliverLogsPermissionArn();
    if (permission == null || permission.isEmpty()) {
      throw invalid(
          "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.");
    }
    if (!role.mayBeAssumed(permission)) {
      throw invalid("Unable to assume given IAM role: '" + permission + "'");
    }
    return FlowLog.builder()
        .creationTime(timers.instant().truncatedTo(ChronoUnit.MILLIS))
        .deliverLogsPermissionArn(permission)
        .deliverLogsStatus(FlowDelivery.SUCCESS)
        .flowLogStatus("ACTIVE")
        .logDestination(scope.arn("logs", "log-group:" + group))
        .logDestinationType(LogDestinationType.CLOUD_WATCH_LOGS)
        .logFormat(Objects.requireNonNullElse(request.logFormat(), FlowFormat.DEFAULT))
        .logGroupName(group)
        .maxAggregationInterval(interval)
        .trafficType(traffic)
        .build();
  }

  private String group(CreateFlowLogsRequest request) {
    String name = request.logGroupName();
    String destination = request.logDestination();
    if (name != null && destination != null) {
      throw invalid("Please only provide LogGroupName or only provide LogDestination.");
    }
    if (name == null && destination == null) {
      throw invalid("LogDestination can't be empty if LogGroupName is not provided.");
    }
    String prefix = scope.arn("logs", "log-group:");
    if (name == null) {
      if (!destination.startsWith(prefix)) {
        throw invalid("LogDestination: " + destination + " is not a log group of this region.");
      }
      name = destination.substring(prefix.length()).replaceFirst(":\\*$", "");
    }
    if (!GROUP.matcher(name).matches()) {
      throw invalid("Invalid log group name: " + name);
    }
    return name;
  }

  private static void put(Tx tx, Kind<?> kind, FlowLog wanted, String resource, String id) {
    kind.get(tx, resource);
    List<FlowLog> present = Tables.of(tx, Tables.FLOW_LOGS, "resource", resource);
    boolean same =
        present.stream()
            .anyMatch(one ->
                one.logDestination().equals(wanted.logDestination())
                    && one.trafficType() == wanted.trafficType()
                    && one.logFormat().equals(wanted.logFormat()));
    if (same) {
      throw Refuse.because(
          "FlowLogAlreadyExists",
          "Error. There is an existing Flow Log with the same configuration and log destination.");
    }
    if (present.size() >= MOST_OF_ONE) {
      throw Refuse.because(
          "FlowLogsLimitExceeded",
          "The maximum number of flow logs for resource " + resource + " has been reached.");
    }
    tx.insert(Tables.FLOW_LOGS, id, wanted.toBuilder().flowLogId(id).resourceId(resource).build());
  }

  public DeleteFlowLogsResponse delete(DeleteFlowLogsRequest request) {
    List<String> gone = request.flowLogIds().stream().distinct().toList();
    if (gone.isEmpty()) {
      throw Refuse.missing("FlowLogId");
    }
    delivery.deliver(); // what was counted under them is theirs still
    store.write(tx -> {
      List<String> missing = new ArrayList<>();
      for (String id : gone) {
        Tags.forget(tx, id);
        if (!tx.delete(Tables.FLOW_LOGS, id)) {
          missing.add(id);
        }
      }
      if (!missing.isEmpty()) {
        throw Refuse.because(
            "InvalidFlowLogId.NotFound",
            "These flow log ids in the input list are not found: [TotalCount: "
                + missing.size()
                + "] "
                + missing.stream().sorted().collect(Collectors.joining(", ")));
      }
      for (Row<ClientToken> row : tx.list(Tables.TOKENS)) {
        if (List.of(row.value().resource().split(",", -1)).stream().anyMatch(gone::contains)) {
          tx.delete(Tables.TOKENS, row.key());
        }
      }
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    delivery.count();
    return DeleteFlowLogsResponse.builder().unsuccessful(List.of()).build();
  }

  public DescribeFlowLogsResponse describe(DescribeFlowLogsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<FlowLog> all =
        store.read(tx ->
            Kind.FLOW_LOG.list(tx, request.flowLogIds()).stream()
                .map(one -> one.toBuilder().tags(Tags.of(tx, one.flowLogId())).build())
                .toList());
    Pages<FlowLog> page =
        Pages.of(
            FILTERS.select(all, request.filter()),
            FlowLog::flowLogId,
            request.flowLogIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeFlowLogsResponse.builder()
        .flowLogs(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
