package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.balancer.Balancer;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.Certificates;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Objects;
import dev.muelle.services.Scope;
import dev.muelle.services.ZonalShifts;
import dev.muelle.services.elasticloadbalancingv2.balancer.BalancerAttributes;
import dev.muelle.services.elasticloadbalancingv2.balancer.LoadBalancers;
import dev.muelle.services.elasticloadbalancingv2.balancer.Moves;
import dev.muelle.services.elasticloadbalancingv2.balancer.Names;
import dev.muelle.services.elasticloadbalancingv2.balancer.Reservations;
import dev.muelle.services.elasticloadbalancingv2.listener.ListenerAttributes;
import dev.muelle.services.elasticloadbalancingv2.listener.ListenerCertificates;
import dev.muelle.services.elasticloadbalancingv2.listener.Listeners;
import dev.muelle.services.elasticloadbalancingv2.listener.SslPolicies;
import dev.muelle.services.elasticloadbalancingv2.log.LogDelivery;
import dev.muelle.services.elasticloadbalancingv2.measure.Measuring;
import dev.muelle.services.elasticloadbalancingv2.node.Fronts;
import dev.muelle.services.elasticloadbalancingv2.node.Gateways;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import dev.muelle.services.elasticloadbalancingv2.plane.Apply;
import dev.muelle.services.elasticloadbalancingv2.rule.Rules;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.Tags;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.services.elasticloadbalancingv2.target.TargetGroups;
import dev.muelle.services.elasticloadbalancingv2.target.TargetHealths;
import dev.muelle.services.elasticloadbalancingv2.target.Targets;
import dev.muelle.services.elasticloadbalancingv2.trust.TrustRevocations;
import dev.muelle.services.elasticloadbalancingv2.trust.TrustStores;
import dev.muelle.store.Store;
import dev.muelle.store.Store.Change;
import java.time.Duration;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddListenerCertificatesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddListenerCertificatesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTagsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTagsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateLoadBalancerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteLoadBalancerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteLoadBalancerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteSharedTrustStoreAssociationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteSharedTrustStoreAssociationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeAccountLimitsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeAccountLimitsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeCapacityReservationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeCapacityReservationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerCertificatesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerCertificatesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenersRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenersResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancersRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancersResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeSslPoliciesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeSslPoliciesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTagsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTagsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreAssociationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreAssociationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoresRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTrustStoresResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetResourcePolicyRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetResourcePolicyResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreCaCertificatesBundleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreCaCertificatesBundleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreRevocationContentRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.GetTrustStoreRevocationContentResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyCapacityReservationRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyCapacityReservationResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyIpPoolsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyIpPoolsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyLoadBalancerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyLoadBalancerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTrustStoreRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTrustStoreResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveListenerCertificatesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveListenerCertificatesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTagsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTagsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTrustStoreRevocationsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTrustStoreRevocationsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetIpAddressTypeRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetIpAddressTypeResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetRulePrioritiesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetRulePrioritiesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSecurityGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSecurityGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSubnetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSubnetsResponse;

/** Elastic Load Balancing of one account in one region: Application Load Balancers. */
public final class ElbV2 implements ElasticLoadBalancingV2Client {

  private static final int AT_ONCE = 8;

  /**
   * Begins the names of EC2's tables of groups and of their rules; a load balancer's own groups
   * decide whom it lets in.
   */
  private static final String INSTANCES = "ec2.instances";

  private static final String SECURITY_GROUPS = "ec2.security_group";

  private final Store store;
  private final Balancer balancer;
  private final Loop<String> balancerLoop;
  private final Loop<String> healthLoop;
  private final Loop<String> instanceLoop;
  private final LoadBalancers balancers;
  private final BalancerAttributes balancerAttributes;
  private final Moves moves;
  private final TargetGroups groups;
  private final Targets targets;
  private final TargetHealths targetHealths;
  private final Listeners listeners;
  private final ListenerCertificates listenerCertificates;
  private final ListenerAttributes listenerAttributes;
  private final TrustStores trustStores;
  private final TrustRevocations trustRevocations;
  private final LogDelivery logs;
  private final Measuring measuring;
  private final OidcGates oidc;
  private final Reservations reservations;
  private final Rules rules;
  private final Tags tags;
  private Store.Subscription changes = () -> {};
  private Balancer.Watch watch = () -> {};

  public ElbV2(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Ec2Client ec2,
      Gateways gateways,
      Certificates certificates,
      Network network,
      Balancer balancer,
      Objects objects,
      Measurements measurements) {
    this.store = store;
    this.balancer = balancer;
    Fronts fronts = new Fronts(store);
    oidc = new OidcGates(store, timers.machine(), ids, random, certificates.authority());
    logs = new LogDelivery(scope, timers.machine(), random, objects);
    measuring = new Measuring(store, timers, network::packets, balancer, oidc, measurements);
    Apply apply =
        new Apply(
            scope,
            store,
            timers,
            ids,
            ec2,
            gateways,
            certificates,
            network,
            balancer,
            fronts,
            logs,
            oidc);
    balancerLoop = new Loop<>("elbv2-balancer", timers, random, AT_ONCE, apply::balancer);
    healthLoop = new Loop<>("elbv2-health", timers, random, AT_ONCE, apply::health);
    instanceLoop = new Loop<>("elbv2-instance", timers, random, AT_ONCE, this::instance);
    Wakes wakes = new Wakes(apply::balancer, balancerLoop, healthLoop);
    listenerCertificates = new ListenerCertificates(store, certificates, wakes);
    balancers =
        new LoadBalancers(scope, store, timers, ids, ec2, wakes, fronts, listenerCertificates);
    balancerAttributes = new BalancerAttributes(store, ec2, wakes, logs);
    moves = new Moves(store, ids, ec2, wakes);
    reservations = new Reservations(store);
    groups = new TargetGroups(scope, store, ids, ec2, wakes);
    targets = new Targets(store, timers, ec2, wakes);
    targetHealths = new TargetHealths(store, timers.machine(), balancer);
    listeners = new Listeners(store, ids, wakes, listenerCertificates);
    listenerAttributes = new ListenerAttributes(store, wakes);
    trustStores = new TrustStores(scope, store, ids, objects, wakes);
    trustRevocations = new TrustRevocations(trustStores, store, objects);
    rules = new Rules(store, ids, wakes);
    tags = new Tags(store);
    network.addNames(new Names(store, ec2, random));
  }

  /** Puts every load balancer into the data plane, where an earlier server left off. */
  public void start() {
    logs.start();
    measuring.start();
    balancers.settleFronts();
    changes = store.onChange(this::changed);
    watch = balancer.watch(healthLoop::wake);
    wakeBalancers();
    store.read(tx -> tx.list(State.GROUPS)).forEach(row -> healthLoop.wake(row.key()));
    targets.instances().forEach(instanceLoop::wake);
  }

  private @Nullable Duration instance(String id) {
    return targets.look(id);
  }

  private void changed(Change change) {
    if (change.table().startsWith(SECURITY_GROUPS)
        || change.table().equals(Certificates.TABLE)
        || change.table().equals(ZonalShifts.TABLE.name())) {
      wakeBalancers();
    } else if (change.table().equals(INSTANCES)) {
      instanceLoop.wake(change.key());
    }
  }

  private void wakeBalancers() {
    store.read(tx -> tx.list(State.BALANCERS)).forEach(row -> balancerLoop.wake(row.key()));
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  /**
   * Lets go; the data plane is its owner's to close. Only flows end before, so that they are in the
   * logs.
   */
  @Override
  public void close() {
    changes.close();
    watch.close();
    instanceLoop.close();
    balancerLoop.close();
    healthLoop.close();
    measuring.close();
    store.read(tx -> Existing.balancers(tx)).stream()
        .filter(row -> row.value().network())
        .forEach(row -> balancer.remove(row.key()));
    logs.close();
    oidc.close();
  }

  /**
   * The public key of this id, in PEM, by which targets can verify what they hear of users: what
   * AWS has at {@code https://public-keys.auth.elb.region.amazonaws.com}.
   */
  public Optional<String> publicKey(String id) {
    return oidc.publicKey(id);
  }

  @Override
  public CreateLoadBalancerResponse createLoadBalancer(CreateLoadBalancerRequest request) {
    return balancers.create(request);
  }

  @Override
  public DescribeLoadBalancersResponse describeLoadBalancers(DescribeLoadBalancersRequest request) {
    return balancers.describe(request);
  }

  @Override
  public DeleteLoadBalancerResponse deleteLoadBalancer(DeleteLoadBalancerRequest request) {
    return balancers.delete(request);
  }

  @Override
  public ModifyLoadBalancerAttributesResponse modifyLoadBalancerAttributes(
      ModifyLoadBalancerAttributesRequest request) {
    return balancerAttributes.modify(request);
  }

  @Override
  public SetSecurityGroupsResponse setSecurityGroups(SetSecurityGroupsRequest request) {
    return balancers.setSecurityGroups(request);
  }

  @Override
  public SetIpAddressTypeResponse setIpAddressType(SetIpAddressTypeRequest request) {
    return moves.setIpAddressType(request);
  }

  @Override
  public SetSubnetsResponse setSubnets(SetSubnetsRequest request) {
    return moves.setSubnets(request);
  }

  @Override
  public DescribeCapacityReservationResponse describeCapacityReservation(
      DescribeCapacityReservationRequest request) {
    return reservations.describe(request);
  }

  @Override
  public ModifyCapacityReservationResponse modifyCapacityReservation(
      ModifyCapacityReservationRequest request) {
    return reservations.modify(request);
  }

  @Override
  public ModifyIpPoolsResponse modifyIpPools(ModifyIpPoolsRequest request) {
    return reservations.modify(request);
  }

  @Override
  public DescribeAccountLimitsResponse describeAccountLimits(DescribeAccountLimitsRequest request) {
    return AccountLimits.describe(request);
  }

  @Override
  public CreateTargetGroupResponse createTargetGroup(CreateTargetGroupRequest request) {
    return groups.create(request);
  }

  @Override
  public DescribeTargetGroupsResponse describeTargetGroups(DescribeTargetGroupsRequest request) {
    return groups.describe(request);
  }

  @Override
  public ModifyTargetGroupResponse modifyTargetGroup(ModifyTargetGroupRequest request) {
    return groups.modify(request);
  }

  @Override
  public DeleteTargetGroupResponse deleteTargetGroup(DeleteTargetGroupRequest request) {
    return groups.delete(request);
  }

  @Override
  public ModifyTargetGroupAttributesResponse modifyTargetGroupAttributes(
      ModifyTargetGroupAttributesRequest request) {
    return groups.modify(request);
  }

  @Override
  public RegisterTargetsResponse registerTargets(RegisterTargetsRequest request) {
    return targets.register(request);
  }

  @Override
  public DeregisterTargetsResponse deregisterTargets(DeregisterTargetsRequest request) {
    return targets.deregister(request);
  }

  @Override
  public DescribeTargetHealthResponse describeTargetHealth(DescribeTargetHealthRequest request) {
    return targetHealths.describe(request);
  }

  @Override
  public CreateListenerResponse createListener(CreateListenerRequest request) {
    return listeners.create(request);
  }

  @Override
  public ModifyListenerResponse modifyListener(ModifyListenerRequest request) {
    return listeners.modify(request);
  }

  @Override
  public DeleteListenerResponse deleteListener(DeleteListenerRequest request) {
    return listeners.delete(request);
  }

  @Override
  public DescribeListenersResponse describeListeners(DescribeListenersRequest request) {
    return listeners.describe(request);
  }

  @Override
  public AddListenerCertificatesResponse addListenerCertificates(
      AddListenerCertificatesRequest request) {
    return listenerCertificates.add(request);
  }

  @Override
  public RemoveListenerCertificatesResponse removeListenerCertificates(
      RemoveListenerCertificatesRequest request) {
    return listenerCertificates.remove(request);
  }

  @Override
  public DescribeListenerCertificatesResponse describeListenerCertificates(
      DescribeListenerCertificatesRequest request) {
    return listenerCertificates.describe(request);
  }

  @Override
  public DescribeSslPoliciesResponse describeSSLPolicies(DescribeSslPoliciesRequest request) {
    return SslPolicies.describe(request);
  }

  @Override
  public CreateRuleResponse createRule(CreateRuleRequest request) {
    return rules.create(request);
  }

  @Override
  public ModifyRuleResponse modifyRule(ModifyRuleRequest request) {
    return rules.modify(request);
  }

  @Override
  public DeleteRuleResponse deleteRule(DeleteRuleRequest request) {
    return rules.delete(request);
  }

  @Override
  public SetRulePrioritiesResponse setRulePriorities(SetRulePrioritiesRequest request) {
    return rules.setPriorities(request);
  }

  @Override
  public DescribeRulesResponse describeRules(DescribeRulesRequest request) {
    return rules.describe(request);
  }

  @Override
  public AddTagsResponse addTags(AddTagsRequest request) {
    return tags.add(request);
  }

  @Override
  public RemoveTagsResponse removeTags(RemoveTagsRequest request) {
    return tags.remove(request);
  }

  @Override
  public DescribeTagsResponse describeTags(DescribeTagsRequest request) {
    return tags.describe(request);
  }

  @Override
  public DescribeLoadBalancerAttributesResponse describeLoadBalancerAttributes(
      DescribeLoadBalancerAttributesRequest request) {
    return balancerAttributes.describe(request.loadBalancerArn());
  }

  @Override
  public DescribeTargetGroupAttributesResponse describeTargetGroupAttributes(
      DescribeTargetGroupAttributesRequest request) {
    return groups.attributes(request.targetGroupArn());
  }

  @Override
  public CreateTrustStoreResponse createTrustStore(CreateTrustStoreRequest request) {
    return trustStores.create(request);
  }

  @Override
  public ModifyTrustStoreResponse modifyTrustStore(ModifyTrustStoreRequest request) {
    return trustStores.modify(request);
  }

  @Override
  public DescribeTrustStoresResponse describeTrustStores(DescribeTrustStoresRequest request) {
    return trustStores.describe(request);
  }

  @Override
  public DeleteTrustStoreResponse deleteTrustStore(DeleteTrustStoreRequest request) {
    return trustStores.delete(request);
  }

  @Override
  public AddTrustStoreRevocationsResponse addTrustStoreRevocations(
      AddTrustStoreRevocationsRequest request) {
    return trustRevocations.add(request);
  }

  @Override
  public RemoveTrustStoreRevocationsResponse removeTrustStoreRevocations(
      RemoveTrustStoreRevocationsRequest request) {
    return trustRevocations.remove(request);
  }

  @Override
  public DescribeTrustStoreRevocationsResponse describeTrustStoreRevocations(
      DescribeTrustStoreRevocationsRequest request) {
    return trustRevocations.describe(request);
  }

  @Override
  public DescribeTrustStoreAssociationsResponse describeTrustStoreAssociations(
      DescribeTrustStoreAssociationsRequest request) {
    return trustStores.associations(request);
  }

  @Override
  public GetTrustStoreCaCertificatesBundleResponse getTrustStoreCaCertificatesBundle(
      GetTrustStoreCaCertificatesBundleRequest request) {
    return trustStores.bundle(request);
  }

  @Override
  public GetTrustStoreRevocationContentResponse getTrustStoreRevocationContent(
      GetTrustStoreRevocationContentRequest request) {
    return trustRevocations.content(request);
  }

  @Override
  public GetResourcePolicyResponse getResourcePolicy(GetResourcePolicyRequest request) {
    return trustStores.policy(request);
  }

  @Override
  public DeleteSharedTrustStoreAssociationResponse deleteSharedTrustStoreAssociation(
      DeleteSharedTrustStoreAssociationRequest request) {
    return trustStores.deleteShared(request);
  }

  @Override
  public DescribeListenerAttributesResponse describeListenerAttributes(
      DescribeListenerAttributesRequest request) {
    return listenerAttributes.describe(request);
  }

  @Override
  public ModifyListenerAttributesResponse modifyListenerAttributes(
      ModifyListenerAttributesRequest request) {
    return listenerAttributes.modify(request);
  }
}
