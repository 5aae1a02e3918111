package dev.muelle.services.ec2.endpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.services.ec2.state.EndpointRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Tx;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.DnsOptionsSpecification;
import software.amazon.awssdk.services.ec2.model.DnsRecordIpType;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.IpAddressType;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetConfiguration;

/** What may be asked of an interface endpoint. */
final class EndpointRules {

  /** Lets everybody do everything: what an endpoint has whose policy nobody said. */
  static final String OPEN_POLICY =
      "{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\",\"Principal\":\"*\","
          + "\"Resource\":\"*\"}]}";

  private static final ObjectMapper JSON = new ObjectMapper();

  private EndpointRules() {}

  static Ec2Exception invalid(String message) {
    return Refuse.because("InvalidParameter", message);
  }

  /** Nothing here judges policies, so none is taken but the one that permits everything. */
  static void mustBeOpen(@Nullable String policy) {
    if (policy == null || policy.isEmpty()) {
      return;
    }
    try {
      JsonNode given = JSON.readTree(policy);
      JsonNode statements = given.path("Statement");
      JsonNode only = statements.isArray() && statements.size() == 1 ? statements.get(0) : given;
      boolean open =
          all(only.path("Action"))
              && only.path("Effect").asText().equals("Allow")
              && (all(only.path("Principal")) || all(only.path("Principal").path("AWS")))
              && all(only.path("Resource"))
              && !only.has("Condition");
      if (!open) {
        throw Refuse.unsupported(
            "The parameter PolicyDocument with anything but full access is not supported by this"
                + " region yet: nothing here judges policies.");
      }
    } catch (JsonProcessingException e) {
      throw Refuse.because("InvalidPolicyDocument", "Invalid policy document: it is not JSON");
    }
  }

  private static boolean all(JsonNode value) {
    return value.asText().equals("*")
        || (value.isArray() && value.size() == 1 && value.get(0).asText().equals("*"));
  }

  static void families(@Nullable String given, @Nullable DnsOptionsSpecification dns) {
    if (given != null && !given.equals(IpAddressType.IPV4.toString())) {
      throw Refuse.unsupported(
          "The value "
              + given
              + " of the parameter IpAddressType is not supported by this region"
              + " yet.");
    }
    if (dns != null) {
      Refuse.unlessEffective(dns, Set.of("DnsRecordIpType"));
      String records = dns.dnsRecordIpTypeAsString();
      if (records != null
          && !records.equals(DnsRecordIpType.IPV4.toString())
          && !records.equals(DnsRecordIpType.SERVICE_DEFINED.toString())) {
        throw Refuse.unsupported(
            "The value "
                + records
                + " of the parameter DnsOptions.DnsRecordIpType is not supported by this region"
                + " yet.");
      }
    }
  }

  /** The subnets that are asked for, each with the address that is wanted there, or none. */
  static Map<String, String> subnets(List<String> ids, List<SubnetConfiguration> configurations) {
    Map<String, String> wanted = new LinkedHashMap<>();
    ids.forEach(id -> wanted.put(id, ""));
    Set<String> configured = new HashSet<>();
    for (SubnetConfiguration one : configurations) {
      Refuse.unlessEffective(one, Set.of("SubnetId", "Ipv4"));
      String id = Refuse.required(one.subnetId(), "SubnetConfiguration.SubnetId");
      if (!configured.add(id)) {
        throw invalid("The subnet " + id + " is configured more than once");
      }
      wanted.put(id, one.ipv4() == null ? "" : one.ipv4());
    }
    return wanted;
  }

  /** Subnets of the VPC, each in a zone of its own. */
  static void mustFit(Tx tx, String vpcId, Collection<String> subnetIds) {
    Set<String> zones = new HashSet<>();
    for (String id : subnetIds) {
      Subnet subnet = Kind.SUBNET.get(tx, id);
      if (!subnet.vpcId().equals(vpcId)) {
        throw invalid("The subnet '" + id + "' does not belong to the vpc '" + vpcId + "'");
      }
      if (!zones.add(subnet.availabilityZone())) {
        throw Refuse.because(
            "DuplicateSubnetsInSameZone",
            "Found another VPC endpoint subnet in the availability zone of "
                + id
                + ". VPC endpoint subnets should be in different availability zones supported by"
                + " the VPC endpoint service.");
      }
    }
  }

  /** Whether the API's own names may mean this endpoint from now on. */
  static void mayBePrivate(Tx tx, EndpointRecord record, String host) {
    String vpcId = record.endpoint().vpcId();
    VpcRecord vpc = Kind.VPC.get(tx, vpcId);
    if (vpc.withoutDns() || !vpc.dnsHostnames()) {
      throw invalid(
          "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC"
              + " attributes set to true for "
              + vpcId);
    }
    boolean conflict =
        Tables.of(tx, Tables.ENDPOINTS, "vpc", vpcId).stream()
            .filter(other -> !other.id().equals(record.id()))
            .anyMatch(other ->
                other.endpoint().serviceName().equals(record.endpoint().serviceName())
                    && other.endpoint().privateDnsEnabled());
    if (conflict) {
      throw invalid(
          "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
              + host
              + " in the VPC "
              + vpcId);
    }
  }
}
