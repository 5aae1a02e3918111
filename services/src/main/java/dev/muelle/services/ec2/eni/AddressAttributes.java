package dev.muelle.services.ec2.eni;

import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.store.Store;
import java.util.List;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.AddressAttribute;
import software.amazon.awssdk.services.ec2.model.AddressAttributeName;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeResponse;

/**
 * What else there is to Elastic IP addresses: their names. None has any: to be given one, AWS asks
 * the world's DNS whether the name means the address, and the world does not know ours.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddressesAttribute.html">DescribeAddressesAttribute</a>
 */
public final class AddressAttributes {

  private static final Pages.Sizes SIZES = new Pages.Sizes(1, 1000);

  private final Store store;

  public AddressAttributes(Store store) {
    this.store = store;
  }

  public DescribeAddressesAttributeResponse describe(DescribeAddressesAttributeRequest request) {
    Refuse.ifDryRun(request.dryRun());
    if (request.attribute() == AddressAttributeName.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.unknownAttribute(request.attributeAsString());
    }
    List<Address> all = store.read(tx -> Kind.ELASTIC.list(tx, request.allocationIds()));
    Pages<Address> page =
        Pages.of(
            all,
            Address::allocationId,
            request.allocationIds(),
            request.nextToken(),
            request.maxResults(),
            SIZES);
    return DescribeAddressesAttributeResponse.builder()
        .addresses(
            page.items().stream()
                .map(one ->
                    AddressAttribute.builder()
                        .allocationId(one.allocationId())
                        .publicIp(one.publicIp())
                        .build())
                .toList())
        .nextToken(page.nextToken())
        .build();
  }
}
