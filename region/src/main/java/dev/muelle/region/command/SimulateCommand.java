package dev.muelle.region.command;

import dev.muelle.region.simulate.Hosts;
import dev.muelle.region.simulate.Model;
import dev.muelle.region.simulate.Plan;
import dev.muelle.region.simulate.Prices;
import dev.muelle.region.simulate.Report;
import dev.muelle.region.simulate.Simulation;
import dev.muelle.region.simulate.Traffic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScalingPolicyRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutMetricAlarmRequest;

/** Replays a day of traffic against scaling policies, without a region. */
@Command(
    name = "simulate",
    description = {
      "Replays recorded traffic against scaling policies in virtual time, with the same code that"
          + " scales",
      "here, and shows tasks, instances, CPU, latency (an estimate) and price.",
      "",
      "TRAFFIC is a CSV file: time, requests per second. Needs no root and no running region."
    },
    mixinStandardHelpOptions = true)
final class SimulateCommand implements Callable<Integer> {

  @Parameters(paramLabel = "TRAFFIC", description = "a CSV file: time, requests per second")
  private Path traffic = Path.of("");

  @Option(
      names = "--policy",
      required = true,
      paramLabel = "FILE",
      description = "JSON as aws application-autoscaling put-scaling-policy takes it; repeatable")
  private List<Path> policies = new ArrayList<>();

  @Option(
      names = "--alarm",
      paramLabel = "FILE",
      description =
          "JSON as aws cloudwatch put-metric-alarm takes it, for a step scaling policy, which"
              + " AlarmActions names; repeatable")
  private List<Path> alarms = new ArrayList<>();

  @Option(
      names = "--scheduled",
      paramLabel = "FILE",
      description = "JSON as aws application-autoscaling put-scheduled-action takes it; repeatable")
  private List<Path> scheduled = new ArrayList<>();

  @Option(names = "--min", defaultValue = "2", description = "tasks; default: ${DEFAULT-VALUE}")
  private int min;

  @Option(names = "--max", defaultValue = "10", description = "tasks; default: ${DEFAULT-VALUE}")
  private int max;

  @Option(
      names = "--requests-per-task",
      required = true,
      paramLabel = "N",
      description = "requests a second with which the CPU of one task is wholly busy: measure it")
  private double perTask;

  @Option(
      names = "--service-time",
      defaultValue = "20",
      paramLabel = "MS",
      description = "how long a request takes in an idle task; default: ${DEFAULT-VALUE} ms")
  private double serviceMillis;

  @Option(
      names = "--start-time",
      defaultValue = "30",
      paramLabel = "S",
      description = "how long a task takes to start; default: ${DEFAULT-VALUE} s")
  private int startSeconds;

  @Option(names = "--vcpu", defaultValue = "0.25", description = "of a task; default: 0.25")
  private double vcpu;

  @Option(names = "--memory", defaultValue = "0.5", description = "of a task, GB; default: 0.5")
  private double gigabytes;

  @Option(
      names = "--instance-type",
      paramLabel = "TYPE",
      description =
          "tasks run on instances of this type, in an Auto Scaling group that a capacity provider"
              + " scales; default: on Fargate")
  private @Nullable String instanceType;

  @Option(
      names = "--min-instances",
      defaultValue = "1",
      paramLabel = "N",
      description = "of the group; default: ${DEFAULT-VALUE}")
  private int minInstances;

  @Option(
      names = "--max-instances",
      defaultValue = "10",
      paramLabel = "N",
      description = "of the group; default: ${DEFAULT-VALUE}")
  private int maxInstances;

  @Option(
      names = "--target-capacity",
      defaultValue = "100",
      paramLabel = "PERCENT",
      description = "of the capacity provider's managed scaling; default: ${DEFAULT-VALUE}")
  private int targetCapacity;

  @Option(
      names = "--instance-start-time",
      defaultValue = "90",
      paramLabel = "S",
      description = "until an instance takes tasks; default: ${DEFAULT-VALUE} s")
  private int instanceSeconds;

  @Option(
      names = "--arm",
      description = "tasks run on ARM (Graviton), which costs less; default: x86")
  private boolean arm;

  @Option(
      names = "--price",
      paramLabel = "NAME=DOLLARS",
      description =
          "what an hour costs in the place of Amazon's list (us-east-1, Linux, on demand, November"
              + " 2026): of vcpu or gb on Fargate, or of an instance type; repeatable")
  private Map<String, Double> prices = new LinkedHashMap<>();

  @Option(
      names = "--out",
      defaultValue = "simulation",
      paramLabel = "NAME",
      description = "writes NAME.csv and NAME.png; default: ${DEFAULT-VALUE}")
  private Path out = Path.of("simulation");

  @Override
  public Integer call() throws Exception {
    Plan plan =
        new Plan(
            min,
            max,
            vcpu,
            gigabytes,
            Duration.ofSeconds(startSeconds),
            new Model(perTask, serviceMillis),
            instanceType == null
                ? null
                : new Hosts(
                    instanceType,
                    minInstances,
                    maxInstances,
                    targetCapacity,
                    Duration.ofSeconds(instanceSeconds)),
            new Prices(arm, prices),
            Plan.read(PutScalingPolicyRequest.class, policies),
            Plan.read(PutMetricAlarmRequest.class, alarms),
            Plan.read(PutScheduledActionRequest.class, scheduled));
    Traffic recorded = Traffic.read(traffic);
    Path directory = Files.createTempDirectory("muelle-simulation");
    try (Simulation simulation = new Simulation(plan, recorded, directory)) {
      Report report = new Report(plan, simulation.run(at -> System.err.println("  " + at)));
      Path csv = beside(".csv");
      Path png = beside(".png");
      Files.writeString(csv, report.csv());
      Files.write(png, report.png());
      System.out.print(report.summary());
      System.out.println("written           " + csv + ", " + png);
    } finally {
      delete(directory);
    }
    return 0;
  }

  private Path beside(String ending) {
    return out.resolveSibling(out.getFileName() + ending);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
