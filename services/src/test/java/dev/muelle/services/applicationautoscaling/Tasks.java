package dev.muelle.services.applicationautoscaling;

import dev.muelle.loop.Timers;
import java.time.Duration;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.DescribeServicesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServicesResponse;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.UpdateServiceRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServiceResponse;

/** The service: tasks start after a while, and stop at once. */
final class Tasks implements EcsClient {
  private final Timers time;
  private final Duration start;
  int desired;
  int running;

  Tasks(Timers time, int count, Duration start) {
    this.time = time;
    desired = count;
    running = count;
    this.start = start;
  }

  @Override
  public DescribeServicesResponse describeServices(DescribeServicesRequest request) {
    return DescribeServicesResponse.builder()
        .services(
            Service.builder()
                .status("ACTIVE")
                .desiredCount(desired)
                .runningCount(running)
                .pendingCount(desired - running)
                .build())
        .build();
  }

  @Override
  public UpdateServiceResponse updateService(UpdateServiceRequest request) {
    desired = request.desiredCount();
    running = Math.min(running, desired);
    time.after(start, () -> running = desired);
    return UpdateServiceResponse.builder().build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
