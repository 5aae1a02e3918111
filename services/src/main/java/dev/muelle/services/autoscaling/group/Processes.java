package dev.muelle.services.autoscaling.group;

import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.store.Store;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import software.amazon.awssdk.services.autoscaling.model.DescribeScalingProcessTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.ProcessType;
import software.amazon.awssdk.services.autoscaling.model.ResumeProcessesRequest;
import software.amazon.awssdk.services.autoscaling.model.ResumeProcessesResponse;
import software.amazon.awssdk.services.autoscaling.model.SuspendProcessesRequest;
import software.amazon.awssdk.services.autoscaling.model.SuspendProcessesResponse;
import software.amazon.awssdk.services.autoscaling.model.SuspendedProcess;

/** Suspends what groups do by themselves, and resumes it. */
public final class Processes {

  private final Store store;
  private final InstantSource clock;
  private final Consumer<String> wake;

  public Processes(Store store, InstantSource clock, Consumer<String> wake) {
    this.store = store;
    this.clock = clock;
    this.wake = wake;
  }

  private static List<String> asked(List<String> processes) {
    for (String one : processes) {
      if (!ScalingProcess.words().contains(one)) {
        throw Refuse.invalid(
            "1 validation error detected: Invalid scaling process type: "
                + one
                + ". Valid values are "
                + ScalingProcess.words());
      }
    }
    return processes.isEmpty() ? ScalingProcess.words() : processes;
  }

  public SuspendProcessesResponse suspend(SuspendProcessesRequest request) {
    List<String> asked = asked(request.scalingProcesses());
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      List<SuspendedProcess> all = new ArrayList<>(group.group().suspendedProcesses());
      for (String one : asked) {
        if (all.stream().noneMatch(process -> process.processName().equals(one))) {
          all.add(
              SuspendedProcess.builder()
                  .processName(one)
                  .suspensionReason("User suspended at " + clock.instant())
                  .build());
        }
      }
      return group.with(g -> g.suspendedProcesses(all)).put(tx);
    });
    return SuspendProcessesResponse.builder().build();
  }

  public ResumeProcessesResponse resume(ResumeProcessesRequest request) {
    List<String> asked = asked(request.scalingProcesses());
    GroupRecord changed =
        store.write(tx -> {
          GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
          List<SuspendedProcess> left =
              group.group().suspendedProcesses().stream()
                  .filter(process -> !asked.contains(process.processName()))
                  .toList();
          return group.with(g -> g.suspendedProcesses(left)).put(tx);
        });
    wake.accept(changed.name());
    return ResumeProcessesResponse.builder().build();
  }

  public DescribeScalingProcessTypesResponse types() {
    return DescribeScalingProcessTypesResponse.builder()
        .processes(
            ScalingProcess.words().stream()
                .map(word -> ProcessType.builder().processName(word).build())
                .toList())
        .build();
  }
}
