package dev.muelle.services.ec2.flow;

import dev.muelle.services.ec2.state.Refuse;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which fields the records of a flow log have, in which order.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html">Flow log
 *     records</a>
 */
final class FlowFormat {

  static final String DEFAULT =
      "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport}"
          + " ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

  /** What is said where there is nothing to say. */
  private static final String NOTHING = "-";

  private static final Pattern FORMAT = Pattern.compile("\\$\\{([a-z0-9-]+)}( \\$\\{[a-z0-9-]+})*");
  private static final Pattern FIELD = Pattern.compile("\\$\\{([a-z0-9-]+)}");

  /** Fields of AWS's that tell of what is not here: of later versions than the fifth. */
  private static final Set<String> LATER =
      Set.of(
          "ecs-cluster-arn",
          "ecs-cluster-name",
          "ecs-container-instance-arn",
          "ecs-container-instance-id",
          "ecs-container-id",
          "ecs-second-container-id",
          "ecs-service-name",
          "ecs-task-definition-arn",
          "ecs-task-arn",
          "ecs-task-id",
          "reject-reason",
          "resource-id",
          "encryption-status");

  /** The fields, by their names in the format, with the version in which each appeared. */
  private enum Field {
    VERSION(2),
    ACCOUNT_ID(2),
    INTERFACE_ID(2),
    SRCADDR(2),
    DSTADDR(2),
    SRCPORT(2),
    DSTPORT(2),
    PROTOCOL(2),
    PACKETS(2),
    BYTES(2),
    START(2),
    END(2),
    ACTION(2),
    LOG_STATUS(2),
    VPC_ID(3),
    SUBNET_ID(3),
    INSTANCE_ID(3),
    TCP_FLAGS(3),
    TYPE(3),
    PKT_SRCADDR(3),
    PKT_DSTADDR(3),
    REGION(4),
    AZ_ID(4),
    SUBLOCATION_TYPE(4),
    SUBLOCATION_ID(4),
    PKT_SRC_AWS_SERVICE(5),
    PKT_DST_AWS_SERVICE(5),
    FLOW_DIRECTION(5),
    TRAFFIC_PATH(5);

    private final int version;

    Field(int version) {
      this.version = version;
    }
  }

  private final List<Field> fields;
  private final int version;

  private FlowFormat(List<Field> fields) {
    this.fields = fields;
    version = fields.stream().mapToInt(field -> field.version).max().orElseThrow();
  }

  /** A format as it is given; refused if it is none. */
  static FlowFormat parse(@Nullable String given) {
    String text = given == null ? DEFAULT : given.strip();
    if (!FORMAT.matcher(text).matches()) {
      throw Refuse.because("InvalidParameter", "LogFormat is invalid: " + text);
    }
    List<Field> fields = new ArrayList<>();
    Set<String> unknown = new LinkedHashSet<>();
    Matcher each = FIELD.matcher(text);
    while (each.find()) {
      String name = each.group(1);
      if (LATER.contains(name)) {
        throw Refuse.unsupported(
            "The field " + name + " of flow logs is not supported by this region yet.");
      }
      find(name, fields, unknown);
    }
    if (!unknown.isEmpty()) {
      throw Refuse.because(
          "InvalidParameter",
          "Unknown fields provided: "
              + unknown.stream().map(name -> "${" + name + "}").collect(Collectors.joining(", ")));
    }
    return new FlowFormat(fields);
  }

  private static void find(String name, List<Field> fields, Set<String> unknown) {
    for (Field field : Field.values()) {
      if (field.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(name)) {
        fields.add(field);
        return;
      }
    }
    unknown.add(name);
  }

  /** Whether somebody has to look where packets went. */
  boolean asksForPaths() {
    return fields.contains(Field.TRAFFIC_PATH);
  }

  String write(FlowLine line) {
    return fields.stream()
        .map(field -> value(field, line))
        .map(value -> value == null ? NOTHING : value.toString())
        .collect(Collectors.joining(" "));
  }

  private @Nullable Object value(Field field, FlowLine line) {
    FlowLine.Place place = line.place();
    FlowLine.Packets packets = line.packets();
    return switch (field) {
      case VERSION -> version;
      case ACCOUNT_ID -> place.account();
      case INTERFACE_ID -> place.interfaceId();
      case SRCADDR -> said(packets, p -> p.ingress() ? p.source() : own(place, p.source()));
      case DSTADDR ->
          said(packets, p -> p.ingress() ? own(place, p.destination()) : p.destination());
      case SRCPORT -> said(packets, FlowLine.Packets::sourcePort);
      case DSTPORT -> said(packets, FlowLine.Packets::destinationPort);
      case PROTOCOL -> said(packets, FlowLine.Packets::protocol);
      case PACKETS -> said(packets, FlowLine.Packets::packets);
      case BYTES -> said(packets, FlowLine.Packets::bytes);
      case START -> line.start();
      case END -> line.end();
      case ACTION -> said(packets, p -> p.accepted() ? "ACCEPT" : "REJECT");
      case LOG_STATUS -> line.status();
      case VPC_ID -> place.vpcId();
      case SUBNET_ID -> place.subnetId();
      case INSTANCE_ID -> place.instanceId();
      case TCP_FLAGS -> said(packets, FlowLine.Packets::tcpFlags);
      case TYPE -> said(packets, p -> ipv6(p.source()) ? "IPv6" : "IPv4");
      case PKT_SRCADDR -> said(packets, FlowLine.Packets::source);
      case PKT_DSTADDR -> said(packets, FlowLine.Packets::destination);
      case REGION -> place.region();
      case AZ_ID -> place.zoneId();
      case SUBLOCATION_TYPE, SUBLOCATION_ID -> null; // neither wavelength zones nor outposts here
      case PKT_SRC_AWS_SERVICE, PKT_DST_AWS_SERVICE -> null; // no address is in published ranges
      case FLOW_DIRECTION -> said(packets, p -> p.ingress() ? "ingress" : "egress");
      case TRAFFIC_PATH -> said(packets, p -> p.ingress() ? null : p.path());
    };
  }

  /** An interface's own address: its primary one, or the one of IPv6 that the packet bears. */
  private static String own(FlowLine.Place place, String borne) {
    return ipv6(borne) ? borne : place.address();
  }

  private static boolean ipv6(String address) {
    return address.indexOf(':') >= 0;
  }

  private static @Nullable Object said(
      FlowLine.@Nullable Packets packets, Function<FlowLine.Packets, @Nullable Object> what) {
    return packets == null ? null : what.apply(packets);
  }
}
