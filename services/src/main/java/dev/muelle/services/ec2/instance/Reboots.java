package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import software.amazon.awssdk.services.ec2.model.GetConsoleOutputRequest;
import software.amazon.awssdk.services.ec2.model.GetConsoleOutputResponse;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.RebootInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RebootInstancesResponse;

/**
 * Boots instances anew: what is in one ends, its interfaces and all their addresses stay, and it is
 * running all the time.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-reboot.html">Reboot
 *     your instance</a>
 */
public final class Reboots {

  private final Store store;
  private final InstantSource clock;
  private final Attachments attachments;
  private final Consumer<String> wake;

  /**
   * Boots anew.
   *
   * @param wake has an instance looked at
   */
  public Reboots(Store store, InstantSource clock, Attachments attachments, Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.attachments = attachments;
    this.wake = wake;
  }

  /** All or none; it is done when the answer is long given. */
  public RebootInstancesResponse reboot(RebootInstancesRequest request) {
    Refuse.unlessEffective(request, Set.of("InstanceIds", "DryRun"));
    if (request.instanceIds().isEmpty()) {
      throw Refuse.missing("InstanceId");
    }
    List<String> asked = request.instanceIds().stream().distinct().toList();
    asked.forEach(InstanceRecord::wellFormed);
    store.write(tx -> {
      for (InstanceRecord record : Kind.INSTANCE.list(tx, asked)) {
        if (record.state() != InstanceStateName.RUNNING) {
          throw Refuse.because(
              "IncorrectInstanceState",
              "The instance '" + record.id() + "' is not in the 'running' state.");
        }
        tx.put(Tables.INSTANCES, record.id(), record.reboots());
      }
      Refuse.ifDryRun(request.dryRun());
      return asked.size();
    });
    asked.forEach(wake);
    return RebootInstancesResponse.builder().build();
  }

  /** Takes one down that is to boot anew; again, if a server died on the way. */
  void takeDown(InstanceRecord record) {
    if (!record.rebooting()) {
      return;
    }
    attachments.takeDown(record.id(), () -> store.read(tx -> waiting(tx, record.id())).isPresent());
    store.write(tx -> {
      Optional<InstanceRecord> found = waiting(tx, record.id());
      found.ifPresent(now -> tx.put(Tables.INSTANCES, now.id(), now.wentDown()));
      return found.isPresent();
    });
  }

  private static Optional<InstanceRecord> waiting(Tx tx, String id) {
    return tx.get(Tables.INSTANCES, id)
        .map(Row::value)
        .filter(now -> now.state() == InstanceStateName.RUNNING && now.rebooting());
  }

  /** How often an instance has booted anew; none that is not there. */
  public int count(String id) {
    return store.read(tx -> tx.get(Tables.INSTANCES, id)).map(row -> row.value().boots()).orElse(0);
  }

  /**
   * What an instance has written to its console: nothing, since there is no kernel of its own in it
   * that could. So EC2 answers of one that has not begun to write.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html">GetConsoleOutput</a>
   */
  public GetConsoleOutputResponse console(GetConsoleOutputRequest request) {
    String id = InstanceRecord.wellFormed(Refuse.required(request.instanceId(), "instanceId"));
    store.read(tx -> Objects.requireNonNull(Kind.INSTANCE.get(tx, id)));
    Refuse.ifDryRun(request.dryRun());
    return GetConsoleOutputResponse.builder().instanceId(id).timestamp(clock.instant()).build();
  }
}
