package dev.muelle.services.ec2.subnet;

import dev.muelle.network.Cidr6;
import dev.muelle.services.Ids;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.AssociateSubnetCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.AssociateSubnetCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateSubnetCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateSubnetCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.IpSource;
import software.amazon.awssdk.services.ec2.model.Ipv6AddressAttribute;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetCidrBlockStateCode;
import software.amazon.awssdk.services.ec2.model.SubnetIpv6CidrBlockAssociation;

/**
 * IPv6 blocks of subnets: each has one at most, a /64 out of its VPC's.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html">Subnet CIDR
 *     blocks</a>
 */
public final class SubnetBlocks {

  private static final String ID = "subnet-cidr-assoc";

  private final Store store;
  private final Ids ids;
  private final DataPlane plane;

  public SubnetBlocks(Store store, Ids ids, DataPlane plane) {
    this.store = store;
    this.ids = ids;
    this.plane = plane;
  }

  /** A subnet with a block that is free in its VPC. */
  Subnet with(Tx tx, Subnet subnet, String wanted) {
    Cidr6 block = block(wanted);
    boolean inside =
        Ipv6.blocks(Kind.VPC.get(tx, subnet.vpcId()).vpc()).stream()
            .anyMatch(own -> own.contains(block));
    if (!inside || block.prefix() != Ipv6.SUBNET_PREFIX) {
      throw Refuse.because("InvalidSubnet.Range", "The CIDR '" + wanted + "' is invalid.");
    }
    boolean taken =
        Tables.of(tx, Tables.SUBNETS, "vpc", subnet.vpcId()).stream()
            .flatMap(other -> Ipv6.block(other).stream())
            .anyMatch(block::overlaps);
    if (taken) {
      throw Refuse.because(
          "InvalidSubnet.Conflict", "The CIDR '" + wanted + "' conflicts with another subnet");
    }
    return subnet.toBuilder()
        .ipv6CidrBlockAssociationSet(
            SubnetIpv6CidrBlockAssociation.builder()
                .associationId(ids.ec2(ID))
                .ipv6CidrBlock(block.toString())
                .ipv6CidrBlockState(state -> state.state(SubnetCidrBlockStateCode.ASSOCIATED))
                .ipSource(IpSource.AMAZON)
                .ipv6AddressAttribute(Ipv6AddressAttribute.PUBLIC)
                .build())
        .build();
  }

  private static Cidr6 block(String text) {
    try {
      return Cidr6.parse(text);
    } catch (IllegalArgumentException e) {
      throw Refuse.invalidValue(text, "ipv6CidrBlock", "This is not a valid IPv6 CIDR block.");
    }
  }

  public AssociateSubnetCidrBlockResponse associate(AssociateSubnetCidrBlockRequest request) {
    Refuse.unlessEffective(request, Set.of("SubnetId", "Ipv6CidrBlock"));
    String id = Refuse.required(request.subnetId(), "subnetId");
    String wanted = Refuse.required(request.ipv6CidrBlock(), "ipv6CidrBlock");
    String vpcId = store.read(tx -> Kind.SUBNET.get(tx, id)).vpcId();
    // Held against another subnet, or the VPC, that is to have the same addresses or none.
    Subnet changed =
        plane.alone(
            vpcId,
            () ->
                store.write(tx -> {
                  Subnet subnet = Kind.SUBNET.get(tx, id);
                  if (Ipv6.block(subnet).isPresent()) {
                    throw Refuse.because(
                        "InvalidSubnet.Conflict",
                        "The subnet " + id + " already has an IPv6 CIDR block associated with it.");
                  }
                  Subnet given = with(tx, subnet, wanted);
                  tx.put(Tables.SUBNETS, id, given);
                  return given;
                }));
    plane.subnetAlone(id);
    return AssociateSubnetCidrBlockResponse.builder()
        .subnetId(id)
        .ipv6CidrBlockAssociation(
            in(
                changed.ipv6CidrBlockAssociationSet().getFirst(),
                SubnetCidrBlockStateCode.ASSOCIATING))
        .build();
  }

  private static SubnetIpv6CidrBlockAssociation in(
      SubnetIpv6CidrBlockAssociation one, SubnetCidrBlockStateCode code) {
    return one.toBuilder().ipv6CidrBlockState(state -> state.state(code)).build();
  }

  public DisassociateSubnetCidrBlockResponse disassociate(
      DisassociateSubnetCidrBlockRequest request) {
    String id = Refuse.required(request.associationId(), "associationId");
    if (!id.matches(ID + "-[0-9a-f]+")) {
      throw Refuse.because(
          "InvalidSubnetCidrBlockAssociationId.Malformed",
          "The subnet CIDR block with association ID " + id + " is malformed");
    }
    Subnet before =
        store.write(tx -> {
          Subnet subnet = holder(tx, id);
          if (subnet.assignIpv6AddressOnCreation()) {
            throw inUse(id, "its subnet has assign-ipv6-address-on-creation set to true.");
          }
          boolean addressed =
              Tables.of(tx, Tables.INTERFACES, "subnet", subnet.subnetId()).stream()
                  .anyMatch(eni -> !eni.ipv6Addresses().isEmpty());
          if (addressed) {
            throw inUse(id, "it contains IPv6 addresses that are assigned to network interfaces.");
          }
          tx.put(
              Tables.SUBNETS,
              subnet.subnetId(),
              subnet.toBuilder().ipv6CidrBlockAssociationSet(List.of()).build());
          return subnet;
        });
    plane.subnetAlone(before.subnetId());
    return DisassociateSubnetCidrBlockResponse.builder()
        .subnetId(before.subnetId())
        .ipv6CidrBlockAssociation(
            in(
                before.ipv6CidrBlockAssociationSet().getFirst(),
                SubnetCidrBlockStateCode.DISASSOCIATING))
        .build();
  }

  private static Subnet holder(Tx tx, String id) {
    return tx.list(Tables.SUBNETS).stream()
        .map(Row::value)
        .filter(subnet ->
            subnet.ipv6CidrBlockAssociationSet().stream()
                .anyMatch(one -> one.associationId().equals(id)))
        .findFirst()
        .orElseThrow(() ->
            Refuse.because(
                "InvalidSubnetCidrBlockAssociationID.NotFound",
                "The subnet CIDR block with association ID '" + id + "' does not exist"));
  }

  private static RuntimeException inUse(String id, String why) {
    return Refuse.because(
        "InvalidCidrBlock.InUse",
        "The subnet IPv6 CIDR block with association ID "
            + id
            + " may not be disassociated, because "
            + why);
  }
}
