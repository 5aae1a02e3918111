package dev.muelle.region.command;

import dev.muelle.region.demo.AlbaDigiLab;
import dev.muelle.region.demo.Clients;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Builds the lab's image without a Docker engine and pushes it to the region's ECR. */
@Command(
    name = "example",
    description =
        "Builds the image of examples/alba-digi-api-rest and pushes it to the region's ECR; prints"
            + " its name.",
    mixinStandardHelpOptions = true)
final class ExampleCommand implements Callable<Integer> {

  private final Clock clock;

  @Mixin private DataOption data = new DataOption();

  @Option(names = "--tag", defaultValue = "latest", description = "default: ${DEFAULT-VALUE}")
  private String tag = "latest";

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "an environment variable baked into the image, for example APP_VERSION=2")
  private Map<String, String> environment = new HashMap<>();

  ExampleCommand(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws Exception {
    try (Clients clients = Labs.clients(data)) {
      AlbaDigiLab lab = Labs.albaDigi(clients, data, clock);
      System.out.println(lab.publishImage(environment, tag));
    }
    return 0;
  }
}
