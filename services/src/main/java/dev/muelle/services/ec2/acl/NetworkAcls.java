package dev.muelle.services.ec2.acl;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Edges;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkAclsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkAclsResponse;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
import software.amazon.awssdk.services.ec2.model.NetworkAclAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkAclEntry;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclAssociationRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclAssociationResponse;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Network ACLs and which subnets they are for: every subnet has one, at first its VPC's default
 * one. What is in them are {@link AclEntries}.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html">Network
 *     ACLs</a>
 */
public final class NetworkAcls {

  /** A VPC's quota. */
  private static final int MOST = 200;

  private static final Codec<CreateNetworkAclRequest> REQUEST =
      StoredJson.codec(CreateNetworkAclRequest.class);

  private static final Filters<NetworkAcl> FILTERS =
      new Filters<>(NetworkAcl::tags)
          .byAny(
              "association.association-id",
              acl -> associated(acl, NetworkAclAssociation::networkAclAssociationId))
          .byAny(
              "association.network-acl-id",
              acl -> associated(acl, NetworkAclAssociation::networkAclId))
          .byAny("association.subnet-id", acl -> associated(acl, NetworkAclAssociation::subnetId))
          .by("default", NetworkAcl::isDefault)
          .byAny("entry.cidr", acl -> entered(acl, NetworkAclEntry::cidrBlock))
          .byAny("entry.egress", acl -> entered(acl, NetworkAclEntry::egress))
          .byAny(
              "entry.icmp.code",
              acl -> entered(acl, e -> e.icmpTypeCode() == null ? null : e.icmpTypeCode().code()))
          .byAny(
              "entry.icmp.type",
              acl -> entered(acl, e -> e.icmpTypeCode() == null ? null : e.icmpTypeCode().type()))
          .byAny("entry.ipv6-cidr", acl -> entered(acl, NetworkAclEntry::ipv6CidrBlock))
          .byAny(
              "entry.port-range.from",
              acl -> entered(acl, e -> e.portRange() == null ? null : e.portRange().from()))
          .byAny(
              "entry.port-range.to",
              acl -> entered(acl, e -> e.portRange() == null ? null : e.portRange().to()))
          .byAny("entry.protocol", acl -> entered(acl, NetworkAclEntry::protocol))
          .byAny("entry.rule-action", acl -> entered(acl, NetworkAclEntry::ruleActionAsString))
          .byAny("entry.rule-number", acl -> entered(acl, NetworkAclEntry::ruleNumber))
          .by("network-acl-id", NetworkAcl::networkAclId)
          .by("owner-id", NetworkAcl::ownerId)
          .by("vpc-id", NetworkAcl::vpcId);

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;

  public NetworkAcls(Scope scope, Store store, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
  }

  private interface Part<T> {
    @Nullable Object of(T whole);
  }

  private static List<String> associated(NetworkAcl acl, Part<NetworkAclAssociation> part) {
    return texts(acl.associations(), part);
  }

  private static List<String> entered(NetworkAcl acl, Part<NetworkAclEntry> part) {
    return texts(acl.entries(), part);
  }

  private static <T> List<String> texts(List<T> all, Part<T> part) {
    return all.stream().map(part::of).filter(Objects::nonNull).map(Object::toString).toList();
  }

  /** The ids of the subnets that an ACL is for. */
  public static List<String> subnets(NetworkAcl acl) {
    return acl.associations().stream().map(NetworkAclAssociation::subnetId).toList();
  }

  private static NetworkAcl defaultOf(Tx tx, String vpcId) {
    return Tables.of(tx, Tables.ACLS, "vpc", vpcId).stream()
        .filter(NetworkAcl::isDefault)
        .findFirst()
        .orElseThrow();
  }

  /** The ACL that every VPC is born with. */
  public void makeDefault(Tx tx, String vpcId) {
    make(tx, vpcId, true);
  }

  private NetworkAcl make(Tx tx, String vpcId, boolean isDefault) {
    String id = ids.ec2("acl");
    NetworkAcl acl =
        NetworkAcl.builder()
            .networkAclId(id)
            .vpcId(vpcId)
            .ownerId(scope.account())
            .isDefault(isDefault)
            .associations(List.of())
            .entries(AclEntries.first(isDefault))
            .build();
    if (!Ipv6.blocks(Kind.VPC.get(tx, vpcId).vpc()).isEmpty()) {
      acl = acl.toBuilder().entries(AclEntries.withIpv6(acl)).build();
    }
    tx.insert(Tables.ACLS, id, acl);
    return acl;
  }

  /** A VPC carries IPv6 from now on. */
  public void takeIpv6(Tx tx, String vpcId) {
    for (NetworkAcl acl : Tables.of(tx, Tables.ACLS, "vpc", vpcId)) {
      tx.put(
          Tables.ACLS,
          acl.networkAclId(),
          acl.toBuilder().entries(AclEntries.withIpv6(acl)).build());
    }
  }

  /** VPCs of an earlier version had none. */
  public void makeMissing(Tx tx) {
    for (Row<VpcRecord> vpc : tx.list(Tables.VPCS)) {
      if (tx.find(Tables.ACLS, "vpc", vpc.key()).isEmpty()) {
        makeDefault(tx, vpc.key());
        Tables.of(tx, Tables.SUBNETS, "vpc", vpc.key()).forEach(subnet -> takeIn(tx, subnet));
      }
    }
  }

  /** A new subnet has its VPC's default ACL. */
  public void takeIn(Tx tx, Subnet subnet) {
    associate(tx, defaultOf(tx, subnet.vpcId()), subnet.subnetId());
  }

  private String associate(Tx tx, NetworkAcl acl, String subnetId) {
    String id = ids.ec2("aclassoc");
    List<NetworkAclAssociation> all = new ArrayList<>(acl.associations());
    all.add(
        NetworkAclAssociation.builder()
            .networkAclAssociationId(id)
            .networkAclId(acl.networkAclId())
            .subnetId(subnetId)
            .build());
    put(tx, acl, all);
    return id;
  }

  private static void put(Tx tx, NetworkAcl acl, List<NetworkAclAssociation> associations) {
    tx.put(Tables.ACLS, acl.networkAclId(), acl.toBuilder().associations(associations).build());
  }

  private static void release(Tx tx, NetworkAcl acl, String subnetId) {
    put(
        tx,
        acl,
        acl.associations().stream().filter(one -> !one.subnetId().equals(subnetId)).toList());
  }

  /** A subnet that goes takes its association with it. */
  public static void forgetSubnet(Tx tx, Subnet subnet) {
    release(tx, Edges.acl(tx, subnet), subnet.subnetId());
  }

  /** Forgets all of a VPC's. */
  public static void forgetAll(Tx tx, String vpcId) {
    tx.find(Tables.ACLS, "vpc", vpcId).forEach(row -> forget(tx, row.key()));
  }

  private static void forget(Tx tx, String id) {
    ClientToken.forget(tx, id);
    Tags.forget(tx, id);
    tx.delete(Tables.ACLS, id);
  }

  public CreateNetworkAclResponse create(CreateNetworkAclRequest request) {
    Refuse.unlessEffective(request, Set.of("VpcId", "ClientToken", "TagSpecifications", "DryRun"));
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    List<Tag> tags = Tags.given("network-acl", request.tagSpecifications());
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    NetworkAcl made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, request.clientToken(), asked);
          if (done.isPresent()) {
            return shown(tx, Kind.ACL.get(tx, done.get()));
          }
          Kind.VPC.get(tx, vpcId);
          if (tx.find(Tables.ACLS, "vpc", vpcId).size() >= MOST) {
            throw Refuse.because(
                "NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached.");
          }
          NetworkAcl acl = make(tx, vpcId, false);
          Tags.put(tx, acl.networkAclId(), tags);
          ClientToken.put(tx, request.clientToken(), asked, acl.networkAclId());
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, acl);
        });
    return CreateNetworkAclResponse.builder()
        .networkAcl(made)
        .clientToken(request.clientToken())
        .build();
  }

  public DeleteNetworkAclResponse delete(DeleteNetworkAclRequest request) {
    String id = Refuse.required(request.networkAclId(), "networkAclId");
    store.write(tx -> {
      NetworkAcl acl = Kind.ACL.get(tx, id);
      if (acl.isDefault()) {
        throw Refuse.invalidValue("cannot delete default network ACL " + id);
      }
      if (!acl.associations().isEmpty()) {
        throw Refuse.dependency(
            "The networkAcl '" + id + "' has dependencies and cannot be deleted.");
      }
      forget(tx, id);
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return DeleteNetworkAclResponse.builder().build();
  }

  public ReplaceNetworkAclAssociationResponse replace(ReplaceNetworkAclAssociationRequest request) {
    String associationId = Refuse.required(request.associationId(), "associationId");
    String id = Refuse.required(request.networkAclId(), "networkAclId");
    record Replaced(String subnetId, String association) {}
    Replaced replaced =
        store.write(tx -> {
          NetworkAcl acl = Kind.ACL.get(tx, id);
          NetworkAcl before =
              Kind.ACL.list(tx, List.of()).stream()
                  .filter(one ->
                      associated(one, NetworkAclAssociation::networkAclAssociationId)
                          .contains(associationId))
                  .findFirst()
                  .orElseThrow(() ->
                      Refuse.because(
                          "InvalidAssociationID.NotFound",
                          "The association ID '" + associationId + "' does not exist"));
          String subnetId =
              before.associations().stream()
                  .filter(one -> one.networkAclAssociationId().equals(associationId))
                  .map(NetworkAclAssociation::subnetId)
                  .findFirst()
                  .orElseThrow();
          if (!acl.vpcId().equals(before.vpcId())) {
            throw Refuse.invalidValue(
                "network acl " + id + " and subnet " + subnetId + " belong to different networks");
          }
          release(tx, before, subnetId);
          String made = associate(tx, Kind.ACL.get(tx, id), subnetId);
          Refuse.ifDryRun(request.dryRun());
          return new Replaced(subnetId, made);
        });
    plane.subnetAlone(replaced.subnetId());
    return ReplaceNetworkAclAssociationResponse.builder()
        .newAssociationId(replaced.association())
        .build();
  }

  private static NetworkAcl shown(Tx tx, NetworkAcl acl) {
    return acl.toBuilder().tags(Tags.of(tx, acl.networkAclId())).build();
  }

  public DescribeNetworkAclsResponse describe(DescribeNetworkAclsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<NetworkAcl> all =
        store.read(tx ->
            Kind.ACL.list(tx, request.networkAclIds()).stream()
                .map(acl -> shown(tx, acl))
                .toList());
    Pages<NetworkAcl> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            NetworkAcl::networkAclId,
            request.networkAclIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeNetworkAclsResponse.builder()
        .networkAcls(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
