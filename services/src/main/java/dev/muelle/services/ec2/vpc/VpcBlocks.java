package dev.muelle.services.ec2.vpc;

import dev.muelle.network.Cidr6;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.acl.NetworkAcls;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.route.RouteTables;
import dev.muelle.services.ec2.security.SecurityGroups;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.AssociateVpcCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.AssociateVpcCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateVpcCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateVpcCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.IpSource;
import software.amazon.awssdk.services.ec2.model.Ipv6AddressAttribute;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockStateCode;
import software.amazon.awssdk.services.ec2.model.VpcIpv6CidrBlockAssociation;

/**
 * IPv6 blocks of VPCs, which the region hands out: each region has a /32 of a block that is routed
 * nowhere, and a VPC a /56 of it.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html">VPC CIDR
 *     blocks</a>
 */
public final class VpcBlocks {

  private static final int MOST = 5;

  /** Where links of the region's own are; see the network's rooms. */
  private static final int NO_REGION = 0xfff;

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;
  private final RouteTables tables;
  private final NetworkAcls acls;
  private final SecurityGroups groups;

  public VpcBlocks(
      Scope scope,
      Store store,
      Ids ids,
      DataPlane plane,
      RouteTables tables,
      NetworkAcls acls,
      SecurityGroups groups) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    this.tables = tables;
    this.acls = acls;
    this.groups = groups;
  }

  /** Any free block of the region's. */
  private Cidr6 free(Tx tx) {
    List<Cidr6> taken =
        tx.list(Tables.VPCS).stream()
            .flatMap(row -> Ipv6.blocks(row.value().vpc()).stream())
            .toList();
    int region = Math.floorMod(scope.region().hashCode(), NO_REGION);
    while (true) {
      String net = ids.hex(6);
      Cidr6 block =
          Cidr6.parse(
              "3fff:%x:%s:%s00::/%d"
                  .formatted(region, net.substring(0, 4), net.substring(4), Ipv6.VPC_PREFIX));
      if (!taken.contains(block) && Network.PUBLIC6.contains(block)) {
        return block;
      }
    }
  }

  /** Gives a VPC a block, and what goes with it, within one transaction. */
  VpcIpv6CidrBlockAssociation give(Tx tx, String vpcId) {
    VpcRecord record = Kind.VPC.get(tx, vpcId);
    Vpc vpc = record.vpc();
    if (vpc.ipv6CidrBlockAssociationSet().size() >= MOST) {
      throw Refuse.because(
          "CidrLimitExceeded",
          "This network '" + vpcId + "' has met its maximum number of allowed CIDRs: " + MOST);
    }
    Cidr6 block = free(tx);
    VpcIpv6CidrBlockAssociation given =
        VpcIpv6CidrBlockAssociation.builder()
            .associationId(ids.ec2("vpc-cidr-assoc"))
            .ipv6CidrBlock(block.toString())
            .ipv6CidrBlockState(state -> state.state(VpcCidrBlockStateCode.ASSOCIATED))
            .ipv6Pool("Amazon")
            .ipSource(IpSource.AMAZON)
            .ipv6AddressAttribute(Ipv6AddressAttribute.PUBLIC)
            .networkBorderGroup(scope.region())
            .build();
    boolean first = vpc.ipv6CidrBlockAssociationSet().isEmpty();
    List<VpcIpv6CidrBlockAssociation> all = new ArrayList<>(vpc.ipv6CidrBlockAssociationSet());
    all.add(given);
    put(tx, record, all);
    tables.addLocal(tx, vpcId, block);
    if (first) {
      acls.takeIpv6(tx, vpcId);
      groups.takeIpv6(tx, vpcId);
    }
    return given;
  }

  private static void put(Tx tx, VpcRecord record, List<VpcIpv6CidrBlockAssociation> all) {
    tx.put(
        Tables.VPCS,
        record.vpc().vpcId(),
        record.with(record.vpc().toBuilder().ipv6CidrBlockAssociationSet(all).build()));
  }

  public AssociateVpcCidrBlockResponse associate(AssociateVpcCidrBlockRequest request) {
    Refuse.unlessEffective(request, Set.of("VpcId", "AmazonProvidedIpv6CidrBlock"));
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    if (!Boolean.TRUE.equals(request.amazonProvidedIpv6CidrBlock())) {
      throw Refuse.missing("amazonProvidedIpv6CidrBlock");
    }
    VpcIpv6CidrBlockAssociation given =
        plane.alone(
            vpcId,
            () -> {
              VpcIpv6CidrBlockAssociation made = store.write(tx -> give(tx, vpcId));
              plane.vpc(vpcId);
              return made;
            });
    groups(vpcId).forEach(plane::groupAlone);
    plane.ways(vpcId);
    return AssociateVpcCidrBlockResponse.builder()
        .vpcId(vpcId)
        .ipv6CidrBlockAssociation(in(given, VpcCidrBlockStateCode.ASSOCIATING))
        .build();
  }

  private List<String> groups(String vpcId) {
    return store.read(tx -> tx.find(Tables.GROUPS, "vpc", vpcId)).stream().map(Row::key).toList();
  }

  private static VpcIpv6CidrBlockAssociation in(
      VpcIpv6CidrBlockAssociation one, VpcCidrBlockStateCode code) {
    return one.toBuilder().ipv6CidrBlockState(state -> state.state(code)).build();
  }

  public DisassociateVpcCidrBlockResponse disassociate(DisassociateVpcCidrBlockRequest request) {
    String id = Refuse.required(request.associationId(), "associationId");
    record Gone(String vpcId, VpcIpv6CidrBlockAssociation block) {}
    String vpcId = store.read(tx -> holder(tx, id)).vpc().vpcId();
    Gone gone =
        plane.alone(
            vpcId,
            () -> {
              Gone done =
                  store.write(tx -> {
                    VpcRecord record = holder(tx, id);
                    VpcIpv6CidrBlockAssociation block =
                        record.vpc().ipv6CidrBlockAssociationSet().stream()
                            .filter(one -> one.associationId().equals(id))
                            .findFirst()
                            .orElseThrow(() -> primary(id));
                    notUsed(tx, vpcId, Cidr6.parse(block.ipv6CidrBlock()));
                    put(
                        tx,
                        record,
                        record.vpc().ipv6CidrBlockAssociationSet().stream()
                            .filter(one -> !one.equals(block))
                            .toList());
                    tables.removeLocal(tx, vpcId, block.ipv6CidrBlock());
                    return new Gone(vpcId, block);
                  });
              plane.vpc(vpcId);
              return done;
            });
    plane.ways(vpcId);
    return DisassociateVpcCidrBlockResponse.builder()
        .vpcId(gone.vpcId())
        .ipv6CidrBlockAssociation(in(gone.block(), VpcCidrBlockStateCode.DISASSOCIATING))
        .build();
  }

  private static VpcRecord holder(Tx tx, String id) {
    return tx.list(Tables.VPCS).stream()
        .map(Row::value)
        .filter(record ->
            record.vpc().ipv6CidrBlockAssociationSet().stream()
                    .anyMatch(one -> one.associationId().equals(id))
                || record.vpc().cidrBlockAssociationSet().stream()
                    .anyMatch(one -> one.associationId().equals(id)))
        .findFirst()
        .orElseThrow(() ->
            Refuse.because(
                "InvalidVpcCidrBlockAssociationID.NotFound",
                "The vpc CIDR block association ID '" + id + "' does not exist"));
  }

  private static Ec2Exception primary(String id) {
    return Refuse.because(
        "OperationNotPermitted",
        "The vpc CIDR block with association ID "
            + id
            + " may not be disassociated. It is the primary IPv4 CIDR block of the VPC");
  }

  private static void notUsed(Tx tx, String vpcId, Cidr6 block) {
    boolean used =
        Tables.of(tx, Tables.SUBNETS, "vpc", vpcId).stream()
            .flatMap(subnet -> Ipv6.block(subnet).stream())
            .anyMatch(block::contains);
    if (used) {
      throw Refuse.because(
          "InvalidCidrBlock.InUse",
          "The vpc " + vpcId + " currently has a subnet within CIDR block " + block);
    }
  }
}
