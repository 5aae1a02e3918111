package dev.muelle.services.ec2.gateway;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Ways;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.AttachmentStatus;
import software.amazon.awssdk.services.ec2.model.CreateEgressOnlyInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.CreateEgressOnlyInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DeleteEgressOnlyInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DeleteEgressOnlyInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DescribeEgressOnlyInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeEgressOnlyInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.EgressOnlyInternetGateway;
import software.amazon.awssdk.services.ec2.model.InternetGatewayAttachment;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Egress-only internet gateways: what IPv6 routes lead to one gets out, and nothing comes in but
 * answers. Each belongs to one VPC for its life.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html">Egress-only
 *     internet gateways</a>
 */
public final class EgressOnlyGateways {

  /** A region's quota; it follows that of VPCs. */
  private static final int MOST = 5;

  private static final Codec<CreateEgressOnlyInternetGatewayRequest> REQUEST =
      StoredJson.codec(CreateEgressOnlyInternetGatewayRequest.class);

  private static final Filters<EgressOnlyInternetGateway> FILTERS =
      new Filters<>(EgressOnlyInternetGateway::tags);

  private final Store store;
  private final Ids ids;
  private final DataPlane plane;

  public EgressOnlyGateways(Store store, Ids ids, DataPlane plane) {
    this.store = store;
    this.ids = ids;
    this.plane = plane;
  }

  public CreateEgressOnlyInternetGatewayResponse create(
      CreateEgressOnlyInternetGatewayRequest request) {
    Refuse.unlessEffective(request, Set.of("VpcId", "ClientToken", "TagSpecifications", "DryRun"));
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    List<Tag> tags = Tags.given("egress-only-internet-gateway", request.tagSpecifications());
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    EgressOnlyInternetGateway made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, request.clientToken(), asked);
          if (done.isPresent()) {
            return Kind.EGRESS_ONLY.get(tx, done.get());
          }
          Kind.VPC.get(tx, vpcId);
          if (Ways.egressOnly(tx, vpcId).isPresent()) {
            throw Refuse.invalidValue(
                "Network " + vpcId + " already has an egress-only internet gateway attached");
          }
          if (tx.count(Tables.EGRESS_ONLY) >= MOST) {
            throw Refuse.because(
                "EgressOnlyInternetGatewayLimitExceeded",
                "The maximum number of egress-only internet gateways has been reached.");
          }
          String id = ids.ec2("eigw");
          EgressOnlyInternetGateway gateway =
              EgressOnlyInternetGateway.builder()
                  .egressOnlyInternetGatewayId(id)
                  .attachments(
                      InternetGatewayAttachment.builder()
                          .vpcId(vpcId)
                          .state(AttachmentStatus.ATTACHED)
                          .build())
                  .build();
          tx.insert(Tables.EGRESS_ONLY, id, gateway);
          Tags.put(tx, id, tags);
          ClientToken.put(tx, request.clientToken(), asked, id);
          Refuse.ifDryRun(request.dryRun());
          return gateway;
        });
    plane.ways(vpcId);
    return CreateEgressOnlyInternetGatewayResponse.builder()
        .clientToken(request.clientToken())
        .egressOnlyInternetGateway(made.toBuilder().tags(tags).build())
        .build();
  }

  /** Routes that lead to it become black holes. */
  public DeleteEgressOnlyInternetGatewayResponse delete(
      DeleteEgressOnlyInternetGatewayRequest request) {
    String id =
        Refuse.required(request.egressOnlyInternetGatewayId(), "egressOnlyInternetGatewayId");
    String vpcId =
        store.write(tx -> {
          EgressOnlyInternetGateway gone = Kind.EGRESS_ONLY.get(tx, id);
          ClientToken.forget(tx, id);
          Tags.forget(tx, id);
          tx.delete(Tables.EGRESS_ONLY, id);
          Refuse.ifDryRun(request.dryRun());
          return gone.attachments().getFirst().vpcId();
        });
    plane.ways(vpcId);
    return DeleteEgressOnlyInternetGatewayResponse.builder().returnCode(true).build();
  }

  public DescribeEgressOnlyInternetGatewaysResponse describe(
      DescribeEgressOnlyInternetGatewaysRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<EgressOnlyInternetGateway> all =
        store.read(tx ->
            Kind.EGRESS_ONLY.list(tx, request.egressOnlyInternetGatewayIds()).stream()
                .map(gateway ->
                    gateway.toBuilder()
                        .tags(Tags.of(tx, gateway.egressOnlyInternetGatewayId()))
                        .build())
                .toList());
    Pages<EgressOnlyInternetGateway> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            EgressOnlyInternetGateway::egressOnlyInternetGatewayId,
            request.egressOnlyInternetGatewayIds(),
            request.nextToken(),
            request.maxResults(),
            new Pages.Sizes(5, 255));
    return DescribeEgressOnlyInternetGatewaysResponse.builder()
        .egressOnlyInternetGateways(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
