package dev.muelle.region.command;

import dev.muelle.region.DataDirectory;
import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.Leftovers;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Stops a region and everything that it runs; what it was told stays in its data directory. */
@Command(
    name = "down",
    description = "Stops the region and everything that it runs.",
    mixinStandardHelpOptions = true)
final class DownCommand implements Callable<Integer> {

  private static final long GRACE_SECONDS = 20;

  @Mixin private DataOption data = new DataOption();

  @Override
  public Integer call() throws Exception {
    DataDirectory directory = data.directory();
    Optional<Running> running = directory.running().filter(Running::alive);
    if (running.isPresent()) {
      ProcessHandle process = ProcessHandle.of(running.get().pid()).orElseThrow();
      process.destroy();
      try {
        process.onExit().get(GRACE_SECONDS, TimeUnit.SECONDS);
      } catch (java.util.concurrent.TimeoutException e) {
        process.destroyForcibly();
        process.onExit().get(GRACE_SECONDS, TimeUnit.SECONDS);
      }
    }
    Leftovers.remove(directory);
    RehearseCommand.remove(RehearseCommand.scratch()); // one that is under way ends by itself
    System.out.println(
        "Muelle is down; nothing of it runs. " + directory.root() + " keeps its state.");
    return 0;
  }
}
