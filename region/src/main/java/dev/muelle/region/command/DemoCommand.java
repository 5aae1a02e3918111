package dev.muelle.region.command;

import dev.muelle.region.DataDirectory;
import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.demo.AlbaDigiLab;
import dev.muelle.region.demo.Clients;
import java.time.Clock;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The main job: the lab from nothing to an answering load balancer. */
@Command(
    name = "demo",
    description =
        "Starts the region if needed and does the lab \"Fargate, ECS and ALB\", end to end.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {

  private final Clock clock;

  @Mixin private DataOption data = new DataOption();

  @Option(names = "--port", defaultValue = "4566", description = "default: ${DEFAULT-VALUE}")
  private int port = 4566;

  @Option(names = "--remove", description = "delete what the demo created, through the API")
  private boolean remove;

  DemoCommand(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws Exception {
    DataDirectory directory = data.directory();
    if (!remove && directory.running().filter(Running::alive).isEmpty()) {
      int code =
          CommandLineRoot.tellingWhy(new CommandLine(new UpCommand(clock)))
              .execute(
                  "--detach",
                  "--port",
                  String.valueOf(port),
                  "--data",
                  directory.root().toString());
      if (code != 0) {
        return code;
      }
    }
    try (Clients clients = Labs.clients(data)) {
      AlbaDigiLab lab = Labs.albaDigi(clients, data, clock);
      if (remove) {
        lab.remove();
      } else {
        lab.create();
        System.out.print(
            """

            Look around:
              eval "$(./muelle env)"
              aws ecs describe-services --cluster alba-digi-cluster --services alba-digi-service
              aws ecs list-tasks --cluster alba-digi-cluster
              aws elbv2 describe-load-balancers --names alba-digi-load-balancer
              aws logs tail /ecs/alba-digi-task --since 10m
            The whole lab, command by command: docs/labs/

            Remove what the demo created:  ./muelle demo --remove
            Stop the region and everything that it runs:  ./muelle down
            """);
      }
    }
    return 0;
  }
}
