package dev.muelle.services.ecs.task;

import dev.muelle.services.ecs.placement.Fleet;
import dev.muelle.services.ecs.placement.Placement;
import dev.muelle.services.ecs.placement.Reason;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * The clusters' instances and what is booked on them, in memory, kept up as the store changes: a
 * decision among thousands of instances reads none of them. It may lag behind the store, so what it
 * chose is checked within the transaction that books it, against the stored instance and its stored
 * tasks. Those tasks are the bookings: nothing else is written, so nothing can be booked twice or
 * stay booked after a crash.
 */
public final class Fleets {

  /** How often a choice may turn out to be outdated before the whole cluster is read anew. */
  private static final int MOST_OUTDATED = 20;

  /** Up to here a refusal is checked against the store too: it costs less than a wrong answer. */
  private static final int SMALL = 100;

  private final Store store;
  private final RandomGenerator random;
  private final Map<String, Fleet> fleets = new HashMap<>();

  public Fleets(Store store, RandomGenerator random) {
    this.store = store;
    this.random = random;
  }

  /** A task was made, has stopped, or is gone. */
  public synchronized void taskChanged(String id) {
    if (fleets.isEmpty()) {
      return;
    }
    Optional<TaskRecord> task = store.read(tx -> tx.get(TaskRecord.TABLE, id)).map(Row::value);
    Optional<TaskRecord> booked = task.filter(t -> t.bookedOn() != null);
    if (booked.isEmpty()) {
      fleets.values().forEach(fleet -> fleet.release(id));
    } else {
      Fleet fleet = fleets.get(booked.get().task().clusterArn());
      if (fleet != null) {
        fleet.book(id, Objects.requireNonNull(booked.get().booking()));
      }
    }
  }

  /** An instance was registered, has another state or other attributes, or is gone. */
  public synchronized void instanceChanged(String id) {
    if (fleets.isEmpty()) {
      return;
    }
    Optional<InstanceRecord> instance =
        store
            .read(tx -> tx.get(InstanceRecord.TABLE, id))
            .map(Row::value)
            .filter(i -> !i.inactive());
    if (instance.isEmpty()) {
      fleets.values().forEach(fleet -> fleet.remove(id));
    } else {
      Fleet fleet = fleets.get(instance.get().clusterArn());
      if (fleet != null) {
        fleet.put(instance.get().machine());
      }
    }
  }

  /** Forgets a cluster: a transaction in which something was placed did not come to its end. */
  synchronized void forget(String clusterArn) {
    fleets.remove(clusterArn);
  }

  /** Where to place one task; {@link #booked} tells that the same transaction made it there. */
  synchronized Verdict place(Tx tx, String clusterArn, Request request) {
    Fleet fleet = fleets.computeIfAbsent(clusterArn, arn -> read(tx, arn));
    for (int outdated = 0; ; outdated++) {
      if (outdated == MOST_OUTDATED) {
        fleet = read(tx, clusterArn);
        fleets.put(clusterArn, fleet);
      }
      Verdict verdict = Placement.place(fleet, request, random);
      switch (verdict) {
        case Verdict.Placed placed -> {
          if (free(tx, fleet, placed.machine(), request)) {
            return verdict;
          }
        }
        case Verdict.Refused refused -> {
          if (outdated > MOST_OUTDATED || fleet.size() > SMALL) {
            return verdict;
          }
          outdated = MOST_OUTDATED;
          fleet = read(tx, clusterArn);
          fleets.put(clusterArn, fleet);
        }
      }
    }
  }

  /** A task was made where it was placed. */
  synchronized void booked(TaskRecord task) {
    Fleet fleet = fleets.get(task.task().clusterArn());
    if (fleet != null) {
      fleet.book(task.id(), Objects.requireNonNull(task.booking()));
    }
  }

  /** Whether the stored truth allows what memory chose; if not, memory is corrected. */
  private static boolean free(Tx tx, Fleet fleet, String id, Request request) {
    Optional<InstanceRecord> instance =
        tx.get(InstanceRecord.TABLE, id).map(Row::value).filter(i -> !i.inactive());
    if (instance.isEmpty()) {
      fleet.remove(id);
      return false;
    }
    Fleet truth = new Fleet();
    add(tx, truth, instance.get());
    if (Placement.against(truth, id, request).isEmpty()) {
      return true;
    }
    Set<String> stored = new HashSet<>();
    for (Row<TaskRecord> task : tx.find(TaskRecord.TABLE, "instance", id)) {
      stored.add(task.key());
      fleet.book(task.key(), Objects.requireNonNull(task.value().booking()));
    }
    fleet.tasksOn(id).stream().filter(task -> !stored.contains(task)).forEach(fleet::release);
    fleet.put(instance.get().machine());
    return false;
  }

  private static Fleet read(Tx tx, String clusterArn) {
    Fleet fleet = new Fleet();
    for (Row<InstanceRecord> instance : tx.find(InstanceRecord.TABLE, "cluster", clusterArn)) {
      add(tx, fleet, instance.value());
    }
    return fleet;
  }

  private static void add(Tx tx, Fleet fleet, InstanceRecord instance) {
    fleet.put(instance.machine());
    for (Row<TaskRecord> task : tx.find(TaskRecord.TABLE, "instance", instance.id())) {
      fleet.book(task.key(), Objects.requireNonNull(task.value().booking()));
    }
  }

  /** One instance and its tasks, as stored. */
  public static Fleet of(Tx tx, InstanceRecord instance) {
    Fleet fleet = new Fleet();
    add(tx, fleet, instance);
    return fleet;
  }

  /** What speaks against one instance, as stored; empty if nothing. */
  public static Optional<Reason> against(Tx tx, InstanceRecord instance, Request request) {
    return Placement.against(of(tx, instance), instance.id(), request);
  }
}
