package dev.muelle.services.ec2.nat;

import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.eni.ElasticAddresses;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
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
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.ConnectivityType;
import software.amazon.awssdk.services.ec2.model.CreateNatGatewayRequest;
import software.amazon.awssdk.services.ec2.model.CreateNatGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNatGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNatGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNatGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNatGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.NatGateway;
import software.amazon.awssdk.services.ec2.model.NatGatewayAddress;
import software.amazon.awssdk.services.ec2.model.NatGatewayAddressStatus;
import software.amazon.awssdk.services.ec2.model.NatGatewayState;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * NAT gateways: each is an interface of its subnet, with an Elastic IP address if it is public. One
 * that was asked for becomes available, or failed, a little later; of one that is gone the record
 * stays for an hour.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html">NAT
 *     gateways</a>
 */
public final class NatGateways {

  /** A zone's quota. */
  private static final int MOST = 5;

  private static final Duration KEPT = Duration.ofHours(1);

  private static final Codec<CreateNatGatewayRequest> REQUEST =
      StoredJson.codec(CreateNatGatewayRequest.class);

  private static final Filters<NatGateway> FILTERS =
      new Filters<>(NatGateway::tags)
          .by("connectivity-type", NatGateway::connectivityTypeAsString)
          .by("nat-gateway-id", NatGateway::natGatewayId)
          .by("state", NatGateway::stateAsString)
          .by("subnet-id", NatGateway::subnetId)
          .by("vpc-id", NatGateway::vpcId);

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final DataPlane plane;
  private final NetworkInterfaces interfaces;
  private final ElasticAddresses elastic;
  private final Consumer<String> wake;

  /**
   * NAT gateways.
   *
   * @param wake has one looked at
   */
  public NatGateways(
      Store store,
      InstantSource clock,
      Ids ids,
      DataPlane plane,
      NetworkInterfaces interfaces,
      ElasticAddresses elastic,
      Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.plane = plane;
    this.interfaces = interfaces;
    this.elastic = elastic;
    this.wake = wake;
  }

  /** Every one, to be looked at after a start. */
  public List<String> ids() {
    return store.read(tx -> tx.list(Tables.NAT_GATEWAYS)).stream().map(Row::key).toList();
  }

  public CreateNatGatewayResponse create(CreateNatGatewayRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "AllocationId",
            "ClientToken",
            "ConnectivityType",
            "PrivateIpAddress",
            "SubnetId",
            "TagSpecifications",
            "DryRun"));
    String subnetId = Refuse.required(request.subnetId(), "subnetId");
    ConnectivityType type =
        request.connectivityType() == null ? ConnectivityType.PUBLIC : request.connectivityType();
    switch (type) {
      case PUBLIC -> {
        if (request.allocationId() == null) {
          throw Refuse.because(
              "MissingParameter",
              "The request must include the AllocationId parameter. Add the required parameter and"
                  + " retry the request.");
        }
      }
      case PRIVATE -> {
        if (request.allocationId() != null) {
          throw Refuse.combination(
              "You cannot specify an AllocationId for a NAT gateway with connectivity type private");
        }
      }
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.invalidValue(
              request.connectivityTypeAsString(),
              "connectivityType",
              "Valid values are public and private.");
    }
    List<Tag> tags = Tags.given("natgateway", request.tagSpecifications());
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    String fresh = ids.ec2("nat");
    NatGateway made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, request.clientToken(), asked);
          if (done.isPresent()) {
            return shown(tx, Kind.NAT_GATEWAY.get(tx, done.get()));
          }
          Subnet subnet = Kind.SUBNET.get(tx, subnetId);
          if (request.allocationId() != null) {
            Kind.ELASTIC.get(tx, request.allocationId());
          }
          refuseBeyondQuota(tx, subnet);
          NatGateway gateway =
              NatGateway.builder()
                  .natGatewayId(fresh)
                  .subnetId(subnetId)
                  .vpcId(subnet.vpcId())
                  .connectivityType(type)
                  .createTime(clock.instant())
                  .state(NatGatewayState.PENDING)
                  .natGatewayAddresses(
                      NatGatewayAddress.builder()
                          .allocationId(request.allocationId())
                          .privateIp(request.privateIpAddress())
                          .isPrimary(true)
                          .status(NatGatewayAddressStatus.ASSOCIATING)
                          .build())
                  .build();
          put(tx, gateway);
          Tags.put(tx, fresh, tags);
          ClientToken.put(tx, request.clientToken(), asked, fresh);
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, gateway);
        });
    wake.accept(made.natGatewayId());
    return CreateNatGatewayResponse.builder()
        .clientToken(request.clientToken())
        .natGateway(made)
        .build();
  }

  private static void refuseBeyondQuota(Tx tx, Subnet subnet) {
    long there =
        Kind.NAT_GATEWAY.list(tx, List.of()).stream()
            .filter(one ->
                one.state() == NatGatewayState.PENDING || one.state() == NatGatewayState.AVAILABLE)
            .filter(one ->
                Kind.SUBNET
                    .get(tx, one.subnetId())
                    .availabilityZone()
                    .equals(subnet.availabilityZone()))
            .count();
    if (there >= MOST) {
      throw Refuse.because(
          "NatGatewayLimitExceeded",
          "Performing this operation would exceed the limit of " + MOST + " NAT gateways");
    }
  }

  private static void put(Tx tx, NatGateway gateway) {
    tx.put(Tables.NAT_GATEWAYS, gateway.natGatewayId(), gateway);
  }

  public DeleteNatGatewayResponse delete(DeleteNatGatewayRequest request) {
    String id = Refuse.required(request.natGatewayId(), "natGatewayId");
    store.write(tx -> {
      NatGateway gateway = Kind.NAT_GATEWAY.get(tx, id);
      if (gateway.state() == NatGatewayState.DELETED) {
        throw Kind.NAT_GATEWAY.missing(id);
      }
      if (gateway.state() != NatGatewayState.DELETING) {
        put(tx, gateway.toBuilder().state(NatGatewayState.DELETING).build());
      }
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    wake.accept(id);
    return DeleteNatGatewayResponse.builder().natGatewayId(id).build();
  }

  /** One look; gives when to look again, or null for "when something changes". */
  public @Nullable Duration look(String id) {
    Optional<NatGateway> found = store.read(tx -> tx.get(Tables.NAT_GATEWAYS, id)).map(Row::value);
    if (found.isEmpty()) {
      return null;
    }
    NatGateway gateway = found.get();
    return switch (gateway.state()) {
      case PENDING -> make(gateway);
      case AVAILABLE -> {
        plug(gateway);
        yield null;
      }
      case DELETING -> unmake(gateway);
      case DELETED, FAILED -> forget(gateway);
      case UNKNOWN_TO_SDK_VERSION -> null;
    };
  }

  private @Nullable Duration make(NatGateway gateway) {
    String id = gateway.natGatewayId();
    NatGateway furnished =
        store.write(tx -> {
          NatGateway now = Kind.NAT_GATEWAY.get(tx, id);
          return now.state() == NatGatewayState.PENDING && address(now).networkInterfaceId() == null
              ? furnish(tx, now)
              : now;
        });
    if (furnished.state() == NatGatewayState.FAILED) {
      return KEPT;
    }
    plug(furnished);
    boolean became =
        store.write(tx -> {
          NatGateway now = Kind.NAT_GATEWAY.get(tx, id);
          boolean still = now.state() == NatGatewayState.PENDING;
          if (still) {
            NatGatewayAddress address =
                address(now).toBuilder().status(NatGatewayAddressStatus.SUCCEEDED).build();
            put(
                tx,
                now.toBuilder()
                    .state(NatGatewayState.AVAILABLE)
                    .natGatewayAddresses(address)
                    .build());
          }
          return still;
        });
    if (became) {
      plane.ways(gateway.vpcId());
    }
    return null;
  }

  private static NatGatewayAddress address(NatGateway gateway) {
    return gateway.natGatewayAddresses().getFirst();
  }

  /** Gives a gateway its interface and its address, or notes why there are none. */
  private NatGateway furnish(Tx tx, NatGateway gateway) {
    NatGatewayAddress asked = address(gateway);
    if (gateway.connectivityType() == ConnectivityType.PUBLIC
        && Ways.gateway(tx, gateway.vpcId()).isEmpty()) {
      return failed(
          tx,
          gateway,
          "Gateway.NotAttached",
          "Network " + gateway.vpcId() + " has no Internet gateway attached");
    }
    NetworkInterface eni;
    try {
      eni =
          interfaces.makeForGateway(
              tx, gateway.natGatewayId(), gateway.subnetId(), asked.privateIp(), clock.instant());
    } catch (Ec2Exception e) {
      return failed(
          tx, gateway, e.awsErrorDetails().errorCode(), e.awsErrorDetails().errorMessage());
    }
    NatGatewayAddress.Builder address =
        asked.toBuilder()
            .networkInterfaceId(eni.networkInterfaceId())
            .privateIp(eni.privateIpAddress());
    if (asked.allocationId() != null) {
      boolean there = tx.get(Tables.ELASTIC, asked.allocationId()).isPresent();
      Optional<NetworkInterfaceAssociation> given =
          there
              ? elastic.giveToGateway(tx, asked.allocationId(), eni.networkInterfaceId())
              : Optional.empty();
      if (given.isEmpty()) {
        interfaces.forget(tx, eni.networkInterfaceId());
        String elasticIp = "Elastic IP address " + asked.allocationId();
        return there
            ? failed(
                tx, gateway, "Resource.AlreadyAssociated", elasticIp + " is already associated")
            : failed(
                tx,
                gateway,
                "InvalidAllocationID.NotFound",
                elasticIp + " could not be associated with this NAT gateway");
      }
      address.publicIp(given.get().publicIp()).associationId(given.get().associationId());
    }
    NatGateway furnished = gateway.toBuilder().natGatewayAddresses(address.build()).build();
    put(tx, furnished);
    return furnished;
  }

  private NatGateway failed(Tx tx, NatGateway gateway, String code, String message) {
    NatGateway failed =
        gateway.toBuilder()
            .state(NatGatewayState.FAILED)
            .failureCode(code)
            .failureMessage(message)
            .deleteTime(clock.instant())
            .natGatewayAddresses(
                address(gateway).toBuilder()
                    .status(NatGatewayAddressStatus.FAILED)
                    .failureMessage(message)
                    .build())
            .build();
    put(tx, failed);
    return failed;
  }

  /** Brings its packets to life, unless it is to go meanwhile. */
  private void plug(NatGateway gateway) {
    String eni = address(gateway).networkInterfaceId();
    plane.alone(
        eni,
        () -> {
          boolean wanted =
              store
                  .read(tx -> tx.get(Tables.NAT_GATEWAYS, gateway.natGatewayId()))
                  .filter(row ->
                      row.value().state() == NatGatewayState.PENDING
                          || row.value().state() == NatGatewayState.AVAILABLE)
                  .isPresent();
          if (wanted) {
            plane.networkInterface(eni);
            plane.plugGateway(eni);
          }
          return wanted;
        });
  }

  private Duration unmake(NatGateway gateway) {
    plane.ways(gateway.vpcId()); // first nobody is led there any more
    String eni = address(gateway).networkInterfaceId();
    if (eni != null) {
      plane.alone(
          eni,
          () -> {
            plane.interfaceGone(eni);
            return true;
          });
    }
    store.write(tx -> {
      NatGateway now = Kind.NAT_GATEWAY.get(tx, gateway.natGatewayId());
      if (now.state() == NatGatewayState.DELETING) {
        if (eni != null) {
          interfaces.forget(tx, eni);
        }
        put(tx, now.toBuilder().state(NatGatewayState.DELETED).deleteTime(clock.instant()).build());
      }
      return true;
    });
    return KEPT;
  }

  private @Nullable Duration forget(NatGateway gateway) {
    Instant end = gateway.deleteTime().plus(KEPT);
    Duration left = Duration.between(clock.instant(), end);
    if (left.isPositive()) {
      return left;
    }
    store.write(tx -> {
      ClientToken.forget(tx, gateway.natGatewayId());
      Tags.forget(tx, gateway.natGatewayId());
      return tx.delete(Tables.NAT_GATEWAYS, gateway.natGatewayId());
    });
    return null;
  }

  private static NatGateway shown(Tx tx, NatGateway gateway) {
    return gateway.toBuilder().tags(Tags.of(tx, gateway.natGatewayId())).build();
  }

  public DescribeNatGatewaysResponse describe(DescribeNatGatewaysRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<NatGateway> all =
        store.read(tx ->
            Kind.NAT_GATEWAY.list(tx, request.natGatewayIds()).stream()
                .map(gateway -> shown(tx, gateway))
                .toList());
    Pages<NatGateway> page =
        Pages.of(
            FILTERS.select(all, request.filter()),
            NatGateway::natGatewayId,
            request.natGatewayIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeNatGatewaysResponse.builder()
        .natGateways(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
