package dev.muelle.balancer.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer.Algorithm;
import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.Minimum;
import dev.muelle.balancer.health.Anomalies;
import dev.muelle.balancer.health.HealthRules;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.netty.Rig;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whose turn it is, decided at moments that the test says. */
final class TargetChoiceTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration MINUTE = Duration.ofSeconds(60);

  private final SplittableRandom random = new SplittableRandom(3);
  private final GroupState group = new GroupState("tg", Version.HTTP1, false, Rig.CHECK, id -> {});

  private MemberState member(String address, String zone, boolean first) {
    return new MemberState(
        group, new Balancer.Target(address, 80), zone, first, HealthRules.fresh(NOON));
  }

  private static void passes(MemberState member, Instant now) {
    member.health(rules -> rules.after(new Outcome.Passed(200), Rig.CHECK, now));
  }

  private static void fails(MemberState member) {
    for (int i = 0; i < Rig.CHECK.unhealthyThreshold(); i++) {
      member.health(
          rules -> rules.after(new Outcome.NoAnswer(Outcome.Fault.BROKEN_OFF), Rig.CHECK, NOON));
    }
  }

  private static Choice choice(Algorithm algorithm, Duration slowStart, Minimum minimum) {
    return new Choice(algorithm, null, null, slowStart, true, minimum, true);
  }

  /** How many of a thousand requests each gets. */
  private Map<String, Integer> shares(@Nullable String zone, Instant now) {
    Map<String, Integer> shares = new HashMap<>();
    for (int i = 0; i < 1000; i++) {
      MemberState chosen = group.pick(Set.of(), null, zone, random, now);
      assertTrue(chosen != null);
      chosen.leave(InstantSource.fixed(now));
      shares.merge(chosen.target.address(), 1, Integer::sum);
    }
    return shares;
  }

  private static void about(int wanted, int seen) {
    assertTrue(Math.abs(wanted - seen) < 60, wanted + " and not " + seen);
  }

  @Test
  void aNewTargetGetsItsShareSlowly() {
    group.choice(choice(Algorithm.ROUND_ROBIN, MINUTE, Minimum.ONE));
    MemberState old = member("old", "a", true);
    MemberState fresh = member("fresh", "a", false);
    group.members(List.of(old, fresh));
    passes(old, NOON);
    passes(fresh, NOON);
    assertTrue(fresh.warming());
    assertFalse(old.warming(), "there was none to spare it");
    assertEquals(Map.of("old", 1000), shares(null, NOON));
    about(125, shares(null, NOON.plusSeconds(15)).getOrDefault("fresh", 0));
    about(250, shares(null, NOON.plusSeconds(30)).getOrDefault("fresh", 0));
    about(450, shares(null, NOON.plusSeconds(54)).getOrDefault("fresh", 0));
    assertEquals(500, shares(null, NOON.plusSeconds(60)).get("fresh"));
    assertFalse(fresh.warming());

    // Who was ill begins again; who has nobody beside it gets all at once.
    fails(fresh);
    passes(fresh, NOON);
    passes(fresh, NOON);
    assertTrue(fresh.warming());
    fails(fresh);
    fails(old);
    passes(fresh, NOON);
    passes(fresh, NOON);
    assertFalse(fresh.warming());
    assertEquals(Map.of("fresh", 1000), shares(null, NOON));
  }

  @Test
  void whoComesIntoAnEmptyGroupDoesNotStartSlowly() {
    group.choice(choice(Algorithm.ROUND_ROBIN, MINUTE, Minimum.ONE));
    MemberState one = member("one", "a", true);
    MemberState two = member("two", "a", true);
    group.members(List.of(one, two));
    passes(one, NOON);
    passes(two, NOON);
    assertEquals(Map.of("one", 500, "two", 500), shares(null, NOON));
  }

  @Test
  void aTargetThatIsWarmingGetsEverythingIfItIsAlone() {
    group.choice(choice(Algorithm.ROUND_ROBIN, MINUTE, Minimum.ONE));
    MemberState old = member("old", "a", true);
    MemberState fresh = member("fresh", "a", false);
    group.members(List.of(old, fresh));
    passes(old, NOON);
    passes(fresh, NOON);
    fails(old);
    assertTrue(fresh.warming());
    assertEquals(Map.of("fresh", 1000), shares(null, NOON));
  }

  @Test
  void withTooFewHealthyTargetsAllAreAsked() {
    MemberState[] all = new MemberState[4];
    for (int i = 0; i < all.length; i++) {
      all[i] = member("t" + i, "a", true);
      passes(all[i], NOON);
    }
    group.members(List.of(all));
    group.choice(choice(Algorithm.ROUND_ROBIN, Duration.ZERO, new Minimum(2, 50)));
    fails(all[0]);
    fails(all[1]);
    assertEquals(Set.of("t2", "t3"), shares(null, NOON).keySet());
    fails(all[2]);
    assertEquals(4, shares(null, NOON).size());
    group.choice(choice(Algorithm.ROUND_ROBIN, Duration.ZERO, new Minimum(1, 26)));
    assertEquals(4, shares(null, NOON).size(), "either threshold counts");
    group.choice(choice(Algorithm.ROUND_ROBIN, Duration.ZERO, new Minimum(1, 25)));
    assertEquals(Set.of("t3"), shares(null, NOON).keySet());
    // One that leaves is not counted.
    all[0].drain(NOON);
    all[1].drain(NOON);
    group.choice(choice(Algorithm.ROUND_ROBIN, Duration.ZERO, new Minimum(1, 50)));
    assertEquals(Set.of("t3"), shares(null, NOON).keySet());
  }

  @Test
  void aZoneIsJudgedByItsOwnTargets() {
    MemberState a = member("a", "a", true);
    MemberState b = member("b", "b", true);
    MemberState outside = member("o", "all", true);
    group.members(List.of(a, b, outside));
    List.of(a, b, outside).forEach(member -> passes(member, NOON));
    group.choice(choice(Algorithm.ROUND_ROBIN, Duration.ZERO, Minimum.ONE));
    assertEquals(Set.of("a", "o"), shares("a", NOON).keySet());
    fails(a);
    assertEquals(Set.of("o"), shares("a", NOON).keySet());
    group.members(List.of(a, b));
    assertEquals(Set.of("a"), shares("a", NOON).keySet(), "the zone has no healthy one");
    assertNull(group.pick(Set.of(), null, "c", random, NOON));
  }

  @Test
  void whoFailsMoreOftenThanOthersGetsLess() {
    MemberState[] all = new MemberState[3];
    for (int i = 0; i < all.length; i++) {
      all[i] = member("t" + i, "a", true);
      passes(all[i], NOON);
    }
    group.members(List.of(all));
    group.choice(choice(Algorithm.WEIGHTED_RANDOM, Duration.ZERO, Minimum.ONE));
    about(333, shares(null, NOON).getOrDefault("t0", 0));
    for (int second = 0; second < 10; second++) {
      for (MemberState member : all) {
        for (int i = 0; i < 20; i++) {
          member.did(member.equals(all[0]) && i < 10);
        }
      }
      group.weigh();
    }
    assertTrue(all[0].anomalous());
    assertFalse(all[1].anomalous());
    about(24, shares(null, NOON).getOrDefault("t0", 0));
    group.choice(new Choice(Algorithm.WEIGHTED_RANDOM, null));
    about(333, shares(null, NOON).getOrDefault("t0", 0));
    for (int second = 0; second < 30; second++) {
      group.weigh(); // nobody asks, so nobody fails
    }
    assertFalse(all[0].anomalous());
    assertEquals(1, all[0].weight());
  }

  @Test
  void whereAllFailAlikeNobodyIsAnomalous() {
    Anomalies.Sample bad = new Anomalies.Sample(100, 90);
    Anomalies.Sample good = new Anomalies.Sample(100, 0);
    assertFalse(Anomalies.anomalous(bad, List.of(bad, bad, bad)));
    assertFalse(Anomalies.anomalous(bad, List.of(bad, good)), "two are too few to compare");
    assertTrue(Anomalies.anomalous(bad, List.of(bad, good, good)));
    assertFalse(Anomalies.anomalous(good, List.of(bad, good, good)));
    assertFalse(
        Anomalies.anomalous(new Anomalies.Sample(5, 5), List.of(good, good, good)), "too little");
  }
}
