package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
import dev.muelle.engine.Machine;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.ecs.definition.JsonFileOptions;
import dev.muelle.services.ecs.definition.TaskVolumes;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.IpcMode;
import software.amazon.awssdk.services.ecs.model.PidMode;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * What the engine keeps for container instances: the files, the Docker volumes and the namespaces
 * that tasks on one share. It comes with the first task that needs any of it, and goes when the
 * instance is deregistered or terminated and its last task has ended.
 */
public final class InstanceMachines implements AutoCloseable {

  private static final Duration SOON = Duration.ofSeconds(2);

  private final Store store;
  private final Engine engine;
  private final Loop<String> loop;

  public InstanceMachines(Store store, Timers timers, RandomGenerator random, Engine engine) {
    this.store = store;
    this.engine = engine;
    this.loop = new Loop<>("ecs-instance-files", timers, random, 1, this::look);
  }

  /** Whether a task has anything of its instance but room and network. */
  static boolean needed(TaskDefinition definition) {
    return definition.pidMode() == PidMode.HOST
        || definition.ipcMode() == IpcMode.HOST
        || TaskVolumes.ofInstance(definition.volumes())
        || definition.containerDefinitions().stream()
            .anyMatch(container -> JsonFileOptions.of(container.logConfiguration()) != null);
  }

  /** An instance may have gone, or its last task. */
  public void wake(String instanceId) {
    loop.wake(instanceId);
  }

  private @Nullable Duration look(String instanceId) {
    boolean there = engine.machines().stream().map(Machine::id).anyMatch(instanceId::equals);
    boolean registered =
        store
            .read(tx -> tx.get(InstanceRecord.TABLE, instanceId))
            .filter(row -> !row.value().inactive())
            .isPresent();
    return !there || registered || engine.removeMachine(instanceId) ? null : SOON;
  }

  @Override
  public void close() {
    loop.close();
  }
}
