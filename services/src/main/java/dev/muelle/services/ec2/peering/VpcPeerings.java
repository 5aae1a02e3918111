package dev.muelle.services.ec2.peering;

import dev.muelle.network.Cidr;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.PeeringRecord;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.AcceptVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.AcceptVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.CidrBlock;
import software.amazon.awssdk.services.ec2.model.CreateVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcPeeringConnectionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcPeeringConnectionsResponse;
import software.amazon.awssdk.services.ec2.model.RejectVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.RejectVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnection;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionOptionsDescription;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionStateReason;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionStateReasonCode;
import software.amazon.awssdk.services.ec2.model.VpcPeeringConnectionVpcInfo;

/**
 * Peering connections between VPCs of this region: asked for, accepted within seven days, and then
 * as good as the routes on both sides. One that came to its end is shown for an hour.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle">Lifecycle
 *     of a VPC peering connection</a>
 */
public final class VpcPeerings {

  /** A VPC's quota of active ones, and as many again that wait. */
  private static final int MOST = 50;

  private static final Duration ANSWER_WITHIN = Duration.ofDays(7);
  private static final Duration KEPT = Duration.ofHours(1);

  private static final Filters<VpcPeeringConnection> FILTERS =
      new Filters<>(VpcPeeringConnection::tags)
          .by("accepter-vpc-info.cidr-block", one -> one.accepterVpcInfo().cidrBlock())
          .by("accepter-vpc-info.owner-id", one -> one.accepterVpcInfo().ownerId())
          .by("accepter-vpc-info.vpc-id", one -> one.accepterVpcInfo().vpcId())
          .by("expiration-time", VpcPeeringConnection::expirationTime)
          .by("requester-vpc-info.cidr-block", one -> one.requesterVpcInfo().cidrBlock())
          .by("requester-vpc-info.owner-id", one -> one.requesterVpcInfo().ownerId())
          .by("requester-vpc-info.vpc-id", one -> one.requesterVpcInfo().vpcId())
          .by("status-code", one -> one.status().codeAsString())
          .by("status-message", one -> one.status().message())
          .by("vpc-peering-connection-id", VpcPeeringConnection::vpcPeeringConnectionId);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final DataPlane plane;

  public VpcPeerings(Scope scope, Store store, InstantSource clock, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.plane = plane;
  }

  /** Whether a VPC has connections that are active or wait for an answer. */
  public static boolean connected(Tx tx, String vpcId) {
    return tx.list(Tables.PEERINGS).stream()
        .anyMatch(row -> row.value().ended() == null && row.value().concerns(vpcId));
  }

  public CreateVpcPeeringConnectionResponse create(CreateVpcPeeringConnectionRequest request) {
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    String peerId = Refuse.required(request.peerVpcId(), "peerVpcId");
    if (request.peerOwnerId() != null && !request.peerOwnerId().equals(scope.account())) {
      throw Refuse.unsupported("Peering with another account is not supported by this region yet.");
    }
    if (request.peerRegion() != null && !request.peerRegion().equals(scope.region())) {
      throw Refuse.unsupported("Peering with another region is not supported by this region yet.");
    }
    List<Tag> tags = Tags.given("vpc-peering-connection", request.tagSpecifications());
    String id = ids.ec2("pcx");
    VpcPeeringConnection made =
        store.write(tx -> {
          purge(tx);
          Vpc vpc = Kind.VPC.get(tx, vpcId).vpc();
          Vpc peer = Kind.VPC.get(tx, peerId).vpc();
          long there =
              tx.list(Tables.PEERINGS).stream()
                  .filter(row -> row.value().ended() == null && row.value().concerns(vpcId))
                  .count();
          if (there >= 2 * MOST) {
            throw Refuse.because(
                "OutstandingVpcPeeringConnectionLimitExceeded",
                "The maximum number of VPC peering connections has been reached.");
          }
          PeeringRecord asked =
              new PeeringRecord(
                      VpcPeeringConnection.builder()
                          .vpcPeeringConnectionId(id)
                          .requesterVpcInfo(info(vpc))
                          .accepterVpcInfo(info(peer))
                          .expirationTime(clock.instant().plus(ANSWER_WITHIN))
                          .status(VpcPeeringConnectionStateReason.builder().build())
                          .build(),
                      null)
                  .in(
                      VpcPeeringConnectionStateReasonCode.PENDING_ACCEPTANCE,
                      "Pending Acceptance by " + scope.account(),
                      null);
          boolean overlap = Cidr.parse(vpc.cidrBlock()).overlaps(Cidr.parse(peer.cidrBlock()));
          put(
              tx,
              overlap
                  ? asked.in(
                      VpcPeeringConnectionStateReasonCode.FAILED,
                      "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range",
                      clock.instant())
                  : asked);
          Tags.put(tx, id, tags);
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, Kind.PEERING.get(tx, id));
        });
    return CreateVpcPeeringConnectionResponse.builder().vpcPeeringConnection(made).build();
  }

  private VpcPeeringConnectionVpcInfo info(Vpc vpc) {
    return VpcPeeringConnectionVpcInfo.builder()
        .vpcId(vpc.vpcId())
        .ownerId(scope.account())
        .region(scope.region())
        .cidrBlock(vpc.cidrBlock())
        .cidrBlockSet(CidrBlock.builder().cidrBlock(vpc.cidrBlock()).build())
        .peeringOptions(
            VpcPeeringConnectionOptionsDescription.builder()
                .allowDnsResolutionFromRemoteVpc(false)
                .allowEgressFromLocalClassicLinkToRemoteVpc(false)
                .allowEgressFromLocalVpcToRemoteClassicLink(false)
                .build())
        .build();
  }

  private static void put(Tx tx, PeeringRecord record) {
    tx.put(Tables.PEERINGS, record.connection().vpcPeeringConnectionId(), record);
  }

  /** Forgets what has been shown long enough. */
  private void purge(Tx tx) {
    Instant limit = clock.instant().minus(KEPT);
    for (Row<PeeringRecord> row : tx.list(Tables.PEERINGS)) {
      Instant ended = row.value().ended();
      if (ended != null && ended.isBefore(limit)) {
        Tags.forget(tx, row.key());
        tx.delete(Tables.PEERINGS, row.key());
      }
    }
  }

  private boolean waits(PeeringRecord record) {
    return record.state() == VpcPeeringConnectionStateReasonCode.PENDING_ACCEPTANCE
        && clock.instant().isBefore(record.connection().expirationTime());
  }

  public AcceptVpcPeeringConnectionResponse accept(AcceptVpcPeeringConnectionRequest request) {
    String id = Refuse.required(request.vpcPeeringConnectionId(), "vpcPeeringConnectionId");
    VpcPeeringConnection accepted =
        store.write(tx -> {
          PeeringRecord record = Kind.PEERING.get(tx, id);
          if (record.state() != VpcPeeringConnectionStateReasonCode.ACTIVE) {
            mustWait(record, id);
            put(tx, record.in(VpcPeeringConnectionStateReasonCode.ACTIVE, "Active", null));
          }
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, Kind.PEERING.get(tx, id));
        });
    apply(accepted);
    return AcceptVpcPeeringConnectionResponse.builder().vpcPeeringConnection(accepted).build();
  }

  private void mustWait(PeeringRecord record, String id) {
    if (!waits(record)) {
      throw Refuse.because(
          "InvalidStateTransition",
          "Invalid state transition for "
              + id
              + ", attempted to transition from "
              + record.connection().status().codeAsString());
    }
  }

  /** Both sides' routes follow. */
  private void apply(VpcPeeringConnection connection) {
    plane.peeringAlone(connection.vpcPeeringConnectionId());
    plane.ways(connection.requesterVpcInfo().vpcId());
    plane.ways(connection.accepterVpcInfo().vpcId());
  }

  public RejectVpcPeeringConnectionResponse reject(RejectVpcPeeringConnectionRequest request) {
    String id = Refuse.required(request.vpcPeeringConnectionId(), "vpcPeeringConnectionId");
    store.write(tx -> {
      PeeringRecord record = Kind.PEERING.get(tx, id);
      mustWait(record, id);
      put(tx, record.in(VpcPeeringConnectionStateReasonCode.REJECTED, "Inactive", clock.instant()));
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return RejectVpcPeeringConnectionResponse.builder().returnValue(true).build();
  }

  public DeleteVpcPeeringConnectionResponse delete(DeleteVpcPeeringConnectionRequest request) {
    String id = Refuse.required(request.vpcPeeringConnectionId(), "vpcPeeringConnectionId");
    VpcPeeringConnection gone =
        store.write(tx -> {
          PeeringRecord record = Kind.PEERING.get(tx, id);
          if (record.ended() != null) {
            throw Refuse.because(
                "InvalidStateTransition",
                "Invalid state transition for "
                    + id
                    + ", attempted to transition from "
                    + record.connection().status().codeAsString());
          }
          put(
              tx,
              record.in(
                  VpcPeeringConnectionStateReasonCode.DELETED,
                  "Deleted by " + scope.account(),
                  clock.instant()));
          Refuse.ifDryRun(request.dryRun());
          return record.connection();
        });
    apply(gone);
    return DeleteVpcPeeringConnectionResponse.builder().returnValue(true).build();
  }

  private VpcPeeringConnection shown(Tx tx, PeeringRecord record) {
    PeeringRecord now =
        record.state() == VpcPeeringConnectionStateReasonCode.PENDING_ACCEPTANCE && !waits(record)
            ? record.in(VpcPeeringConnectionStateReasonCode.EXPIRED, "Expired", null)
            : record;
    return now.connection().toBuilder()
        .tags(Tags.of(tx, record.connection().vpcPeeringConnectionId()))
        .build();
  }

  public DescribeVpcPeeringConnectionsResponse describe(
      DescribeVpcPeeringConnectionsRequest request) {
    Refuse.unlessEffective(
        request, Set.of("VpcPeeringConnectionIds", "Filters", "NextToken", "MaxResults", "DryRun"));
    Refuse.ifDryRun(request.dryRun());
    List<VpcPeeringConnection> all =
        store.read(tx ->
            Kind.PEERING.list(tx, request.vpcPeeringConnectionIds()).stream()
                .map(record -> shown(tx, record))
                .toList());
    Pages<VpcPeeringConnection> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            VpcPeeringConnection::vpcPeeringConnectionId,
            request.vpcPeeringConnectionIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeVpcPeeringConnectionsResponse.builder()
        .vpcPeeringConnections(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
