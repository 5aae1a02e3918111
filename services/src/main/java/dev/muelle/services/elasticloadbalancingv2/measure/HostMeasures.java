package dev.muelle.services.elasticloadbalancingv2.measure;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Anomaly;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.TargetState;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/** How a target group's targets are, as metrics: of all, and of those in each zone. */
public final class HostMeasures {

  /** How many there are of which kind. */
  private static final class Hosts {
    private int all;
    private int healthy;
    private int unhealthy;
    private int anomalous;
    private int mitigated;

    void add(Health health, Anomaly anomaly) {
      all++;
      healthy += health == Health.HEALTHY ? 1 : 0;
      unhealthy += health == Health.UNHEALTHY ? 1 : 0;
      anomalous += anomaly.anomalous() ? 1 : 0;
      mitigated += anomaly.mitigated() ? 1 : 0;
    }
  }

  private static final Anomaly NONE = new Anomaly(false, false);

  private HostMeasures() {}

  static void tell(Round round, Subject of, Balancing user, Group group, Balancer balancer) {
    String arn = group.group().targetGroupArn();
    Map<Balancer.Target, TargetState> states = balancer.targets(arn);
    Map<Balancer.Target, Anomaly> anomalies = balancer.anomalies(arn);
    Map<String, Hosts> zones = new TreeMap<>();
    Hosts all = new Hosts();
    for (State.Target target : group.targets()) {
      if (target.drainUntil() != null) {
        continue;
      }
      Balancer.Target at = new Balancer.Target(target.address(), target.port());
      TargetState state = states.get(at);
      Health health = state == null ? Health.INITIAL : state.health();
      Anomaly anomaly = anomalies.getOrDefault(at, NONE);
      all.add(health, anomaly);
      if (target.zone() != null && !target.zone().equals("all")) {
        zones.computeIfAbsent(target.zone(), z -> new Hosts()).add(health, anomaly);
      }
    }
    boolean http = !user.network();
    hosts(round, of, all, http);
    zones.forEach((zone, hosts) -> hosts(round, of.in(zone), hosts, http));
    if (http) {
      states(round, of, group, zones);
      perTarget(round, of, all.healthy, balancer, arn);
    }
  }

  /**
   * How many targets are left alone because their load balancer is shifted away from their zone. Of
   * network load balancers it is always told, of others if there is one.
   *
   * @param away that zone; empty if there is none
   */
  static void shifted(Round round, Subject of, Balancing user, Group group, String away) {
    Map<String, Integer> zones = new TreeMap<>();
    for (State.Target target : group.targets()) {
      if (target.drainUntil() == null && target.zone() != null && !target.zone().equals("all")) {
        zones.merge(target.zone(), target.zone().equals(away) ? 1 : 0, Integer::sum);
      }
    }
    shifted(round, of, user, zones.getOrDefault(away, 0));
    zones.forEach((zone, hosts) -> shifted(round, of.in(zone), user, hosts));
  }

  private static void shifted(Round round, Subject of, Balancing user, int hosts) {
    if (hosts > 0 || user.network()) {
      round.gauge(of, "ActiveZonalShiftHostCount", hosts);
    }
  }

  private static void hosts(Round round, Subject of, Hosts hosts, boolean http) {
    round.gauge(of, "HealthyHostCount", hosts.healthy);
    round.gauge(of, "UnHealthyHostCount", hosts.unhealthy);
    if (http) {
      round.gauge(of, "AnomalousHostCount", hosts.anomalous);
      round.gauge(of, "MitigatedHostCount", hosts.mitigated);
    }
  }

  /**
   * In how many zones enough targets are healthy.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html">
   *     Target group health</a>
   */
  private static void states(Round round, Subject of, Group group, Map<String, Hosts> zones) {
    int inDns = 0;
    int routing = 0;
    for (Map.Entry<String, Hosts> one : zones.entrySet()) {
      Hosts hosts = one.getValue();
      boolean dns = GroupAttributes.inDns(group.all()).reached(hosts.healthy, hosts.all);
      boolean routed = GroupAttributes.routing(group.all()).reached(hosts.healthy, hosts.all);
      inDns += dns ? 1 : 0;
      routing += routed ? 1 : 0;
      state(round, of.in(one.getKey()), dns ? 1 : 0, routed ? 1 : 0, 1);
    }
    if (!zones.isEmpty()) {
      state(round, of, inDns, routing, zones.size());
    }
  }

  private static void state(Round round, Subject of, int inDns, int routing, int zones) {
    round.gauge(of, "HealthyStateDNS", inDns);
    round.gauge(of, "UnhealthyStateDNS", zones - inDns);
    round.gauge(of, "HealthyStateRouting", routing);
    round.gauge(of, "UnhealthyStateRouting", zones - routing);
  }

  private static void perTarget(
      Round round, Subject of, int healthy, Balancer balancer, String arn) {
    long asked = balancer.targetGroupMetrics(arn).map(m -> m.get(Count.REQUESTS)).orElse(0L);
    long requests = round.moved(of, "requests of targets", asked);
    if (healthy > 0 && requests > 0) {
      double each = (double) requests / healthy;
      round.record(of.only("TargetGroup"), "RequestCountPerTarget", StandardUnit.COUNT, each, 1);
      round.record(of, "RequestCountPerTarget", StandardUnit.COUNT, each, 1);
    }
  }
}
