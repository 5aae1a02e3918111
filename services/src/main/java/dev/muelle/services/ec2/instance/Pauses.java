package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.InstanceStateChange;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.StartInstancesRequest;
import software.amazon.awssdk.services.ec2.model.StartInstancesResponse;
import software.amazon.awssdk.services.ec2.model.StateReason;
import software.amazon.awssdk.services.ec2.model.StopInstancesRequest;
import software.amazon.awssdk.services.ec2.model.StopInstancesResponse;

/**
 * Stops instances and starts them again. What is in one ends when it is stopped; it keeps its
 * interfaces with their private addresses, and gives a public address back that is not an Elastic
 * one.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html">Stop and start
 *     Amazon EC2 instances</a>
 */
public final class Pauses {

  private final Store store;
  private final InstantSource clock;
  private final NetworkInterfaces interfaces;
  private final Attachments attachments;
  private final DataPlane plane;
  private final StateChanges changes;
  private final Consumer<String> wake;

  /**
   * Stops and starts.
   *
   * @param wake has an instance looked at
   */
  public Pauses(
      Store store,
      InstantSource clock,
      NetworkInterfaces interfaces,
      Attachments attachments,
      DataPlane plane,
      StateChanges changes,
      Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.interfaces = interfaces;
    this.attachments = attachments;
    this.plane = plane;
    this.changes = changes;
    this.wake = wake;
  }

  /** All or none; one that is stopped already is no fault. Nothing in it could refuse to end. */
  public StopInstancesResponse stop(StopInstancesRequest request) {
    Refuse.unlessEffective(request, Set.of("InstanceIds", "DryRun", "Force", "SkipOsShutdown"));
    Move stopping =
        new Move(
            InstanceStateName.RUNNING,
            Set.of(InstanceStateName.STOPPING, InstanceStateName.STOPPED),
            "stopped",
            Protection::mayStop,
            record -> record.shutDownByUser(clock.instant()).in(InstanceStateName.STOPPING));
    return StopInstancesResponse.builder()
        .stoppingInstances(move(stopping, request.instanceIds(), request.dryRun()))
        .build();
  }

  /** All or none; one that runs already is no fault. */
  public StartInstancesResponse start(StartInstancesRequest request) {
    Refuse.unlessEffective(request, Set.of("InstanceIds", "DryRun"));
    Move starting =
        new Move(
            InstanceStateName.STOPPED,
            Set.of(InstanceStateName.PENDING, InstanceStateName.RUNNING),
            "started",
            record -> {},
            record ->
                record
                    .with(i ->
                        i.launchTime(clock.instant())
                            .stateReason((StateReason) null)
                            .stateTransitionReason(""))
                    .wentDown()
                    .in(InstanceStateName.PENDING));
    return StartInstancesResponse.builder()
        .startingInstances(move(starting, request.instanceIds(), request.dryRun()))
        .build();
  }

  /**
   * A step that callers ask for.
   *
   * @param already states in which there is nothing to do
   * @param done in the refusal of others
   * @param allowed refuses it of an instance that is protected
   */
  private record Move(
      InstanceStateName from,
      Set<InstanceStateName> already,
      String done,
      Consumer<InstanceRecord> allowed,
      UnaryOperator<InstanceRecord> step) {}

  private List<InstanceStateChange> move(Move move, List<String> ids, @Nullable Boolean dryRun) {
    if (ids.isEmpty()) {
      throw Refuse.missing("InstanceId");
    }
    List<String> asked = ids.stream().distinct().toList();
    asked.forEach(InstanceRecord::wellFormed);
    List<InstanceStateChange> moved =
        store.write(tx -> {
          Kind.INSTANCE.list(tx, asked); // all of them must exist
          List<InstanceStateChange> done = new ArrayList<>();
          for (String id : asked) {
            InstanceRecord before = Kind.INSTANCE.get(tx, id);
            InstanceRecord after = step(tx, move, before);
            done.add(
                InstanceStateChange.builder()
                    .instanceId(id)
                    .previousState(before.instance().state())
                    .currentState(after.instance().state())
                    .build());
          }
          Refuse.ifDryRun(dryRun);
          return done;
        });
    asked.forEach(wake);
    return moved;
  }

  private InstanceRecord step(Tx tx, Move move, InstanceRecord before) {
    if (move.already().contains(before.state())) {
      return before;
    }
    if (before.state() != move.from()) {
      throw Refuse.because(
          "IncorrectInstanceState",
          "The instance '"
              + before.id()
              + "' is not in a state from which it can be "
              + move.done()
              + ".");
    }
    move.allowed().accept(before);
    InstanceRecord after = move.step().apply(before);
    tx.put(Tables.INSTANCES, before.id(), after);
    changes.note(tx, after);
    return after;
  }

  /** What is in it ends with its interfaces' devices. */
  void halt(InstanceRecord record) {
    attachments.takeDown(record.id(), () -> stops(record.id()));
    String first = Objects.requireNonNull(record.interfaceId());
    boolean without =
        store.write(tx -> {
          InstanceRecord now = Kind.INSTANCE.get(tx, record.id());
          if (now.state() != InstanceStateName.STOPPING) {
            return false; // it is being terminated
          }
          boolean had = interfaces.withoutPublic(tx, first);
          InstanceRecord stopped =
              now.addressed(had || now.addressAgain()).in(InstanceStateName.STOPPED);
          tx.put(Tables.INSTANCES, record.id(), stopped);
          changes.note(tx, stopped);
          return had;
        });
    if (without) {
      plane.interfaceAlone(first);
    }
  }

  private boolean stops(String id) {
    return store
        .read(tx -> tx.get(Tables.INSTANCES, id))
        .filter(row -> row.value().state() == InstanceStateName.STOPPING)
        .isPresent();
  }

  /** Before it boots: it gets another public address for the one that it gave back. */
  void address(InstanceRecord record) {
    if (record.state() != InstanceStateName.PENDING || !record.addressAgain()) {
      return;
    }
    store.write(tx -> {
      InstanceRecord now = Kind.INSTANCE.get(tx, record.id());
      boolean due = now.state() == InstanceStateName.PENDING && now.addressAgain();
      if (due) {
        interfaces.withPublic(tx, Objects.requireNonNull(now.interfaceId()));
        tx.put(Tables.INSTANCES, now.id(), now.addressed(false));
      }
      return due;
    });
  }
}
