package dev.muelle.region.command;

import dev.muelle.region.demo.Clients;
import dev.muelle.region.story.ScalingStory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Puts what the lab on scaling has made to the test. */
@Command(
    name = "escalado",
    description =
        "Plays the story of the lab docs/labs/escalado.md: visitors come and go, a task falls ill,"
            + " an instance loses its network; shows what follows, and whether every request was"
            + " answered.",
    mixinStandardHelpOptions = true)
final class EscaladoCommand implements Callable<Integer> {

  private final Clock clock;

  @Mixin private DataOption data = new DataOption();

  @Option(
      names = "--visitors",
      defaultValue = "40",
      description = "how many there are at most; default: ${DEFAULT-VALUE}")
  private int visitors = 40;

  EscaladoCommand(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws Exception {
    try (Clients clients = Labs.clients(data)) {
      ScalingStory story =
          new ScalingStory(
              clients,
              new ScalingStory.Clock(
                  () -> {
                    try {
                      return TimeCommand.ask(data);
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  },
                  clock),
              data.directory().instance(),
              System.out);
      return story.play(visitors) ? 0 : 1;
    }
  }
}
