package dev.muelle.services.elasticloadbalancingv2.listener;

import dev.muelle.services.Ids;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.rule.Actions;
import dev.muelle.services.elasticloadbalancingv2.rule.Rules;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import dev.muelle.services.elasticloadbalancingv2.state.Associations;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.Tags;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.services.elasticloadbalancingv2.trust.ClientAuths;
import dev.muelle.services.elasticloadbalancingv2.trust.MutualModes;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Certificate;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenersRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenersResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateListenerException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MutualAuthenticationAttributes;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyListenersException;

/**
 * Listeners, each with its default rule; the other {@link Rules} are apart.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html">CreateListener</a>
 */
public final class Listeners {

  public static final int MAX = 50;

  private final Store store;
  private final Ids ids;
  private final Wakes wakes;
  private final ListenerCertificates certificates;

  public Listeners(Store store, Ids ids, Wakes wakes, ListenerCertificates certificates) {
    this.store = store;
    this.ids = ids;
    this.wakes = wakes;
    this.certificates = certificates;
  }

  public CreateListenerResponse create(CreateListenerRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "LoadBalancerArn",
            "Protocol",
            "Port",
            "SslPolicy",
            "Certificates",
            "DefaultActions",
            "AlpnPolicy",
            "Tags",
            "MutualAuthentication"));
    int port = port(request.port());
    Tags.check(request.tags());
    Listener made =
        store.write(tx -> {
          Balancing balancer = Existing.balancer(tx, request.loadBalancerArn());
          Protocols.checkListener(
              balancer.network(), request.protocol(), request.protocolAsString());
          if (balancer.network()) {
            FlowListeners.unlessForward(request.defaultActions());
          }
          List<Row<Listening>> present =
              tx.find(State.LISTENERS, "balancer", request.loadBalancerArn());
          if (present.stream().anyMatch(row -> row.value().listener().port() == port)) {
            throw DuplicateListenerException.builder()
                .message(
                    "A listener already exists on this port for this load balancer '"
                        + request.loadBalancerArn()
                        + "'")
                .build();
          }
          if (present.size() >= MAX) {
            throw TooManyListenersException.builder()
                .message("The maximum number of listeners has been reached")
                .build();
          }
          String id = ids.hex(16);
          String base =
              request.loadBalancerArn().replace(":loadbalancer/", ":listener/") + "/" + id;
          String rule = base.replace(":listener/", ":listener-rule/") + "/" + ids.hex(16);
          Listener listener =
              Listener.builder()
                  .listenerArn(base)
                  .loadBalancerArn(request.loadBalancerArn())
                  .protocol(request.protocol())
                  .port(port)
                  .alpnPolicy(alpn(balancer, request.protocol(), request.alpnPolicy()))
                  .defaultActions(
                      Actions.check(
                          tx, balancer, request.protocol(), rule, request.defaultActions()))
                  .applyMutation(next ->
                      secure(
                          tx,
                          next,
                          List.of(),
                          null,
                          new Asked(
                              request.protocol(),
                              request.certificates(),
                              request.sslPolicy(),
                              request.mutualAuthentication())))
                  .build();
          AddressTypes.unlessSpoken(
              tx, balancer.balancer().ipAddressType(), balancer.prefixes(), listener);
          tx.insert(
              State.LISTENERS,
              base,
              new Listening(listener, rule, request.tags(), List.of(), Map.of()));
          Associations.update(tx, request.loadBalancerArn());
          certificates.settle(tx, request.loadBalancerArn());
          return listener;
        });
    wakes.now(List.of(made.loadBalancerArn()));
    return CreateListenerResponse.builder().listeners(made).build();
  }

  public ModifyListenerResponse modify(ModifyListenerRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "ListenerArn",
            "Protocol",
            "Port",
            "SslPolicy",
            "Certificates",
            "DefaultActions",
            "AlpnPolicy",
            "MutualAuthentication"));
    Listener changed =
        store.write(tx -> {
          Listening old = Existing.listener(tx, request.listenerArn());
          Balancing of = Existing.balancer(tx, old.listener().loadBalancerArn());
          if (request.protocol() != null) {
            Protocols.checkListener(of.network(), request.protocol(), request.protocolAsString());
          }
          if (of.network() && !request.defaultActions().isEmpty()) {
            FlowListeners.unlessForward(request.defaultActions());
          }
          Listener.Builder next = old.listener().toBuilder();
          if (request.port() != null) {
            int port = port(request.port());
            boolean taken =
                tx.find(State.LISTENERS, "balancer", old.listener().loadBalancerArn()).stream()
                    .anyMatch(row ->
                        row.value().listener().port() == port
                            && !row.key().equals(request.listenerArn()));
            if (taken) {
              throw Refuse.invalid("Listener port '" + port + "' is already in use");
            }
            if (port != old.listener().port()) {
              BalancerTargets.unlessFree(
                  tx, of.balancer().loadBalancerArn(), old.listener().port());
            }
            next.port(port);
          }
          ProtocolEnum protocol =
              request.protocol() == null ? old.listener().protocol() : request.protocol();
          if (!request.defaultActions().isEmpty()) {
            next.defaultActions(
                Actions.check(tx, of, protocol, old.ruleArn(), request.defaultActions()));
          } else {
            Actions.unlessSpoken(tx, protocol, old.listener().defaultActions());
          }
          for (State.Ruling ruling : Existing.rules(tx, request.listenerArn())) {
            Actions.unlessSpoken(tx, protocol, ruling.rule().actions());
          }
          next.alpnPolicy(
              alpn(
                  of,
                  protocol,
                  request.alpnPolicy().isEmpty() && protocol == ProtocolEnum.TLS
                      ? old.listener().alpnPolicy()
                      : request.alpnPolicy()));
          secure(
              tx,
              next.protocol(protocol),
              old.listener().certificates(),
              old.listener().mutualAuthentication(),
              new Asked(
                  protocol,
                  request.certificates(),
                  request.sslPolicy() == null && encrypted(protocol)
                      ? old.listener().sslPolicy()
                      : request.sslPolicy(),
                  request.mutualAuthentication()));
          Listener listener = next.build();
          AddressTypes.unlessSpoken(tx, of.balancer().ipAddressType(), of.prefixes(), listener);
          tx.put(
              State.LISTENERS,
              request.listenerArn(),
              new Listening(
                  listener,
                  old.ruleArn(),
                  old.tags(),
                  encrypted(protocol) ? old.certificates() : List.of(),
                  old.attributes()));
          Associations.update(tx, listener.loadBalancerArn());
          certificates.settle(tx, listener.loadBalancerArn());
          return listener;
        });
    wakes.now(List.of(changed.loadBalancerArn()));
    return ModifyListenerResponse.builder().listeners(changed).build();
  }

  public DeleteListenerResponse delete(DeleteListenerRequest request) {
    String balancer =
        store.write(tx -> {
          Listening gone = Existing.listener(tx, request.listenerArn());
          BalancerTargets.unlessFree(tx, gone.listener().loadBalancerArn(), gone.listener().port());
          delete(tx, request.listenerArn());
          Associations.update(tx, gone.listener().loadBalancerArn());
          certificates.settle(tx, gone.listener().loadBalancerArn());
          return gone.listener().loadBalancerArn();
        });
    wakes.now(List.of(balancer));
    return DeleteListenerResponse.builder().build();
  }

  /** With its rules. */
  public static void delete(Tx tx, String listenerArn) {
    tx.get(State.LISTENERS, listenerArn)
        .ifPresent(row -> tx.delete(State.CLIENT_SECRETS, row.value().ruleArn()));
    tx.delete(State.LISTENERS, listenerArn);
    Existing.rules(tx, listenerArn).forEach(rule -> Rules.delete(tx, rule.rule().ruleArn()));
  }

  public DescribeListenersResponse describe(DescribeListenersRequest request) {
    if (request.loadBalancerArn() == null && request.listenerArns().isEmpty()) {
      throw Refuse.invalid("You must specify either listener ARNs or a load balancer ARN");
    }
    return store.read(tx -> {
      List<Listener> found = new ArrayList<>();
      if (request.loadBalancerArn() != null) {
        Existing.balancer(tx, request.loadBalancerArn());
        tx.find(State.LISTENERS, "balancer", request.loadBalancerArn())
            .forEach(row -> found.add(row.value().listener()));
      }
      new TreeSet<>(request.listenerArns())
          .forEach(arn -> found.add(Existing.listener(tx, arn).listener()));
      Pages<Listener> page =
          Pages.of(found, Listener::listenerArn, request.marker(), request.pageSize());
      return DescribeListenersResponse.builder()
          .listeners(page.items())
          .nextMarker(page.next())
          .build();
    });
  }

  private static boolean encrypted(ProtocolEnum protocol) {
    return protocol == ProtocolEnum.HTTPS || protocol == ProtocolEnum.TLS;
  }

  private static List<String> alpn(Balancing balancer, ProtocolEnum protocol, List<String> wanted) {
    if (!balancer.network() && !wanted.isEmpty()) {
      throw Refuse.invalid("An ALPN policy cannot be specified for " + protocol + " listeners");
    }
    return FlowListeners.alpn(protocol, wanted);
  }

  /** What a request says of a listener's TLS. */
  private record Asked(
      ProtocolEnum protocol,
      List<Certificate> certificates,
      @Nullable String policy,
      @Nullable MutualAuthenticationAttributes mutual) {}

  /**
   * Completes a listener with its TLS, or without.
   *
   * @param present the default certificate that it has, if it has one
   * @param had what it asks of clients so far
   */
  private void secure(
      Tx tx,
      Listener.Builder next,
      List<Certificate> present,
      @Nullable MutualAuthenticationAttributes had,
      Asked asked) {
    if (asked.protocol() != ProtocolEnum.HTTPS
        && asked.mutual() != null
        && !ClientAuths.OFF.equals(asked.mutual().mode())) {
      throw Refuse.invalid(
          "Mutual authentication cannot be specified for " + asked.protocol() + " listeners");
    }
    if (!encrypted(asked.protocol())) {
      String listeners = asked.protocol() + " listeners";
      if (!asked.certificates().isEmpty()) {
        throw Refuse.invalid("A certificate cannot be specified for " + listeners);
      }
      if (asked.policy() != null) {
        throw Refuse.invalid("An SSL policy cannot be specified for " + listeners);
      }
      next.certificates(List.<Certificate>of()).sslPolicy(null);
      next.mutualAuthentication((MutualAuthenticationAttributes) null);
      return;
    }
    if (asked.certificates().isEmpty() && present.isEmpty()) {
      throw Refuse.invalid(
          "A certificate must be specified for " + asked.protocol() + " listeners");
    }
    if (!asked.certificates().isEmpty()) {
      String arn = certificates.standard(tx, asked.certificates());
      next.certificates(Certificate.builder().certificateArn(arn).build());
    }
    String policy = asked.policy() == null ? SslPolicies.DEFAULT : asked.policy();
    next.sslPolicy(SslPolicies.get(policy).name());
    unlessAlike(tx, next.build());
    if (asked.protocol() == ProtocolEnum.HTTPS) {
      next.mutualAuthentication(MutualModes.changed(tx, asked.mutual(), had));
    }
  }

  /**
   * Either all of a load balancer's policies are FIPS policies, or none is.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html#fips-security-policies">
   *     FIPS security policies</a>
   */
  private static void unlessAlike(Tx tx, Listener wanted) {
    boolean fips = SslPolicies.fips(wanted.sslPolicy());
    for (Row<Listening> row : tx.find(State.LISTENERS, "balancer", wanted.loadBalancerArn())) {
      Listener other = row.value().listener();
      if (other.sslPolicy() != null
          && !other.listenerArn().equals(wanted.listenerArn())
          && SslPolicies.fips(other.sslPolicy()) != fips) {
        throw InvalidConfigurationRequestException.builder()
            .message(
                "FIPS and non-FIPS security policies cannot be used on the same load balancer: '"
                    + wanted.sslPolicy()
                    + "' and '"
                    + other.sslPolicy()
                    + "'")
            .build();
      }
    }
  }

  private static int port(@Nullable Integer port) {
    if (port == null) {
      throw Refuse.invalid("A listener port must be specified");
    }
    if (port < 1 || port > 65_535) {
      throw Refuse.invalid("Listener port '" + port + "' must be in the range 1-65535");
    }
    return port;
  }
}
