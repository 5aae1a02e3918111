package dev.muelle.region.simulate;

import dev.muelle.services.StoredJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;

/**
 * What is tried: tasks, bounds, policies.
 *
 * @param vcpu of a task, as Fargate has them
 * @param gigabytes of a task
 * @param starting how long a task takes to start
 * @param hosts what tasks run on; null for Fargate
 * @param prices of what runs
 * @param policies as {@code put-scaling-policy} takes them
 * @param alarms as {@code put-metric-alarm} takes them, for step scaling policies, which they call
 *     by name
 * @param scheduled as {@code put-scheduled-action} takes them
 */
public record Plan(
    int min,
    int max,
    double vcpu,
    double gigabytes,
    Duration starting,
    Model model,
    @Nullable Hosts hosts,
    Prices prices,
    List<PutScalingPolicyRequest> policies,
    List<PutMetricAlarmRequest> alarms,
    List<PutScheduledActionRequest> scheduled) {

  public Plan {
    policies = List.copyOf(policies);
    alarms = List.copyOf(alarms);
    scheduled = List.copyOf(scheduled);
    if (hosts != null) {
      prices.of(hosts.type()); // or it is refused
    }
  }

  /** What a task costs on Fargate, or an instance that tasks run on, in dollars an hour. */
  double hourly() {
    return hosts == null ? prices.fargate(vcpu, gigabytes) : prices.of(hosts.type());
  }

  /** Requests in files of JSON, as {@code --cli-input-json} takes them. */
  public static <T extends SdkPojo> List<T> read(Class<T> type, List<Path> files)
      throws IOException {
    List<T> requests = new ArrayList<>();
    for (Path file : files) {
      try {
        requests.add(StoredJson.codec(type).decode(Files.readAllBytes(file)));
      } catch (UncheckedIOException e) {
        throw new IOException(file + " is no JSON of a " + type.getSimpleName(), e);
      }
    }
    return requests;
  }
}
