package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.state.Refuse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.EphemeralStorage;

/**
 * The size of a task: how CPU, memory and storage are written, and Fargate's table.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html">Fargate
 *     task definition differences</a>
 */
public final class TaskSize {

  private static final Pattern VCPU =
      Pattern.compile("([0-9]*\\.?[0-9]+)\\s*vcpu", Pattern.CASE_INSENSITIVE);
  private static final Pattern GIGABYTES =
      Pattern.compile("([0-9]*\\.?[0-9]+)\\s*gb", Pattern.CASE_INSENSITIVE);
  private static final int MIN_STORAGE = 21; // GiB
  private static final int MAX_STORAGE = 200;

  private TaskSize() {}

  public static void checkStorage(@Nullable EphemeralStorage storage) {
    if (storage != null
        && (storage.sizeInGiB() == null
            || storage.sizeInGiB() < MIN_STORAGE
            || storage.sizeInGiB() > MAX_STORAGE)) {
      throw Refuse.client(
          "Invalid ephemeralStorage size "
              + storage.sizeInGiB()
              + ". The minimum supported value is 21 GiB and the maximum supported value is 200"
              + " GiB.");
    }
  }

  /** CPU units from {@code 1024} or {@code 1 vCPU}. */
  public static int cpu(@Nullable String text) {
    if (text == null || text.isBlank()) {
      throw Refuse.client("Fargate requires that 'cpu' be defined at the task level.");
    }
    return units(text, VCPU, 1024, "cpu");
  }

  /** MiB from {@code 3072} or {@code 3 GB}. */
  public static int memory(@Nullable String text) {
    if (text == null || text.isBlank()) {
      throw Refuse.client("Fargate requires that 'memory' be defined at the task level.");
    }
    return units(text, GIGABYTES, 1024, "memory");
  }

  private static int units(String text, Pattern pattern, int factor, String what) {
    Matcher matcher = pattern.matcher(text.trim());
    try {
      return matcher.matches()
          ? (int) Math.round(Double.parseDouble(matcher.group(1)) * factor)
          : Integer.parseInt(text.trim());
    } catch (NumberFormatException e) {
      throw Refuse.client("Invalid '" + what + "' setting for task: " + text);
    }
  }

  /** Fargate's combinations, in CPU units and MiB. */
  public static void check(int cpu, int memory) {
    boolean fits =
        switch (cpu) {
          case 256 -> memory == 512 || memory == 1024 || memory == 2048;
          case 512 -> steps(memory, 1, 4, 1);
          case 1024 -> steps(memory, 2, 8, 1);
          case 2048 -> steps(memory, 4, 16, 1);
          case 4096 -> steps(memory, 8, 30, 1);
          case 8192 -> steps(memory, 16, 60, 4);
          case 16384 -> steps(memory, 32, 120, 8);
          default -> false;
        };
    if (!fits) {
      throw Refuse.client(
          "No Fargate configuration exists for given values: "
              + cpu
              + " CPU, "
              + memory
              + " memory. See the Amazon ECS documentation for the valid values.");
    }
  }

  private static boolean steps(int memory, int from, int to, int step) {
    return IntStream.iterate(from, gb -> gb <= to, gb -> gb + step)
        .anyMatch(gb -> memory == gb * 1024);
  }
}
