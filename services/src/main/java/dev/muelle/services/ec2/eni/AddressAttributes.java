package dev.muelle.services.ec2.eni;

import dev.muelle.network.Network;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.AddressAttribute;
import software.amazon.awssdk.services.ec2.model.AddressAttributeName;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyAddressAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyAddressAttributeResponse;
import software.amazon.awssdk.services.ec2.model.PtrUpdateStatus;
import software.amazon.awssdk.services.ec2.model.ResetAddressAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ResetAddressAttributeResponse;

/**
 * What else there is to Elastic IP addresses: their names, which the resolvers of all VPCs answer.
 * One is given only if it means the address in the world outside already, as this machine asks for
 * it. It is in force when the call returns, which says {@code PENDING} as on AWS.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Elastic_Addressing_Reverse_DNS.html">Create
 *     a reverse DNS record for email</a>
 */
public final class AddressAttributes {

  private static final Pages.Sizes SIZES = new Pages.Sizes(1, 1000);

  private static final int MOST = 253;

  /** Labels of RFC 1035, of which the last one is no number: an address is no name. */
  private static final Pattern NAME =
      Pattern.compile("([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?");

  private final Scope scope;
  private final Store store;
  private final Network network;

  public AddressAttributes(Scope scope, Store store, Network network) {
    this.scope = scope;
    this.store = store;
    this.network = network;
  }

  public DescribeAddressesAttributeResponse describe(DescribeAddressesAttributeRequest request) {
    Refuse.ifDryRun(request.dryRun());
    known(request.attribute(), request.attributeAsString());
    List<AddressAttribute> all =
        store.read(tx ->
            Kind.ELASTIC.list(tx, request.allocationIds()).stream()
                .map(one -> shown(tx, one))
                .toList());
    Pages<AddressAttribute> page =
        Pages.of(
            all,
            AddressAttribute::allocationId,
            request.allocationIds(),
            request.nextToken(),
            request.maxResults(),
            SIZES);
    return DescribeAddressesAttributeResponse.builder()
        .addresses(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static void known(@Nullable AddressAttributeName attribute, String told) {
    if (attribute == AddressAttributeName.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.unknownAttribute(told);
    }
  }

  private static AddressAttribute shown(Tx tx, Address address) {
    return AddressAttribute.builder()
        .allocationId(address.allocationId())
        .publicIp(address.publicIp())
        .ptrRecord(
            tx.get(Tables.REVERSE_NAMES, address.publicIp())
                .map(Row::value)
                .map(name -> name + ".")
                .orElse(null))
        .build();
  }

  public ModifyAddressAttributeResponse modify(ModifyAddressAttributeRequest request) {
    String id = Refuse.required(request.allocationId(), "allocationId");
    String name = name(Refuse.required(request.domainName(), "domainName"));
    String address = store.read(tx -> Kind.ELASTIC.get(tx, id)).publicIp();
    if (!network.outside(name).contains(address)) { // asked outside of any transaction
      throw Refuse.invalidValue(
          request.domainName(), "domainName", "No A record of it points to " + address + ".");
    }
    AddressAttribute before =
        store.write(tx -> {
          AddressAttribute now = shown(tx, Kind.ELASTIC.get(tx, id));
          tx.put(Tables.REVERSE_NAMES, address, name);
          Refuse.ifDryRun(request.dryRun());
          return now;
        });
    return ModifyAddressAttributeResponse.builder().address(pending(before, name)).build();
  }

  private static String name(String given) {
    String name = given.toLowerCase(Locale.ROOT);
    if (name.endsWith(".")) {
      name = name.substring(0, name.length() - 1);
    }
    if (name.length() > MOST || !NAME.matcher(name).matches()) {
      throw Refuse.invalidValue(given, "domainName", "It is not a valid domain name.");
    }
    return name;
  }

  private static AddressAttribute pending(AddressAttribute before, String name) {
    return before.toBuilder()
        .ptrRecordUpdate(PtrUpdateStatus.builder().value(name + ".").status("PENDING").build())
        .build();
  }

  /** The address is called by its host name again, where it has one. */
  public ResetAddressAttributeResponse reset(ResetAddressAttributeRequest request) {
    String id = Refuse.required(request.allocationId(), "allocationId");
    known(Refuse.required(request.attribute(), "attribute"), request.attributeAsString());
    AddressAttribute before =
        store.write(tx -> {
          AddressAttribute now = shown(tx, Kind.ELASTIC.get(tx, id));
          tx.delete(Tables.REVERSE_NAMES, now.publicIp());
          Refuse.ifDryRun(request.dryRun());
          return now;
        });
    return ResetAddressAttributeResponse.builder()
        .address(
            before.ptrRecord() == null
                ? before
                : pending(before, HostNames.outside(scope, before.publicIp())))
        .build();
  }
}
