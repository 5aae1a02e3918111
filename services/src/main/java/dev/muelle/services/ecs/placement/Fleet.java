package dev.muelle.services.ecs.placement;

import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The container instances of a cluster and what is booked on them. Every change costs the same
 * however many there are: sums are kept, never recomputed. Not safe for use by several threads.
 */
public final class Fleet {

  /** How many kinds of tasks are placed at a time, without looking at all instances for each. */
  private static final int MOST_RANKINGS = 64;

  private final TreeMap<String, Slot> slots = new TreeMap<>();
  private final Map<String, Booking> bookings = new HashMap<>();

  /** Where the tasks of each group are, and how many. */
  private final Map<String, Map<Slot, Integer>> groups = new HashMap<>();

  /** Of the requests that were placed last; the one that waited longest goes first. */
  private final Map<Request, Ranking> rankings =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Request, Ranking> eldest) {
          return size() > MOST_RANKINGS;
        }
      };

  Ranking ranking(Request request) {
    Ranking known = rankings.get(request);
    if (known == null) {
      known = new Ranking(this, request);
      rankings.put(request, known);
    }
    return known;
  }

  private void changed(Slot slot) {
    rankings.values().forEach(ranking -> ranking.touch(slot));
  }

  /** Adds an instance, or replaces what is known of it. */
  public void put(Machine machine) {
    Slot slot = slots.computeIfAbsent(machine.id(), id -> new Slot());
    slot.machine = machine;
    changed(slot);
  }

  /** Forgets an instance; what is booked on it stays booked until it is released. */
  public void remove(String machine) {
    Slot slot = slots.get(machine);
    if (slot != null && slot.machine != null) {
      slot.machine = null;
      changed(slot);
      dropIfEmpty(machine, slot);
    }
  }

  /** Books what a task takes, in place of what it had before. */
  public void book(String task, Booking booking) {
    if (booking.equals(bookings.get(task))) {
      return;
    }
    release(task);
    bookings.put(task, booking);
    Slot slot = slots.computeIfAbsent(booking.machine(), id -> new Slot());
    slot.take(booking, 1);
    changed(slot);
    groups
        .computeIfAbsent(booking.group(), g -> new IdentityHashMap<>())
        .merge(slot, 1, Integer::sum);
  }

  /** Frees what a task had, if anything. */
  public void release(String task) {
    Booking booking = bookings.remove(task);
    if (booking == null) {
      return;
    }
    Slot slot = Objects.requireNonNull(slots.get(booking.machine()));
    slot.take(booking, -1);
    changed(slot);
    Map<Slot, Integer> places = Objects.requireNonNull(groups.get(booking.group()));
    places.merge(slot, -1, (a, b) -> a + b == 0 ? null : a + b);
    if (places.isEmpty()) {
      groups.remove(booking.group());
    }
    dropIfEmpty(booking.machine(), slot);
  }

  private void dropIfEmpty(String machine, Slot slot) {
    if (slot.machine == null && slot.tasks == 0) {
      slots.remove(machine);
    }
  }

  /** How an instance stands; empty if it is not known. */
  public Optional<Slot> slot(String machine) {
    return Optional.ofNullable(slots.get(machine)).filter(slot -> slot.machine != null);
  }

  /** The tasks that have something booked on an instance; looks through all bookings. */
  public List<String> tasksOn(String machine) {
    return bookings.entrySet().stream()
        .filter(entry -> entry.getValue().machine().equals(machine))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** How many instances there are, and such as are gone and still have something booked. */
  public int size() {
    return slots.size();
  }

  /** All instances, by id, and also those that are gone and still have something booked. */
  Collection<Slot> slots() {
    return slots.values();
  }

  Map<Slot, Integer> placesOf(String group) {
    return groups.getOrDefault(group, Map.of());
  }

  /** One instance and what is taken of it. */
  public static final class Slot implements ClusterQuery.Subject {

    private @Nullable Machine machine;
    private int cpu;
    private int memory;
    private int interfaces;
    private int gpus;
    private int tasks;
    private final Map<Integer, Integer> tcp = new HashMap<>();
    private final Map<Integer, Integer> udp = new HashMap<>();
    private final Map<String, Integer> groups = new HashMap<>();

    private void take(Booking booking, int sign) {
      Demand demand = booking.demand();
      cpu += sign * demand.cpu();
      memory += sign * demand.memory();
      interfaces += sign * demand.interfaces();
      gpus += sign * demand.gpus();
      tasks += sign;
      demand.tcp().forEach(port -> count(tcp, port, sign));
      demand.udp().forEach(port -> count(udp, port, sign));
      count(groups, booking.group(), sign);
    }

    private static <K> void count(Map<K, Integer> counts, K key, int sign) {
      counts.merge(key, sign, (a, b) -> a + b == 0 ? null : a + b);
    }

    boolean known() {
      return machine != null;
    }

    public Machine machine() {
      if (machine == null) {
        throw new IllegalStateException("the instance is gone");
      }
      return machine;
    }

    int tasksOf(String group) {
      return groups.getOrDefault(group, 0);
    }

    /** CPU units that nobody has booked. */
    public int freeCpu() {
      return machine().offer().cpu() - cpu;
    }

    /** MiB that nobody has booked. */
    public int freeMemory() {
      return machine().offer().memory() - memory;
    }

    int freeInterfaces() {
      return machine().offer().interfaces() - interfaces;
    }

    int freeGpus() {
      return machine().offer().gpus() - gpus;
    }

    /** Host ports that tasks have. */
    public Set<Integer> tcpPorts() {
      return Set.copyOf(tcp.keySet());
    }

    /** Host ports that tasks have. */
    public Set<Integer> udpPorts() {
      return Set.copyOf(udp.keySet());
    }

    Map<Integer, Integer> tcp() {
      return tcp;
    }

    Map<Integer, Integer> udp() {
      return udp;
    }

    @Override
    public @Nullable String attribute(String name) {
      return machine().attributes().get(name);
    }

    @Override
    public Set<String> taskGroups() {
      return groups.keySet();
    }

    @Override
    public boolean agentConnected() {
      return machine().connected();
    }

    @Override
    public String agentVersion() {
      return machine().agentVersion();
    }

    @Override
    public String ec2InstanceId() {
      return machine().ec2InstanceId();
    }

    @Override
    public Instant registeredAt() {
      return machine().registeredAt();
    }

    /** Those that are placed on it and have not stopped. */
    @Override
    public int runningTasksCount() {
      return tasks;
    }
  }
}
