package dev.muelle.services.ec2.acl;

import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Edges;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclEntryRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclEntryResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclEntryRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclEntryResponse;
import software.amazon.awssdk.services.ec2.model.IcmpTypeCode;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
import software.amazon.awssdk.services.ec2.model.NetworkAclEntry;
import software.amazon.awssdk.services.ec2.model.PortRange;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclEntryRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclEntryResponse;
import software.amazon.awssdk.services.ec2.model.RuleAction;

/**
 * What is in network ACLs: numbered entries, of which the lowest that matches counts, in each
 * direction. The last one, which denies the rest, cannot be touched.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html">Network ACL
 *     rules</a>
 */
public final class AclEntries {

  /** An ACL's quota in one direction, without the last entry. */
  private static final int MOST = 20;

  private static final int FIRST_NUMBER = 100;
  private static final int MAX_PORT = 65_535;
  private static final String EVERY = "-1";
  private static final String EVERYWHERE = "0.0.0.0/0";
  private static final Map<String, String> NUMBERS =
      Map.of("tcp", "6", "udp", "17", "icmp", "1", "icmpv6", "58", "all", EVERY);

  private final Store store;
  private final DataPlane plane;

  public AclEntries(Store store, DataPlane plane) {
    this.store = store;
    this.plane = plane;
  }

  /** What a new ACL has: only a VPC's default one lets anything pass. */
  static List<NetworkAclEntry> first(boolean isDefault) {
    List<NetworkAclEntry> entries = new ArrayList<>();
    for (boolean egress : new boolean[] {true, false}) {
      if (isDefault) {
        entries.add(everything(egress, FIRST_NUMBER, RuleAction.ALLOW));
      }
      entries.add(everything(egress, Edges.LAST, RuleAction.DENY));
    }
    return entries;
  }

  /**
   * What an ACL has from then on when its VPC carries IPv6: entries that deny the rest, and, in a
   * direction of the default one that nobody has changed, one that lets everything pass.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html">Default
   *     network ACL</a>
   */
  static List<NetworkAclEntry> withIpv6(NetworkAcl acl) {
    List<NetworkAclEntry> all = new ArrayList<>(acl.entries());
    for (boolean egress : new boolean[] {true, false}) {
      boolean unchanged =
          acl.isDefault() && of(egress, acl.entries()).equals(of(egress, first(true)));
      if (unchanged) {
        all.add(everything6(egress, FIRST_NUMBER + 1, RuleAction.ALLOW));
      }
      if (of(egress, all).stream().noneMatch(one -> one.ruleNumber() == Edges.LAST_IPV6)) {
        all.add(everything6(egress, Edges.LAST_IPV6, RuleAction.DENY));
      }
    }
    all.sort(Edges.ORDER);
    return all;
  }

  private static List<NetworkAclEntry> of(boolean egress, List<NetworkAclEntry> entries) {
    return entries.stream().filter(one -> one.egress() == egress).toList();
  }

  private static NetworkAclEntry everything6(boolean egress, int number, RuleAction action) {
    return everything(egress, number, action).toBuilder()
        .cidrBlock(null)
        .ipv6CidrBlock("::/0")
        .build();
  }

  private static NetworkAclEntry everything(boolean egress, int number, RuleAction action) {
    return NetworkAclEntry.builder()
        .egress(egress)
        .ruleNumber(number)
        .ruleAction(action)
        .protocol(EVERY)
        .cidrBlock(EVERYWHERE)
        .build();
  }

  public CreateNetworkAclEntryResponse create(CreateNetworkAclEntryRequest request) {
    NetworkAclEntry entry = checked(entry(request));
    change(
        request.networkAclId(),
        request.dryRun(),
        entries -> {
          if (entries.stream().anyMatch(present -> same(present, entry))) {
            throw Refuse.because(
                "NetworkAclEntryAlreadyExists",
                "The network acl entry identified by " + entry.ruleNumber() + " already exists.");
          }
          long present =
              of(entry.egress(), entries).stream()
                  .filter(one -> one.ruleNumber() < Edges.LAST)
                  .count();
          if (present >= MOST) {
            throw Refuse.because(
                "NetworkAclEntryLimitExceeded",
                "The maximum number of network ACL entries has been reached.");
          }
          return with(entries, entry);
        });
    return CreateNetworkAclEntryResponse.builder().build();
  }

  public ReplaceNetworkAclEntryResponse replace(ReplaceNetworkAclEntryRequest request) {
    NetworkAclEntry entry = checked(entry(request));
    change(
        request.networkAclId(), request.dryRun(), entries -> with(without(entries, entry), entry));
    return ReplaceNetworkAclEntryResponse.builder().build();
  }

  public DeleteNetworkAclEntryResponse delete(DeleteNetworkAclEntryRequest request) {
    NetworkAclEntry entry =
        NetworkAclEntry.builder()
            .ruleNumber(number(request.ruleNumber()))
            .egress(Refuse.required(request.egress(), "egress"))
            .build();
    change(request.networkAclId(), request.dryRun(), entries -> without(entries, entry));
    return DeleteNetworkAclEntryResponse.builder().build();
  }

  private void change(
      @Nullable String aclId,
      @Nullable Boolean dryRun,
      UnaryOperator<List<NetworkAclEntry>> change) {
    String id = Refuse.required(aclId, "networkAclId");
    List<String> subnets =
        store.write(tx -> {
          NetworkAcl acl = Kind.ACL.get(tx, id);
          put(tx, acl, change.apply(acl.entries()));
          Refuse.ifDryRun(dryRun);
          return NetworkAcls.subnets(acl);
        });
    subnets.forEach(plane::subnetAlone);
  }

  private static void put(Tx tx, NetworkAcl acl, List<NetworkAclEntry> entries) {
    tx.put(Tables.ACLS, acl.networkAclId(), acl.toBuilder().entries(entries).build());
  }

  private static boolean same(NetworkAclEntry one, NetworkAclEntry other) {
    return one.egress().equals(other.egress()) && one.ruleNumber().equals(other.ruleNumber());
  }

  private static List<NetworkAclEntry> with(List<NetworkAclEntry> entries, NetworkAclEntry one) {
    List<NetworkAclEntry> all = new ArrayList<>(entries);
    all.add(one);
    all.sort(Edges.ORDER);
    return all;
  }

  private static List<NetworkAclEntry> without(
      List<NetworkAclEntry> entries, NetworkAclEntry gone) {
    List<NetworkAclEntry> left = entries.stream().filter(one -> !same(one, gone)).toList();
    if (left.size() == entries.size()) {
      throw Refuse.because(
          "InvalidNetworkAclEntry.NotFound",
          "The network acl entry identified by " + gone.ruleNumber() + " does not exist");
    }
    return left;
  }

  private static int number(@Nullable Integer given) {
    int number = Refuse.required(given, "ruleNumber");
    if (number < 1 || number >= Edges.LAST) {
      throw Refuse.invalidValue(
          String.valueOf(number),
          "ruleNumber",
          "It must be between 1 and " + (Edges.LAST - 1) + ".");
    }
    return number;
  }

  /** What a request says of an entry, whose fields it has among others. */
  private static NetworkAclEntry entry(SdkPojo request) {
    NetworkAclEntry.Builder entry = NetworkAclEntry.builder();
    for (SdkField<?> field : entry.sdkFields()) {
      request.sdkFields().stream()
          .filter(said -> said.memberName().equals(field.memberName()))
          .forEach(said -> field.set(entry, said.getValueOrDefault(request)));
    }
    return entry.build();
  }

  /** An entry in its normal form. */
  private static NetworkAclEntry checked(NetworkAclEntry given) {
    String protocol = protocol(Refuse.required(given.protocol(), "protocol"));
    NetworkAclEntry.Builder entry =
        NetworkAclEntry.builder()
            .ruleNumber(number(given.ruleNumber()))
            .egress(Refuse.required(given.egress(), "egress"))
            .protocol(protocol)
            .ruleAction(action(given));
    if ((given.cidrBlock() == null) == (given.ipv6CidrBlock() == null)) {
      throw given.cidrBlock() == null
          ? Refuse.missing("cidrBlock")
          : Refuse.combination("Only one of cidrBlock and ipv6CidrBlock may be given");
    }
    if (given.cidrBlock() != null) {
      entry.cidrBlock(Blocks.block(given.cidrBlock()));
    } else {
      entry.ipv6CidrBlock(Blocks.block6(given.ipv6CidrBlock()));
    }
    return switch (protocol) {
      case "6", "17" -> entry.portRange(ports(given.portRange())).build();
      case "1", "58" -> entry.icmpTypeCode(icmp(given.icmpTypeCode())).build();
      default -> entry.build(); // ports of others mean nothing, as the documentation says
    };
  }

  private static RuleAction action(NetworkAclEntry given) {
    String text = Refuse.required(given.ruleActionAsString(), "ruleAction");
    if (given.ruleAction() == RuleAction.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalidValue(text, "ruleAction", "Valid values are allow and deny.");
    }
    return given.ruleAction();
  }

  private static String protocol(String given) {
    String number = NUMBERS.getOrDefault(given, given);
    if (!number.matches("-1|[0-9]{1,3}") || Integer.parseInt(number) > 255) {
      throw Refuse.invalidValue("Invalid value '" + given + "' for protocol");
    }
    return String.valueOf(Integer.parseInt(number));
  }

  private static PortRange ports(@Nullable PortRange given) {
    PortRange ports = Refuse.required(given, "portRange");
    int from = Refuse.required(ports.from(), "portRange.from");
    int to = Refuse.required(ports.to(), "portRange.to");
    if (from < 0 || to > MAX_PORT || from > to) {
      throw Refuse.invalidValue("Invalid value '" + from + "-" + to + "' for portRange");
    }
    return ports;
  }

  private static IcmpTypeCode icmp(@Nullable IcmpTypeCode given) {
    IcmpTypeCode icmp = Refuse.required(given, "icmpTypeCode");
    int type = Objects.requireNonNullElse(icmp.type(), -1);
    int code = Objects.requireNonNullElse(icmp.code(), -1);
    if (type < -1 || type > 255 || code < -1 || code > 255 || (type == -1 && code != -1)) {
      throw Refuse.invalidValue(
          "ICMP code (" + code + ") and type (" + type + ") are not valid together");
    }
    return IcmpTypeCode.builder().type(type).code(code).build();
  }
}
