package dev.muelle.services.ecs.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.ecs.placement.Verdict.Placed;
import dev.muelle.services.ecs.placement.Verdict.Refused;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every reason, every strategy; and on random clusters what must always hold. */
class PlacementTest {

  private static final Random RANDOM = new Random(7);

  private static Machine machine(String id, int cpu, int memory, String... attributes) {
    Map<String, String> all = new HashMap<>();
    for (int i = 0; i < attributes.length; i += 2) {
      all.put(attributes[i], attributes[i + 1]);
    }
    return machine(id, true, true, all, new Offer(cpu, memory, Set.of(22), Set.of(), 2, 1));
  }

  private static Machine machine(
      String id, boolean active, boolean connected, Map<String, String> attributes, Offer offer) {
    return new Machine(
        id, active, connected, "i-" + id, "1.80.0", Instant.EPOCH, attributes, offer);
  }

  private static Request request(Demand demand, Object... rules) {
    List<Constraint> constraints = new ArrayList<>();
    List<Strategy> strategies = new ArrayList<>();
    for (Object rule : rules) {
      switch (rule) {
        case Constraint constraint -> constraints.add(constraint);
        case Strategy strategy -> strategies.add(strategy);
        default -> throw new IllegalArgumentException(rule.toString());
      }
    }
    return new Request("service:web", demand, Map.of(), Set.of(), constraints, strategies);
  }

  private static Fleet fleet(Machine... machines) {
    Fleet fleet = new Fleet();
    for (Machine machine : machines) {
      fleet.put(machine);
    }
    return fleet;
  }

  private static Constraint memberOf(String expression) {
    return new Constraint.MemberOf(ClusterQuery.parse(expression));
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void everyReasonIsGivenForTheInstanceThatItSpeaksAgainst(Reason reason) {
    Machine good = machine("a", 1024, 1024, "stack", "prod", Machine.ZONE, "us-east-1a");
    Machine machine =
        switch (reason) {
          case DRAINING -> machine("a", false, true, good.attributes(), good.offer());
          case AGENT -> machine("a", true, false, good.attributes(), good.offer());
          default -> good;
        };
    Fleet fleet = fleet(machine);
    Demand taken = new Demand(1000, 1000, Set.of(80), Set.of(53), 2, 1);
    fleet.book("t1", new Booking("a", "service:web", taken));
    Demand small = Demand.of(1, 1);
    Request wanted =
        switch (reason) {
          case DRAINING, AGENT -> request(small);
          case ATTRIBUTE ->
              new Request("g", small, Map.of("stack", "test"), Set.of(), List.of(), List.of());
          case MEMBER_OF -> request(small, memberOf("not(task:group == service:web)"));
          case DISTINCT_INSTANCE -> request(small, new Constraint.DistinctInstance());
          case CPU -> request(Demand.of(25, 1));
          case MEMORY -> request(Demand.of(24, 25));
          case PORTS -> request(new Demand(1, 1, Set.of(), Set.of(53), 0, 0));
          case INTERFACES -> request(new Demand(1, 1, Set.of(53), Set.of(80), 1, 0));
          case GPU -> request(new Demand(1, 1, Set.of(), Set.of(), 0, 1));
        };
    assertEquals(Optional.of(reason), Placement.against(fleet, "a", wanted));
    Refused refused = assertInstanceOf(Refused.class, Placement.place(fleet, wanted, RANDOM));
    if (reason == Reason.DRAINING) {
      assertNull(refused.closest());
      assertTrue(refused.event().contains("Reason: No Container Instances were found"));
    } else {
      assertEquals(new Verdict.Rejection("a", reason), refused.closest());
      assertTrue(refused.event().contains("The closest matching (container-instance a) "));
    }
    // With nothing on it and nothing wrong with it, the same instance takes the task.
    if (reason.compareTo(Reason.MEMBER_OF) >= 0) {
      fleet.release("t1");
      Verdict verdict =
          Placement.place(
              fleet,
              reason == Reason.MEMBER_OF
                  ? request(small, memberOf("task:group !exists and attribute:stack == prod"))
                  : wanted,
              RANDOM);
      assertEquals(new Placed("a"), verdict);
    }
  }

  @Test
  void aTaskGoesOnlyWhereItsSubnetsAre() {
    Fleet fleet =
        fleet(
            machine("a", 100, 100, Machine.ZONE, "za"), machine("b", 100, 100, Machine.ZONE, "zb"));
    Request inB = new Request("g", Demand.of(1, 1), Map.of(), Set.of("zb"), List.of(), List.of());
    assertEquals(new Placed("b"), Placement.place(fleet, inB, RANDOM));
    Request inC = new Request("g", Demand.of(1, 1), Map.of(), Set.of("zc"), List.of(), List.of());
    assertTrue(((Refused) Placement.place(fleet, inC, RANDOM)).event().contains("an attribute"));
  }

  @Test
  void theClosestIsTheOneThatFailedLast() {
    Machine off = machine("a", true, false, Map.of(), new Offer(10, 10, Set.of(), Set.of(), 0, 0));
    Fleet fleet = fleet(off, machine("b", 10, 4000), machine("c", 4000, 10));
    Refused refused = (Refused) Placement.place(fleet, request(Demand.of(100, 100)), RANDOM);
    assertEquals(
        "was unable to place a task because no container instance met all of its requirements. The"
            + " closest matching (container-instance c) has insufficient memory available. For more"
            + " information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
        refused.event());
    assertEquals(
        List.of(Reason.MEMORY, Reason.CPU, Reason.AGENT),
        refused.rejections().stream().map(Verdict.Rejection::reason).toList());
  }

  @Test
  void strategiesDecideOneAfterTheOther() {
    Fleet fleet =
        fleet(
            machine("a", 1000, 1000, "zone", "1"),
            machine("b", 1000, 900, "zone", "1"),
            machine("c", 1000, 800, "zone", "2"),
            machine("d", 1000, 700, "zone", "2"));
    fleet.book("t", new Booking("d", "service:web", Demand.of(1, 1)));
    Strategy zones = new Strategy.SpreadAttribute("zone");
    Strategy memory = new Strategy.BinpackMemory();
    Demand one = Demand.of(1, 1);
    assertEquals(new Placed("b"), Placement.place(fleet, request(one, zones, memory), RANDOM));
    assertEquals(new Placed("d"), Placement.place(fleet, request(one, memory, zones), RANDOM));
    assertEquals(
        new Placed("d"),
        Placement.place(fleet, request(one, new Strategy.BinpackCpu(), memory), RANDOM));
    assertEquals(
        new Placed("c"),
        Placement.place(fleet, request(one, new Strategy.SpreadInstances(), memory), RANDOM));
  }

  @Test
  void anInstanceThatIsGoneKeepsItsBookingsUntilTheyAreReleased() {
    Fleet fleet = fleet(machine("a", 100, 100));
    fleet.book("t", new Booking("a", "g", Demand.of(60, 60)));
    fleet.remove("a");
    assertNull(((Refused) Placement.place(fleet, request(Demand.of(1, 1)), RANDOM)).closest());
    fleet.put(machine("a", 100, 100));
    assertEquals(40, fleet.slot("a").orElseThrow().freeCpu());
    fleet.release("t");
    fleet.release("t");
    assertEquals(100, fleet.slot("a").orElseThrow().freeCpu());
    fleet.book("t", new Booking("a", "g", Demand.of(10, 10)));
    fleet.book("t", new Booking("a", "g", Demand.of(20, 20)));
    assertEquals(80, fleet.slot("a").orElseThrow().freeCpu());
  }

  @Test
  void onRandomClustersNothingIsEverBookedTwiceAndARefusalIsTrue() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      List<Machine> machines = machines(random);
      Fleet fleet = fleet(machines.toArray(new Machine[0]));
      Map<String, Booking> booked = new HashMap<>();
      for (int i = 0; i < 150; i++) {
        if (!booked.isEmpty() && random.nextInt(4) == 0) {
          String gone = List.copyOf(booked.keySet()).get(random.nextInt(booked.size()));
          booked.remove(gone);
          fleet.release(gone);
          continue;
        }
        Request request = random(random);
        switch (Placement.place(fleet, request, random)) {
          case Placed placed -> {
            Booking booking = new Booking(placed.machine(), request.group(), request.demand());
            assertTrue(fits(machines, booked, booking), "seed " + seed);
            booked.put("t" + i, booking);
            fleet.book("t" + i, booking);
          }
          case Refused refused -> {
            for (Machine machine : machines) {
              Booking booking = new Booking(machine.id(), request.group(), request.demand());
              boolean distinct =
                  request.constraints().isEmpty()
                      || booked.values().stream()
                          .noneMatch(b ->
                              b.machine().equals(machine.id())
                                  && b.group().equals(request.group()));
              assertTrue(
                  !machine.active() || !distinct || !fits(machines, booked, booking),
                  "seed " + seed + ": " + machine.id() + " would have taken it");
            }
          }
        }
      }
    }
  }

  /** By the plainest arithmetic, from nothing but the list of what is booked. */
  private static boolean fits(List<Machine> machines, Map<String, Booking> booked, Booking more) {
    Offer offer =
        machines.stream()
            .filter(m -> m.id().equals(more.machine()))
            .findFirst()
            .orElseThrow()
            .offer();
    int cpu = more.demand().cpu();
    int memory = more.demand().memory();
    int interfaces = more.demand().interfaces();
    int gpus = more.demand().gpus();
    Set<Integer> tcp = new HashSet<>(offer.reservedTcp());
    boolean ports = true;
    for (Booking other : booked.values()) {
      if (other.machine().equals(more.machine())) {
        cpu += other.demand().cpu();
        memory += other.demand().memory();
        interfaces += other.demand().interfaces();
        gpus += other.demand().gpus();
        tcp.addAll(other.demand().tcp());
      }
    }
    for (Integer port : more.demand().tcp()) {
      ports &= tcp.add(port);
    }
    return ports
        && cpu <= offer.cpu()
        && memory <= offer.memory()
        && interfaces <= offer.interfaces()
        && gpus <= offer.gpus();
  }

  private static List<Machine> machines(Random random) {
    List<Machine> machines = new ArrayList<>();
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) {
      machines.add(
          machine(
              "m" + i,
              random.nextInt(8) > 0,
              true,
              Map.of("zone", "z" + random.nextInt(3)),
              new Offer(
                  random.nextInt(4096),
                  random.nextInt(4096),
                  Set.of(22),
                  Set.of(),
                  random.nextInt(4),
                  random.nextInt(2))));
    }
    return machines;
  }

  private static Request random(Random random) {
    List<Strategy> strategies = new ArrayList<>();
    List<Strategy> all =
        List.of(
            new Strategy.SpreadInstances(),
            new Strategy.SpreadAttribute("zone"),
            new Strategy.BinpackCpu(),
            new Strategy.BinpackMemory(),
            new Strategy.AtRandom());
    for (int i = random.nextInt(3); i > 0; i--) {
      strategies.add(all.get(random.nextInt(all.size())));
    }
    Set<Integer> ports = random.nextInt(4) == 0 ? Set.of(22 + random.nextInt(3)) : Set.of();
    return new Request(
        "service:" + random.nextInt(3),
        new Demand(
            random.nextInt(512),
            random.nextInt(512),
            ports,
            Set.of(),
            random.nextInt(5) == 0 ? 1 : 0,
            random.nextInt(10) == 0 ? 1 : 0),
        Map.of(),
        Set.of(),
        random.nextInt(5) == 0 ? List.of(new Constraint.DistinctInstance()) : List.of(),
        strategies);
  }

  @Test
  void spreadDiffersByAtMostOneWhereThereIsRoom() {
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      int zones = 1 + random.nextInt(4);
      int perZone = 1 + random.nextInt(4);
      Fleet fleet = new Fleet();
      for (int i = 0; i < zones * perZone; i++) {
        fleet.put(machine("m%02d".formatted(i), 100_000, 100_000, "zone", "z" + i % zones));
      }
      Request request =
          request(
              Demand.of(10, 10),
              new Strategy.SpreadAttribute("zone"),
              new Strategy.SpreadInstances());
      Map<String, Integer> machines = new HashMap<>();
      Map<String, Integer> byZone = new HashMap<>();
      fleet.slots().forEach(slot -> machines.put(slot.machine().id(), 0));
      fleet.slots().forEach(slot -> byZone.put(slot.machine().attributes().get("zone"), 0));
      for (int i = 0; i < 60; i++) {
        String chosen = ((Placed) Placement.place(fleet, request, random)).machine();
        fleet.book("t" + i, new Booking(chosen, request.group(), request.demand()));
        machines.merge(chosen, 1, Integer::sum);
        byZone.merge(
            fleet.slot(chosen).orElseThrow().machine().attributes().get("zone"), 1, Integer::sum);
        assertLevel(machines, "seed " + seed);
        assertLevel(byZone, "seed " + seed);
      }
    }
  }

  private static void assertLevel(Map<String, Integer> counts, String message) {
    int most = counts.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
    int least = counts.values().stream().mapToInt(Integer::intValue).min().orElseThrow();
    assertTrue(most - least <= 1, message + ": " + counts);
  }

  @Test
  void binpackUsesAsFewInstancesAsCanBe() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int memory = 1 + random.nextInt(400);
      int perMachine = 1000 / memory;
      int tasks = 1 + random.nextInt(40);
      Fleet fleet = new Fleet();
      for (int i = 0; i < 45; i++) {
        fleet.put(machine("m%02d".formatted(i), 100_000, 1000));
      }
      Set<String> used = new HashSet<>();
      for (int i = 0; i < tasks; i++) {
        Request request = request(Demand.of(1, memory), new Strategy.BinpackMemory());
        String chosen = ((Placed) Placement.place(fleet, request, random)).machine();
        fleet.book("t" + i, new Booking(chosen, "service:web", request.demand()));
        used.add(chosen);
      }
      assertEquals(Math.ceilDiv(tasks, perMachine), used.size(), "seed " + seed);
    }
  }

  /** Whatever happens, deciding with what is remembered is deciding by looking at everything. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void aRankingFindsWhatASearchFinds(int seed) {
    Random random = new Random(seed);
    List<Request> requests =
        List.of(
            request(
                demand(),
                new Strategy.SpreadAttribute(Machine.ZONE),
                new Strategy.SpreadInstances()),
            request(demand(), new Strategy.BinpackMemory(), new Strategy.SpreadAttribute("rack")),
            request(
                demand(),
                new Strategy.SpreadAttribute("rack"),
                new Strategy.BinpackCpu(),
                new Strategy.SpreadAttribute(Machine.ZONE)),
            request(demand(), new Strategy.AtRandom()),
            request(demand(), new Strategy.SpreadAttribute(Machine.ZONE), new Strategy.AtRandom()),
            request(demand(), new Constraint.DistinctInstance(), new Strategy.BinpackCpu()),
            request(
                demand(),
                new Constraint.MemberOf(ClusterQuery.parse("not(task:group == service:other)")),
                new Strategy.SpreadInstances()),
            request(demand()));
    Fleet fleet = new Fleet();
    List<String> tasks = new ArrayList<>();
    int placed = 0;
    for (int step = 0; step < 3_000; step++) {
      String id = "m" + random.nextInt(20);
      switch (random.nextInt(8)) {
        case 0 -> fleet.put(anyMachine(id, random));
        case 1 -> {
          if (random.nextInt(4) == 0) {
            fleet.remove(id);
          }
        }
        case 2, 3 -> {
          if (!tasks.isEmpty()) {
            fleet.release(tasks.remove(random.nextInt(tasks.size())));
          }
        }
        default -> {
          Request request = requests.get(random.nextInt(requests.size()));
          long choice = random.nextLong();
          Verdict searched = Placement.search(fleet, request, new Random(choice));
          assertEquals(searched, Placement.place(fleet, request, new Random(choice)));
          if (searched instanceof Placed there) {
            placed++;
            String group = random.nextInt(5) == 0 ? "service:other" : request.group();
            fleet.book("t" + step, new Booking(there.machine(), group, request.demand()));
            tasks.add("t" + step);
          }
        }
      }
    }
    assertTrue(placed > 300, "placed only " + placed);
  }

  private static Demand demand() {
    return new Demand(128, 256, Set.of(), Set.of(), 0, 0);
  }

  private static Machine anyMachine(String id, Random random) {
    Map<String, String> attributes = new HashMap<>();
    attributes.put(Machine.ZONE, "abc".substring(random.nextInt(3)).substring(0, 1));
    if (random.nextBoolean()) {
      attributes.put("rack", "" + random.nextInt(3));
    }
    return machine(
        id,
        random.nextInt(8) > 0,
        random.nextInt(8) > 0,
        attributes,
        new Offer(512 * (1 + random.nextInt(3)), 2048, Set.of(22), Set.of(), 2, 1));
  }

  /** Counts, not time: what a decision looks at does not depend on how many instances there are. */
  @ParameterizedTest
  @ValueSource(ints = {100, 200, 400, 800})
  void aDecisionLooksOnlyAtWhatChanged(int machines) {
    Fleet fleet = new Fleet();
    for (int i = 0; i < machines; i++) {
      fleet.put(
          machine(
              "m%03d".formatted(i), 1024, 2048, Machine.ZONE, "abc".substring(i % 3, i % 3 + 1)));
    }
    Request request =
        request(
            demand(), new Strategy.SpreadAttribute(Machine.ZONE), new Strategy.SpreadInstances());
    for (int i = 0; i < machines; i++) {
      Placed there = assertInstanceOf(Placed.class, Placement.place(fleet, request, RANDOM));
      fleet.book("t" + i, new Booking(there.machine(), request.group(), request.demand()));
    }
    assertEquals(machines + machines - 1, fleet.ranking(request).looks());
  }
}
