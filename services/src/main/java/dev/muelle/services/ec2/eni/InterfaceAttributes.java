package dev.muelle.services.ec2.eni;

import dev.muelle.services.ec2.state.Flags;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.ResetNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ResetNetworkInterfaceAttributeResponse;

/**
 * Attributes of interfaces, one at a time.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaceAttribute.html">DescribeNetworkInterfaceAttribute</a>
 */
public final class InterfaceAttributes {

  private final Store store;
  private final NetworkInterfaces interfaces;

  public InterfaceAttributes(Store store, NetworkInterfaces interfaces) {
    this.store = store;
    this.interfaces = interfaces;
  }

  public DescribeNetworkInterfaceAttributeResponse describe(
      DescribeNetworkInterfaceAttributeRequest request) {
    String id =
        NetworkInterfaces.wellFormed(
            Refuse.required(request.networkInterfaceId(), "networkInterfaceId"));
    Refuse.required(request.attributeAsString(), "attribute");
    return store.read(tx -> {
      NetworkInterface eni = interfaces.shown().of(tx, Kind.INTERFACE.get(tx, id));
      var answer = DescribeNetworkInterfaceAttributeResponse.builder().networkInterfaceId(id);
      switch (request.attribute()) {
        case DESCRIPTION -> answer.description(v -> v.value(eni.description()));
        case GROUP_SET -> answer.groups(eni.groups());
        case SOURCE_DEST_CHECK -> answer.sourceDestCheck(Flags.of(eni.sourceDestCheck()));
        case ATTACHMENT -> answer.attachment(eni.attachment());
        case ASSOCIATE_PUBLIC_IP_ADDRESS -> answer.associatePublicIpAddress(addressed(tx, eni));
        case UNKNOWN_TO_SDK_VERSION -> throw Refuse.unknownAttribute(request.attributeAsString());
      }
      Refuse.ifDryRun(request.dryRun());
      return answer.build();
    });
  }

  /** Whether it has a public address that is not an Elastic one, or gets one when it is started. */
  private static boolean addressed(Tx tx, NetworkInterface eni) {
    if (eni.association() != null) {
      return eni.association().allocationId() == null;
    }
    String instance = eni.attachment() == null ? null : eni.attachment().instanceId();
    return instance != null
        && tx.get(Tables.INSTANCES, instance)
            .map(Row::value)
            .filter(InstanceRecord::addressAgain)
            .filter(record -> eni.networkInterfaceId().equals(record.interfaceId()))
            .isPresent();
  }

  /** Its only attribute with a value to go back to: it speaks for itself only. */
  public ResetNetworkInterfaceAttributeResponse reset(
      ResetNetworkInterfaceAttributeRequest request) {
    if (request.sourceDestCheck() == null) {
      throw Refuse.combination("No attributes specified.");
    }
    interfaces.modify(
        ModifyNetworkInterfaceAttributeRequest.builder()
            .networkInterfaceId(request.networkInterfaceId())
            .sourceDestCheck(Flags.of(true))
            .dryRun(request.dryRun())
            .build());
    return ResetNetworkInterfaceAttributeResponse.builder().build();
  }
}
