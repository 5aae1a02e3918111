package dev.muelle.services.ec2.zone;

import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Store;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.ec2.model.AccountAttribute;
import software.amazon.awssdk.services.ec2.model.AccountAttributeValue;
import software.amazon.awssdk.services.ec2.model.DescribeAccountAttributesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAccountAttributesResponse;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * What an account may do in a region.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html">DescribeAccountAttributes</a>
 */
public final class AccountAttributes {

  private final Store store;

  public AccountAttributes(Store store) {
    this.store = store;
  }

  public DescribeAccountAttributesResponse describe(DescribeAccountAttributesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    Map<String, String> all = new LinkedHashMap<>();
    all.put("supported-platforms", "VPC");
    all.put("vpc-max-security-groups-per-interface", "5");
    all.put("default-vpc", store.read(VpcRecord::findDefault).map(Vpc::vpcId).orElse("none"));
    List<String> names = request.attributeNamesAsStrings();
    for (String name : names) {
      if (!all.containsKey(name)) {
        throw Refuse.invalidValue("Invalid value '" + name + "' for attributeName");
      }
    }
    return DescribeAccountAttributesResponse.builder()
        .accountAttributes(
            all.entrySet().stream()
                .filter(attribute -> names.isEmpty() || names.contains(attribute.getKey()))
                .map(attribute ->
                    AccountAttribute.builder()
                        .attributeName(attribute.getKey())
                        .attributeValues(
                            AccountAttributeValue.builder()
                                .attributeValue(attribute.getValue())
                                .build())
                        .build())
                .toList())
        .build();
  }
}
