package dev.muelle.services.ec2.plane;

import dev.muelle.network.AddressBlock;
import dev.muelle.network.Subnet.Acl;
import dev.muelle.network.Subnet.Entry;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Tx;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import software.amazon.awssdk.services.ec2.model.IcmpTypeCode;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
import software.amazon.awssdk.services.ec2.model.NetworkAclEntry;
import software.amazon.awssdk.services.ec2.model.PortRange;
import software.amazon.awssdk.services.ec2.model.RuleAction;
import software.amazon.awssdk.services.ec2.model.Subnet;

/** What a subnet's ACL says of packets. */
public final class Edges {

  /** The number of the entry that denies the rest; the one of IPv6 is behind it. */
  public static final int LAST = 32_767;

  public static final int LAST_IPV6 = LAST + 1;

  public static final Comparator<NetworkAclEntry> ORDER =
      Comparator.comparing(NetworkAclEntry::egress)
          .reversed()
          .thenComparing(NetworkAclEntry::ruleNumber);

  private Edges() {}

  /** The ACL of a subnet. */
  public static NetworkAcl acl(Tx tx, Subnet subnet) {
    return Tables.of(tx, Tables.ACLS, "vpc", subnet.vpcId()).stream()
        .filter(acl ->
            acl.associations().stream().anyMatch(one -> subnet.subnetId().equals(one.subnetId())))
        .findFirst()
        .orElseThrow();
  }

  /** What packets obey. */
  static Acl packets(List<NetworkAclEntry> entries) {
    return new Acl(packets(entries, false), packets(entries, true));
  }

  private static List<Entry> packets(List<NetworkAclEntry> entries, boolean egress) {
    return entries.stream()
        .filter(entry -> entry.egress() == egress && entry.ruleNumber() < LAST)
        .sorted(ORDER)
        .map(Edges::packets)
        .toList();
  }

  private static Entry packets(NetworkAclEntry entry) {
    PortRange ports = entry.portRange();
    IcmpTypeCode icmp = entry.icmpTypeCode();
    return new Entry(
        entry.ruleAction() == RuleAction.ALLOW,
        Integer.parseInt(entry.protocol()),
        ports != null ? ports.from() : icmp != null ? icmp.type() : -1,
        ports != null ? ports.to() : icmp != null ? icmp.code() : -1,
        AddressBlock.parse(Objects.requireNonNullElseGet(entry.cidrBlock(), entry::ipv6CidrBlock)));
  }
}
