package dev.muelle.services.ecs.agent;

import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AttributeValue;
import software.amazon.awssdk.services.ec2.model.DhcpConfiguration;

/**
 * How names are looked up in a VPC, as its DHCP options say when a task starts there.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html">DHCP option
 *     sets</a>
 * @param servers addresses of resolvers
 * @param domains in which short names are looked for
 */
record VpcNames(List<String> servers, List<String> domains) {

  /** Of what has no network. */
  static final VpcNames NONE = new VpcNames(List.of(), List.of());

  private static final String PROVIDED = "AmazonProvidedDNS";
  private static final String RESOLVER = "169.254.169.253";

  /** In the place of the id of a VPC's options: it has none. */
  private static final String WITHOUT = "default";

  static VpcNames of(Ec2Client ec2, String vpcId) {
    String options = ec2.describeVpcs(r -> r.vpcIds(vpcId)).vpcs().getFirst().dhcpOptionsId();
    if (options.equals(WITHOUT)) {
      return NONE;
    }
    List<String> servers = new ArrayList<>();
    List<String> domains = new ArrayList<>();
    for (DhcpConfiguration option :
        ec2.describeDhcpOptions(r -> r.dhcpOptionsIds(options))
            .dhcpOptions()
            .getFirst()
            .dhcpConfigurations()) {
      List<String> values = option.values().stream().map(AttributeValue::value).toList();
      switch (option.key()) {
        case "domain-name-servers" ->
            values.forEach(value -> servers.add(value.equals(PROVIDED) ? RESOLVER : value));
        case "domain-name" ->
            values.forEach(value -> domains.addAll(List.of(value.split(" ", -1))));
        default -> {
          // Options that no container reads.
        }
      }
    }
    return new VpcNames(List.copyOf(servers), List.copyOf(domains));
  }
}
