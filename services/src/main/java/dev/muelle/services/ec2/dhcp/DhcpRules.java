package dev.muelle.services.ec2.dhcp;

import dev.muelle.network.Cidr;
import dev.muelle.services.ec2.state.Refuse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.model.AttributeValue;
import software.amazon.awssdk.services.ec2.model.DhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.NewDhcpConfiguration;

/**
 * Which DHCP options there may be. Nothing here asks for time or for NetBIOS names, so options that
 * only such clients read are refused by name.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateDhcpOptions.html">CreateDhcpOptions</a>
 */
final class DhcpRules {

  private static final String DOMAIN = "domain-name";
  private static final String SERVERS = "domain-name-servers";
  private static final String PROVIDED = "AmazonProvidedDNS";
  private static final int MOST_SERVERS = 4;
  private static final Set<String> UNREAD =
      Set.of(
          "ntp-servers",
          "netbios-name-servers",
          "netbios-node-type",
          "ipv6-address-preferred-lease-time");

  /** Domains, and several of them between spaces, as Linux takes them. */
  private static final Pattern DOMAINS =
      Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})( [A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}))*");

  private static final int MAX_DOMAINS = 1024;

  private DhcpRules() {}

  /** What is asked for, each option once. */
  static List<DhcpConfiguration> checked(List<NewDhcpConfiguration> asked) {
    if (asked.isEmpty()) {
      throw Refuse.missing("dhcpConfiguration");
    }
    List<DhcpConfiguration> checked = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (NewDhcpConfiguration one : asked) {
      String key = Refuse.required(one.key(), "dhcpConfiguration.key");
      if (UNREAD.contains(key)) {
        throw Refuse.unsupported(
            "The DHCP option " + key + " is not supported by this region yet.");
      }
      if (!key.equals(DOMAIN) && !key.equals(SERVERS)) {
        throw Refuse.invalidValue(key, "dhcpConfiguration.key", "Unknown DHCP option.");
      }
      if (!seen.add(key)) {
        throw Refuse.invalidValue(key, "dhcpConfiguration.key", "It is given more than once.");
      }
      // The value of the option may hold several, between commas, where one text was given.
      List<String> values =
          one.values().stream().flatMap(value -> List.of(value.split(",", -1)).stream()).toList();
      if (values.isEmpty()) {
        throw Refuse.missing("dhcpConfiguration.value");
      }
      if (key.equals(DOMAIN)) {
        domain(values);
      } else {
        servers(values);
      }
      checked.add(configuration(key, values));
    }
    return checked;
  }

  private static void domain(List<String> values) {
    if (values.size() > 1
        || values.getFirst().length() > MAX_DOMAINS
        || !DOMAINS.matcher(values.getFirst()).matches()) {
      throw Refuse.invalidValue(String.join(",", values), DOMAIN, "It must be one domain name.");
    }
  }

  private static void servers(List<String> values) {
    if (values.size() > MOST_SERVERS) {
      throw Refuse.invalidValue(
          String.join(",", values), SERVERS, "At most " + MOST_SERVERS + " are possible.");
    }
    for (String value : values) {
      if (!value.equals(PROVIDED)) {
        try {
          Cidr.address(value);
        } catch (IllegalArgumentException e) {
          throw Refuse.invalidValue(value, SERVERS, "It must be an IPv4 address.");
        }
      }
    }
  }

  /** The set that every region has from its beginning. */
  static DhcpOptions usual(String id, String owner, String domain) {
    return DhcpOptions.builder()
        .dhcpOptionsId(id)
        .ownerId(owner)
        .dhcpConfigurations(
            configuration(DOMAIN, List.of(domain)), configuration(SERVERS, List.of(PROVIDED)))
        .build();
  }

  private static DhcpConfiguration configuration(String key, List<String> values) {
    return DhcpConfiguration.builder()
        .key(key)
        .values(
            values.stream().map(value -> AttributeValue.builder().value(value).build()).toList())
        .build();
  }
}
