package dev.muelle.region.command;

import dev.muelle.region.demo.Clients;
import dev.muelle.region.demo.Example;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Builds an example's image without a Docker engine and pushes it to the region's ECR. */
@Command(
    name = "example",
    description =
        "Builds the image of a program in examples/ and pushes it to the region's ECR; prints its"
            + " name.",
    mixinStandardHelpOptions = true)
final class ExampleCommand implements Callable<Integer> {

  /** The names that may be given. */
  private static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Example.ALL.stream().map(Example::name).iterator();
    }
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private DataOption data = new DataOption();

  @Option(names = "--tag", defaultValue = "latest", description = "default: ${DEFAULT-VALUE}")
  private String tag = "latest";

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "an environment variable baked into the image, for example APP_VERSION=2")
  private Map<String, String> environment = new HashMap<>();

  @Parameters(
      arity = "0..1",
      paramLabel = "EXAMPLE",
      defaultValue = "alba-digi-api-rest",
      completionCandidates = Names.class,
      description = "one of ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
  private String name = "";

  @Override
  public Integer call() throws Exception {
    Example example =
        Example.ALL.stream()
            .filter(one -> one.name().equals(name))
            .findFirst()
            .orElseThrow(() ->
                new ParameterException(
                    spec.commandLine(),
                    "There is no example "
                        + name
                        + "; there are: "
                        + String.join(", ", new Names())));
    try (Clients clients = Labs.clients(data)) {
      System.out.println(Labs.repository(clients, data, example).publish(environment, tag));
    }
    return 0;
  }
}
