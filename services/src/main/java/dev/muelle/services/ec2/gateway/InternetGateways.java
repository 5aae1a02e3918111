package dev.muelle.services.ec2.gateway;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Ways;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.AttachInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.AttachInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.CreateInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.CreateInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DeleteInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DeleteInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DetachInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DetachInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.InternetGatewayAttachment;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Internet gateways: while one is attached, the public addresses of its VPC are reachable, and
 * routes to it lead out.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html">Internet
 *     gateways</a>
 */
public final class InternetGateways {

  /** A region's quota; it follows that of VPCs. */
  private static final int MOST = 5;

  private static final Filters<InternetGateway> FILTERS =
      new Filters<>(InternetGateway::tags)
          .byAny(
              "attachment.state",
              gateway ->
                  gateway.attachments().stream()
                      .map(InternetGatewayAttachment::stateAsString)
                      .toList())
          .byAny(
              "attachment.vpc-id",
              gateway ->
                  gateway.attachments().stream().map(InternetGatewayAttachment::vpcId).toList())
          .by("internet-gateway-id", InternetGateway::internetGatewayId)
          .by("owner-id", InternetGateway::ownerId);

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;

  public InternetGateways(Scope scope, Store store, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
  }

  private InternetGateway make(Tx tx) {
    if (tx.count(Tables.GATEWAYS) >= MOST) {
      throw Refuse.because(
          "InternetGatewayLimitExceeded",
          "The maximum number of internet gateways has been reached.");
    }
    String id = ids.ec2("igw");
    InternetGateway made =
        InternetGateway.builder()
            .internetGatewayId(id)
            .ownerId(scope.account())
            .attachments(List.of())
            .build();
    tx.insert(Tables.GATEWAYS, id, made);
    return made;
  }

  /** Makes one that is attached; gives its id. */
  public String makeFor(Tx tx, String vpcId) {
    InternetGateway made = make(tx);
    attach(tx, made, vpcId);
    return made.internetGatewayId();
  }

  private static void attach(Tx tx, InternetGateway gateway, String vpcId) {
    tx.put(
        Tables.GATEWAYS,
        gateway.internetGatewayId(),
        gateway.toBuilder()
            .attachments(
                InternetGatewayAttachment.builder()
                    .vpcId(vpcId)
                    // The API's word for an attached internet gateway; the model has none for it.
                    .state("available")
                    .build())
            .build());
  }

  public CreateInternetGatewayResponse create(CreateInternetGatewayRequest request) {
    Refuse.unlessEffective(request, Set.of("TagSpecifications", "DryRun"));
    List<Tag> tags = Tags.given("internet-gateway", request.tagSpecifications());
    InternetGateway made =
        store.write(tx -> {
          InternetGateway gateway = make(tx);
          Tags.put(tx, gateway.internetGatewayId(), tags);
          Refuse.ifDryRun(request.dryRun());
          return gateway;
        });
    return CreateInternetGatewayResponse.builder()
        .internetGateway(made.toBuilder().tags(tags).build())
        .build();
  }

  public AttachInternetGatewayResponse attach(AttachInternetGatewayRequest request) {
    String id = Refuse.required(request.internetGatewayId(), "internetGatewayId");
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    store.write(tx -> {
      InternetGateway gateway = Kind.GATEWAY.get(tx, id);
      Kind.VPC.get(tx, vpcId);
      if (!gateway.attachments().isEmpty()) {
        throw Refuse.because(
            "Resource.AlreadyAssociated",
            "resource "
                + id
                + " is already attached to network "
                + gateway.attachments().getFirst().vpcId());
      }
      if (Ways.gateway(tx, vpcId).isPresent()) {
        throw Refuse.invalidValue("Network " + vpcId + " already has an internet gateway attached");
      }
      attach(tx, gateway, vpcId);
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    plane.ways(vpcId);
    return AttachInternetGatewayResponse.builder().build();
  }

  public DetachInternetGatewayResponse detach(DetachInternetGatewayRequest request) {
    String id = Refuse.required(request.internetGatewayId(), "internetGatewayId");
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    store.write(tx -> {
      InternetGateway gateway = Kind.GATEWAY.get(tx, id);
      Kind.VPC.get(tx, vpcId);
      if (Ways.gateway(tx, vpcId).filter(gateway::equals).isEmpty()) {
        throw Refuse.because(
            "Gateway.NotAttached", "resource " + id + " is not attached to network " + vpcId);
      }
      if (Tables.of(tx, Tables.INTERFACES, "vpc", vpcId).stream()
          .anyMatch(eni -> !Associations.of(eni).isEmpty())) {
        throw Refuse.dependency(
            "Network "
                + vpcId
                + " has some mapped public address(es). Please unmap those public address(es)"
                + " before detaching the gateway.");
      }
      tx.put(Tables.GATEWAYS, id, gateway.toBuilder().attachments(List.of()).build());
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    plane.ways(vpcId);
    return DetachInternetGatewayResponse.builder().build();
  }

  public DeleteInternetGatewayResponse delete(DeleteInternetGatewayRequest request) {
    String id = Refuse.required(request.internetGatewayId(), "internetGatewayId");
    store.write(tx -> {
      if (!Kind.GATEWAY.get(tx, id).attachments().isEmpty()) {
        throw Refuse.dependency(
            "The internetGateway '" + id + "' has dependencies and cannot be deleted.");
      }
      Tags.forget(tx, id);
      tx.delete(Tables.GATEWAYS, id);
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return DeleteInternetGatewayResponse.builder().build();
  }

  public DescribeInternetGatewaysResponse describe(DescribeInternetGatewaysRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<InternetGateway> all =
        store.read(tx ->
            Kind.GATEWAY.list(tx, request.internetGatewayIds()).stream()
                .map(gateway ->
                    gateway.toBuilder().tags(Tags.of(tx, gateway.internetGatewayId())).build())
                .toList());
    Pages<InternetGateway> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            InternetGateway::internetGatewayId,
            request.internetGatewayIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeInternetGatewaysResponse.builder()
        .internetGateways(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
