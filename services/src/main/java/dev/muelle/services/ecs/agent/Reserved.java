package dev.muelle.services.ecs.agent;

import dev.muelle.services.ecs.state.TaskRecord;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Container;

/**
 * What is reserved by a definition; 0 where nothing is said.
 *
 * @param cpu in CPU units
 * @param memory in MiB
 */
record Reserved(double cpu, double memory) {

  /** By the task as a whole, or else by its containers together. */
  static Reserved of(TaskRecord record) {
    Reserved whole = new Reserved(number(record.task().cpu()), number(record.task().memory()));
    double cpu = 0;
    double memory = 0;
    for (Container container : record.task().containers()) {
      Reserved one = of(container);
      cpu += one.cpu();
      memory += one.memory();
    }
    return whole.or(new Reserved(cpu, memory));
  }

  static Reserved of(Container container) {
    return new Reserved(
        number(container.cpu()),
        number(
            container.memoryReservation() == null
                ? container.memory()
                : container.memoryReservation()));
  }

  /** With the other's where it says nothing itself. */
  Reserved or(Reserved other) {
    return new Reserved(cpu > 0 ? cpu : other.cpu(), memory > 0 ? memory : other.memory());
  }

  private static double number(@Nullable String text) {
    return text == null ? 0 : Double.parseDouble(text);
  }
}
