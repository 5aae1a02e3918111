package dev.muelle.balancer;

import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.logs.Journal;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Rewrites;
import dev.muelle.balancer.tls.Tls;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One load balancer, whole.
 *
 * @param host its DNS name, lower case: requests on a shared endpoint with this Host are its
 * @param nodes its addresses in each zone; targets are reached from a node
 * @param fronts endpoints outside the VPC, on the machine's loopback
 * @param flows ports of a network load balancer
 * @param groups target groups that the listeners name, by id
 */
public record LoadBalancer(
    String id,
    String host,
    List<Node> nodes,
    List<Front> fronts,
    List<Listener> listeners,
    List<FlowListener> flows,
    Map<String, TargetGroup> groups,
    Settings settings) {

  /** One of HTTP. */
  public LoadBalancer(
      String id,
      String host,
      List<Node> nodes,
      List<Front> fronts,
      List<Listener> listeners,
      Map<String, TargetGroup> groups,
      Settings settings) {
    this(id, host, nodes, fronts, listeners, List.of(), groups, settings);
  }

  /**
   * Where the load balancer is inside the VPC, in one zone.
   *
   * @param secondary further addresses of IPv4, from which it speaks to targets, too; nobody
   *     listens there
   * @param ipv6 its address of IPv6; null if it speaks IPv4 only
   * @param sources the first of 2<sup>48</sup> addresses of IPv6 that are its own to send datagrams
   *     from, one for each client of IPv4; null if it has none
   * @param mark what sockets bear that send from here under clients' addresses
   */
  public record Node(
      String address,
      List<String> secondary,
      @Nullable String ipv6,
      @Nullable String sources,
      String zone,
      Sockets sockets,
      int mark) {

    public Node(String address, String zone, Sockets sockets) {
      this(address, List.of(), null, null, zone, sockets, 0);
    }

    /** Where it listens. */
    public List<String> addresses() {
      return ipv6 == null ? List.of(address) : List.of(address, ipv6);
    }

    /** Its own addresses of the family of another one. */
    public List<String> towards(InetAddress other) {
      if (other instanceof Inet6Address) {
        return ipv6 == null ? List.of() : List.of(ipv6);
      }
      return Stream.concat(Stream.of(address), secondary.stream()).toList();
    }

    /**
     * Under which address a target is to see the datagrams of a client: the client's own, if both
     * are of one family, and otherwise one that stands for it alone; null if there is none.
     */
    public @Nullable InetSocketAddress standsFor(InetSocketAddress client, InetAddress target) {
      boolean wide = target instanceof Inet6Address;
      if (client.getAddress() instanceof Inet6Address == wide) {
        return client;
      }
      if (!wide || sources == null) {
        return null;
      }
      byte[] whole = InetAddress.ofLiteral(sources).getAddress();
      byte[] own = client.getAddress().getAddress();
      System.arraycopy(own, 0, whole, whole.length - own.length, own.length);
      try {
        return new InetSocketAddress(InetAddress.getByAddress(whole), client.getPort());
      } catch (UnknownHostException e) {
        throw new IllegalStateException(e); // its length is an address's
      }
    }
  }

  /**
   * An address on the host at which every listener's port is offered too.
   *
   * @param shared whether other load balancers offer ports at the same address: then the Host
   *     header says which one is meant, and a Host that none has is answered 404
   * @param admits whether a client at this address may come in on this listener port; to one that
   *     may not, packets seem dropped: it gets no answer
   */
  public record Front(String address, boolean shared, Predicate<Admission> admits) {}

  /**
   * A client knocking.
   *
   * @param protocol {@code tcp} or {@code udp}
   */
  public record Admission(String clientAddress, int listenerPort, String protocol) {

    public Admission(String clientAddress, int listenerPort) {
      this(clientAddress, listenerPort, "tcp");
    }
  }

  /** Where this node's sockets are born; the call is short. */
  public interface Sockets {
    <T> T call(Callable<T> birth) throws Exception;
  }

  /**
   * A port and what to do with its requests.
   *
   * @param rules in the order in which they are tried
   * @param otherwise for requests that no rule applies to
   * @param tls null if it speaks plain HTTP
   * @param edits what it changes in header fields
   * @param returns paths at which a gate answers, before any rule is looked at: where clients come
   *     back to that one has sent away
   */
  public record Listener(
      String id,
      int port,
      List<Rule> rules,
      Action otherwise,
      @Nullable Tls tls,
      Edits edits,
      Map<String, Gate> returns) {

    public Listener {
      rules = List.copyOf(rules);
      returns = Map.copyOf(returns);
    }

    public Listener(
        String id, int port, List<Rule> rules, Action otherwise, @Nullable Tls tls, Edits edits) {
      this(id, port, rules, otherwise, tls, edits, Map.of());
    }

    public Listener(String id, int port, Action action) {
      this(id, port, List.of(), action);
    }

    public Listener(String id, int port, List<Rule> rules, Action otherwise) {
      this(id, port, rules, otherwise, null);
    }

    public Listener(String id, int port, List<Rule> rules, Action otherwise, @Nullable Tls tls) {
      this(id, port, rules, otherwise, tls, Edits.NONE);
    }
  }

  /**
   * What to do with requests of which every condition holds.
   *
   * @param rewrites what targets are told instead of what the client asked for; null if nothing
   * @param priority only to be told of
   */
  public record Rule(
      List<Condition> conditions, Action action, @Nullable Rewrites rewrites, int priority) {

    public Rule(List<Condition> conditions, Action action, @Nullable Rewrites rewrites) {
      this(conditions, action, rewrites, 1);
    }

    public Rule(List<Condition> conditions, Action action) {
      this(conditions, action, null);
    }
  }

  /** What to do with a request. */
  public sealed interface Action permits Action.Ending, Action.Gated {

    /** One that ends the request. */
    sealed interface Ending extends Action permits Forward, FixedResponse, Redirect {}

    /** Only for those who come through the gate. */
    record Gated(Gate gate, Ending then) implements Action {}

    /**
     * To one of these target groups, chosen anew for each request.
     *
     * @param shares with weights of 0 to 999, as ELB's {@code ForwardConfig}
     * @param sticky how long a client keeps the group that was chosen for it; null if not at all
     */
    record Forward(List<Share> shares, @Nullable Duration sticky) implements Ending {

      public Forward(String groupId) {
        this(List.of(new Share(groupId, 1)));
      }

      public Forward(List<Share> shares) {
        this(shares, null);
      }

      public Forward {
        shares = List.copyOf(shares);
      }
    }

    record FixedResponse(int status, String contentType, String body) implements Ending {}
  }

  /** How much of the requests a target group gets, compared with the others' weights. */
  public record Share(String groupId, int weight) {}

  /**
   * Targets that are interchangeable.
   *
   * @param secure whether they speak TLS
   * @param delivery of a network load balancer; null if targets are sent requests of HTTP
   */
  public record TargetGroup(
      String id,
      Version version,
      boolean secure,
      Choice choice,
      HealthCheck healthCheck,
      List<Member> members,
      @Nullable Delivery delivery) {

    /** Targets of a network load balancer. */
    public TargetGroup(
        String id,
        Version version,
        Choice choice,
        HealthCheck healthCheck,
        List<Member> members,
        @Nullable Delivery delivery) {
      this(id, version, false, choice, healthCheck, members, delivery);
    }

    /** Targets that are sent requests of HTTP. */
    public TargetGroup(
        String id,
        Version version,
        boolean secure,
        Choice choice,
        HealthCheck healthCheck,
        List<Member> members) {
      this(id, version, secure, choice, healthCheck, members, null);
    }

    /** Targets that are sent requests of HTTP in clear. */
    public TargetGroup(
        String id, Version version, Choice choice, HealthCheck healthCheck, List<Member> members) {
      this(id, version, false, choice, healthCheck, members);
    }

    /** Targets that speak HTTP/1.1, and take turns. */
    public TargetGroup(String id, HealthCheck healthCheck, List<Member> members) {
      this(id, Version.HTTP1, Choice.DEFAULT, healthCheck, members);
    }
  }

  /**
   * How one of a group's targets is chosen.
   *
   * @param sticky how long a client keeps its target; null if not at all
   * @param cookie the application's cookie, with whose setting a client begins to keep its target;
   *     null if it does with any answer
   * @param slowStart over which time a target's share grows that has become healthy; zero if it
   *     gets all of it at once
   * @param mitigates whether targets that fail more often than others get less; for {@link
   *     Algorithm#WEIGHTED_RANDOM}
   * @param healthy with fewer healthy targets, all get requests
   * @param crossZone whether a node sends to other zones too
   */
  public record Choice(
      Algorithm algorithm,
      @Nullable Duration sticky,
      @Nullable String cookie,
      Duration slowStart,
      boolean mitigates,
      Minimum healthy,
      boolean crossZone) {

    /** As ELB does when nothing was asked for. */
    public static final Choice DEFAULT = new Choice(Algorithm.ROUND_ROBIN, null);

    public Choice(Algorithm algorithm, @Nullable Duration sticky) {
      this(algorithm, sticky, null, Duration.ZERO, false, Minimum.ONE, true);
    }
  }

  /**
   * As ELB's {@code load_balancing.algorithm.type}.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#modify-routing-algorithm">
   *     Routing algorithms</a>
   */
  public enum Algorithm {
    ROUND_ROBIN,
    LEAST_OUTSTANDING_REQUESTS,
    WEIGHTED_RANDOM
  }

  /**
   * What targets speak.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version">
   *     Protocol version</a>
   */
  public enum Version {
    HTTP1,
    HTTP2,
    GRPC;

    public boolean http2() {
      return this != HTTP1;
    }
  }

  /**
   * A target of a group.
   *
   * @param zone of the target, for the choice of the checking node
   * @param drainUntil null while registered; once deregistered, when draining ends at the latest
   * @param knownHealthy whether it was healthy when last seen (before a restart): it then serves
   *     until checks say otherwise. Looked at only when the target is new here
   * @param avoided whether nothing new is sent to it as long as others are well
   */
  public record Member(
      Balancer.Target target,
      String zone,
      @Nullable Instant drainUntil,
      boolean knownHealthy,
      boolean avoided) {

    /** One that takes its part. */
    public Member(
        Balancer.Target target, String zone, @Nullable Instant drainUntil, boolean knownHealthy) {
      this(target, zone, drainUntil, knownHealthy, false);
    }
  }

  /**
   * As ELB's target group attributes.
   *
   * @param port 0 for the target's own
   * @param matcher status codes that count as healthy; with gRPC its own
   * @param secure whether targets are asked by TLS
   */
  public record HealthCheck(
      int port,
      String path,
      Predicate<Integer> matcher,
      Duration interval,
      Duration timeout,
      int healthyThreshold,
      int unhealthyThreshold,
      boolean secure) {

    /** Asked in clear. */
    public HealthCheck(
        int port,
        String path,
        Predicate<Integer> matcher,
        Duration interval,
        Duration timeout,
        int healthyThreshold,
        int unhealthyThreshold) {
      this(port, path, matcher, interval, timeout, healthyThreshold, unhealthyThreshold, false);
    }
  }

  /**
   * @param idleTimeout after which a connection without traffic is closed (504 while waiting for a
   *     target's answer)
   * @param clientKeepAlive how long a client connection may be reused
   * @param journal who wants to hear of requests and connections
   */
  public record Settings(
      Duration idleTimeout, Duration clientKeepAlive, Headers headers, Journal journal) {

    public Settings(Duration idleTimeout, Duration clientKeepAlive, Headers headers) {
      this(idleTimeout, clientKeepAlive, headers, Journal.NONE);
    }
  }

  /**
   * What is made of a request's header fields, as ELB's {@code routing.http} attributes.
   *
   * @param preserveHost whether Host is passed on as it came. Otherwise it gets the listener's port
   *     if it has none, and loses the one that it has if the listener's is 80
   * @param clientPort whether X-Forwarded-For tells the client's port too
   * @param dropInvalid whether fields are left out whose names are not of letters, digits and
   *     hyphens
   * @param desync which requests are refused because servers could read them differently
   * @param tlsSession whether targets hear which version and cipher suite a TLS client negotiated
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html">
   *     Edit attributes for your Application Load Balancer</a>
   */
  public record Headers(
      boolean preserveHost,
      ForwardedFor forwardedFor,
      boolean clientPort,
      boolean dropInvalid,
      Desync desync,
      boolean tlsSession) {

    /** As ELB does when nothing was asked for. */
    public static final Headers DEFAULT =
        new Headers(false, ForwardedFor.APPEND, false, false, Desync.DEFENSIVE, false);
  }

  /** What becomes of requests that can be read in one way, but that have confused servers. */
  public enum Desync {
    /** All are passed on. */
    MONITOR,

    /**
     * Those are refused that could hide another request. After others that are ambiguous both
     * connections end.
     */
    DEFENSIVE,

    /** All are refused. */
    STRICTEST
  }

  /** What happens to X-Forwarded-For. */
  public enum ForwardedFor {
    APPEND,
    PRESERVE,
    REMOVE
  }
}
